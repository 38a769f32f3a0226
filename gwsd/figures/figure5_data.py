"""Figure 5, computed: mean |error| of the test patches, laid on the map of the four best covered regions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.figures.data_file import labelled
from gwsd.figures.edges import region_of
from gwsd.figures.predicted_patches import PredictedPatches, read_patches, world_land
from gwsd.grid import FINE_SPACING, Region

REGIONS = 4
"""How many regions the figure shows."""

WIDTH, HEIGHT = 36.0, 24.0
"""Extent of every region, degrees of longitude and latitude."""

GLOBE_SPACING = 1.0
"""Spacing of the land on the small globes, degrees."""

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Candidate:
    """A region that may be shown."""

    name: str
    part: str
    region: Region


def _box(name: str, continent: str, west: float, south: float) -> Candidate:
    return Candidate(name, continent, (west, south, west + WIDTH, south + HEIGHT))


NAMED = (
    _box("Western North America", "North America", -132.0, 28.0),
    _box("Eastern North America", "North America", -98.0, 26.0),
    _box("Northern South America", "South America", -82.0, -12.0),
    _box("Southern South America", "South America", -84.0, -44.0),
    _box("Western Africa", "Africa", -20.0, 2.0),
    _box("Horn of Africa", "Africa", 20.0, -4.0),
    _box("Southern Africa", "Africa", 10.0, -36.0),
    _box("Western and central Europe", "Europe", -11.0, 36.0),
    _box("Middle East", "Asia", 30.0, 14.0),
    _box("South Asia", "Asia", 64.0, 6.0),
    _box("East Asia", "Asia", 104.0, 20.0),
    _box("South-eastern Asia", "Asia", 93.0, -10.0),
    _box("Australia", "Australia", 119.0, -40.0),
)
"""Regions whose coasts a reader knows."""


def mean_error_map(patches: PredictedPatches, shape: tuple[int, int]) -> tuple[Array, NDArray[np.int32]]:
    """Average the patches' |errors| where they overlap.

    Parameters
    ----------
    patches : PredictedPatches
        The test patches.
    shape : tuple of int
        Rows and columns of the fine grid.

    Returns
    -------
    error : ndarray, shape (rows, columns)
        Mean |error|, mm; NaN where no patch counts.
    number : ndarray of int32, shape (rows, columns)
        How many patches count.
    """
    total = np.zeros(shape, dtype=np.float64)
    number = np.zeros(shape, dtype=np.int32)
    error = patches.absolute_error
    for patch, valid in enumerate(patches.valid):
        window = patches.window(patch)
        total[window] += np.where(valid, error[patch], 0.0)
        number[window] += valid
    mean = np.divide(total, number, out=np.full(shape, np.nan), where=number > 0)
    return mean, number


def window_of(region: Region, lat: Array, lon: Array) -> tuple[slice, slice]:
    """Rows and columns of a grid whose centres lie in a region."""
    west, south, east, north = region
    rows = np.flatnonzero((lat > south) & (lat < north))
    columns = np.flatnonzero((lon > west) & (lon < east))
    if len(rows) == 0 or len(columns) == 0:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def choose_regions(number: NDArray[np.int32], is_land: NDArray[np.bool_], lat: Array, lon: Array) -> list[Candidate]:
    """Choose the regions that the test patches cover best, one a continent as far as that goes.

    Regions rank by the share of their land that is covered, then by how many patches lie over a cell of it.
    Where the grid holds fewer than four named regions, it is cut into boxes that bear no name but their place.

    Parameters
    ----------
    number : ndarray of int32, shape (rows, columns)
        Test patches over each cell of the fine grid.
    is_land : ndarray of bool, shape (rows, columns)
        Land.
    lat, lon : ndarray, shapes (rows,), (columns,)
        Cell centres, degrees.

    Returns
    -------
    list of Candidate
        At most four, from west to east; each has at least one covered cell.
    """
    west, south, east, north = region_of(lat, lon)

    def inside(region: Region) -> bool:
        return region[0] >= west and region[1] >= south and region[2] <= east and region[3] <= north

    def rank(candidate: Candidate) -> tuple[float, float]:
        window = window_of(candidate.region, lat, lon)
        on_land = number[window][is_land[window]]
        if on_land.size == 0:
            return 0.0, 0.0
        return round(float(np.mean(on_land > 0)), 2), float(on_land.mean())

    candidates = [candidate for candidate in NAMED if inside(candidate.region)]
    if len({candidate.part for candidate in candidates}) < REGIONS:
        candidates = _tiles((west, south, east, north))
    ranked = sorted(candidates, key=rank, reverse=True)
    ranked = [candidate for candidate in ranked if rank(candidate)[1] > 0.0]
    chosen: list[Candidate] = []
    for candidate in ranked:
        if len(chosen) < REGIONS and candidate.part not in {other.part for other in chosen}:
            chosen.append(candidate)
    return sorted(chosen, key=lambda candidate: candidate.region)


def _tiles(region: Region) -> list[Candidate]:
    west, south, east, north = region
    width, height = min(WIDTH, (east - west) / 2.0), min(HEIGHT, (north - south) / 2.0)
    tiles = []
    for row in range(int((north - south) / height + 1e-9)):
        for column in range(int((east - west) / width + 1e-9)):
            corner = (west + column * width, south + row * height)
            box = (*corner, corner[0] + width, corner[1] + height)
            tiles.append(Candidate("", f"{row} {column}", box))
    return tiles


def compute(
    predictions: xr.Dataset,
    land: xr.Dataset,
    *,
    data_label: str,
    source: str,
    reported: str = "",
) -> xr.Dataset:
    """Compute the data of Figure 5.

    Parameters
    ----------
    predictions : xr.Dataset
        The test patches, see `read_patches`.
    land : xr.Dataset
        `land_fraction` (lat, lon) on the fine grid.
    data_label, source, reported : str
        Where the data come from, the job's key, and what the paper states.

    Returns
    -------
    xr.Dataset
        For each region `name`, `lat` (region, y), `lon` (region, x), `error` (mm), `patches_over`,
        `land_fraction` (region, y, x), `mae` (mm, over covered cells by area) and `patches` (that touch it); and
        the world's land for small globes (`world_land`; absent where the grid is a region).

    Raises
    ------
    DataError
        If no test patch has a valid cell.
    """
    patches = read_patches(predictions, land)
    lat, lon = land["lat"].values, land["lon"].values
    fraction = land["land_fraction"].values
    error, number = mean_error_map(patches, fraction.shape)
    regions = choose_regions(number, fraction >= 0.5, lat, lon)
    if not regions:
        raise DataError("predictions.nc: no test patch has a valid cell in any region that Figure 5 could show.")
    windows = [window_of(candidate.region, lat, lon) for candidate in regions]
    touching = [
        sum(
            bool(np.any(patches.valid[p]))
            and _meet(patches.window(p)[0], rows)
            and _meet(patches.window(p)[1], columns)
            for p in range(len(patches.valid))
        )
        for rows, columns in windows
    ]
    weight = np.cos(np.deg2rad(lat))[:, None] * (number > 0)
    mae = [float(np.nansum(error[window] * weight[window]) / weight[window].sum()) for window in windows]
    cells = ("region", "y", "x")
    data = xr.Dataset(
        {
            "name": ("region", [candidate.name for candidate in regions]),
            "error": (cells, np.stack([error[window] for window in windows]).astype(np.float32), {"units": "mm"}),
            "patches_over": (cells, np.stack([number[window] for window in windows]).astype(np.int16)),
            "land_fraction": (cells, np.stack([fraction[window] for window in windows]).astype(np.float32)),
            "lat": (("region", "y"), np.stack([lat[rows] for rows, _ in windows])),
            "lon": (("region", "x"), np.stack([lon[columns] for _, columns in windows])),
            "mae": ("region", mae, {"units": "mm"}),
            "patches": ("region", np.array(touching, dtype=np.int32)),
        }
    )
    if np.isclose((lon[-1] - lon[0]) + FINE_SPACING, 360.0):
        world = world_land(land, GLOBE_SPACING)
        data["world_land"] = (("world_lat", "world_lon"), world.values)
        data = data.assign_coords(world_lat=world["lat"].values, world_lon=world["lon"].values)
    return labelled(
        data,
        title="Mean absolute error of the test patches in four regions",
        data_label=data_label,
        source=source,
        reported=reported,
        method=patches.method,
    )


def _meet(one: slice, other: slice) -> bool:
    return bool(one.start < other.stop and other.start < one.stop)
