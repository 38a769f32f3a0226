"""Maps that need no download: cells, coasts (the 0.5 contour of the land fraction), degrees, a small globe.

cartopy is used for its projections alone; its features would be fetched from the network.
"""

from dataclasses import dataclass

import numpy as np
from cartopy import crs as ccrs
from contourpy import contour_generator
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.patches import Polygon
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from gwsd.figures.edges import Array, cell_edges, region_of
from gwsd.figures.style import COAST, INK, NO_DATA, ORANGE
from gwsd.grid import Region

LAND = 0.5
"""Land fraction at which the coast is drawn."""

SHOWN_LATITUDES = (-58.0, 84.0)
"""World maps leave out Antarctica, where the products have no values."""

WORLD = 180.0
"""Regions wider than this, degrees of longitude, are drawn as world maps (Robinson)."""


def coast_lines(lat: Array, lon: Array, land_fraction: Array) -> list[NDArray[np.float64]]:
    """Trace the coasts.

    Parameters
    ----------
    lat, lon : ndarray, shapes (rows,), (columns,)
        Cell centres, degrees.
    land_fraction : ndarray, shape (rows, columns)
        Between 0 and 1.

    Returns
    -------
    list of ndarray, shape (points, 2)
        Longitude and latitude along each line, degrees.
    """
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
    """Axes on which things lie by longitude and latitude.

    Parameters
    ----------
    axes : Axes
        Where it is drawn.
    projection : cartopy Projection or None
        None where longitude and latitude are themselves the coordinates.
    """

    axes: Axes
    projection: ccrs.Projection | None = None

    def place(self, lon: Array, lat: Array) -> tuple[Array, Array]:
        """Coordinates on the axes of points given in degrees (arrays of one shape)."""
        if self.projection is None:
            return lon, lat
        # At exactly ±180° a point may land on either side of the map.
        inside = np.clip(lon, -180.0 + 1e-6, 180.0 - 1e-6)
        points = self.projection.transform_points(ccrs.PlateCarree(), inside, lat)
        return points[..., 0], points[..., 1]

    def cells(self, lat: Array, lon: Array, field: Array, colours: Colormap, norm: Normalize) -> QuadMesh:
        """Colour the cells of a regular grid; cells that are NaN stay clear."""
        x, y = self.place(*np.meshgrid(cell_edges(lon), cell_edges(lat)))
        mesh = self.axes.pcolormesh(
            x, y, np.ma.masked_invalid(field), cmap=colours, norm=norm, rasterized=True, zorder=2
        )
        mesh.set_edgecolor("none")
        return mesh

    def land(self, lat: Array, lon: Array, land_fraction: Array, colour: str = NO_DATA) -> None:
        """Shade land, below the cells."""
        shade = np.where(np.asarray(land_fraction) >= LAND, 1.0, np.nan)
        mesh = self.cells(lat, lon, shade, ListedColormap([colour]), Normalize(0.0, 1.0))
        mesh.set_zorder(1)

    def coast(self, lat: Array, lon: Array, land_fraction: Array, width: float = 0.4) -> None:
        """Draw the coasts."""
        lines = [np.stack(self.place(line[:, 0], line[:, 1]), axis=-1) for line in coast_lines(lat, lon, land_fraction)]
        self.axes.add_collection(LineCollection(lines, colors=COAST, linewidths=width, zorder=4), autolim=False)

    def dots(self, lat: Array, lon: Array, chosen: NDArray[np.bool_], spacing: float, size: float) -> None:
        """Stipple the chosen cells (rows, columns), one dot every `spacing` degrees, `size` points wide."""
        step = max(1, round(spacing / float(lon[1] - lon[0])))
        rows, columns = np.nonzero(chosen[step // 2 :: step, step // 2 :: step])
        x, y = self.place(lon[step // 2 :: step][columns], lat[step // 2 :: step][rows])
        self.axes.scatter(x, y, s=size**2, c=INK, linewidths=0.0, marker="o", zorder=3, rasterized=True)


def regional_map(axes: Axes, region: Region) -> Map:
    """Make plain axes a map of a region, true to scale in its middle, with degrees along its edges."""
    west, south, east, north = region
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect(1.0 / np.cos(np.deg2rad((south + north) / 2.0)))
    name_degrees(axes)
    return Map(axes)


def name_degrees(axes: Axes, columns: int = 5, rows: int = 5) -> None:
    """Frame axes whose coordinates are longitude and latitude and write degrees along their edges.

    At most `columns` and `rows` steps are named.
    """
    steps = [1, 2, 3, 4, 5, 10]
    axes.xaxis.set_major_locator(MaxNLocator(columns, steps=steps))
    axes.yaxis.set_major_locator(MaxNLocator(rows, steps=steps))
    axes.xaxis.set_major_formatter(FuncFormatter(degrees_east))
    axes.yaxis.set_major_formatter(FuncFormatter(degrees_north))
    axes.spines[:].set_visible(True)


def map_of(figure: Figure, place: SubplotSpec, lat: Array, lon: Array) -> Map:
    """Open a map of a whole grid: Robinson where it goes round the world, plain where it is a region."""
    region = region_of(lat, lon)
    if region[2] - region[0] <= WORLD:
        return regional_map(figure.add_subplot(place), region)
    projection = ccrs.Robinson()
    axes = figure.add_subplot(place, projection=projection)
    world = Map(axes, projection)
    axes.set_global()
    _, (south, north) = world.place(np.zeros(2), np.array(SHOWN_LATITUDES))
    axes.set_ylim(south, north)
    axes.spines["geo"].set_linewidth(0.5)
    axes.spines["geo"].set_edgecolor(COAST)
    _graticule(world)
    return world


def _graticule(world: Map) -> None:
    parallels = [(np.linspace(-180.0, 180.0, 181), np.full(181, lat)) for lat in (-30.0, 0.0, 30.0, 60.0)]
    meridians = [(np.full(143, lon), np.linspace(*SHOWN_LATITUDES, 143)) for lon in (-120.0, -60.0, 0.0, 60.0, 120.0)]
    lines = [np.stack(world.place(lon, lat), axis=-1) for lon, lat in parallels + meridians]
    world.axes.add_collection(LineCollection(lines, colors="#b8b8b8", linewidths=0.3, zorder=0.5), autolim=False)
    for lon, lat in parallels:
        x, y = world.place(lon[:1], lat[:1])
        world.axes.annotate(
            degrees_north(float(lat[0])),
            (float(x[0]), float(y[0])),
            (-2, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=7,
            annotation_clip=False,
        )
    for lon, lat in meridians:
        x, y = world.place(lon[:1], lat[:1])
        world.axes.annotate(
            degrees_east(float(lon[0])),
            (float(x[0]), float(y[0])),
            (0, -2),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=7,
            annotation_clip=False,
        )


def locator_globe(axes: Axes, region: Region, lat: Array, lon: Array, land_fraction: Array) -> None:
    """Show on a small globe (orthographic, seen from above the region) where a region lies.

    Parameters
    ----------
    axes : Axes
        Square axes to fill.
    region : Region
        The region to frame.
    lat, lon : ndarray, shapes (rows,), (columns,)
        Cell centres of a world grid, degrees.
    land_fraction : ndarray, shape (rows, columns)
        Between 0 and 1.
    """
    west, south, east, north = region
    lon0, lat0 = np.deg2rad((west + east) / 2.0), np.deg2rad((south + north) / 2.0)
    side = np.linspace(-1.0, 1.0, 241)
    x, y = np.meshgrid(side, side)
    rho = np.hypot(x, y)
    c = np.arcsin(np.clip(rho, 0.0, 1.0))
    sin_lat = np.cos(c) * np.sin(lat0) + y * np.cos(lat0)  # Snyder (1987), equations 20-14 and 20-15
    lats = np.rad2deg(np.arcsin(np.clip(sin_lat, -1.0, 1.0)))
    lons = np.rad2deg(lon0 + np.arctan2(x * np.sin(c), rho * np.cos(lat0) * np.cos(c) - y * np.sin(lat0) * np.sin(c)))
    rows = np.clip(np.searchsorted(cell_edges(lat), lats) - 1, 0, len(lat) - 1)
    columns = np.clip(np.searchsorted(cell_edges(lon), (lons + 180.0) % 360.0 - 180.0) - 1, 0, len(lon) - 1)
    shade = np.where(np.asarray(land_fraction)[rows, columns] >= LAND, 1.0, 0.0)
    shade = np.ma.masked_where(rho > 1.0, shade)
    axes.imshow(
        shade,
        origin="lower",
        extent=(-1, 1, -1, 1),
        cmap=ListedColormap(["#ffffff", "#b0b0b0"]),
        vmin=0,
        vmax=1,
        interpolation="nearest",
    )
    turn = np.linspace(0.0, 2.0 * np.pi, 121)
    axes.plot(np.cos(turn), np.sin(turn), color=COAST, linewidth=0.6)
    edge = np.concatenate(
        [
            np.stack([np.linspace(west, east, 20), np.full(20, south)], axis=-1),
            np.stack([np.full(20, east), np.linspace(south, north, 20)], axis=-1),
            np.stack([np.linspace(east, west, 20), np.full(20, north)], axis=-1),
            np.stack([np.full(20, west), np.linspace(north, south, 20)], axis=-1),
        ]
    )
    lon_r, lat_r = np.deg2rad(edge[:, 0]) - lon0, np.deg2rad(edge[:, 1])
    outline = np.stack(
        [
            np.cos(lat_r) * np.sin(lon_r),
            np.cos(lat0) * np.sin(lat_r) - np.sin(lat0) * np.cos(lat_r) * np.cos(lon_r),
        ],
        axis=-1,
    )
    axes.add_patch(Polygon(outline, closed=True, fill=False, edgecolor=ORANGE, linewidth=1.0))
    axes.set_xlim(-1.05, 1.05)
    axes.set_ylim(-1.05, 1.05)
    axes.set_axis_off()
