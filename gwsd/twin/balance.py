"""Monthly water balance of land cells: snow, root zone, percolation, groundwater, runoff.

P - ET - runoff - drainage - net pumping = Δ(snow + soil + groundwater), by construction and in every cell.

Evapotranspiration follows radiation and soil water, infiltration a power of soil moisture: neither is a formula of
the losses, so that the truth does not contain what the losses assume (no inverse crime). All functions take float32
or float64 arrays and keep the precision.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gwsd.physics import Limit, infiltration_efficiency, limit_by_water, oudin

Floats = NDArray[np.floating]

MELT_RATE = 110.0  # mm °C⁻¹ month⁻¹, on the monthly mean temperature above MELT_FROM
MELT_FROM = -1.5  # °C
SNOW_BELOW, RAIN_ABOVE = -3.0, 4.0  # °C; all precipitation is snow below, rain above
MAX_SNOW = 1500.0  # mm; more leaves as runoff
MAX_GROUNDWATER = 1000.0  # mm above the river level, where the water table reaches the surface
LATENT_HEAT = 2.45  # of vaporisation, MJ kg⁻¹
PSYCHROMETRIC = 0.066  # constant near sea level, kPa °C⁻¹
PRIESTLEY_TAYLOR = 1.26  # Priestley and Taylor (1972)
SOIL_STRESS = 1.3  # evapotranspiration is at its potential above a saturation of 1/1.3, below proportional to it
DRIEST_MOISTURE = 0.05  # residual volumetric water content, m³ m⁻³
LOSSES_CAPACITY_MM = 100.0  # soil water available to the evapotranspiration of the losses


class PerCell:
    """Base of records whose members all have shape (N,)."""

    def part(self, chosen: slice | NDArray[np.int64]) -> Self:
        """Select cells (views for a slice)."""
        return type(self)(*(values[chosen] for values in self.values()))

    def astype(self, dtype: type[np.floating]) -> Self:
        """Copy in another precision."""
        return type(self)(*(values.astype(dtype) for values in self.values()))

    def values(self) -> list[Floats]:
        """Return the members in order."""
        return [getattr(self, field.name) for field in fields(self)]  # type: ignore[arg-type]


@dataclass(frozen=True)
class State(PerCell):
    """Water stored in each cell, mm. Groundwater storage is `groundwater + depletion`.

    Parameters
    ----------
    snow, soil : ndarray
    percolating : ndarray
        Water between root zone and groundwater; counted as soil water in the balance.
    groundwater : ndarray
        Renewable groundwater above the river level.
    depletion : ndarray
        Loss by pumping that is never replaced, at most 0.
    """

    snow: Floats
    soil: Floats
    percolating: Floats
    groundwater: Floats
    depletion: Floats


@dataclass(frozen=True)
class Properties(PerCell):
    """Constants of each cell.

    Parameters
    ----------
    soil_capacity : ndarray, mm
    porosity : ndarray, m³ m⁻³
    exponent : ndarray
        Of infiltration on soil saturation (HBV's beta).
    recharge_share : ndarray
        Share of the root zone's excess water that percolates; the rest runs off.
    arriving_share, draining_share : ndarray
        Shares of the percolating water that reaches, and of the groundwater that leaves, the groundwater in a month.
    pumping : ndarray, mm/month
        Mean net pumping.
    """

    soil_capacity: Floats
    porosity: Floats
    exponent: Floats
    recharge_share: Floats
    arriving_share: Floats
    draining_share: Floats
    pumping: Floats


@dataclass(frozen=True)
class Forcing:
    """Forcing of one month: rain, mm/day, temperature, °C, extraterrestrial radiation, MJ m⁻² day⁻¹, pumping factor."""

    rain: Floats
    temperature: Floats
    radiation: Floats
    pumping_season: Floats
    days: int


@dataclass(frozen=True)
class Fluxes:
    """Fluxes of one month, shape (N,), mm/month, and soil moisture at its end, m³ m⁻³.

    Infiltration is what leaves the root zone downwards, recharge what reaches the groundwater; both are internal.
    """

    precipitation: Floats
    evapotranspiration: Floats
    runoff: Floats
    drainage: Floats
    net_pumping: Floats
    infiltration: Floats
    recharge: Floats
    soil_moisture: Floats


def step(state: State, forcing: Forcing, properties: Properties, *, inverse_crime: bool) -> tuple[State, Fluxes]:
    """Advance the balance by one month; with `inverse_crime`, by the formulas of the losses."""
    precipitation = forcing.rain * float(forcing.days)
    root_zone = _root_zone_of_losses if inverse_crime else _root_zone
    snow, soil, evapotranspiration, runoff, infiltration, moisture = root_zone(
        state, forcing, properties, precipitation
    )
    if inverse_crime:  # neither percolation time nor a limit of the groundwater
        percolating, recharge = state.percolating, infiltration
        filled = state.groundwater + recharge
    else:
        percolating = state.percolating + infiltration
        recharge = percolating * properties.arriving_share
        percolating = percolating - recharge
        filled = state.groundwater + recharge
        rejected = np.maximum(filled - MAX_GROUNDWATER, 0.0)
        filled, recharge, runoff = filled - rejected, recharge - rejected, runoff + rejected
    drainage = np.maximum(filled, 0.0) * properties.draining_share
    net_pumping = properties.pumping * forcing.pumping_season
    new = State(snow, soil, percolating, filled - drainage, state.depletion - net_pumping)
    outward = precipitation, evapotranspiration, runoff, drainage, net_pumping
    return new, Fluxes(*outward, infiltration, recharge, moisture)


Parts = tuple[Floats, Floats, Floats, Floats, Floats, Floats]
"""Snow and soil (mm), evapotranspiration, runoff and infiltration (mm/month), soil moisture (m³ m⁻³)."""


def _root_zone(state: State, forcing: Forcing, properties: Properties, precipitation: Floats) -> Parts:
    """Snow and root zone of the twin."""
    temperature, capacity = forcing.temperature, properties.soil_capacity
    snow_share = np.clip((RAIN_ABOVE - temperature) * (1.0 / (RAIN_ABOVE - SNOW_BELOW)), 0.0, 1.0)
    snowfall = precipitation * snow_share
    pack = state.snow + snowfall
    melt = np.minimum(pack, MELT_RATE * np.maximum(temperature - MELT_FROM, 0.0))
    pack = pack - melt
    excess_snow = np.maximum(pack - MAX_SNOW, 0.0)
    liquid = precipitation - snowfall + melt
    # rain falls on many days: half of it has wetted the soil that the mean raindrop meets
    saturation = np.minimum((state.soil + 0.5 * liquid) / capacity, 1.0)
    # a power of the saturation (HBV: Bergström, 1992)
    excess = liquid * np.exp(properties.exponent * np.log(np.maximum(saturation, 1e-6)))
    wet = state.soil + (liquid - excess)
    overflow = np.maximum(wet - capacity, 0.0)
    excess = excess + overflow
    wet = wet - overflow
    potential = potential_evapotranspiration(temperature, forcing.rain, forcing.radiation) * float(forcing.days)
    # drying in proportion to the soil's water, solved exactly over the month
    evapotranspiration = np.minimum(potential, wet * np.asarray(1.0 - np.exp(-SOIL_STRESS * potential / capacity)))
    infiltration = properties.recharge_share * excess
    runoff = excess - infiltration + excess_snow
    soil = wet - evapotranspiration
    moisture = soil_moisture(soil / capacity, properties.porosity)
    return pack - excess_snow, soil, evapotranspiration, runoff, infiltration, moisture


def _root_zone_of_losses(state: State, forcing: Forcing, properties: Properties, precipitation: Floats) -> Parts:
    """Root zone as the losses assume it: no snow, Oudin under the Budyko curve, and α(θ)·(P - ET) infiltrates."""
    available = precipitation + state.soil
    potential = oudin(forcing.temperature, forcing.radiation, available.dtype.type(forcing.days))
    evapotranspiration = limit_by_water(potential, available, limit=Limit.BUDYKO)
    soil = np.clip(available - evapotranspiration, 0.0, LOSSES_CAPACITY_MM)
    moisture = soil_moisture(soil / LOSSES_CAPACITY_MM, properties.porosity)
    infiltration = infiltration_efficiency(moisture, 0.1, 0.4) * (precipitation - evapotranspiration)
    # runoff closes the balance; it is negative where the losses infiltrate more than there is
    runoff = available - evapotranspiration - soil - infiltration
    return state.snow, soil, evapotranspiration, runoff, infiltration, moisture


def soil_moisture(saturation: Floats, porosity: Floats) -> Floats:
    """Volumetric water content of the root zone, m³ m⁻³."""
    return DRIEST_MOISTURE + saturation * (porosity - DRIEST_MOISTURE)


def potential_evapotranspiration(temperature: Floats, rain: Floats, radiation: Floats) -> Floats:
    """Potential evapotranspiration from net radiation (Priestley and Taylor, 1972), mm/day, at least 0.

    Sunshine follows from rain: its share of the day falls from 0.8 to 0.25 as rain increases.

    Parameters
    ----------
    temperature : ndarray, °C
    rain : ndarray, mm/day
    radiation : ndarray, MJ m⁻² day⁻¹
        Extraterrestrial.
    """
    sunshine = 0.25 + 0.55 * np.exp(-0.25 * rain)
    net = 0.77 * (0.25 + 0.5 * sunshine) * radiation - (1.5 + 3.5 * sunshine)
    # Tetens (1930); the bound avoids the pole of the formula in extreme cold
    warm = np.maximum(temperature, -60.0) + 237.3
    slope = (4098.0 * 0.6108) * np.exp(17.27 - (17.27 * 237.3) / warm) / (warm * warm)
    return (PRIESTLEY_TAYLOR / LATENT_HEAT) * slope / (slope + PSYCHROMETRIC) * np.maximum(net, 0.0)
