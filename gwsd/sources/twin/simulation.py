"""The twin Earth as it goes through the months."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from gwsd.sources.twin.aquifers import pumping_rate, seasonal_factor
from gwsd.sources.twin.balance import Fluxes, Forcing, Properties, State, step
from gwsd.sources.twin.cells import LandCells
from gwsd.sources.twin.climate import LAPSE_RATE, Weather, seasons
from gwsd.sources.twin.formulas import DRIEST_MOISTURE, extraterrestrial_radiation
from gwsd.sources.twin.gravity import SphereGaussian
from gwsd.sources.twin.months import Months, calendar_month, days_in
from gwsd.sources.twin.noise import Field, News, NoiseCube, positions, texture
from gwsd.sources.twin.points import place_points
from gwsd.sources.twin.terrain import shape_terrain

WEATHER_SLOPE = -2.2
"""Power spectral slope of large-scale fields."""

TEXTURE_SLOPE = -2.6
"""Power spectral slope of textures."""

WETNESS_SD = 0.35
"""Of the logarithm of a region's mean precipitation beyond what its place in the climate says."""

TEXTURES = 4
"""How many textures are drawn; each month takes one, shifted and perhaps turned upside down."""

SPIN_UP_MONTHS = 48
"""Months before the first, to forget the start."""

MEASURED_MONTHS = (12, 36)
"""Months of the spin-up whose mean recharge sets the groundwater to its equilibrium."""

CELLS_AT_ONCE = 1 << 15
"""Cells whose balance is stepped together, so that they stay in the processor's cache."""

COAST_RADIUS_KM = 700.0
"""Distance over which a coast tempers the climate."""

SEA_LEVEL_HPA = 1013.25
"""Pressure of the standard atmosphere at sea level."""


class Stream(IntEnum):
    """Independent streams of random numbers, so that a change in one subject leaves the others alone."""

    FIELDS = 0
    TERRAIN = 1
    WEATHER = 2
    NOISE = 3
    FAULTS = 4
    SAMPLE = 5
    BLOCKS = 6


def generator(seed: int, stream: Stream) -> Generator:
    """Make the generator of one subject from the twin's seed."""
    return Generator(PCG64(SeedSequence([seed, int(stream)])))


@dataclass(frozen=True)
class Month:
    """One month of the truth, all of shape (N,) but the last two, which are of shape (Q,).

    Parameters
    ----------
    month : datetime64[M]
        Which.
    precipitation : ndarray
        mm per month.
    temperature : ndarray
        °C.
    soil_moisture : ndarray
        At the end of the month, m³ m⁻³.
    surface_pressure : ndarray
        hPa.
    storage : ndarray
        Groundwater at the end of the month, mm.
    point_rain, point_temperature : ndarray
        On the half-degree points at sea level, mm per day and °C (for the ice sheets).
    """

    month: np.datetime64
    precipitation: Field
    temperature: Field
    soil_moisture: Field
    surface_pressure: Field
    storage: Field
    point_rain: Field
    point_temperature: Field


class Simulation:
    """The twin Earth of one seed and region.

    Parameters
    ----------
    cells : LandCells
        Where.
    seed : int
        Of everything random.
    same_formulas : bool
        The inverse crime, for unit tests.
    """

    def __init__(self, cells: LandCells, seed: int, *, same_formulas: bool) -> None:
        self.cells, self._same = cells, same_formulas
        self.points = place_points(cells)
        self._parts = [
            slice(start, min(start + CELLS_AT_ONCE, cells.count)) for start in range(0, cells.count, CELLS_AT_ONCE)
        ]
        fields = generator(seed, Stream.FIELDS)
        cube = NoiseCube(fields, WEATHER_SLOPE)
        textures = [texture(cells.fine.shape, cells.fine.spacing, TEXTURE_SLOPE, fields) for _ in range(TEXTURES)]
        where = positions(self.points.lat, self.points.lon)
        lasting = generator(seed, Stream.TERRAIN)
        fixed = News(cube, where, lasting)
        terrain = shape_terrain(cells, self.points, fixed, textures, lasting)
        climatology = seasons(self.points, self._continentality(), WETNESS_SD * fixed.field())
        passing = generator(seed, Stream.WEATHER)
        self.weather = Weather(
            cells=cells,
            points=self.points,
            climatology=climatology,
            terrain=terrain,
            news=News(cube, where, passing),
            textures=textures,
            random=passing,
            parts=self._parts,
        )
        self.properties = Properties(
            soil_capacity=terrain.soil_capacity,
            porosity=terrain.porosity,
            exponent=terrain.exponent,
            recharge_share=terrain.recharge_share,
            arriving_share=(1.0 - np.exp(-1.0 / terrain.delay)).astype(np.float32),
            draining_share=(1.0 - np.exp(-1.0 / terrain.memory)).astype(np.float32),
            pumping=pumping_rate(cells, terrain.pumping_contrast).astype(np.float32),
        )
        annual = self.points.to_cells @ climatology.temperature.mean(axis=0) - LAPSE_RATE * terrain.elevation
        self._annual_temperature = annual.astype(np.float32)
        self._standard_pressure = (SEA_LEVEL_HPA * (1.0 - 2.25577e-5 * terrain.elevation) ** 5.25588).astype(np.float32)
        zeros = np.zeros(cells.count, dtype=np.float32)
        self.state = State(zeros.copy(), 0.5 * terrain.soil_capacity, zeros.copy(), zeros.copy(), zeros.copy())
        self.watch(np.empty(0, dtype=np.int64))

    def watch(self, sample: NDArray[np.int64]) -> None:
        """Step some cells in float64 too, by the same equations and forcing, for the audit of mass.

        Parameters
        ----------
        sample : ndarray, shape (S,)
            Which. `exact_state` and `exact_fluxes` then hold their state after, and their fluxes in, each month.
        """
        self.sample = sample
        self.exact_state = self.state.part(sample).astype(np.float64)
        self._exact_properties = self.properties.part(sample).astype(np.float64)
        self.exact_fluxes: Fluxes | None = None

    def _continentality(self) -> NDArray[np.float64]:
        """Share of land around each point, stretched to 0 (coast, island) … 1 (inner Asia)."""
        coarse = self.cells.coarse
        rows, columns = coarse.shape
        land = (self.cells.coarse_area > 0) | self.cells.ice.reshape(rows, 4, columns, 4).any(axis=(1, 3))
        gaussian = SphereGaussian(coarse, COAST_RADIUS_KM)
        both = gaussian(np.stack([land, np.ones_like(land)]).astype(np.float32))
        share = both[0] / both[1]
        row, column = np.nonzero(self.points.index >= 0)
        return np.clip((share[row, column] - 0.35) / 0.6, 0.0, 1.0).astype(np.float64)

    def spin_up(self, first: np.datetime64) -> None:
        """Bring soils and groundwater near their equilibrium; pumping starts with the first month."""
        months = np.arange(first - SPIN_UP_MONTHS, first)
        recharge = np.zeros(self.cells.count, dtype=np.float64)
        pumping, self.properties.pumping[:] = self.properties.pumping.copy(), 0.0
        soil_moisture = np.empty(self.cells.count, dtype=np.float32)
        measured = np.zeros(self.cells.count, dtype=np.float32)
        for number, month in enumerate(months):
            self._advance(month, soil_moisture, measured)
            if MEASURED_MONTHS[0] <= number < MEASURED_MONTHS[1]:
                recharge += measured
            if number == MEASURED_MONTHS[1] - 1:
                mean = np.maximum(recharge / (MEASURED_MONTHS[1] - MEASURED_MONTHS[0]), 0.0)
                keeps = 1.0 - self.properties.draining_share.astype(np.float64)
                self.state.groundwater[:] = mean * keeps / (1.0 - keeps)
        self.properties.pumping[:] = pumping
        self.state.depletion[:] = 0.0
        self.watch(self.sample)

    def run(self, months: Months) -> Iterator[Month]:
        """Step through the months (spin up before), yielding each."""
        for month in months:
            moisture = np.empty(self.cells.count, dtype=np.float32)
            rain, temperature = self._advance(month, moisture, None)
            warm = temperature - self._annual_temperature
            yield Month(
                month=month,
                precipitation=rain * np.float32(days_in(month)),
                temperature=temperature,
                soil_moisture=moisture,
                # lows over hot land, highs over cold
                surface_pressure=self._standard_pressure * (np.float32(1.0) - np.float32(5e-4) * warm),
                storage=np.asarray(self.state.groundwater + self.state.depletion, dtype=np.float32),
                point_rain=np.exp(self.weather.point_log_rain),
                point_temperature=self.weather.point_temperature,
            )

    def _advance(self, month: np.datetime64, moisture: Field, recharge: Field | None) -> tuple[Field, Field]:
        """Draw the weather of a month and step the balance of all cells, then that of the sample."""
        calendar, days = calendar_month(month), days_in(month)
        self.weather.turn(calendar)
        row_lat = self.cells.fine.lat
        radiation = extraterrestrial_radiation(row_lat, 15.2 + 30.4 * calendar).astype(np.float32)
        season = seasonal_factor(row_lat, calendar).astype(np.float32)
        rain = np.empty(self.cells.count, dtype=np.float32)
        temperature = np.empty(self.cells.count, dtype=np.float32)

        def advance(number: int) -> None:
            part = self._parts[number]
            row = self.cells.row[part]
            rain[part], temperature[part] = self.weather.part(number)
            forcing = Forcing(rain[part], temperature[part], radiation[row], season[row], days)
            new, fluxes = step(self.state.part(part), forcing, self.properties.part(part), same_formulas=self._same)
            self.state.put(part, new)
            moisture[part] = fluxes.soil_moisture
            if recharge is not None:
                recharge[part] = fluxes.recharge

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(advance, range(len(self._parts))))
        row = self.cells.row[self.sample]
        exact = Forcing(
            rain[self.sample].astype(np.float64),
            temperature[self.sample].astype(np.float64),
            radiation[row].astype(np.float64),
            season[row].astype(np.float64),
            days,
        )
        self.exact_state, self.exact_fluxes = step(
            self.exact_state, exact, self._exact_properties, same_formulas=self._same
        )
        return rain, temperature


def ice_climate(lat: NDArray[np.float64], month: Month, points: NDArray[np.int32]) -> dict[str, Field]:
    """Give the climate of ice sheets, which the water balance leaves out.

    Parameters
    ----------
    lat : ndarray, shape (I,)
        Degrees north, of the nodes on ice.
    month : Month
        Source of the large-scale weather.
    points : ndarray, shape (I,)
        Half-degree point of each node.

    Returns
    -------
    dict of str to ndarray, shape (I,)
        precipitation (mm per month), temperature (°C, below freezing all year), soil_moisture (m³ m⁻³) and
        surface_pressure (hPa), for ice some 2,000 m high.
    """
    temperature = np.minimum(month.point_temperature[points] - 12.0, np.float32(-2.0))
    return {
        "precipitation": 0.5 * month.point_rain[points] * np.float32(days_in(month.month)),
        "temperature": np.asarray(temperature, dtype=np.float32),
        "soil_moisture": np.full(len(lat), DRIEST_MOISTURE + 0.25, dtype=np.float32),
        "surface_pressure": (795.0 + 0.4 * (temperature + 25.0)).astype(np.float32),
    }
