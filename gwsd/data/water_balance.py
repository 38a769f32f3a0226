"""Lagged correlation of storage changes with P - ET, to check that storage and climate belong together."""

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import DataError

LAGS = (0, 1, 2)  # months by which P - ET precedes the storage change


def compare_with_net_input(storage: xr.Dataset, climate: xr.Dataset) -> pd.DataFrame:
    """Correlate storage changes with P - ET.

    The change from the previous month, where both are present (never across a gap), is compared with P - ET of the
    month itself (lag 0) or of earlier ones. Storage of a month is that of its middle: the change spans half of the
    month and half of the previous one.

    Parameters
    ----------
    storage : xarray.Dataset
        `storage` (time, lat, lon), mm; NaN outside the valid cells.
    climate : xarray.Dataset
        `precipitation` and `evapotranspiration` (time, lat, lon), mm/month, on the same cells; months without gaps.

    Returns
    -------
    DataFrame
        One row per lag: changes compared, valid cells, correlation of the area-weighted means, median of the cells'
        correlations, share of cells and months in which both have the same sign.
    """
    if missing := [name for name in ("precipitation", "evapotranspiration") if name not in climate]:
        raise DataError(
            f"climate: {', '.join(missing)} is absent, so there is no P - ET. Add precipitation and temperature to "
            "climate_variables."
        )
    months, calendar = (dataset["time"].values.astype("datetime64[M]") for dataset in (storage, climate))
    values = storage["storage"].values
    valid = np.isfinite(values).all(axis=0) & np.isfinite(climate["evapotranspiration"].values).all(axis=0)
    area = np.broadcast_to(np.cos(np.deg2rad(storage["lat"].values))[:, None], valid.shape)[valid]
    net = (climate["precipitation"].values - climate["evapotranspiration"].values)[:, valid].astype(np.float64)
    level = values[:, valid].astype(np.float64)
    rows = []
    for lag in LAGS:
        later = np.flatnonzero(np.diff(months).astype(int) == 1) + 1
        later = later[np.isin(months[later] - lag, calendar)]
        if len(later) < 3 or not valid.any():
            raise DataError(
                f"Only {len(later)} storage changes at {int(valid.sum())} cells have P - ET {lag} months before. "
                "Expected three or more: lengthen the period, or look at inputs/quality.csv."
            )
        change = level[later] - level[later - 1]
        forcing = net[np.searchsorted(calendar, months[later] - lag)]
        rows.append(
            {
                "lag": lag,
                "months": len(later),
                "cells": int(valid.sum()),
                "correlation_of_means": float(np.corrcoef(change @ area, forcing @ area)[0, 1]),
                "median_cell_correlation": float(np.median(_correlate(change, forcing))),
                "same_sign_share": float((np.sign(change) == np.sign(forcing)).mean()),
            }
        )
    return pd.DataFrame(rows)


def _correlate(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate the columns of two tables (months, cells); 0 where a column does not vary."""
    a, b = (table - table.mean(axis=0) for table in (a, b))
    scale = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    product = (a * b).sum(axis=0)
    return np.divide(product, scale, out=np.zeros_like(product), where=scale > 0)
