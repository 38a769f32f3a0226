"""Means and standard deviations for standardising, fitted on the training patches."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gwsd.data.calendar import parse_month
from gwsd.errors import DataError
from gwsd.patches.windows import cover

SMALLEST_STD = 1e-6
"""A variable that varies less is centred but not scaled."""


def fit_normalisation(
    storage: xr.DataArray,
    climate: xr.Dataset,
    train: pd.DataFrame,
    valid: NDArray[np.bool_],
    *,
    size: int,
    variables: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Fit mean and standard deviation on the valid cells of the training patches.

    A cell counts in a month as often as training patches contain it. Climate is taken in the patches' target
    months, so that all variants share one normalisation whatever their history.

    `storage` (time, lat, lon), mm, and `climate` are on the grid of `valid`, (H, W); patches have `size` coarse cells
    a side. Returns `mean` and `std` of `storage` and of each of the `variables`, in the variable's unit.
    """
    fields = {"storage": storage, **{name: climate[name] for name in variables}}
    # Weights of all months first: each variable is then in memory once, and only while it is fitted.
    weights = {
        parse_month(str(month)): np.where(valid, cover(patches, size, valid.shape), 0)[valid].astype(np.float64)
        for month, patches in train.groupby("month", sort=True)
    }
    return {name: _moments(field, weights, valid, name) for name, field in fields.items()}


def _moments(
    field: xr.DataArray, weights: dict[np.datetime64, NDArray[np.float64]], valid: NDArray[np.bool_], name: str
) -> dict[str, float]:
    index = {np.datetime64(t, "ns"): i for i, t in enumerate(field["time"].values)}
    # Read whole: chunks of a file span months. [:] keeps xarray from caching it.
    fields = field[:].values
    total = mean = squares = 0.0
    for month, weight in weights.items():
        values = fields[index[month]][valid].astype(np.float64)
        known = np.isfinite(values)
        values, weight = values[known], weight[known]
        if (amount := float(weight.sum())) == 0.0:
            continue
        # Chan's update of mean and squares: no cancellation for surface pressure, whose mean is 10 times its spread.
        month_mean = float((weight * values).sum()) / amount
        month_squares = float((weight * (values - month_mean) ** 2).sum())
        delta = month_mean - mean
        squares += month_squares + delta**2 * total * amount / (total + amount)
        mean += delta * amount / (total + amount)
        total += amount
    if total == 0.0:
        raise DataError(f"'{name}' has no value in any valid cell of the training patches. Make the inputs again.")
    std = float(np.sqrt(squares / total))
    return {"mean": mean, "std": std if std > SMALLEST_STD else 1.0}
