"""Per-cell statistics, computed once, and their weighted means.

A statistic is a field (|e|, e², whether the interval was hit); a metric is a function of weighted means of
statistics (`scores`). So the error of a patch, of a calendar month and of all the cells together come from the same
numbers under different weights, and a root mean square error is never a mean of root mean square errors.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from gwsd.evaluation.uncertainty import gaussian_crps, gaussian_nll, in_interval
from gwsd.methods.method import Prediction

COVERAGE = 0.90
"""Probability of the central interval whose coverage is counted."""


def cell_statistics(prediction: Prediction, target: Tensor) -> dict[str, Tensor]:
    """Statistics of each fine cell, in double precision.

    Parameters
    ----------
    prediction : Prediction
        Mean and, where there is one, standard deviation, mm.
    target : Tensor, shape (B, 1, 4H, 4W), mm
        What the prediction is measured against.

    Returns
    -------
    dict of str to Tensor, shape (B, 1, 4H, 4W)
        `error` (prediction minus target, mm), `absolute_error` (mm), `squared_error` (mm²), `target` (mm),
        `target_squared` (mm²); with a standard deviation also `sd` (mm), `variance` (mm²), `sd_absolute_error`
        (their product, mm²), `hit` (1 where the target lies in the central 90 % interval), `crps` (mm), `nll`.
    """
    observed = target.double()
    mean = prediction.mean.double()
    error = mean - observed
    statistics = {
        "error": error,
        "absolute_error": error.abs(),
        "squared_error": error.square(),
        "target": observed,
        "target_squared": observed.square(),
    }
    if prediction.sd is not None:
        sd = prediction.sd.double()
        statistics |= {
            "sd": sd,
            "variance": sd.square(),
            "sd_absolute_error": sd * error.abs(),
            "hit": in_interval(observed, mean, sd, COVERAGE).double(),
            "crps": gaussian_crps(observed, mean, sd),
            "nll": gaussian_nll(observed, mean, sd),
        }
    return statistics


def weighted_means(statistics: Mapping[str, Tensor], weight: Tensor) -> dict[str, Tensor]:
    """Mean of each statistic over the cells of each patch.

    Parameters
    ----------
    statistics : mapping of str to Tensor, shape (B, 1, 4H, 4W)
        Fields; where the weight is 0 they may hold anything, NaN too.
    weight : Tensor, shape (B, 1, 4H, 4W)
        Non-negative. The mask of valid cells gives the paper's mean over pixels; the mask times the area of the
        cells would give a mean over land.

    Returns
    -------
    dict of str to Tensor, shape (B,)
        Weighted means; NaN for a patch without weight.
    """
    weights = weight.double()
    total = weights.sum(dim=(1, 2, 3))
    counts = weights > 0
    return {
        name: (torch.where(counts, field, 0.0) * weights).sum(dim=(1, 2, 3)) / total
        for name, field in statistics.items()
    }
