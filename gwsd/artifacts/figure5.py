"""Figure 5: mean |error| of the test patches, mapped in the four regions that they cover best."""

from itertools import product
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.data_file import Printed, foot, labelled, number, significant, texts, words, world_land
from gwsd.artifacts.maps import degrees_east, degrees_north, locator_globe, region_of, regional_map
from gwsd.artifacts.predicted_patches import PredictedPatches, read_patches
from gwsd.artifacts.settings import Plot
from gwsd.artifacts.style import Array, error_colours, new_figure, panel_letter, round_up, styled
from gwsd.errors import DataError
from gwsd.grid import FINE_SPACING, Region
from gwsd.units import MM_PER_CM

REGIONS = 4
WIDTH, HEIGHT = 36.0, 24.0  # Extent of every region, degrees of longitude and latitude
SHOWN = 99.0  # Percentile of the errors at which the colours end


class Candidate(NamedTuple):
    """A region that may be shown; one is chosen per `part`, such as a continent."""

    name: str
    part: str
    region: Region


NAMED = tuple(
    Candidate(name, part, (west, south, west + WIDTH, south + HEIGHT))
    for name, part, west, south in (
        ("Western North America", "North America", -132.0, 28.0),
        ("Eastern North America", "North America", -98.0, 26.0),
        ("Northern South America", "South America", -82.0, -12.0),
        ("Southern South America", "South America", -84.0, -44.0),
        ("Western Africa", "Africa", -20.0, 2.0),
        ("Horn of Africa", "Africa", 20.0, -4.0),
        ("Southern Africa", "Africa", 10.0, -36.0),
        ("Western and central Europe", "Europe", -11.0, 36.0),
        ("Middle East", "Asia", 30.0, 14.0),
        ("South Asia", "Asia", 64.0, 6.0),
        ("East Asia", "Asia", 104.0, 20.0),
        ("South-eastern Asia", "Asia", 93.0, -10.0),
        ("Australia", "Australia", 119.0, -40.0),
    )
)
"""Regions with well-known coasts."""


def mean_error_map(patches: PredictedPatches, shape: tuple[int, int]) -> tuple[Array, NDArray[np.int32]]:
    """Return the mean |error| on the fine grid, mm, NaN without patches, and the number of patches it is over."""
    total = np.zeros(shape, dtype=np.float64)
    count = np.zeros(shape, dtype=np.int32)
    error = patches.absolute_error
    for patch, valid in enumerate(patches.valid):
        window = patches.window(patch)
        total[window] += np.where(valid, error[patch], 0.0)
        count[window] += valid
    return np.divide(total, count, out=np.full(shape, np.nan), where=count > 0), count


def window_of(region: Region, lat: Array, lon: Array) -> tuple[slice, slice]:
    """Return rows and columns of a grid whose centres are inside a region."""
    west, south, east, north = region
    rows, columns = np.searchsorted(lat, [south, north]), np.searchsorted(lon, [west, east])
    return slice(*map(int, rows)), slice(*map(int, columns))


def choose_regions(count: NDArray[np.int32], is_land: NDArray[np.bool_], lat: Array, lon: Array) -> list[Candidate]:
    """Choose from the regions those that the test patches cover best, one per continent; at most four, west to east.

    `count` is the number of test patches over each cell. Regions rank by the share of their land that is covered, then
    by the mean number of patches over it. A grid with too few named regions is cut into boxes without names.
    """
    west, south, east, north = region_of(lat, lon)

    def rank(candidate: Candidate) -> tuple[float, float]:
        window = window_of(candidate.region, lat, lon)
        on_land = count[window][is_land[window]]
        if on_land.size == 0:
            return 0.0, 0.0
        return round(float(np.mean(on_land > 0)), 2), float(on_land.mean())

    def inside(region: Region) -> bool:
        return region[0] >= west and region[1] >= south and region[2] <= east and region[3] <= north

    candidates = [candidate for candidate in NAMED if inside(candidate.region)]
    if len({candidate.part for candidate in candidates}) < REGIONS:
        width, height = min(WIDTH, (east - west) / 2.0), min(HEIGHT, (north - south) / 2.0)
        counts = (int((north - south) / height + 1e-9), int((east - west) / width + 1e-9))
        corners = {(i, j): (west + j * width, south + i * height) for i, j in product(*map(range, counts))}
        candidates = [Candidate("", str(at), (x, y, x + width, y + height)) for at, (x, y) in corners.items()]
    chosen: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=rank, reverse=True):
        if len(chosen) < REGIONS and rank(candidate)[1] > 0.0:
            chosen.setdefault(candidate.part, candidate)
    return sorted(chosen.values(), key=lambda candidate: candidate.region)


def compute(inputs: ArtifactInputs) -> xr.Dataset:
    """Compute the maps of each region: `error` (mm), `patches_over` and `land_fraction` (region, y, x).

    Per region also `name`, `mae` (mm, over covered cells by area) and `patches` (that touch it); for small globes the
    `world_land`, absent where the grid is a region.
    """
    land = inputs.dataset("land")
    patches = read_patches(inputs.dataset("predictions"))
    lat, lon = land["lat"].values, land["lon"].values
    fraction = land["land_fraction"].values
    error, count = mean_error_map(patches, fraction.shape)
    regions = choose_regions(count, fraction >= 0.5, lat, lon)
    if not regions:
        raise DataError("predictions.nc: no test patch has a valid cell in any region that Figure 5 could show.")
    windows = [window_of(candidate.region, lat, lon) for candidate in regions]
    covering = [patches.window(int(patch)) for patch in np.flatnonzero(patches.valid.any(axis=(1, 2)))]
    touching = [sum(_meet(r, rows) and _meet(c, columns) for r, c in covering) for rows, columns in windows]
    weight = np.cos(np.deg2rad(lat))[:, None] * (count > 0)
    mae = [float(np.nansum(error[window] * weight[window]) / weight[window].sum()) for window in windows]
    cells = ("region", "y", "x")
    over, shown, land_shown = (np.stack([field[window] for window in windows]) for field in (count, error, fraction))
    data = xr.Dataset(
        {
            "name": ("region", [candidate.name for candidate in regions]),
            "error": (cells, shown.astype(np.float32), {"units": "mm"}),
            "patches_over": (cells, over.astype(np.int16)),
            "land_fraction": (cells, land_shown.astype(np.float32)),
            "lat": (("region", "y"), np.stack([lat[rows] for rows, _ in windows])),
            "lon": (("region", "x"), np.stack([lon[columns] for _, columns in windows])),
            "mae": ("region", mae, {"units": "mm"}),
            "patches": ("region", np.array(touching, dtype=np.int32)),
        }
    )
    if np.isclose((lon[-1] - lon[0]) + FINE_SPACING, 360.0):
        world = world_land(land, 1.0)
        data["world_land"] = (("world_lat", "world_lon"), world.values)
        data = data.assign_coords(world_lat=world["lat"].values, world_lon=world["lon"].values)
    title = "Mean absolute error of the test patches in four regions"
    return labelled(data, "figure5", inputs, title=title, method=patches.method)


def _meet(a: slice, b: slice) -> bool:
    return bool(a.start < b.stop and b.start < a.stop)


def values(data: xr.Dataset) -> list[Printed]:
    """Return name, MAE and number of patches of each region."""
    found = []
    for index in range(data.sizes["region"]):
        region = data.isel(region=index)
        west, south, east, north = region_of(region["lat"].values, region["lon"].values)
        name = str(region["name"].values) or (
            f"{degrees_north(south)} to {degrees_north(north)}, {degrees_east(west)} to {degrees_east(east)}"
        )
        mae = float(region["mae"]) / MM_PER_CM
        key = f"region_{index + 1}"
        found += [
            words(key, "name", name, f"Region {index + 1}"),
            number(key, "mae", mae, significant(mae), "cm", f"{name}: MAE"),
            number(key, "patches", int(region["patches"]), "d", "", f"{name}: test patches"),
        ]
    return found


@styled
def draw(data: xr.Dataset, style: Plot) -> Figure:
    """Draw the error maps with coasts, degrees and a small globe each."""
    text = texts(values(data))
    count = data.sizes["region"]
    columns = min(2, count)
    rows = -(-count // columns)
    errors = data["error"].values / MM_PER_CM
    norm = Normalize(0.0, round_up(float(np.nanpercentile(errors, SHOWN))))
    figure = new_figure(style, height_mm=24.0 + 72.0 * rows, **foot(data))
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat[count:]:
        axes.set_axis_off()
    for index, axes in enumerate(panels.flat[:count]):
        region = data.isel(region=index)
        lat, lon, land = (region[name].values for name in ("lat", "lon", "land_fraction"))
        edges = region_of(lat, lon)
        chart = regional_map(axes, edges)
        chart.land(lat, lon, land)
        mesh = chart.cells(lat, lon, errors[index], error_colours(style), norm)
        chart.coast(lat, lon, land, width=0.6)
        key = f"region_{index + 1}"
        name, mae, patches = (text[f"{key}:{column}"] for column in ("name", "mae", "patches"))
        panel_letter(axes, index, f"{name}: MAE {mae} cm, {patches} patches")
        if "world_land" in data:
            world = (data[name].values for name in ("world_lat", "world_lon", "world_land"))
            locator_globe(axes, _emptiest_corner(land), edges, *world)
    below = list(panels.flat[:count])
    bar = figure.colorbar(mesh, ax=below, orientation="horizontal", extend="max", shrink=0.6, aspect=40)
    method = data.attrs["method"]
    bar.set_label(f"Mean |error| of {method} over the test patches (cm water equivalent); grey: no test patch")
    return figure


def _emptiest_corner(land: Array) -> tuple[float, float]:
    tall, wide = (int(0.26 * size) for size in land.shape)
    corners = {
        (0.01, 0.01): land[:tall, :wide],
        (0.73, 0.01): land[:tall, -wide:],
        (0.01, 0.73): land[-tall:, :wide],
        (0.73, 0.73): land[-tall:, -wide:],
    }
    return min(corners, key=lambda corner: (float(corners[corner].mean()), corner))
