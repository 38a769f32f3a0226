"""Evapotranspiration and infiltration: the twin's own, and those of the losses for unit tests.

The losses know a temperature-based potential evapotranspiration under a Budyko bound and a linear
infiltration efficiency. The twin's evapotranspiration follows the radiation and the soil (Priestley and
Taylor, less as the soil dries), and its infiltration is a power of soil moisture (HBV): what a
network learns from the losses' formulas it cannot find word for word in the truth.

All functions take float32 or float64 arrays and answer in kind.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

LATENT_HEAT = 2.45
"""Of vaporisation, MJ kg⁻¹."""

PSYCHROMETRIC = 0.066
"""kPa °C⁻¹ near sea level."""

PRIESTLEY_TAYLOR = 1.26
"""Priestley and Taylor (1972)."""

SOIL_STRESS = 1.3
"""Evapotranspiration is at its potential in a root zone filled to 1/1.3, and below that in proportion to its
water; dimensionless."""

DRIEST_MOISTURE = 0.05
"""Volumetric water content that no drought takes, m³ m⁻³."""

LOSSES_CAPACITY_MM = 100.0
"""Soil water that the losses' evapotranspiration draws on, mm."""


def extraterrestrial_radiation(lat: Floats, day_of_year: float) -> Floats:
    """Radiation at the top of the atmosphere (Allen et al., 1998, equation 21).

    Parameters
    ----------
    lat : ndarray
        Degrees north.
    day_of_year : float
        Middle of the month.

    Returns
    -------
    ndarray
        MJ m⁻² day⁻¹, in the shape of `lat`.
    """
    phi = np.deg2rad(lat)
    year = 2 * np.pi * day_of_year / 365.0
    declination = 0.409 * np.sin(year - 1.39)
    distance = 1.0 + 0.033 * np.cos(year)
    sunset = np.arccos(np.clip(-np.tan(phi) * np.tan(declination), -1.0, 1.0))
    sun = sunset * np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.sin(sunset)
    return np.asarray(118.08 / np.pi * distance * sun)


def potential_evapotranspiration(temperature: Floats, rain: Floats, radiation: Floats) -> Floats:
    """Evaporation from wet ground by net radiation (Priestley and Taylor, 1972).

    Clouds are read off the rain: the share of sunshine falls from 0.8 to 0.25 as rain rises.

    Parameters
    ----------
    temperature : ndarray
        °C.
    rain : ndarray
        mm per day.
    radiation : ndarray
        Extraterrestrial, MJ m⁻² day⁻¹.

    Returns
    -------
    ndarray
        mm per day, at least 0.
    """
    sunshine = 0.25 + 0.55 * np.exp(-0.25 * rain)
    net = 0.77 * (0.25 + 0.5 * sunshine) * radiation - (1.5 + 3.5 * sunshine)
    # Tetens (1930); kept away from the pole of the formula in the deepest cold
    warm = np.maximum(temperature, -60.0) + 237.3
    slope = (4098.0 * 0.6108) * np.exp(17.27 - (17.27 * 237.3) / warm) / (warm * warm)
    return (PRIESTLEY_TAYLOR / LATENT_HEAT) * slope / (slope + PSYCHROMETRIC) * np.maximum(net, 0.0)


def drawn_share(potential: Floats, capacity: Floats) -> Floats:
    """Share of its water that a drying soil gives up in a month.

    Evapotranspiration falls in proportion to the soil's water, so the water falls exponentially; solved
    exactly over the month, it needs no smaller steps.

    Parameters
    ----------
    potential : ndarray
        mm per month.
    capacity : ndarray
        Of the root zone, mm.

    Returns
    -------
    ndarray
        0 to 1.
    """
    return np.asarray(1.0 - np.exp(-SOIL_STRESS * potential / capacity))


def escaping_share(saturation: Floats, exponent: Floats) -> Floats:
    """Share of rain and melt that leaves the root zone: a power of its saturation (Bergström, 1992: HBV)."""
    return np.exp(exponent * np.log(np.maximum(saturation, 1e-6)))


def soil_moisture(saturation: Floats, porosity: Floats) -> Floats:
    """Volumetric water content of the root zone, m³ m⁻³."""
    return DRIEST_MOISTURE + saturation * (porosity - DRIEST_MOISTURE)


def losses_evapotranspiration(temperature: Floats, radiation: Floats, available: Floats, days: int) -> Floats:
    """Evapotranspiration as the losses have it: Oudin et al. (2005) under Turc's and Pike's (1964) curve.

    Parameters
    ----------
    temperature : ndarray
        °C.
    radiation : ndarray
        Extraterrestrial, MJ m⁻² day⁻¹.
    available : ndarray
        Precipitation of the month and soil water at its start, mm.
    days : int
        Length of the month.

    Returns
    -------
    ndarray
        mm per month.
    """
    potential = radiation / (2.501 - 2.361e-3 * temperature) * np.maximum(temperature + 5.0, 0.0) / 100.0 * days
    larger = np.maximum(potential, available)
    ratio = np.minimum(potential, available) / np.where(larger > 0.0, larger, 1.0)
    return np.asarray(larger * ratio / np.sqrt(1.0 + ratio * ratio))


def losses_infiltration(moisture: Floats) -> Floats:
    """Share of P - ET that reaches the groundwater in the losses (the paper, equation 13)."""
    return 0.1 + 0.4 * moisture
