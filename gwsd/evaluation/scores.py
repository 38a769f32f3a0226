"""Scores: metrics as functions of weighted means of per-cell statistics.

One row of scores is one test patch and holds means over its valid fine cells. Rows are pooled with the
number of those cells as weights, so the same function gives the score of all patches, of a calendar month or of a
region.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

STATISTIC_COLUMNS = {
    "absolute_error": "mae_mm",
    "squared_error": "mse_mm2",
    "error": "bias_mm",
    "target": "target_mean_mm",
    "sd": "mean_sd_mm",
    "variance": "mean_variance_mm2",
    "sd_absolute_error": "sd_error_product_mm2",
    "hit": "coverage_90",
    "crps": "crps_mm",
    "nll": "nll",
}
"""Column of the scores in which the mean of a statistic stands."""

UNCERTAINTY_COLUMNS = tuple(list(STATISTIC_COLUMNS.values())[4:])
"""Columns that are empty for a method without a standard deviation."""

PHYSICS_COLUMNS = ("sign_as_written", "sign", "magnitude", "regional", "physics")
"""Columns that are empty for a patch whose month before is absent, and where the climate lacks what a term reads."""

INDEX_COLUMNS = ("patch", "month", "row", "col", "lat", "lon")
"""Which patch a row speaks of."""

SCORE_COLUMNS = (
    *INDEX_COLUMNS,
    "n_valid",
    *list(STATISTIC_COLUMNS.values())[:4],
    "target_variance_mm2",
    "r2",
    *PHYSICS_COLUMNS,
    *UNCERTAINTY_COLUMNS,
)
"""Columns of the scores, the same for all methods."""


def score_rows(
    patches: pd.DataFrame,
    n_valid: np.ndarray,
    means: Mapping[str, np.ndarray],
    physics: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """Lay out the scores of some patches.

    Parameters
    ----------
    patches : DataFrame, B rows
        With `INDEX_COLUMNS`.
    n_valid : ndarray, shape (B,)
        Valid fine cells.
    means : mapping of str to ndarray, shape (B,)
        Means of the statistics of `statistics.cell_statistics` over the valid cells.
    physics : mapping of str to ndarray, shape (B,)
        `PHYSICS_COLUMNS`, NaN where the month before or the forcing is absent.

    Returns
    -------
    DataFrame
        Columns `SCORE_COLUMNS`; NaN where a method or a patch has no such score.
    """
    rows = patches.loc[:, list(INDEX_COLUMNS)].reset_index(drop=True)
    rows["n_valid"] = n_valid
    for statistic, column in STATISTIC_COLUMNS.items():
        rows[column] = means.get(statistic, np.nan)
    rows["target_variance_mm2"] = np.maximum(means["target_squared"] - means["target"] ** 2, 0.0)
    rows["r2"] = coefficient_of_determination(rows["mse_mm2"], rows["target_variance_mm2"])
    for column in PHYSICS_COLUMNS:
        rows[column] = physics[column]
    return rows.loc[:, list(SCORE_COLUMNS)]


def coefficient_of_determination(mse: Any, variance: Any) -> Any:
    """R² = 1 - mean squared error / variance of the target; NaN where the target is constant."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(variance) > 0, 1.0 - np.asarray(mse) / np.asarray(variance), np.nan)


def pooled(scores: pd.DataFrame) -> dict[str, float]:
    """Metrics of all the valid cells of some patches.

    Parameters
    ----------
    scores : DataFrame
        Rows of `SCORE_COLUMNS`: all of them, or those of a month or a region.

    Returns
    -------
    dict of str to float
        `mae_pooled_mm`, `bias_mm`, `rmse_mm`, `r2`, `target_mean_mm`, `target_sd_mm`; for methods with a standard
        deviation (else NaN) `coverage_90`, `sharpness_mm` (mean standard deviation), `spread_skill` (root mean variance
        over root mean squared error: 1 where spread matches skill), `crps_mm`, `nll`, `sd_error_correlation`
        (of standard deviation and absolute error, over cells).
    """
    weight = scores["n_valid"].to_numpy(dtype=np.float64)

    def mean(values: pd.Series) -> float:
        return float(np.average(values.to_numpy(dtype=np.float64), weights=weight))

    m = {column: mean(scores[column]) for column in STATISTIC_COLUMNS.values()}
    # The variance of all cells is that within patches plus that between their means.
    second_moment = mean(scores["target_variance_mm2"] + scores["target_mean_mm"] ** 2)
    variance = max(second_moment - m["target_mean_mm"] ** 2, 0.0)
    rmse = float(np.sqrt(m["mse_mm2"]))
    error_variance = m["mse_mm2"] - m["mae_mm"] ** 2
    sd_variance = m["mean_variance_mm2"] - m["mean_sd_mm"] ** 2
    covariance = m["sd_error_product_mm2"] - m["mean_sd_mm"] * m["mae_mm"]
    # Below this the spread is rounding, and a correlation of it would be noise.
    varies = error_variance > 1e-12 * m["mse_mm2"] and sd_variance > 1e-12 * m["mean_variance_mm2"]
    return {
        "mae_pooled_mm": m["mae_mm"],
        "bias_mm": m["bias_mm"],
        "rmse_mm": rmse,
        "r2": float(coefficient_of_determination(m["mse_mm2"], variance)),
        "target_mean_mm": m["target_mean_mm"],
        "target_sd_mm": float(np.sqrt(variance)),
        "coverage_90": m["coverage_90"],
        "sharpness_mm": m["mean_sd_mm"],
        "spread_skill": float(np.sqrt(m["mean_variance_mm2"])) / rmse if rmse > 0 else float("nan"),
        "crps_mm": m["crps_mm"],
        "nll": m["nll"],
        "sd_error_correlation": covariance / float(np.sqrt(error_variance * sd_variance)) if varies else np.nan,
    }


def summary(scores: pd.DataFrame, method: str, *, patches_with_previous: int | None = None) -> dict[str, Any]:
    """Summarise the scores of a method over its test patches.

    The paper states its error as mean ± standard deviation over patches (Table 3): `mae_mm` and `mae_sd_mm` are these,
    each patch counting once. Everything in `pooled` counts each valid cell once. The physics terms
    are means over the patches whose month before is present.

    Parameters
    ----------
    scores : DataFrame
        Rows of `SCORE_COLUMNS`.
    method : str
        Its name.
    patches_with_previous : int or None
        Patches whose month before is present; None counts those with a physics loss, of which a climate without
        the forcing leaves none.

    Returns
    -------
    dict
        Numbers, and None where the method has no such score: ready for JSON.
    """
    patch_mae = scores["mae_mm"].to_numpy(dtype=np.float64)
    constrained = scores.dropna(subset=["physics"])
    numbers: dict[str, float] = {
        "mae_mm": float(patch_mae.mean()),
        "mae_sd_mm": float(patch_mae.std(ddof=1)) if len(patch_mae) > 1 else float("nan"),
        **pooled(scores),
        "r2_patch_median": float(np.nanmedian(scores["r2"])) if scores["r2"].notna().any() else float("nan"),
        **{column: _mean(constrained[column]) for column in PHYSICS_COLUMNS},
        "physics_sd": float(constrained["physics"].std(ddof=1)) if len(constrained) > 1 else float("nan"),
    }
    return {
        "method": method,
        "patches": len(scores),
        "patches_with_previous": len(constrained) if patches_with_previous is None else patches_with_previous,
        "valid_cells": int(scores["n_valid"].sum()),
        **{name: (value if np.isfinite(value) else None) for name, value in numbers.items()},
    }


def _mean(values: pd.Series) -> float:
    return float(values.to_numpy(dtype=np.float64).mean()) if len(values) else float("nan")
