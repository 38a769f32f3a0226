"""Synthetic terrain, climatology and monthly weather.

Large scales live on half-degree points near land and are interpolated to the land cells, where a texture is added.
Nothing is fitted to a reanalysis and the relief is no map: the fields have realistic kinds of structure, and the
climate given to the network is consistent with the water balance.
"""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gwsd.twin.aquifers import pumping_rate
from gwsd.twin.balance import Properties
from gwsd.twin.geography import LandCells, Points
from gwsd.twin.noise import Field, Innovations

Bumps = tuple[tuple[float, float, float, float, float], ...]

HIGHLANDS: Bumps = (
    (33.0, 88.0, 5.5, 13.0, 4800.0),  # Tibet
    (40.0, 72.0, 4.0, 6.0, 2800.0),  # Pamir and Tien Shan
    (-20.0, -67.5, 11.0, 3.0, 3800.0),  # central Andes
    (-1.0, -78.0, 7.0, 2.0, 2500.0),  # northern Andes
    (40.0, -109.0, 9.0, 6.0, 2100.0),  # Rocky Mountains
    (22.0, -102.0, 5.0, 3.5, 1900.0),  # Mexican plateau
    (9.0, 39.0, 4.5, 3.5, 2200.0),  # Ethiopia
    (-28.0, 28.0, 4.0, 4.0, 1700.0),  # Drakensberg
    (33.0, 53.0, 5.0, 8.0, 1500.0),  # Iran
    (39.0, 38.0, 2.5, 7.0, 1300.0),  # Anatolia
    (46.5, 10.0, 1.5, 4.0, 1600.0),  # Alps
    (47.0, 98.0, 4.5, 10.0, 1700.0),  # Mongolia
    (63.0, 140.0, 5.0, 15.0, 900.0),  # eastern Siberia
)
"""Highlands as Gaussians: latitude, longitude, half widths north and east (degrees), height (m)."""

WETNESS: Bumps = (
    (22.0, 8.0, 8.0, 30.0, 0.25),  # Sahara
    (23.0, 48.0, 8.0, 12.0, 0.35),  # Arabia
    (-25.0, 131.0, 7.0, 14.0, 0.5),  # central Australia
    (42.0, 65.0, 7.0, 18.0, 0.45),  # Turan and Kazakh steppe
    (41.0, 95.0, 6.0, 14.0, 0.3),  # Taklamakan and Gobi
    (-23.0, -70.0, 7.0, 3.0, 0.15),  # Atacama
    (-45.0, -69.0, 6.0, 3.0, 0.5),  # eastern Patagonia
    (27.0, 114.0, 6.0, 8.0, 2.6),  # southern China
    (33.0, -86.0, 6.0, 9.0, 2.2),  # south-eastern United States
    (-30.0, -54.0, 6.0, 7.0, 2.2),  # La Plata
    (-3.0, -62.0, 8.0, 10.0, 1.3),  # Amazon
    (35.0, -113.0, 6.0, 6.0, 0.5),  # Sonora and Great Basin
    (-23.0, 18.0, 6.0, 5.0, 0.5),  # Namib and Kalahari
)
"""Factors of precipitation where latitude alone is a poor guide: latitude, longitude, half widths (degrees), factor."""

MEMORY_MONTHS = (3.0, 72.0)  # range of the time constant of groundwater
DELAY_MONTHS = (0.8, 4.0)  # range of the time constant of percolation
MAX_ELEVATION = 6000.0  # mean of a land cell, m
LAPSE_RATE = 0.0055  # °C per m
DRIEST = 0.02  # minimum of climatological precipitation, mm/day
WETTEST = np.float32(4.2)  # logarithm of 67 mm/day, as in the wettest months on Earth

# Standard deviations of the logarithm of monthly precipitation, and autocorrelations at a lag of one month
WEATHER_SD, WEATHER_AUTOCORRELATION = 0.52, 0.25  # decorrelation time of one to two months
DROUGHT_SD, DROUGHT_AUTOCORRELATION = 0.33, 0.92  # drought persistence of about a year
MODE_SD = 0.3  # multi-year mode, where its pattern is strongest
TEXTURE_SD = 0.35  # weather below the scale of the half-degree points

MODE_PERIOD = 46.0  # months (El Niño returns every three to five years)
MODE_DAMPING = 0.965  # per month
PHI_1, PHI_2 = 2 * MODE_DAMPING * np.cos(2 * np.pi / MODE_PERIOD), -(MODE_DAMPING**2)
"""Coefficients of the second-order autoregression of the multi-year mode."""

MODE_INNOVATION_SD = float(np.sqrt((1 + PHI_2) * ((1 - PHI_2) ** 2 - PHI_1**2) / (1 - PHI_2)))
"""Innovation that gives the mode unit variance (Box and Jenkins, 1976)."""


class Terrain(NamedTuple):
    """Constants of each land cell: elevation, m, logarithm of a local factor of precipitation, and properties."""

    elevation: Field
    uplift: Field
    properties: Properties


def evaluate_bumps(
    table: Bumps, lat: NDArray[np.float64], lon: NDArray[np.float64]
) -> list[tuple[float, NDArray[np.float64]]]:
    """Return the value of each Gaussian of a table, and its weight (0 to 1) at the points."""
    return [
        (value, np.exp(-0.5 * ((lat - y) / dy) ** 2 - 0.5 * ((lon - x) / dx) ** 2)) for y, x, dy, dx, value in table
    ]


def make_terrain(
    cells: LandCells, points: Points, innovations: Innovations, textures: list[Field], random: Generator
) -> Terrain:
    """Draw the constants of each land cell as a mixture of large scales and textures."""

    def mixed(local_share: float) -> Field:
        field = textures[int(random.integers(len(textures)))]
        shift = int(random.integers(field.shape[1]))
        local = field[cells.row, (cells.column + shift) % field.shape[1]]
        broad = points.to_cells @ innovations.draw()
        return np.asarray(np.sqrt(1 - local_share) * broad + np.sqrt(local_share) * local, dtype=np.float32)

    heights = np.zeros(len(points.lat))
    for height, weight in evaluate_bumps(HIGHLANDS, points.lat, points.lon):
        heights += height * weight
    high = points.to_cells @ heights.astype(np.float32)
    hills = mixed(0.5)
    elevation = np.clip(high + (120.0 + 0.1 * high) * np.exp(0.6 * hills) - 60.0, 0.0, MAX_ELEVATION)
    memory = np.clip(13.0 * np.exp(0.8 * mixed(0.2)), *MEMORY_MONTHS).astype(np.float32)
    delay = np.clip(memory / 8.0, *DELAY_MONTHS).astype(np.float32)
    properties = {  # in the order of their random numbers
        "soil_capacity": np.clip(220.0 * np.exp(0.4 * mixed(0.4)), 60.0, 600.0),
        "porosity": np.clip(0.44 + 0.04 * mixed(0.4), 0.3, 0.6),
        "exponent": np.clip(2.5 * np.exp(0.3 * mixed(0.3)), 1.0, 6.0),
        "recharge_share": 1.0 / (1.0 + np.exp(-(0.6 + 0.9 * mixed(0.3)))),
        "arriving_share": 1.0 - np.exp(-1.0 / delay),
        "draining_share": 1.0 - np.exp(-1.0 / memory),
    }
    uplift = 0.2 * hills + 0.1 * mixed(0.8)
    properties["pumping"] = pumping_rate(cells, mixed(0.5))
    return Terrain(elevation, uplift, Properties(**properties).astype(np.float32))


class Climatology(NamedTuple):
    """Logarithm of precipitation, mm/day, and temperature at sea level, °C, shape (12, Q), January first."""

    log_precipitation: Field
    temperature: Field


def make_climatology(points: Points, continentality: NDArray[np.float64], wetness: Field) -> Climatology:
    """Compute the climatology on the half-degree points.

    `continentality`, shape (Q,), is 0 on coasts to 1 in inner Asia; `wetness`, shape (Q,), is the logarithm of a
    constant regional factor of precipitation.
    """
    lat, lon = points.lat, points.lon
    sign = np.where(lat >= 0, 1.0, -1.0)
    annual = 28.0 - 44.0 * np.abs(np.sin(np.deg2rad(lat))) ** 2.4
    swing = np.abs(lat) * (0.14 + 0.26 * continentality)
    asia = np.exp(-0.5 * ((lon - 95.0) / 28.0) ** 2)
    local = np.ones(len(lat))
    for factor, weight in evaluate_bumps(WETNESS, lat, lon):
        local *= factor**weight
    rain, temperature = [], []
    for month in range(12):
        summer = sign * np.cos(2 * np.pi * (month - 6.5) / 12.0)  # +1 in mid-July north, mid-January south
        solar = np.cos(2 * np.pi * (month - 6.7) / 12.0)
        # the tropical rain belt follows the sun, farthest over Asia: the monsoon
        belt = 2.0 + (9.0 + 8.0 * asia * (solar > 0)) * solar
        tropical = 8.5 * np.exp(-0.5 * ((lat - belt) / 8.0) ** 2)
        storms = 3.0 * np.exp(-0.5 * ((np.abs(lat) - 48.0) / 14.0) ** 2)
        storms *= 1.0 + (1.4 * continentality - 0.5) * summer
        amount = (0.55 + tropical + storms) * (1.0 - 0.35 * continentality) * local
        rain.append(np.log(np.maximum(amount, DRIEST)) + wetness)
        temperature.append(annual + swing * summer)
    return Climatology(np.array(rain, dtype=np.float32), np.array(temperature, dtype=np.float32))


class Weather:
    """Monthly weather: `advance` draws a month on the half-degree points, `at_cells` evaluates it on land cells.

    Slices of the land cells are independent, so that threads may share them.
    """

    def __init__(
        self,
        cells: LandCells,
        points: Points,
        climatology: Climatology,
        terrain: Terrain,
        innovations: Innovations,
        textures: list[Field],
        random: Generator,
        parts: list[slice],
    ) -> None:
        self._climatology, self._innovations = climatology, innovations
        self._textures, self._random, self._parts = textures, random, parts
        self._to_cells = [points.to_cells[part] for part in parts]
        self._flat = cells.flat
        self._lapse = LAPSE_RATE * terrain.elevation
        self._uplift = terrain.uplift
        self._temperature_sd = (0.5 + np.abs(points.lat) / 45.0).astype(np.float32)
        self._teleconnection, self._weather, self._drought, self._warmth = (innovations.draw() for _ in range(4))
        self._mode = (0.0, 0.0)
        self._texture: Field = textures[0].ravel()
        self.point_temperature: Field = np.empty(0, dtype=np.float32)
        """Of the month at sea level, shape (Q,), °C."""
        self.point_log_rain: Field = np.empty(0, dtype=np.float32)
        """Of the month, shape (Q,), logarithm of mm/day."""

    def _autoregress(self, state: Field, autocorrelation: float) -> Field:
        """Advance a first-order autoregression of unit variance."""
        innovation = np.float32(np.sqrt(1 - autocorrelation**2)) * self._innovations.draw()
        return np.asarray(np.float32(autocorrelation) * state + innovation)

    def advance(self, month: int) -> None:
        """Draw the next month; `month` is its calendar month, January 0."""
        now, before = self._mode
        innovation = MODE_INNOVATION_SD * self._random.standard_normal()
        self._mode = (PHI_1 * now + PHI_2 * before + innovation, now)
        self._weather = self._autoregress(self._weather, WEATHER_AUTOCORRELATION)
        self._drought = self._autoregress(self._drought, DROUGHT_AUTOCORRELATION)
        self._warmth = self._autoregress(self._warmth, WEATHER_AUTOCORRELATION)
        mode = np.clip(np.float32(self._mode[0]) * self._teleconnection, -2.5, 2.5)
        anomaly = WEATHER_SD * self._weather + DROUGHT_SD * self._drought + MODE_SD * mode
        variance = WEATHER_SD**2 + DROUGHT_SD**2 + MODE_SD**2 + TEXTURE_SD**2
        self.point_log_rain = self._climatology.log_precipitation[month] + anomaly - np.float32(variance / 2)
        self.point_temperature = (
            self._climatology.temperature[month] + self._temperature_sd * self._warmth + np.float32(0.3) * mode
        )
        field = self._textures[int(self._random.integers(len(self._textures)))]
        shift = tuple(int(self._random.integers(size)) for size in field.shape)
        sign = 1.0 if self._random.integers(2) else -1.0
        self._texture = (np.roll(field, shift, axis=(0, 1)) * np.float32(sign * TEXTURE_SD)).ravel()

    def at_cells(self, number: int) -> tuple[Field, Field]:
        """Return rain, mm/day, and 2 m temperature, °C, of the month on one part of the land cells."""
        part, to_cells = self._parts[number], self._to_cells[number]
        rain = to_cells @ self.point_log_rain
        rain += self._texture.take(self._flat[part])
        rain += self._uplift[part]
        np.exp(np.minimum(rain, WETTEST), out=rain)
        temperature = to_cells @ self.point_temperature
        temperature -= self._lapse[part]
        return rain, temperature
