"""Evapotranspiration of consecutive months, estimated from temperature and limited by available water."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from gwsd.data.calendar import days_in_month, mid_month_day_of_year
from gwsd.data.settings import Evapotranspiration
from gwsd.physics import Formula, Limit, evapotranspire, heat_index, potential_evapotranspiration

SPIN_UP_MONTHS = 12  # the first months are run twice, so that the initially full soil is forgotten

Fields = NDArray[np.float32]
Read = Callable[[int], tuple[Fields, Fields]]
"""Returns temperature (°C) and precipitation (mm/month), shape (H, W) each, of a month by its position."""


def estimate_evapotranspiration(
    read: Read, lat: NDArray[np.float64], months: NDArray[np.datetime64], settings: Evapotranspiration
) -> Iterator[Fields]:
    """Estimate evapotranspiration, mm/month, of consecutive months: yields shape (H, W), float32.

    A month's available water is its precipitation and what the soil kept of earlier months, at most
    `settings.soil_water_mm`. The soil starts full and is spun up with the first twelve months. Fields are NaN where
    temperature or precipitation is missing in any month. `lat` has shape (H,), degrees north.
    """
    normals, known = _mean_temperature(read, months)
    rows, columns = np.nonzero(known)
    days = days_in_month(months)
    middle = mid_month_day_of_year(months)
    index = heat_index(normals[:, rows, columns].astype(np.float64))
    formula, limit = Formula(settings.formula), Limit(settings.supply_limit)
    soil = np.full(len(rows), settings.soil_water_mm)
    spin_up = range(min(SPIN_UP_MONTHS, len(months)))
    for turn, t in enumerate([*spin_up, *range(len(months))]):
        warmth, rain = (field[rows, columns].astype(np.float64) for field in read(t))
        potential = potential_evapotranspiration(warmth, lat[rows], middle[t], int(days[t]), index, formula=formula)
        actual, soil = evapotranspire(potential, rain, soil, capacity=settings.soil_water_mm, limit=limit)
        if turn >= len(spin_up):
            field = np.full(known.shape, np.nan, dtype=np.float32)
            field[rows, columns] = actual
            yield field


def _mean_temperature(read: Read, months: NDArray[np.datetime64]) -> tuple[Fields, NDArray[np.bool_]]:
    """Return the mean temperature of each calendar month (of all months if it does not occur) and the complete cells.

    Shapes (12, H, W), °C, and (H, W).
    """
    shape = read(0)[0].shape
    total, count = np.zeros((12, *shape), dtype=np.float32), np.zeros((12, 1, 1), dtype=np.float32)
    known = np.ones(shape, dtype=bool)
    for t, of_year in enumerate(months.astype("datetime64[M]").astype(int) % 12):
        temperature, precipitation = read(t)
        total[of_year] += temperature
        count[of_year] += 1
        known &= np.isfinite(temperature) & np.isfinite(precipitation)
    overall = total.sum(axis=0) / count.sum()
    return np.where(count > 0, total / np.maximum(count, 1), overall), known
