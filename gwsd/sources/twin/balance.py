"""One month of the water balance: snow, root zone, the way down, groundwater, and what leaves them.

P - ET - runoff - drainage - net pumping = Δ(snow + soil + groundwater), by construction and in every cell.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from gwsd.sources.twin import formulas

Floats = NDArray[np.floating]

MELT_RATE = 110.0
"""Snow that a month's mean temperature of one degree above `MELT_FROM` melts, mm °C⁻¹ per month."""

MELT_FROM = -1.5
"""Monthly mean temperature from which snow melts, °C."""

SNOW_BELOW, RAIN_ABOVE = -3.0, 4.0
"""Monthly mean temperatures below which all falls as snow, above which all as rain, °C."""

LARGEST_SNOW = 1500.0
"""Snow beyond it slides away as runoff, mm."""


GROUNDWATER_ROOM = 1000.0
"""Groundwater above the rivers' level at which the water table reaches the surface, mm."""


@dataclass
class State:
    """Water held in each cell, all of shape (N,), mm.

    Parameters
    ----------
    snow, soil : ndarray
        Snow, and water in the root zone.
    percolating : ndarray
        Water below the roots on its way to the groundwater; counted as soil water.
    groundwater : ndarray
        Groundwater above the level of the rivers, which drains to them.
    depletion : ndarray
        Groundwater taken out by pumping and not replaced, at most 0. Groundwater storage is
        `groundwater + depletion`.
    """

    snow: Floats
    soil: Floats
    percolating: Floats
    groundwater: Floats
    depletion: Floats

    def part(self, chosen: slice | NDArray[np.int64]) -> "State":
        """Give the state of some cells (views for a slice)."""
        return State(*(getattr(self, f.name)[chosen] for f in fields(self)))

    def put(self, chosen: slice, new: "State") -> None:
        """Overwrite the state of a slice of cells."""
        for f in fields(self):
            getattr(self, f.name)[chosen] = getattr(new, f.name)

    def astype(self, dtype: type[np.floating]) -> "State":
        """Give a copy in another precision."""
        return State(*(getattr(self, f.name).astype(dtype) for f in fields(self)))


@dataclass(frozen=True)
class Properties:
    """Constants of each cell, all of shape (N,).

    Parameters
    ----------
    soil_capacity : ndarray
        mm.
    porosity : ndarray
        m³ m⁻³.
    exponent : ndarray
        Of `formulas.escaping_share`.
    recharge_share : ndarray
        Share of the water leaving the root zone that goes down; the rest runs off.
    arriving_share : ndarray
        Share of the percolating water that reaches the groundwater in a month.
    draining_share : ndarray
        Share of the groundwater that drains in a month.
    pumping : ndarray
        Mean net pumping, mm per month.
    """

    soil_capacity: Floats
    porosity: Floats
    exponent: Floats
    recharge_share: Floats
    arriving_share: Floats
    draining_share: Floats
    pumping: Floats

    def part(self, chosen: slice | NDArray[np.int64]) -> "Properties":
        """Give the constants of some cells."""
        return Properties(*(getattr(self, f.name)[chosen] for f in fields(self)))

    def astype(self, dtype: type[np.floating]) -> "Properties":
        """Give a copy in another precision."""
        return Properties(*(getattr(self, f.name).astype(dtype) for f in fields(self)))


@dataclass(frozen=True)
class Forcing:
    """What drives one month.

    Parameters
    ----------
    rain : ndarray, shape (N,)
        Precipitation, mm per day.
    temperature : ndarray, shape (N,)
        °C.
    radiation : ndarray, shape (N,)
        Extraterrestrial, MJ m⁻² day⁻¹.
    pumping_season : ndarray, shape (N,)
        Factor of this calendar month.
    days : int
        Length of the month.
    """

    rain: Floats
    temperature: Floats
    radiation: Floats
    pumping_season: Floats
    days: int


@dataclass(frozen=True)
class Fluxes:
    """Water that moved in one month, all of shape (N,), mm per month.

    Parameters
    ----------
    precipitation, evapotranspiration, runoff, drainage, net_pumping : ndarray
        Across the cell's boundary. Runoff leaves at once, drainage leaves from the groundwater.
    infiltration : ndarray
        Out of the root zone and down.
    recharge : ndarray
        Into the groundwater.
    soil_moisture : ndarray
        At the end of the month, m³ m⁻³.
    """

    precipitation: Floats
    evapotranspiration: Floats
    runoff: Floats
    drainage: Floats
    net_pumping: Floats
    infiltration: Floats
    recharge: Floats
    soil_moisture: Floats


def step(state: State, forcing: Forcing, properties: Properties, *, same_formulas: bool) -> tuple[State, Fluxes]:
    """Advance the balance by a month.

    Parameters
    ----------
    state : State
        At the start of the month; left as it is.
    forcing : Forcing
        Of the month.
    properties : Properties
        Of the cells.
    same_formulas : bool
        Use evapotranspiration and infiltration of the losses.

    Returns
    -------
    State, Fluxes
        At the end of the month, and what moved. The precision is that of the arguments.
    """
    precipitation = forcing.rain * float(forcing.days)
    root_zone = _as_losses if same_formulas else _root_zone
    snow, soil, evapotranspiration, runoff, infiltration, moisture = root_zone(
        state, forcing, properties, precipitation
    )
    if same_formulas:  # the losses know no way down that takes time, and no end of the room below
        percolating, recharge = state.percolating, infiltration
        filled = state.groundwater + recharge
    else:
        percolating = state.percolating + infiltration
        recharge = percolating * properties.arriving_share
        percolating = percolating - recharge
        filled = state.groundwater + recharge
        rejected = np.maximum(filled - GROUNDWATER_ROOM, 0.0)
        filled, recharge, runoff = filled - rejected, recharge - rejected, runoff + rejected
    drainage = np.maximum(filled, 0.0) * properties.draining_share
    net_pumping = properties.pumping * forcing.pumping_season
    new = State(snow, soil, percolating, filled - drainage, state.depletion - net_pumping)
    outward = precipitation, evapotranspiration, runoff, drainage, net_pumping
    return new, Fluxes(*outward, infiltration, recharge, moisture)


Parts = tuple[Floats, Floats, Floats, Floats, Floats, Floats]
"""Snow, soil, evapotranspiration, runoff, infiltration (mm) and soil moisture (m³ m⁻³)."""


def _root_zone(state: State, forcing: Forcing, properties: Properties, precipitation: Floats) -> Parts:
    """Take a month through snow and root zone by the twin's own formulas."""
    temperature, capacity = forcing.temperature, properties.soil_capacity
    snow_share = np.clip((RAIN_ABOVE - temperature) * (1.0 / (RAIN_ABOVE - SNOW_BELOW)), 0.0, 1.0)
    snowfall = precipitation * snow_share
    pack = state.snow + snowfall
    melt = np.minimum(pack, MELT_RATE * np.maximum(temperature - MELT_FROM, 0.0))
    pack = pack - melt
    slide = np.maximum(pack - LARGEST_SNOW, 0.0)
    liquid = precipitation - snowfall + melt
    # rain comes in many days: what it wets at the start counts for what runs off at the end
    before = np.minimum((state.soil + 0.5 * liquid) / capacity, 1.0)
    escaping = liquid * formulas.escaping_share(before, properties.exponent)
    wet = state.soil + (liquid - escaping)
    over = np.maximum(wet - capacity, 0.0)
    escaping = escaping + over
    wet = wet - over
    potential = formulas.potential_evapotranspiration(temperature, forcing.rain, forcing.radiation)
    potential = potential * float(forcing.days)
    evapotranspiration = np.minimum(potential, wet * formulas.drawn_share(potential, capacity))
    soil = wet - evapotranspiration
    infiltration = properties.recharge_share * escaping
    runoff = escaping - infiltration + slide
    moisture = formulas.soil_moisture(soil / capacity, properties.porosity)
    return pack - slide, soil, evapotranspiration, runoff, infiltration, moisture


def _as_losses(state: State, forcing: Forcing, properties: Properties, precipitation: Floats) -> Parts:
    """Take a month through a root zone that knows only what the losses know: no snow, α(θ)·(P - ET)."""
    capacity = formulas.LOSSES_CAPACITY_MM
    available = precipitation + state.soil
    evapotranspiration = formulas.losses_evapotranspiration(
        forcing.temperature, forcing.radiation, available, forcing.days
    )
    soil = np.clip(available - evapotranspiration, 0.0, capacity)
    moisture = formulas.soil_moisture(soil / capacity, properties.porosity)
    infiltration = formulas.losses_infiltration(moisture) * (precipitation - evapotranspiration)
    # what is left over leaves; where the losses recharge more than there is, it comes from outside
    runoff = available - evapotranspiration - soil - infiltration
    return state.snow, soil, evapotranspiration, runoff, infiltration, moisture
