"""What does not change in time: relief, soils, aquifers' memory, and which climate a place has.

The relief is no map of the Earth: a few great highlands where they are, and fractal hills everywhere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gwsd.sources.twin.cells import LandCells
from gwsd.sources.twin.noise import Field, News
from gwsd.sources.twin.points import Points

HIGHLANDS: tuple[tuple[float, float, float, float, float], ...] = (
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
"""Latitude, longitude, half widths north and east (degrees), height (m) of highlands, as Gaussians."""

WETNESS: tuple[tuple[float, float, float, float, float], ...] = (
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
"""Latitude, longitude, half widths (degrees) and factor of precipitation where latitude alone says too little."""


MEMORY_MONTHS = (3.0, 72.0)
"""Shortest and longest memory of groundwater, months."""

DELAY_MONTHS = (0.8, 4.0)
"""Shortest and longest time that water takes down to the groundwater, months."""

HIGHEST = 6000.0
"""Highest mean elevation of a land cell, m."""


@dataclass(frozen=True)
class Terrain:
    """Constants of each land cell, all of shape (N,), float32.

    Parameters
    ----------
    elevation : ndarray
        Metres.
    soil_capacity : ndarray
        Water that the root zone holds, mm.
    porosity : ndarray
        Volumetric water content at saturation, m³ m⁻³.
    exponent : ndarray
        How sharply infiltration rises with soil moisture (HBV's beta).
    recharge_share : ndarray
        Share of the water leaving the root zone that goes down to the groundwater; the rest runs off.
    delay : ndarray
        Time that this water takes on its way down (1/e), months.
    memory : ndarray
        Time in which groundwater drains to 1/e, months.
    uplift : ndarray
        Logarithm of the local factor of precipitation.
    pumping_contrast : ndarray
        Standard normal: where in an aquifer much is pumped.
    """

    elevation: Field
    soil_capacity: Field
    porosity: Field
    exponent: Field
    recharge_share: Field
    delay: Field
    memory: Field
    uplift: Field
    pumping_contrast: Field


def bumps(
    table: tuple[tuple[float, float, float, float, float], ...], lat: NDArray[np.float64], lon: NDArray[np.float64]
) -> list[tuple[float, NDArray[np.float64]]]:
    """Evaluate a table of Gaussians: the last column and the weight (0 to 1) of each row at the points."""
    return [
        (value, np.exp(-0.5 * ((lat - y) / dy) ** 2 - 0.5 * ((lon - x) / dx) ** 2)) for y, x, dy, dx, value in table
    ]


def shape_terrain(
    cells: LandCells,
    points: Points,
    news: News,
    textures: list[Field],
    random: Generator,
) -> Terrain:
    """Draw the constants of each land cell.

    Every property mixes a part of continental to regional scale (from the half-degree points) with one of
    local scale (a texture), so that neighbouring eighth-degree cells differ as they do in nature.

    Parameters
    ----------
    cells : LandCells
        Where.
    points : Points
        Half-degree points around them.
    news : News
        Large scales, on the points.
    textures : list of ndarray, shape (fine rows, fine columns)
        Small scales.
    random : Generator
        Shifts the textures.

    Returns
    -------
    Terrain
        The constants.
    """

    def mixed(local_share: float) -> Field:
        field = textures[int(random.integers(len(textures)))]
        shift = int(random.integers(field.shape[1]))
        local = field[cells.row, (cells.column + shift) % field.shape[1]]
        broad = points.to_cells @ news.field()
        return np.asarray(np.sqrt(1 - local_share) * broad + np.sqrt(local_share) * local, dtype=np.float32)

    heights = np.zeros(len(points.lat))
    for height, weight in bumps(HIGHLANDS, points.lat, points.lon):
        heights += height * weight
    high = points.to_cells @ heights.astype(np.float32)
    hills = mixed(0.5)
    elevation = np.clip(high + (120.0 + 0.1 * high) * np.exp(0.6 * hills) - 60.0, 0.0, HIGHEST)
    memory = np.clip(13.0 * np.exp(0.8 * mixed(0.2)), *MEMORY_MONTHS)
    return Terrain(
        elevation=elevation.astype(np.float32),
        soil_capacity=np.clip(220.0 * np.exp(0.4 * mixed(0.4)), 60.0, 600.0).astype(np.float32),
        porosity=np.clip(0.44 + 0.04 * mixed(0.4), 0.3, 0.6).astype(np.float32),
        exponent=np.clip(2.5 * np.exp(0.3 * mixed(0.3)), 1.0, 6.0).astype(np.float32),
        recharge_share=(1.0 / (1.0 + np.exp(-(0.6 + 0.9 * mixed(0.3))))).astype(np.float32),
        delay=np.clip(memory / 8.0, *DELAY_MONTHS).astype(np.float32),
        memory=memory.astype(np.float32),
        uplift=(0.2 * hills + 0.1 * mixed(0.8)).astype(np.float32),
        pumping_contrast=mixed(0.5),
    )
