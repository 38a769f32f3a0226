"""Monthly simulation of the twin Earth."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from gwsd.physics import extraterrestrial_radiation
from gwsd.twin.aquifers import seasonal_factor
from gwsd.twin.balance import DRIEST_MOISTURE, Fluxes, Forcing, State, step
from gwsd.twin.climate import LAPSE_RATE, Weather, make_climatology, make_terrain
from gwsd.twin.geography import LandCells, Points, place_points
from gwsd.twin.netcdf import Months, calendar_month, days_in
from gwsd.twin.noise import Field, Innovations, NoiseCube, SphereGaussian, positions, texture

LARGE_SCALE_SLOPE, TEXTURE_SLOPE = -2.2, -2.6  # power spectral slopes
WETNESS_SD = 0.35  # standard deviation of the logarithm of a regional factor of mean precipitation
TEXTURES = 4  # each month takes one of them, shifted and with a random sign
SPIN_UP_MONTHS = 48
MEASURED_MONTHS = slice(12, 36)  # of the spin-up; their mean recharge sets the groundwater to its equilibrium
CELLS_AT_ONCE = 1 << 15  # stepped together, so that they stay in the processor's cache
COAST_RADIUS_KM = 700.0  # distance over which a coast tempers the climate
SEA_LEVEL_HPA = 1013.25  # standard atmosphere
SAMPLE_CELLS = 400  # cells whose balance is written; a quarter of them pumped, if there are so many


class Stream(IntEnum):
    """Independent streams of random numbers: a change of one subject leaves the others as they are."""

    FIELDS = 0
    TERRAIN = 1
    WEATHER = 2
    NOISE = 3
    FAULTS = 4
    SAMPLE = 5
    BLOCKS = 6


def generator(seed: int, stream: Stream) -> Generator:
    """Return the random generator of one subject."""
    return Generator(PCG64(SeedSequence([seed, int(stream)])))


@dataclass(frozen=True)
class Month:
    """One month of the truth on land cells, shape (N,), on points, shape (Q,), and on sample cells, shape (S,).

    Parameters
    ----------
    month : datetime64[M]
    precipitation : ndarray, shape (N,), mm/month
    temperature : ndarray, shape (N,), °C
    soil_moisture : ndarray, shape (N,), m³ m⁻³
        At the end of the month.
    surface_pressure : ndarray, shape (N,), hPa
    storage : ndarray, shape (N,), mm
        Groundwater at the end of the month.
    point_rain, point_temperature : ndarray, shape (Q,), mm/day and °C
        At sea level, for the ice sheets.
    sample_state, sample_fluxes : State, Fluxes
        Of the sample cells in float64.
    """

    month: np.datetime64
    precipitation: Field
    temperature: Field
    soil_moisture: Field
    surface_pressure: Field
    storage: Field
    point_rain: Field
    point_temperature: Field
    sample_state: State
    sample_fluxes: Fluxes


class Simulation:
    """The twin Earth after its spin-up, before the month `first`; `inverse_crime` uses the formulas of the losses."""

    def __init__(self, cells: LandCells, first: np.datetime64, seed: int, *, inverse_crime: bool) -> None:
        self.cells, self._inverse_crime = cells, inverse_crime
        self.points = place_points(cells)
        self._parts = [
            slice(start, min(start + CELLS_AT_ONCE, cells.count)) for start in range(0, cells.count, CELLS_AT_ONCE)
        ]
        random = generator(seed, Stream.FIELDS)
        cube = NoiseCube(random, LARGE_SCALE_SLOPE)
        textures = [texture(cells.fine, TEXTURE_SLOPE, random) for _ in range(TEXTURES)]
        where = positions(self.points.lat, self.points.lon)
        random = generator(seed, Stream.TERRAIN)
        innovations = Innovations(cube, where, random)
        terrain = make_terrain(cells, self.points, innovations, textures, random)
        continentality = _continentality(cells, self.points)
        climatology = make_climatology(self.points, continentality, WETNESS_SD * innovations.draw())
        random = generator(seed, Stream.WEATHER)
        innovations = Innovations(cube, where, random)
        self._weather = Weather(cells, self.points, climatology, terrain, innovations, textures, random, self._parts)
        self._properties = terrain.properties
        annual = self.points.to_cells @ climatology.temperature.mean(axis=0) - LAPSE_RATE * terrain.elevation
        self._annual_temperature = annual.astype(np.float32)
        self._standard_pressure = (SEA_LEVEL_HPA * (1.0 - 2.25577e-5 * terrain.elevation) ** 5.25588).astype(np.float32)
        lat = cells.fine.lat
        days = 15.2 + 30.4 * np.arange(12)  # of the year, in the middle of each month
        self._radiation = np.array([extraterrestrial_radiation(lat, day) for day in days], dtype=np.float32)
        self._season = np.array([seasonal_factor(lat, month) for month in range(12)], dtype=np.float32)
        zeros = np.zeros(cells.count, dtype=np.float32)
        self._state = State(
            zeros.copy(), 0.5 * self._properties.soil_capacity, zeros.copy(), zeros.copy(), zeros.copy()
        )
        self._spin_up(first)
        self.sample = choose_sample(self._properties.pumping, generator(seed, Stream.SAMPLE))
        self.sample_state = self._state.part(self.sample).astype(np.float64)
        self._sample_properties = self._properties.part(self.sample).astype(np.float64)

    def _spin_up(self, first: np.datetime64) -> None:
        """Bring soils and groundwater near their equilibrium, without pumping."""
        recharge = np.zeros(self.cells.count, dtype=np.float64)
        pumping, self._properties.pumping[:] = self._properties.pumping.copy(), 0.0
        for number, month in enumerate(np.arange(first - SPIN_UP_MONTHS, first)):
            *_, month_recharge = self._advance(month)
            if MEASURED_MONTHS.start <= number < MEASURED_MONTHS.stop:
                recharge += month_recharge
            if number == MEASURED_MONTHS.stop - 1:
                mean = np.maximum(recharge / (MEASURED_MONTHS.stop - MEASURED_MONTHS.start), 0.0)
                kept = 1.0 - self._properties.draining_share.astype(np.float64)
                self._state.groundwater[:] = mean * kept / (1.0 - kept)
        self._properties.pumping[:] = pumping

    def run(self, months: Months) -> Iterator[Month]:
        """Step through the months after the spin-up; the sample is stepped in float64 too, with the same forcing."""
        for month in months:
            rain, temperature, moisture, _ = self._advance(month)
            row = self.cells.row[self.sample]
            forcing = self._forcing(month, row, rain[self.sample], temperature[self.sample], np.float64)
            self.sample_state, fluxes = step(
                self.sample_state, forcing, self._sample_properties, inverse_crime=self._inverse_crime
            )
            warm = temperature - self._annual_temperature
            yield Month(
                month=month,
                precipitation=rain * np.float32(days_in(month)),
                temperature=temperature,
                soil_moisture=moisture,
                # lows over hot land, highs over cold
                surface_pressure=self._standard_pressure * (np.float32(1.0) - np.float32(5e-4) * warm),
                storage=np.asarray(self._state.groundwater + self._state.depletion, dtype=np.float32),
                point_rain=np.exp(self._weather.point_log_rain),
                point_temperature=self._weather.point_temperature,
                sample_state=self.sample_state,
                sample_fluxes=fluxes,
            )

    def _advance(self, month: np.datetime64) -> tuple[Field, Field, Field, Field]:
        """Draw the weather of a month and step all cells: rain, temperature, soil moisture and recharge, shape (N,)."""
        self._weather.advance(calendar_month(month))
        rain, temperature, moisture, recharge = (np.empty(self.cells.count, dtype=np.float32) for _ in range(4))

        def advance(number: int) -> None:
            part = self._parts[number]
            rain[part], temperature[part] = self._weather.at_cells(number)
            forcing = self._forcing(month, self.cells.row[part], rain[part], temperature[part], np.float32)
            state, properties = self._state.part(part), self._properties.part(part)
            new, fluxes = step(state, forcing, properties, inverse_crime=self._inverse_crime)
            for old_values, new_values in zip(state.values(), new.values(), strict=True):
                old_values[:] = new_values
            moisture[part] = fluxes.soil_moisture
            recharge[part] = fluxes.recharge

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(advance, range(len(self._parts))))
        return rain, temperature, moisture, recharge

    def _forcing(
        self, month: np.datetime64, row: NDArray[np.int32], rain: Field, temperature: Field, dtype: type[np.floating]
    ) -> Forcing:
        """Gather the forcing of some cells, given their row, rain (mm/day) and temperature (°C)."""
        radiation, season = (table[calendar_month(month)][row] for table in (self._radiation, self._season))
        water, warmth, sun, pumping = (
            values.astype(dtype, copy=False) for values in (rain, temperature, radiation, season)
        )
        return Forcing(water, warmth, sun, pumping, days_in(month))


def choose_sample(pumping: Field, random: Generator) -> NDArray[np.int64]:
    """Choose the sample cells, increasing, shape (S,); a quarter of them are pumped."""
    pumped = np.flatnonzero(pumping > 0)
    first = random.choice(pumped, size=min(SAMPLE_CELLS // 4, len(pumped)), replace=False)
    rest = np.setdiff1d(np.arange(len(pumping)), first)
    second = random.choice(rest, size=min(SAMPLE_CELLS - len(first), len(rest)), replace=False)
    return np.sort(np.concatenate([first, second])).astype(np.int64)


def _continentality(cells: LandCells, points: Points) -> NDArray[np.float64]:
    """Land share around each point, scaled to 0 (coast, island) … 1 (inner Asia), shape (Q,)."""
    gaussian = SphereGaussian(cells.coarse, COAST_RADIUS_KM)
    both = gaussian(np.stack([cells.solid, np.ones_like(cells.solid)]).astype(np.float32))
    share = (both[0] / both[1])[points.index >= 0]
    return np.clip((share - 0.35) / 0.6, 0.0, 1.0).astype(np.float64)


def ice_climate(month: Month, points: NDArray[np.int32]) -> dict[str, Field]:
    """Return the climate of ice sheets, some 2,000 m high and below freezing all year, units as in `Month`.

    `points`, shape (I,), is the half-degree point of each node on ice.
    """
    temperature = np.minimum(month.point_temperature[points] - 12.0, np.float32(-2.0))
    return {
        "precipitation": 0.5 * month.point_rain[points] * np.float32(days_in(month.month)),
        "temperature": np.asarray(temperature, dtype=np.float32),
        "soil_moisture": np.full(len(points), DRIEST_MOISTURE + 0.25, dtype=np.float32),
        "surface_pressure": (795.0 + 0.4 * (temperature + 25.0)).astype(np.float32),
    }
