"""Evapotranspiration, infiltration, and the physical constraints and their settings; no torch.

Units: water mm and mm/month, temperature °C, soil moisture m³ m⁻³, latitude degrees north.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from gwsd.settings import Section

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.floating]
ArrayT = TypeVar("ArrayT", Floats, "Tensor")
"""NumPy array or torch tensor: the functions that take it use arithmetic alone."""

SOLAR_CONSTANT = 118.08
"""24·60·0.0820 MJ m⁻² day⁻¹ (Allen et al., 1998, equation 21)."""

HOTTEST_THORNTHWAITE = 26.5
"""°C; above it Thornthwaite (1948) gives a table, whatever the heat index."""

PEAK_WILLMOTT = 37.5
"""°C; maximum of the parabola that Willmott et al. (1985) fitted to that table."""


class Formula(StrEnum):
    """Formulas of potential evapotranspiration."""

    THORNTHWAITE = "thornthwaite"
    OUDIN = "oudin"
    HAMON = "hamon"


class Limit(StrEnum):
    """Bounds on potential evapotranspiration by the available water."""

    BUDYKO = "budyko"
    PRECIPITATION_PLUS_SOIL_WATER = "precipitation_plus_soil_water"
    NONE = "none"


def solar_declination(day_of_year: ArrayLike) -> Floats:
    """Solar declination, radians (Allen et al., 1998, equation 24)."""
    return np.asarray(0.409 * np.sin(2.0 * np.pi / 365.0 * np.asarray(day_of_year, dtype=np.float64) - 1.39))


def sunset_angle(lat: ArrayLike, day_of_year: ArrayLike) -> Floats:
    """Sunset hour angle, radians: 0 in the polar night, π in the polar day (Allen et al., 1998, equation 25)."""
    tangent = np.tan(np.deg2rad(np.asarray(lat, dtype=np.float64)))
    return np.asarray(np.arccos(np.clip(-tangent * np.tan(solar_declination(day_of_year)), -1.0, 1.0)))


def day_length(lat: ArrayLike, day_of_year: ArrayLike) -> Floats:
    """Hours of daylight, 0 to 24, by latitude (degrees north) and day of the year (Allen et al., 1998, equation 34)."""
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

    `climatology` has shape (12, ...), °C; the index, shape (...), is dimensionless.
    """
    return np.asarray((np.maximum(climatology, 0.0) / 5.0) ** 1.514).sum(axis=0)


def thornthwaite(temperature: Floats, index: Floats, hours: Floats, days: ArrayLike) -> Floats:
    """Potential evapotranspiration of Thornthwaite (1948), above 26.5 °C after Willmott et al. (1985), mm/month.

    It is 0 at and below 0 °C. `temperature` is the monthly mean, °C, `index` the annual heat index, `hours` the day
    length in the middle of the month, `days` the length of the month.
    """
    exponent = 6.75e-7 * index**3 - 7.71e-5 * index**2 + 1.792e-2 * index + 0.49239
    warm = np.clip(temperature, 0.0, HOTTEST_THORNTHWAITE)
    # A cell without a month above freezing in the mean has no index; a warm month there is small anyway.
    standard = 16.0 * (10.0 * warm / np.maximum(index, 1.0)) ** exponent
    capped = np.minimum(temperature, PEAK_WILLMOTT)
    hot = -415.85 + 32.24 * capped - 0.43 * capped**2
    standard = np.where(temperature >= HOTTEST_THORNTHWAITE, hot, standard)
    return np.asarray(standard * (hours / 12.0) * (np.asarray(days) / 30.0))


def oudin(temperature: Floats, radiation: Floats, days: ArrayLike) -> Floats:
    """Potential evapotranspiration of Oudin et al. (2005), equation 3, mm/month; 0 at and below -5 °C.

    `temperature` is the monthly mean, °C, with which the latent heat falls (Allen et al., 1998, equation 3-1);
    `radiation` is extraterrestrial, in the middle of the month, MJ m⁻² day⁻¹; `days` is the length of the month.
    """
    latent_heat = 2.501 - 2.361e-3 * temperature
    daily = radiation / latent_heat * np.maximum(temperature + 5.0, 0.0) / 100.0
    return np.asarray(daily * np.asarray(days))


def hamon(temperature: Floats, hours: Floats, days: ArrayLike) -> Floats:
    """Potential evapotranspiration of Hamon (1961) as in Oudin et al. (2005), table 1, mm/month.

    Arguments as for `thornthwaite`.
    """
    return np.asarray((hours / 12.0) ** 2 * np.exp(temperature / 16.0) * np.asarray(days))


def potential_evapotranspiration(
    temperature: Floats, lat: Floats, day_of_year: float, days: int, index: Floats, *, formula: Formula
) -> Floats:
    """Potential evapotranspiration of a month of some `days`, mm/month; `day_of_year` is its middle.

    `temperature`, °C, `lat`, degrees north, and Thornthwaite's heat `index`, which the other formulas ignore, have the
    shape (N,).
    """
    if formula == Formula.OUDIN:
        return oudin(temperature, extraterrestrial_radiation(lat, day_of_year), days)
    hours = day_length(lat, day_of_year)
    if formula == Formula.HAMON:
        return hamon(temperature, hours, days)
    return thornthwaite(temperature, index, hours, days)


def limit_by_water(potential: Floats, available: Floats, *, limit: Limit) -> Floats:
    """Bound potential evapotranspiration by the available water, both mm/month.

    `available` is the precipitation of the month plus the soil water at its start. The limit
    `precipitation_plus_soil_water` takes the smaller of the two. `budyko` is the curve of Turc and Pike (1964),
    1/E² = 1/PET² + 1/W², applied to a month's available water as in Zhang et al. (2008): never above either, and below
    both where they are alike. `none` returns the potential.
    """
    if limit == Limit.NONE:
        return potential
    if limit == Limit.PRECIPITATION_PLUS_SOIL_WATER:
        return np.minimum(potential, available)
    larger = np.maximum(potential, available)
    ratio = np.minimum(potential, available) / np.where(larger > 0.0, larger, 1.0)
    return np.asarray(larger * ratio / np.sqrt(1.0 + ratio**2))


def evapotranspire(
    potential: Floats, precipitation: Floats, soil_water: Floats, *, capacity: float, limit: Limit
) -> tuple[Floats, Floats]:
    """Return the evapotranspiration of a month, mm/month, and the soil water at its end, mm.

    `potential` and `precipitation` are mm/month, `soil_water` is that at the start of the month, mm. `capacity` is the
    soil water available to roots, mm; any excess drains.
    """
    available = precipitation + soil_water
    actual = limit_by_water(potential, available, limit=limit)
    return actual, np.clip(available - actual, 0.0, capacity)


def infiltration_efficiency(soil_moisture: ArrayT, intercept: float, slope: float) -> ArrayT:
    """α(θ) = a + b·θ, the share of P - ET that recharges (the paper, equation 13: a = 0.1, b = 0.4)."""
    return intercept + slope * soil_moisture


FORCING = ("precipitation", "evapotranspiration", "soil_moisture")
"""Climate of the target month that the physical constraints read."""

EVAPOTRANSPIRATION_NEEDS = ("precipitation", "temperature")
"""Climate variables that evapotranspiration is estimated from."""


@dataclass(frozen=True)
class Constraint:
    """A physical constraint: its name in the loss, its equation in the paper, and the `FORCING` it reads."""

    term: str
    equation: int
    forcing: tuple[str, ...]

    def __str__(self) -> str:
        """Return for instance "sign (eq. 12)"."""
        return f"{self.term} (eq. {self.equation})"


CONSTRAINTS = (
    Constraint("sign", 12, ("precipitation", "evapotranspiration")),
    Constraint("magnitude", 13, FORCING),
    Constraint("regional", 14, FORCING),
)
"""The terms of the physics loss, in the order in which they are added."""


def forcing_of(climate_variables: Collection[str]) -> tuple[str, ...]:
    """Return the forcing that follows from climate variables, evapotranspiration included."""
    given = {*climate_variables}
    if given.issuperset(EVAPOTRANSPIRATION_NEEDS):
        given.add("evapotranspiration")
    return tuple(name for name in FORCING if name in given)


def constraints_with(forcing: Collection[str]) -> tuple[str, ...]:
    """Return the terms of the constraints that can be computed from a forcing."""
    return tuple(constraint.term for constraint in CONSTRAINTS if set(constraint.forcing) <= set(forcing))


def constraints_of(climate_variables: Collection[str]) -> tuple[str, ...]:
    """Return the terms of the constraints that can be computed from climate variables."""
    return constraints_with(forcing_of(climate_variables))


class Physics(Section):
    """The physical constraints, equations (12) to (14)."""

    regional_pool: int = Field(ge=4)
    """Side of a region in equation (14), fine cells."""

    regional_unit_mm: float = Field(gt=0)
    """Unit of equation (14), mm."""

    sign_smoothing_mm: float = Field(gt=0)
    """Width of the smooth sign in equation (12), mm/month."""

    infiltration: Annotated[list[float], Field(min_length=2, max_length=2)]
    """Intercept and slope of the infiltration efficiency on soil moisture."""


class Loss(Physics):
    """The loss, equations (10) to (15)."""

    physics_weight: float = Field(ge=0)
    """Weight λ_phys of equation (10)."""

    smoothness_weight: float = Field(ge=0)
    """Weight λ_smooth of equation (10)."""
