"""Evapotranspiration of consecutive months, each read when its turn comes."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from gwsd.inputs.calendar import mid_month_day_of_year
from gwsd.physics import Formula, Limit, evapotranspire, heat_index, potential_evapotranspiration
from gwsd.sources.reading import days_in_month

SPIN_UP_MONTHS = 12
"""First months that are run twice, so that the soil forgets that it was full."""

Field = NDArray[np.float32]
ReadMonth = Callable[[int], tuple[Field, Field]]
"""Gives a month's temperature (°C) and precipitation (mm/month), shape (H, W) each."""


class Normals:
    """Mean temperature of each calendar month, and the cells that have all values in all months.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the fields.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.known = np.ones(shape, dtype=bool)
        """Cells with temperature and precipitation in every month so far, shape (H, W)."""
        self._total = np.zeros((12, *shape), dtype=np.float32)
        self._count = np.zeros((12, 1, 1), dtype=np.float32)

    def add(self, month: np.datetime64, temperature: Field, precipitation: Field) -> None:
        """Count a month in: temperature in °C and precipitation, shape (H, W) each."""
        of_year = month.astype("datetime64[M]").astype(int) % 12
        self._total[of_year] += temperature
        self._count[of_year] += 1
        self.known &= np.isfinite(temperature) & np.isfinite(precipitation)

    def temperature(self) -> Field:
        """Mean of each calendar month, °C, shape (12, H, W); of all months for one that was never seen."""
        overall = self._total.sum(axis=0) / self._count.sum()
        return np.where(self._count > 0, self._total / np.maximum(self._count, 1), overall)


def estimate_evapotranspiration(
    read: ReadMonth,
    normals: Normals,
    lat: NDArray[np.float64],
    months: NDArray[np.datetime64],
    *,
    formula: str,
    limit: str,
    soil_water_mm: float,
) -> Iterator[Field]:
    """Estimate evapotranspiration from temperature, bounded by available water.

    A month's available water is its precipitation and what the soil kept of earlier months, at most
    `soil_water_mm`. The soil starts full and is spun up with the first twelve months.

    Parameters
    ----------
    read : callable
        Called with the position of a month, in their order; the first twelve are asked for twice.
    normals : Normals
        Of these months, all of them counted in.
    lat : ndarray, shape (H,), degrees north
    months : ndarray, shape (T,), datetime64
        Consecutive.
    formula : str
        Of `gwsd.physics.Formula`.
    limit : str
        Of `gwsd.physics.Limit`.
    soil_water_mm : float
        Soil water that roots can draw on, mm.

    Yields
    ------
    ndarray, shape (H, W), mm/month
        Month after month; NaN where temperature or precipitation is missing in any of them.
    """
    rows, columns = np.nonzero(normals.known)
    where = lat[rows]
    days = days_in_month(months)
    middle = mid_month_day_of_year(months)
    index = heat_index(normals.temperature()[:, rows, columns].astype(np.float64))
    soil = np.full(len(rows), soil_water_mm)
    spin_up = range(min(SPIN_UP_MONTHS, len(months)))
    for turn, t in enumerate([*spin_up, *range(len(months))]):
        warmth, rain = (field[rows, columns].astype(np.float64) for field in read(t))
        potential = potential_evapotranspiration(
            warmth, where, middle[t], int(days[t]), index, formula=Formula(formula)
        )
        actual, soil = evapotranspire(potential, rain, soil, capacity=soil_water_mm, limit=Limit(limit))
        if turn >= len(spin_up):
            field = np.full(normals.known.shape, np.nan, dtype=np.float32)
            field[rows, columns] = actual
            yield field
