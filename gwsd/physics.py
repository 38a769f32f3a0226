"""Evapotranspiration, infiltration and storage change: pure functions of arrays.

Units: water mm and mm/month, temperature °C, soil moisture m³ m⁻³, latitude degrees north.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.floating]
ArrayT = TypeVar("ArrayT", Floats, "Tensor")
"""NumPy array or torch tensor: the functions that take it use arithmetic alone."""

SOLAR_CONSTANT = 118.08
"""24·60·0.0820 MJ m⁻² day⁻¹ (Allen et al., 1998, equation 21)."""

HOTTEST_THORNTHWAITE = 26.5
"""°C; above it Thornthwaite (1948) tabulates, whatever the heat index."""


PEAK_WILLMOTT = 37.5
"""°C; where the parabola that Willmott et al. (1985) fitted to that table has its peak."""


class Formula(StrEnum):
    """Formulas of potential evapotranspiration."""

    THORNTHWAITE = "thornthwaite"
    OUDIN = "oudin"
    HAMON = "hamon"


class Limit(StrEnum):
    """What bounds potential evapotranspiration."""

    BUDYKO = "budyko"
    WATER = "water"
    NONE = "none"


def solar_declination(day_of_year: ArrayLike) -> Floats:
    """Solar declination, radians (Allen et al., 1998, equation 24)."""
    return np.asarray(0.409 * np.sin(2.0 * np.pi / 365.0 * np.asarray(day_of_year, dtype=np.float64) - 1.39))


def sunset_angle(lat: ArrayLike, day_of_year: ArrayLike) -> Floats:
    """Sunset hour angle, radians: 0 in the polar night, π in the polar day (Allen et al., 1998, equation 25)."""
    tangent = np.tan(np.deg2rad(np.asarray(lat, dtype=np.float64)))
    return np.asarray(np.arccos(np.clip(-tangent * np.tan(solar_declination(day_of_year)), -1.0, 1.0)))


def day_length(lat: ArrayLike, day_of_year: ArrayLike) -> Floats:
    """Hours of daylight (Allen et al., 1998, equation 34).

    Parameters
    ----------
    lat : array_like
        Latitude, degrees north.
    day_of_year : array_like
        Of the middle of the month, 1 to 366; broadcasts against `lat`.

    Returns
    -------
    ndarray
        Hours, 0 to 24.
    """
    return 24.0 / np.pi * sunset_angle(lat, day_of_year)


def extraterrestrial_radiation(lat: ArrayLike, day_of_year: ArrayLike) -> Floats:
    """Radiation at the top of the atmosphere, MJ m⁻² day⁻¹ (Allen et al., 1998, equation 21)."""
    day = np.asarray(day_of_year, dtype=np.float64)
    phi = np.deg2rad(np.asarray(lat, dtype=np.float64))
    declination = solar_declination(day)
    omega = sunset_angle(lat, day)
    distance = 1.0 + 0.033 * np.cos(2.0 * np.pi / 365.0 * day)
    sun = omega * np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.sin(omega)
    return np.asarray(SOLAR_CONSTANT / np.pi * distance * sun)


def heat_index(climatology: Floats) -> Floats:
    """Annual heat index of Thornthwaite (1948): the sum of (T/5)^1.514 over the months above 0 °C.

    Parameters
    ----------
    climatology : ndarray, shape (12, ...)
        Mean temperature of each calendar month, °C.

    Returns
    -------
    ndarray, shape (...)
        Dimensionless; 0 where no month is above freezing.
    """
    return np.asarray((np.maximum(climatology, 0.0) / 5.0) ** 1.514).sum(axis=0)


def thornthwaite(temperature: Floats, index: Floats, hours: Floats, days: ArrayLike) -> Floats:
    """Potential evapotranspiration of Thornthwaite (1948), above 26.5 °C after Willmott et al. (1985).

    Parameters
    ----------
    temperature : ndarray, °C
        Monthly mean.
    index : ndarray
        Annual heat index of the place.
    hours : ndarray, h
        Day length in the middle of the month.
    days : array_like
        Length of the month, days.

    Returns
    -------
    ndarray, mm/month
        0 at and below 0 °C.
    """
    exponent = 6.75e-7 * index**3 - 7.71e-5 * index**2 + 1.792e-2 * index + 0.49239
    warm = np.clip(temperature, 0.0, HOTTEST_THORNTHWAITE)
    # A place without a month above freezing in the mean has no index; a warm month there is small anyway.
    standard = 16.0 * (10.0 * warm / np.maximum(index, 1.0)) ** exponent
    capped = np.minimum(temperature, PEAK_WILLMOTT)
    hot = -415.85 + 32.24 * capped - 0.43 * capped**2
    standard = np.where(temperature >= HOTTEST_THORNTHWAITE, hot, standard)
    return np.asarray(standard * (hours / 12.0) * (np.asarray(days) / 30.0))


def oudin(temperature: Floats, radiation: Floats, days: ArrayLike) -> Floats:
    """Potential evapotranspiration of Oudin et al. (2005), equation 3.

    Parameters
    ----------
    temperature : ndarray, °C
        Monthly mean.
    radiation : ndarray, MJ m⁻² day⁻¹
        Extraterrestrial, in the middle of the month.
    days : array_like
        Length of the month, days.

    Returns
    -------
    ndarray, mm/month
        0 at and below -5 °C. The latent heat falls with temperature (Allen et al., 1998, equation 3-1).
    """
    latent_heat = 2.501 - 2.361e-3 * temperature
    daily = radiation / latent_heat * np.maximum(temperature + 5.0, 0.0) / 100.0
    return np.asarray(daily * np.asarray(days))


def hamon(temperature: Floats, hours: Floats, days: ArrayLike) -> Floats:
    """Potential evapotranspiration of Hamon (1961) in the form of Oudin et al. (2005), table 1.

    Parameters
    ----------
    temperature : ndarray, °C
        Monthly mean.
    hours : ndarray, h
        Day length in the middle of the month.
    days : array_like
        Length of the month, days.

    Returns
    -------
    ndarray, mm/month
    """
    return np.asarray((hours / 12.0) ** 2 * np.exp(temperature / 16.0) * np.asarray(days))


def potential_evapotranspiration(
    temperature: Floats, lat: Floats, day_of_year: float, days: int, index: Floats, *, formula: Formula
) -> Floats:
    """Potential evapotranspiration of one month by the formula chosen.

    Parameters
    ----------
    temperature : ndarray, shape (N,), °C
    lat : ndarray, shape (N,), degrees north
    day_of_year : float
        Middle of the month.
    days : int
        Length of the month.
    index : ndarray, shape (N,)
        Thornthwaite's heat index; the other formulas do not read it.
    formula : Formula

    Returns
    -------
    ndarray, shape (N,), mm/month
    """
    if formula == Formula.OUDIN:
        return oudin(temperature, extraterrestrial_radiation(lat, day_of_year), days)
    hours = day_length(lat, day_of_year)
    if formula == Formula.HAMON:
        return hamon(temperature, hours, days)
    return thornthwaite(temperature, index, hours, days)


def limit_by_water(potential: Floats, available: Floats, *, limit: Limit) -> Floats:
    """Bound potential evapotranspiration by the water that there is.

    Parameters
    ----------
    potential : ndarray, mm/month
    available : ndarray, mm/month
        Precipitation of the month and the soil water at its start.
    limit : Limit
        `water` takes the smaller of the two. `budyko` is Turc's and Pike's (1964) curve,
        1/E² = 1/PET² + 1/W², applied to a month's available water as Zhang et al. (2008) do: never above
        either, and below both where they are alike. `none` returns the potential.

    Returns
    -------
    ndarray, mm/month
    """
    if limit == Limit.NONE:
        return potential
    if limit == Limit.WATER:
        return np.minimum(potential, available)
    larger = np.maximum(potential, available)
    ratio = np.minimum(potential, available) / np.where(larger > 0.0, larger, 1.0)
    return np.asarray(larger * ratio / np.sqrt(1.0 + ratio**2))


def evapotranspire(
    potential: Floats, precipitation: Floats, soil_water: Floats, *, capacity: float, limit: Limit
) -> tuple[Floats, Floats]:
    """Take one month's evapotranspiration from the rain and from the soil.

    Parameters
    ----------
    potential, precipitation : ndarray, mm/month
    soil_water : ndarray, mm
        At the start of the month.
    capacity : float
        Soil water that roots can draw on, mm; what exceeds it drains.
    limit : Limit
        See `limit_by_water`.

    Returns
    -------
    evapotranspiration : ndarray, mm/month
    soil_water : ndarray, mm
        At the end of the month, 0 to `capacity`.
    """
    available = precipitation + soil_water
    actual = limit_by_water(potential, available, limit=limit)
    return actual, np.clip(available - actual, 0.0, capacity)


def infiltration_efficiency(soil_moisture: ArrayT, intercept: float, slope: float) -> ArrayT:
    """α(θ) = a + b·θ, the share of the net input that recharges (the paper, equation 13: a = 0.1, b = 0.4)."""
    return intercept + slope * soil_moisture


def net_input(precipitation: ArrayT, evapotranspiration: ArrayT) -> ArrayT:
    """P - ET, mm/month (the paper, equations 12 to 14)."""
    return precipitation - evapotranspiration


def storage_change(storage: ArrayT, previous: ArrayT) -> ArrayT:
    """ΔG, mm/month: storage less that of the month before, never across a gap (the paper, section 3.1)."""
    return storage - previous
