"""Maps without downloads: cells, coasts (the 0.5 contour of the land fraction), degrees, a small globe.

cartopy is used for its projections alone; its features would be fetched from the network.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from cartopy import crs as ccrs
from contourpy import contour_generator
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from gwsd.artifacts.style import COAST, INK, NO_DATA, ORANGE, Array
from gwsd.grid import Region

LAND = 0.5  # Land fraction at which the coast is drawn
SHOWN_LATITUDES = (-58.0, 84.0)  # World maps leave out Antarctica, where the products have no values
WORLD = 180.0  # Regions wider than this, degrees of longitude, are drawn as world maps (Robinson)


def cell_edges(centres: Array) -> NDArray[np.float64]:
    """Return the edges of evenly spaced cells, shape (n + 1,), from their centres, shape (n,)."""
    half = (centres[-1] - centres[0]) / (len(centres) - 1) / 2.0
    return np.linspace(centres[0] - half, centres[-1] + half, len(centres) + 1, dtype=np.float64)


def region_of(lat: Array, lon: Array) -> Region:
    """Return the west, south, east and north edges of a grid, degrees."""
    rows, columns = cell_edges(lat), cell_edges(lon)
    return float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1])


def is_world(lon: Array) -> bool:
    """Return whether a grid is drawn as a world map."""
    return float(cell_edges(lon)[-1] - cell_edges(lon)[0]) > WORLD


def coast_lines(lat: Array, lon: Array, land_fraction: Array) -> list[NDArray[np.float64]]:
    """Trace the coasts: longitude and latitude along each line, shape (points, 2), degrees."""
    lines = contour_generator(x=lon, y=lat, z=np.asarray(land_fraction, dtype=np.float64)).lines(LAND)
    return [np.asarray(line, dtype=np.float64) for line in lines]


def degrees_east(value: float, _position: int | None = None) -> str:
    """Write a longitude: 10°W."""
    value = (value + 180.0) % 360.0 - 180.0
    return f"{abs(value):g}°{'E' if value > 0 else 'W' if value < 0 else ''}"


def degrees_north(value: float, _position: int | None = None) -> str:
    """Write a latitude: 10°S."""
    return f"{abs(value):g}°{'N' if value > 0 else 'S' if value < 0 else ''}"


@dataclass(frozen=True)
class Map:
    """Axes that are drawn on by longitude and latitude; without a projection these are the coordinates."""

    axes: Axes
    projection: ccrs.Projection | None = None

    def project(self, lon: Array, lat: Array) -> tuple[Array, Array]:
        """Return the coordinates on the axes of points given in degrees (arrays of one shape)."""
        if self.projection is None:
            return lon, lat
        # At exactly ±180° a point may fall on either side of the map.
        inside = np.clip(lon, -180.0 + 1e-6, 180.0 - 1e-6)
        points = self.projection.transform_points(ccrs.PlateCarree(), inside, lat)
        return points[..., 0], points[..., 1]

    def cells(self, lat: Array, lon: Array, field: Array, colours: Colormap, norm: Normalize) -> QuadMesh:
        """Colour the cells of a regular grid; cells that are NaN stay clear."""
        x, y = self.project(*np.meshgrid(cell_edges(lon), cell_edges(lat)))
        field = np.ma.masked_invalid(field)
        return self.axes.pcolormesh(x, y, field, cmap=colours, norm=norm, rasterized=True, zorder=2, edgecolor="none")

    def land(self, lat: Array, lon: Array, land_fraction: Array) -> None:
        """Shade land, below the cells."""
        shade = np.where(np.asarray(land_fraction) >= LAND, 1.0, np.nan)
        self.cells(lat, lon, shade, ListedColormap([NO_DATA]), Normalize(0.0, 1.0)).set_zorder(1)

    def lines(self, lines: list[NDArray[np.float64]], colour: str, width: float, zorder: float) -> None:
        """Draw lines of longitude and latitude, shape (points, 2)."""
        projected = [np.stack(self.project(line[:, 0], line[:, 1]), axis=-1) for line in lines]
        collection = LineCollection(projected, colors=colour, linewidths=width, zorder=zorder)
        self.axes.add_collection(collection, autolim=False)

    def coast(self, lat: Array, lon: Array, land_fraction: Array, width: float = 0.4) -> None:
        """Draw the coasts."""
        self.lines(coast_lines(lat, lon, land_fraction), COAST, width, 4)

    def dots(self, lat: Array, lon: Array, chosen: NDArray[np.bool_], spacing: float, size: float) -> None:
        """Stipple the chosen cells (rows, columns), one dot every `spacing` degrees, `size` points wide."""
        step = max(1, round(spacing / float(lon[1] - lon[0])))
        rows, columns = np.nonzero(chosen[step // 2 :: step, step // 2 :: step])
        x, y = self.project(lon[step // 2 :: step][columns], lat[step // 2 :: step][rows])
        self.axes.scatter(x, y, s=size**2, c=INK, linewidths=0.0, marker="o", zorder=3, rasterized=True)


def name_degrees(axes: Axes, columns: int = 5, rows: int = 5) -> None:
    """Frame axes of longitude and latitude and write at most so many steps of degrees along their edges."""
    steps = [1, 2, 3, 4, 5, 10]
    axes.xaxis.set_major_locator(MaxNLocator(columns, steps=steps))
    axes.yaxis.set_major_locator(MaxNLocator(rows, steps=steps))
    axes.xaxis.set_major_formatter(FuncFormatter(degrees_east))
    axes.yaxis.set_major_formatter(FuncFormatter(degrees_north))
    axes.spines[:].set_visible(True)


def regional_map(axes: Axes, region: Region) -> Map:
    """Make plain axes a map of a region, true to scale in its middle, with degrees along its edges."""
    west, south, east, north = region
    axes.set(xlim=(west, east), ylim=(south, north), aspect=1.0 / np.cos(np.deg2rad((south + north) / 2.0)))
    name_degrees(axes)
    return Map(axes)


def map_of(figure: Figure, lat: Array, lon: Array) -> Map:
    """Fill a figure with a map of a whole grid: Robinson for the world, plain for a region."""
    if not is_world(lon):
        return regional_map(figure.add_subplot(), region_of(lat, lon))
    projection = ccrs.Robinson()
    axes = figure.add_subplot(projection=projection)
    world = Map(axes, projection)
    axes.set_global()
    axes.set_ylim(*world.project(np.zeros(2), np.array(SHOWN_LATITUDES))[1])
    axes.spines["geo"].set(linewidth=0.5, edgecolor=COAST)
    around, along = np.linspace(-180.0, 180.0, 181), np.linspace(*SHOWN_LATITUDES, 143)
    parallels = {lat: np.stack([around, np.full(181, lat)], axis=-1) for lat in (-30.0, 0.0, 30.0, 60.0)}
    meridians = {lon: np.stack([np.full(143, lon), along], axis=-1) for lon in (-120.0, -60.0, 0.0, 60.0, 120.0)}
    world.lines([*parallels.values(), *meridians.values()], "#b8b8b8", 0.3, 0.5)
    style = {"textcoords": "offset points", "fontsize": 7, "annotation_clip": False}
    for lines, write, shift, ha, va in (
        (parallels, degrees_north, (-2, 0), "right", "center"),
        (meridians, degrees_east, (0, -2), "center", "top"),
    ):
        for degrees, line in lines.items():
            x, y = world.project(line[:1, 0], line[:1, 1])
            axes.annotate(write(degrees), (float(x[0]), float(y[0])), shift, ha=ha, va=va, **style)
    return world


def locator_globe(axes: Axes, corner: tuple[float, float], region: Region, lat: Array, lon: Array, land: Array) -> Axes:
    """Inset a small globe that shows where a region is; `lat`, `lon` and `land` (fraction) are of a world grid.

    `corner` is the globe's lower left corner, share of the axes.
    """
    west, south, east, north = region
    left, bottom, right, top = region_of(lat, lon)
    projection = ccrs.Orthographic((west + east) / 2.0, (south + north) / 2.0)
    globe: Any = axes.inset_axes((*corner, 0.26, 0.26), projection=projection, zorder=6)
    plain = ccrs.PlateCarree()
    shade = np.where(np.asarray(land) >= LAND, 1.0, 0.0)
    grey = ListedColormap(["#ffffff", "#b0b0b0"])
    extent = (left, right, bottom, top)
    globe.imshow(shade, transform=plain, extent=extent, origin="lower", cmap=grey, regrid_shape=241)
    globe.set_global()
    globe.spines["geo"].set(linewidth=0.6, edgecolor=COAST)
    ring_lon = np.concatenate([np.linspace(west, east, 20), np.linspace(east, west, 20), [west]])
    ring_lat = np.array([*[south] * 20, *[north] * 20, south])
    points = projection.transform_points(plain, ring_lon, ring_lat)
    globe.plot(points[:, 0], points[:, 1], color=ORANGE, linewidth=1.0)
    return globe
