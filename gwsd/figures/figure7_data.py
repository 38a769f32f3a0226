"""Figure 7, computed: what the predicted standard deviations say of the errors, over a sample of cells."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from gwsd.errors import DataError
from gwsd.evaluation.uncertainty import gaussian_crps, in_interval
from gwsd.figures.data_file import labelled
from gwsd.figures.predicted_patches import PredictedPatches, read_patches

SAMPLE_SEED = 7
"""Seed of the draw of cells: part of what the figure shows, so every method is seen at the same cells."""

BINS = 10
"""Bins of the calibration curve, each with as many cells."""

QUARTILES = 4

HISTOGRAM_BINS = 60

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of |error| that the boxes show."""

NOMINAL = 0.9
"""Probability of the central interval whose coverage is printed."""

Array = NDArray[np.floating[Any]]


def sample_cells(patches: PredictedPatches, count: int, seed: int) -> tuple[Array, Array]:
    """Draw valid cells of the test patches, each as likely, without putting back.

    Parameters
    ----------
    patches : PredictedPatches
        The test patches, with standard deviations.
    count : int
        How many cells; all of them where there are fewer.
    seed : int
        Of the draw.

    Returns
    -------
    sd, error : ndarray, shape (cells,)
        Predicted standard deviation and target minus prediction, mm, in the patches' order.

    Raises
    ------
    DataError
        If the method predicts no standard deviation, one is not positive, or no cell is valid.
    """
    if patches.sd is None:
        raise DataError("predictions.nc: has no sd; Figure 7 needs a method that predicts its uncertainty.")
    cells = np.flatnonzero(patches.valid)
    if len(cells) == 0:
        raise DataError("predictions.nc: no test patch has a valid cell.")
    if len(cells) > count:
        generator = np.random.Generator(np.random.PCG64(seed))
        cells = np.sort(generator.choice(cells, size=count, replace=False, shuffle=False))
    sd = patches.sd.ravel()[cells].astype(np.float64)
    if not (np.isfinite(sd) & (sd > 0.0)).all():
        raise DataError("predictions.nc: sd must be positive in all valid cells.")
    return sd, (patches.target.ravel()[cells].astype(np.float64) - patches.mean.ravel()[cells])


def equal_groups(values: Array, count: int) -> list[NDArray[np.int64]]:
    """Return the indices of `count` groups of (nearly) equal size, by increasing value; ties keep their order."""
    return [np.asarray(group) for group in np.array_split(np.argsort(values, kind="stable"), count)]


def compute(
    predictions: xr.Dataset,
    *,
    evaluation: Mapping[str, Any],
    data_label: str,
    source: str,
    reported: str = "",
) -> xr.Dataset:
    """Compute the data of Figure 7; all statistics are those of the sample.

    Parameters
    ----------
    predictions : xr.Dataset
        The test patches, see `read_patches`, with `sd`.
    evaluation : mapping
        The settings' section `evaluation`, of which `pixel_sample` counts: how many cells are drawn.
    data_label, source, reported : str
        Where the data come from, the job's key, and what the paper states.

    Returns
    -------
    xr.Dataset
        `sd`, `absolute_error` (cell), float32; `histogram` (bar) with `edge` (bar + 1); `bin_sd`, `bin_error`,
        `bin_error_sd`, `bin_rms` (bin); `quartile_low`, `quartile_high` (quartile), `quartile_error`
        (quartile, quantile), `quartile_mean`. mm. As attributes: `pearson`, `spearman`, `mean_sd_mm`,
        `rmse_mm`, `coverage_90`, `crps_mm`, `sd_of_standardised_error`, `cells_in_all`.

    Raises
    ------
    DataError
        If the method predicts no standard deviation, or nothing is valid.
    """
    patches = read_patches(predictions, None)
    sd, error = sample_cells(patches, int(evaluation["pixel_sample"]), SAMPLE_SEED)
    size = np.abs(error)
    groups = [group for group in equal_groups(sd, BINS) if len(group)]
    quarters = [group for group in equal_groups(sd, QUARTILES) if len(group)]
    # A constant sd has no spread to bin: one bar round it.
    histogram, edge = np.histogram(sd, bins=HISTOGRAM_BINS)
    varies = sd.std() > 0.0 and size.std() > 0.0
    data = xr.Dataset(
        {
            "sd": ("cell", sd.astype(np.float32)),
            "absolute_error": ("cell", size.astype(np.float32)),
            "histogram": ("bar", histogram.astype(np.int64)),
            "edge": ("bar_edge", edge),
            "bin_sd": ("bin", [sd[group].mean() for group in groups]),
            "bin_error": ("bin", [size[group].mean() for group in groups]),
            "bin_error_sd": ("bin", [size[group].std() for group in groups]),
            "bin_rms": ("bin", [np.sqrt((size[group] ** 2).mean()) for group in groups]),
            "quartile_low": ("quartile", [sd[group].min() for group in quarters]),
            "quartile_high": ("quartile", [sd[group].max() for group in quarters]),
            "quartile_mean": ("quartile", [size[group].mean() for group in quarters]),
            "quartile_error": (("quartile", "quantile"), [np.quantile(size[group], QUANTILES) for group in quarters]),
        },
        {"quantile": list(QUANTILES)},
    )
    for name in data.data_vars:
        data[name].attrs["units"] = "1" if name == "histogram" else "mm"
    observed, mean, spread = (torch.from_numpy(values) for values in (error, np.zeros_like(error), sd))
    within = in_interval(observed, mean, spread, NOMINAL)
    return labelled(
        data,
        title="Predicted standard deviation and absolute error over a sample of test cells",
        data_label=data_label,
        source=source,
        reported=reported,
        method=patches.method,
        cells_in_all=int(patches.valid.sum()),
        pearson=float(np.corrcoef(sd, size)[0, 1]) if varies else float("nan"),
        spearman=float(stats.spearmanr(sd, size).statistic) if varies else float("nan"),
        mean_sd_mm=float(sd.mean()),
        mae_mm=float(size.mean()),
        rmse_mm=float(np.sqrt((size**2).mean())),
        coverage_90=float(within.double().mean()),
        crps_mm=float(gaussian_crps(observed, mean, spread).mean()),
        sd_of_standardised_error=float((error / sd).std()),
    )
