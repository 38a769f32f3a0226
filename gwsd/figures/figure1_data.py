"""Figure 1, computed: the trend of storage in every valid cell, and whether it can be told from chance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from gwsd.errors import DataError
from gwsd.figures.data_file import labelled, need
from gwsd.figures.predicted_patches import world_land
from gwsd.grid import COARSE_SPACING, cell_area

HARMONICS = (1, 2)
"""Cycles a year that make up the season which is taken out."""

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Trend:
    """Straight-line change of N series.

    Parameters
    ----------
    slope : ndarray, shape (N,)
        Unit of the series a year.
    standard_error : ndarray, shape (N,)
        Of the slope, for autocorrelated residuals; the same unit.
    p_value : ndarray, shape (N,)
        Two-sided, of no trend.
    effective_size : ndarray, shape (N,)
        Independent values that the residuals amount to.
    """

    slope: Array
    standard_error: Array
    p_value: Array
    effective_size: Array


def fit_trend(series: Array, months: NDArray[np.datetime64]) -> Trend:
    """Fit a line and the season (annual and half-yearly harmonics) together by least squares.

    Residuals of storage persist from month to month, so that far fewer values are independent than there
    are. As in Santer et al. (2000), the n values count as n(1 − r)/(1 + r), with r the lag-1 autocorrelation
    of the residuals, both in the residual variance and in the degrees of freedom of the t test. Here r is
    taken over pairs of adjacent months only: gaps in the record are never stepped across.

    Parameters
    ----------
    series : ndarray, shape (T, N)
        Without gaps in the values; absent months are absent rows.
    months : ndarray of datetime64, shape (T,)
        The first day of each month, increasing.

    Raises
    ------
    DataError
        If there are fewer than two years of months.
    """
    month = months.astype("datetime64[M]").astype(np.int64)
    count = len(month)
    if count < 24:
        raise DataError(f"storage.nc: a trend needs at least 24 months, there are {count}.")
    years = (month - month.mean()) / 12.0
    phases = [2.0 * np.pi * harmonic * (month % 12) / 12.0 for harmonic in HARMONICS]
    design = np.stack([np.ones(count), years, *(wave(phase) for phase in phases for wave in (np.cos, np.sin))], axis=1)
    values = np.asarray(series, dtype=np.float64)
    coefficients = np.linalg.lstsq(design, values, rcond=None)[0]
    residuals = values - design @ coefficients

    adjacent = np.flatnonzero(np.diff(month) == 1)
    earlier, later = residuals[adjacent], residuals[adjacent + 1]
    power = np.sqrt((earlier**2).sum(axis=0) * (later**2).sum(axis=0))
    r = np.divide((earlier * later).sum(axis=0), power, out=np.zeros_like(power), where=power > 0.0)
    r = np.clip(r, 0.0, 1.0 - 1e-9)  # a negative r would make more of n values than there are
    effective = count * (1.0 - r) / (1.0 + r)

    freedom = effective - 2.0
    enough = freedom > 0.0
    # The variance of the slope carries the design's own collinearity between line and season.
    inverse = np.linalg.inv(design.T @ design)[1, 1]
    variance = np.divide((residuals**2).sum(axis=0), freedom, out=np.full_like(freedom, np.inf), where=enough)
    error = np.sqrt(variance * inverse)
    slope = coefficients[1]
    statistic = np.divide(np.abs(slope), error, out=np.full_like(slope, np.inf), where=error > 0.0)
    p_value = np.where(enough, 2.0 * stats.t.sf(statistic, np.where(enough, freedom, 1.0)), 1.0)
    p_value = np.where(slope == 0.0, 1.0, p_value)
    return Trend(slope, error, p_value, effective)


def compute(
    storage: xr.Dataset,
    mask: xr.Dataset,
    land: xr.Dataset,
    *,
    trend: Mapping[str, float],
    data_label: str,
    source: str,
    reported: str = "",
) -> xr.Dataset:
    """Compute the data of Figure 1.

    Parameters
    ----------
    storage : xr.Dataset
        `storage` (time, lat, lon), mm, only the months that are present.
    mask : xr.Dataset
        `valid` (lat, lon), 1 where a cell is in.
    land : xr.Dataset
        `land_fraction` (lat, lon) on the fine grid.
    trend : mapping
        The settings' section `trend`: `significance`, the level at which a trend is marked, between 0 and 1.
    data_label, source, reported : str
        Where the data come from, the job's key, and what the paper states.

    Returns
    -------
    xr.Dataset
        `trend`, `standard_error` (mm/yr), `p_value`, `effective_months`, `significant` (lat, lon) and
        `land_fraction`; as attributes the shares of the valid area with significant loss and gain.

    Raises
    ------
    DataError
        If the inputs do not fit together.
    """
    need(storage, {"storage": ("time", "lat", "lon")}, "storage.nc")
    need(mask, {"valid": ("lat", "lon")}, "mask.nc")
    need(land, {"land_fraction": ("lat", "lon")}, "land.nc")
    valid = mask["valid"].values == 1
    if valid.shape != storage["storage"].shape[1:]:
        raise DataError(f"mask.nc: has {valid.shape} cells, storage.nc {storage['storage'].shape[1:]}.")
    series = storage["storage"].values[:, valid]
    if series.shape[1] == 0:
        raise DataError("mask.nc: no cell is valid; see quality.csv for the reasons.")
    if not np.isfinite(series).all():
        raise DataError("storage.nc: valid cells have months without a value; mask.nc must leave such cells out.")
    significance = trend["significance"]
    fitted = fit_trend(series, storage["time"].values)

    lat, lon = storage["lat"].values, storage["lon"].values
    marked = fitted.p_value < significance

    def on_map(values: Array) -> tuple[tuple[str, str], Array]:
        field = np.full(valid.shape, np.nan, dtype=np.float32)
        field[valid] = values
        return ("lat", "lon"), field

    area = np.broadcast_to(cell_area(lat, COARSE_SPACING)[:, None], valid.shape)[valid]
    spread = world_land(land, COARSE_SPACING)
    data = xr.Dataset(
        {
            "trend": on_map(fitted.slope),
            "standard_error": on_map(fitted.standard_error),
            "p_value": on_map(fitted.p_value),
            "effective_months": on_map(fitted.effective_size),
            "significant": (("lat", "lon"), np.zeros(valid.shape, dtype=np.int8)),
            "land_fraction": (("lat", "lon"), spread.values),
        },
        {"lat": lat, "lon": lon},
    )
    data["significant"].values[valid] = marked
    for name, unit, words in (
        ("trend", "mm year-1", "trend of storage, season removed"),
        ("standard_error", "mm year-1", "standard error of the trend, for autocorrelated residuals"),
        ("p_value", "1", "two-sided p value of no trend"),
        ("effective_months", "1", "effective number of independent months"),
        ("significant", "1", f"1 where the p value is below {significance:g}"),
        ("land_fraction", "1", "share of land"),
    ):
        data[name].attrs = {"units": unit, "long_name": words}
    first, last = np.datetime_as_string(storage["time"].values[[0, -1]], unit="M")
    return labelled(
        data,
        title="Trend of groundwater storage, season removed",
        data_label=data_label,
        source=source,
        reported=reported,
        significance=significance,
        first_month=str(first),
        last_month=str(last),
        months=int(series.shape[0]),
        share_of_area_losing=float(area[marked & (fitted.slope < 0.0)].sum() / area.sum()),
        share_of_area_gaining=float(area[marked & (fitted.slope > 0.0)].sum() / area.sum()),
        mean_trend_mm_per_year=float((fitted.slope * area).sum() / area.sum()),
    )
