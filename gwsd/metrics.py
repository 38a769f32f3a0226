"""Metrics as functions of weighted means of per-cell statistics, shared by training and evaluation.

A statistic is a field (|e|, e², target inside the interval); a metric is a function of weighted means of statistics.
So the error of a patch, of a calendar month and of all cells come from the same numbers under different weights, and
an RMSE is never a mean of RMSEs. One row of scores is one patch: means over its valid fine cells, and their number.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

COVERAGE = 0.90
"""Probability of the central interval whose coverage is counted."""

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
"""Column of the scores that holds the mean of a statistic; from the fifth on, of those of a standard deviation."""

PHYSICS_COLUMNS = ("sign_as_written", "sign", "magnitude", "regional", "physics")
"""Columns that are empty where the previous month or a term's forcing is absent."""

INDEX_COLUMNS = ("patch", "month", "row", "col", "lat", "lon")
"""Columns that identify the patch of a row."""

SCORE_COLUMNS = (
    *INDEX_COLUMNS,
    "n_valid",
    *tuple(STATISTIC_COLUMNS.values())[:4],
    "target_variance_mm2",
    "r2",
    *PHYSICS_COLUMNS,
    *tuple(STATISTIC_COLUMNS.values())[4:],
)
"""Columns of scores.csv, the same for all methods."""


def cell_statistics(mean: Tensor, sd: Tensor | None, target: Tensor) -> dict[str, Tensor]:
    """Statistics of each fine cell, in double precision: of a mean and, if any, a standard deviation against a target.

    All are of shape (B, 1, 4H, 4W), in mm or mm². `error` is prediction minus target, `hit` is 1 where the target is in
    the central 90 % interval.
    """
    mean, target = mean.double(), target.double()
    error = mean - target
    statistics = {
        "error": error,
        "absolute_error": error.abs(),
        "squared_error": error.square(),
        "target": target,
        "target_squared": target.square(),
    }
    if sd is not None:
        sd = sd.double()
        statistics |= {
            "sd": sd,
            "variance": sd.square(),
            "sd_absolute_error": sd * error.abs(),
            "hit": in_interval(target, mean, sd, COVERAGE).double(),
            "crps": gaussian_crps(target, mean, sd),
            "nll": gaussian_nll(target, mean, sd),
        }
    return statistics


def weighted_means(statistics: Mapping[str, Tensor], weight: Tensor) -> dict[str, Tensor]:
    """Mean of each statistic over the cells of each patch, (B,); NaN for a patch without weight.

    Statistics and weight, which is not negative, have the shape (B, 1, 4H, 4W). The mask of valid cells as the weight
    gives the paper's mean over pixels. Cells of weight 0 may hold NaN.
    """
    weights = weight.double()
    total = weights.sum(dim=(1, 2, 3))
    counts = weights > 0
    return {
        name: (torch.where(counts, field, 0.0) * weights).sum(dim=(1, 2, 3)) / total
        for name, field in statistics.items()
    }


def patch_scores(mean: Tensor, sd: Tensor | None, target: Tensor, valid: Tensor) -> pd.DataFrame:
    """Score patches: one row per patch with `n_valid`, the means of all statistics, the target's variance and R².

    Arguments as for `cell_statistics`; `valid`, shape (B, 1, 4H, 4W), bool, marks the cells that count.
    """
    means = {
        name: value.cpu().numpy() for name, value in weighted_means(cell_statistics(mean, sd, target), valid).items()
    }
    rows = pd.DataFrame({"n_valid": valid.sum(dim=(1, 2, 3)).cpu().numpy()})
    for statistic, column in STATISTIC_COLUMNS.items():
        rows[column] = means.get(statistic, np.nan)
    rows["target_variance_mm2"] = np.maximum(means["target_squared"] - means["target"] ** 2, 0.0)
    rows["r2"] = coefficient_of_determination(rows["mse_mm2"], rows["target_variance_mm2"])
    return rows


def coefficient_of_determination(mse: Any, variance: Any) -> Any:
    """R² = 1 - mean squared error / variance of the target; NaN where the target is constant."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(variance) > 0, 1.0 - np.asarray(mse) / np.asarray(variance), np.nan)


def pooled(scores: pd.DataFrame) -> dict[str, float]:
    """Metrics of all valid cells of some patches together (all patches, those of a month or of a region).

    Those that need a standard deviation are NaN without one: `coverage_90`, `sharpness_mm` (mean standard deviation),
    `spread_skill` (root mean variance over root mean squared error: 1 where spread matches skill), `crps_mm`, `nll` and
    `sd_error_correlation` (of standard deviation and absolute error, over cells).
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


def error_summary(scores: pd.DataFrame) -> dict[str, float]:
    """Metrics over some patches: training's validation scores and the test scores of Table 3 are both these.

    As in the paper, `mae_mm` and `mae_sd_mm` are mean and standard deviation over patches, each counting once.
    Everything in `pooled` counts each valid cell once.
    """
    return {
        "mae_mm": float(scores["mae_mm"].mean()),
        "mae_sd_mm": float(scores["mae_mm"].std()),
        **pooled(scores),
        "r2_patch_median": float(scores["r2"].dropna().median()),
    }


def summary(scores: pd.DataFrame, method: str, *, patches_with_previous: int) -> dict[str, Any]:
    """Summarise the test scores of a method: `error_summary`, and mean physics terms where the previous month exists.

    `scores` has the columns `SCORE_COLUMNS`. Returns numbers, None where the method has no such score: ready for JSON.
    """
    constrained = scores.dropna(subset=["physics"])
    numbers: dict[str, float] = {
        **error_summary(scores),
        **{column: float(constrained[column].mean()) for column in PHYSICS_COLUMNS},
        "physics_sd": float(constrained["physics"].std()),
    }
    return {
        "method": method,
        "patches": len(scores),
        "patches_with_previous": patches_with_previous,
        "valid_cells": int(scores["n_valid"].sum()),
        **{name: (value if np.isfinite(value) else None) for name, value in numbers.items()},
    }


def standard_normal_quantile(probability: float) -> float:
    """Half-width, in standard deviations, of the central interval of a probability; 0.90 gives 1.645."""
    return math.sqrt(2.0) * float(torch.erfinv(torch.tensor(probability, dtype=torch.float64)))


def in_interval(target: Tensor, mean: Tensor, sd: Tensor, probability: float) -> Tensor:
    """Return True where the target is in the central interval of a Gaussian; `sd` is positive."""
    return (target - mean).abs() <= standard_normal_quantile(probability) * sd


def gaussian_crps(target: Tensor, mean: Tensor, sd: Tensor) -> Tensor:
    """Continuous ranked probability score of a Gaussian, closed form (Gneiting et al., 2005, equation 5).

    All in one unit, that of the score; `sd` positive. 0 is perfect; as `sd` goes to 0 it goes to |target - mean|.
    """
    z = (target - mean) / sd
    density = torch.exp(-0.5 * z.square()) / math.sqrt(2.0 * math.pi)
    return sd * (z * torch.erf(z / math.sqrt(2.0)) + 2.0 * density - 1.0 / math.sqrt(math.pi))


def gaussian_nll(target: Tensor, mean: Tensor, sd: Tensor) -> Tensor:
    """Negative log-likelihood of a Gaussian as in equation (11), without ½ log 2π; depends on the unit of `sd`."""
    return torch.log(sd) + 0.5 * ((target - mean) / sd).square()
