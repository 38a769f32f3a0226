"""Figure 3, computed: a few test patches, chosen by rank so that they are typical, not the best."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from gwsd.errors import DataError
from gwsd.figures.data_file import labelled
from gwsd.figures.predicted_patches import PredictedPatches, read_patches
from gwsd.grid import FINE_SPACING

FULL = 0.9
"""Valid share from which a patch is a candidate; where too few have it, all patches are."""


def choose_examples(patches: PredictedPatches, count: int) -> list[int]:
    """Choose patches in the middle of equal parts of the ranking by MAE.

    With three, these are the patches nearest to the 17th, 50th and 83rd percentile among those with at least
    90 % valid cells. A patch that overlaps one chosen before it is passed over where another can be had.

    Parameters
    ----------
    patches : PredictedPatches
        The test patches.
    count : int
        How many; fewer come back where there are fewer patches.

    Returns
    -------
    list of int
        Indices along the patches, by increasing MAE.

    Raises
    ------
    DataError
        If no patch has a valid cell.
    """
    mae, share = patches.patch_mae, patches.valid_share
    candidates = np.flatnonzero(np.isfinite(mae) & (share >= FULL))
    if len(candidates) < count:
        candidates = np.flatnonzero(np.isfinite(mae))
    if len(candidates) == 0:
        raise DataError("predictions.nc: no test patch has a valid cell.")
    ranked = candidates[np.argsort(mae[candidates], kind="stable")]
    chosen: list[int] = []
    for part in range(min(count, len(ranked))):
        middle = (part + 0.5) / count * len(ranked) - 0.5
        by_nearness = ranked[np.argsort(np.abs(np.arange(len(ranked)) - middle), kind="stable")]
        free = [int(patch) for patch in by_nearness if int(patch) not in chosen]
        apart = [patch for patch in free if not any(_overlap(patches, patch, other) for other in chosen)]
        chosen.append((apart or free)[0])
    return sorted(chosen, key=lambda patch: (float(mae[patch]), patch))


def _overlap(patches: PredictedPatches, one: int, other: int) -> bool:
    rows, columns = patches.mean.shape[1:]
    return bool(
        abs(int(patches.row[one] - patches.row[other])) < rows
        and abs(int(patches.col[one] - patches.col[other])) < columns
    )


def compute(
    predictions: xr.Dataset,
    land: xr.Dataset,
    *,
    evaluation: Mapping[str, Any],
    data_label: str,
    source: str,
    reported: str = "",
) -> xr.Dataset:
    """Compute the data of Figure 3.

    Parameters
    ----------
    predictions : xr.Dataset
        The test patches, see `read_patches`.
    land : xr.Dataset
        `land_fraction` (lat, lon) on the fine grid.
    evaluation : mapping
        The settings' section `evaluation`, of which `figure_patches` counts: how many examples.
    data_label, source, reported : str
        Where the data come from, the job's key, and what the paper states.

    Returns
    -------
    xr.Dataset
        `coarse` (example, cy, cx), `target`, `prediction`, `absolute_error`, `land_fraction` (example, y, x),
        `lat` (example, y), `lon` (example, x), and per example `patch`, `month`, `mae`, `rank` (percent of the
        test patches with a smaller MAE). mm. Coarse cells without a valid fine cell are NaN, and so are errors
        where none counts.
    """
    patches = read_patches(predictions, land)
    chosen = choose_examples(patches, int(evaluation["figure_patches"]))
    windows = [patches.window(patch) for patch in chosen]
    factor = patches.mean.shape[1] // patches.storage.shape[1]
    valid = patches.valid[chosen]
    rows, columns = patches.storage.shape[1:]
    any_valid = valid.reshape(len(chosen), rows, factor, columns, factor).any(axis=(2, 4))
    mae = patches.patch_mae
    rank = [100.0 * float(np.mean(mae[np.isfinite(mae)] < mae[patch])) for patch in chosen]
    fine = ("example", "y", "x")

    def shown(field: np.ndarray) -> tuple[tuple[str, str, str], np.ndarray]:
        return fine, np.where(valid, field[chosen], np.nan).astype(np.float32)

    data = xr.Dataset(
        {
            "coarse": (("example", "cy", "cx"), np.where(any_valid, patches.storage[chosen], np.nan)),
            "target": shown(patches.target),
            "prediction": shown(patches.mean),
            "absolute_error": shown(patches.absolute_error),
            "land_fraction": (fine, np.stack([land["land_fraction"].values[window] for window in windows])),
            "lat": (("example", "y"), np.stack([land["lat"].values[rows] for rows, _ in windows])),
            "lon": (("example", "x"), np.stack([land["lon"].values[columns] for _, columns in windows])),
            "patch": (("example",), patches.number[chosen]),
            "month": (("example",), [f"{month:%Y-%m}" for month in patches.month[chosen]]),
            "mae": (("example",), mae[chosen]),
            "rank": (("example",), rank),
        }
    )
    for name in ("coarse", "target", "prediction", "absolute_error", "mae"):
        data[name].attrs["units"] = "mm"
    return labelled(
        data,
        title="Test patches: coarse storage, target, prediction and absolute error",
        data_label=data_label,
        source=source,
        reported=reported,
        method=patches.method,
        cell_degrees=FINE_SPACING,
    )
