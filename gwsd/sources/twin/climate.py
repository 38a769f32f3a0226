"""The climate of the twin Earth: seasons, monsoons, a multi-year mode, and weather at all scales.

Large scales live on half-degree points near land and ice; they are interpolated to the land cells, where a
fine texture is added. Nothing here is fitted to a reanalysis: what matters is that the fields have the
right kinds of structure, and that what the network is shown is consistent with the water balance.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gwsd.sources.twin.cells import LandCells
from gwsd.sources.twin.noise import Field, News
from gwsd.sources.twin.points import Points
from gwsd.sources.twin.terrain import WETNESS, Terrain, bumps

LAPSE_RATE = 0.0055
"""Cooling with height, °C per m."""

MODE_PERIOD = 46.0
"""Period of the multi-year mode, months (El Niño returns every three to five years)."""

MODE_DAMPING = 0.965
"""Memory of the multi-year mode from one month to the next."""

WEATHER_SD = 0.52
"""Of the logarithm of monthly precipitation: weather that forgets within a month or two."""

WEATHER_MEMORY = 0.25
"""Correlation of weather with the month before."""

DROUGHT_SD = 0.33
"""Of the logarithm of monthly precipitation: wet and dry spells of regions."""

DROUGHT_MEMORY = 0.92
"""Correlation of spells with the month before (about a year to 1/e)."""

MODE_SD = 0.3
"""Of the logarithm of monthly precipitation: the multi-year mode, where it acts most."""

TEXTURE_SD = 0.35
"""Of the logarithm of monthly precipitation: weather below the scale of the half-degree points."""

WETTEST = np.float32(4.2)
"""Logarithm of the largest precipitation, mm per day: 67 mm a day, as in the wettest months on Earth."""

DRIEST = 0.02
"""Least climatological precipitation, mm per day."""


@dataclass(frozen=True)
class Seasons:
    """Climatology on the half-degree points, by calendar month.

    Parameters
    ----------
    log_precipitation : ndarray, shape (12, Q), float32
        Logarithm of mm per day.
    temperature : ndarray, shape (12, Q), float32
        At sea level, °C.
    """

    log_precipitation: Field
    temperature: Field


def seasons(points: Points, continentality: NDArray[np.float64], wetness: Field) -> Seasons:
    """Compute the climatology.

    Parameters
    ----------
    points : Points
        Where.
    continentality : ndarray, shape (Q,)
        0 on coasts to 1 in the middle of Asia.
    wetness : ndarray, shape (Q,)
        Logarithm of a fixed regional factor of precipitation.

    Returns
    -------
    Seasons
        Twelve months, January first.
    """
    lat, lon = points.lat, points.lon
    sign = np.where(lat >= 0, 1.0, -1.0)
    annual = 28.0 - 44.0 * np.abs(np.sin(np.deg2rad(lat))) ** 2.4
    swing = np.abs(lat) * (0.14 + 0.26 * continentality)
    asia = np.exp(-0.5 * ((lon - 95.0) / 28.0) ** 2)
    local = np.ones(len(lat))
    for factor, weight in bumps(WETNESS, lat, lon):
        local *= factor**weight
    rain, temperature = [], []
    for month in range(12):
        summer = sign * np.cos(2 * np.pi * (month - 6.5) / 12.0)  # +1 in mid-July north, mid-January south
        solar = np.cos(2 * np.pi * (month - 6.7) / 12.0)
        # the rain belt follows the sun, farthest over Asia: the monsoon
        belt = 2.0 + (9.0 + 8.0 * asia * (solar > 0)) * solar
        tropical = 8.5 * np.exp(-0.5 * ((lat - belt) / 8.0) ** 2)
        storms = 3.0 * np.exp(-0.5 * ((np.abs(lat) - 48.0) / 14.0) ** 2)
        storms *= 1.0 + (1.4 * continentality - 0.5) * summer
        amount = (0.55 + tropical + storms) * (1.0 - 0.35 * continentality) * local
        rain.append(np.log(np.maximum(amount, DRIEST)) + wetness)
        temperature.append(annual + swing * summer)
    return Seasons(np.array(rain, dtype=np.float32), np.array(temperature, dtype=np.float32))


class Weather:
    """The climate as it goes from month to month.

    `turn` draws the next month on the half-degree points; `part` then gives rain and temperature of one
    part of the land cells (the parts are independent of each other, so threads may share them out).

    Parameters
    ----------
    cells : LandCells
        Where.
    points : Points
        Where large scales live.
    climatology : Seasons
        On the points.
    terrain : Terrain
        Elevation and local uplift.
    news : News
        Large-scale weather, on the points.
    textures : list of ndarray
        Small-scale weather.
    random : Generator
        Draws the mode and the textures.
    parts : list of slice
        How the land cells are divided.
    """

    def __init__(
        self,
        *,
        cells: LandCells,
        points: Points,
        climatology: Seasons,
        terrain: Terrain,
        news: News,
        textures: list[Field],
        random: Generator,
        parts: list[slice],
    ) -> None:
        self._seasons, self._news, self._textures, self._random = climatology, news, textures, random
        self._parts = parts
        self._to_cells = [points.to_cells[part] for part in parts]
        self._place = cells.row.astype(np.int32) * cells.fine.shape[1] + cells.column
        self._lapse = LAPSE_RATE * terrain.elevation
        self._uplift = terrain.uplift
        self._warmth_sd = (0.5 + np.abs(points.lat) / 45.0).astype(np.float32)
        self._teleconnection, self._weather, self._drought, self._warmth = (news.field() for _ in range(4))
        self._mode = (0.0, 0.0)
        self._texture: Field = textures[0].ravel()
        self.point_temperature: Field = np.empty(0, dtype=np.float32)
        self.point_log_rain: Field = np.empty(0, dtype=np.float32)

    @property
    def mode(self) -> float:
        """The multi-year mode's index in the month last drawn, about standard normal."""
        return self._mode[0]

    def _remember(self, state: Field, memory: float) -> Field:
        """Let a field forget a little and hear its news (a first-order autoregression)."""
        return np.asarray(np.float32(memory) * state + np.float32(np.sqrt(1 - memory**2)) * self._news.field())

    def turn(self, month: int) -> None:
        """Draw the next month.

        Parameters
        ----------
        month : int
            Calendar month, January 0.
        """
        now, before = self._mode
        self._mode = (_PHI_1 * now + _PHI_2 * before + MODE_NEWS_SD * self._random.standard_normal(), now)
        self._weather = self._remember(self._weather, WEATHER_MEMORY)
        self._drought = self._remember(self._drought, DROUGHT_MEMORY)
        self._warmth = self._remember(self._warmth, WEATHER_MEMORY)
        mode = np.clip(np.float32(self._mode[0]) * self._teleconnection, -2.5, 2.5)
        anomaly = WEATHER_SD * self._weather + DROUGHT_SD * self._drought + MODE_SD * mode
        spread = WEATHER_SD**2 + DROUGHT_SD**2 + MODE_SD**2 + TEXTURE_SD**2
        self.point_log_rain = self._seasons.log_precipitation[month] + anomaly - np.float32(spread / 2)
        self.point_temperature = (
            self._seasons.temperature[month] + self._warmth_sd * self._warmth + np.float32(0.3) * mode
        )
        field = self._textures[int(self._random.integers(len(self._textures)))]
        shift = tuple(int(self._random.integers(size)) for size in field.shape)
        sign = 1.0 if self._random.integers(2) else -1.0
        self._texture = (np.roll(field, shift, axis=(0, 1)) * np.float32(sign * TEXTURE_SD)).ravel()

    def part(self, number: int) -> tuple[Field, Field]:
        """Give the month last drawn on one part of the land cells.

        Parameters
        ----------
        number : int
            Of the part.

        Returns
        -------
        rain : ndarray, float32
            mm per day.
        temperature : ndarray, float32
            At 2 m, °C.
        """
        chosen, to_cells = self._parts[number], self._to_cells[number]
        rain = to_cells @ self.point_log_rain
        rain += self._texture.take(self._place[chosen])
        rain += self._uplift[chosen]
        np.exp(np.minimum(rain, WETTEST), out=rain)
        temperature = to_cells @ self.point_temperature
        temperature -= self._lapse[chosen]
        return rain, temperature


_PHI_1 = 2 * MODE_DAMPING * np.cos(2 * np.pi / MODE_PERIOD)
_PHI_2 = -(MODE_DAMPING**2)
MODE_NEWS_SD = float(np.sqrt((1 + _PHI_2) * ((1 - _PHI_2) ** 2 - _PHI_1**2) / (1 - _PHI_2)))
"""Innovation that gives the second-order autoregression unit variance (Box and Jenkins, 1976)."""
