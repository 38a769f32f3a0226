"""Monthly series of the product over basins or aquifers, weighted by the area that a polygon covers of each cell."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from gwsd.errors import ConfigError, DataError
from gwsd.grid import GLOBE, Grid, cell_area
from gwsd.product.reading import Fields, Product

COLUMNS = (
    "polygon",
    "name",
    "month",
    "mean_mm",
    "sd_independent_mm",
    "sd_correlated_mm",
    "storage_km3",
    "change_km3",
    "valid_area_km2",
    "area_km2",
    "coverage",
    "note",
    "data_label",
)
"""Columns of the series."""

KM3_PER_MM_KM2 = 1.0e-6
"""A millimetre over a square kilometre, km³."""


@dataclass(frozen=True)
class Basin:
    """A polygon, and where it lies on the grid of the product.

    Parameters
    ----------
    number : int
        Place in the file of polygons, from 0.
    name : str
        For a reader.
    cells : ndarray, shape (n,), int64
        Cells of the product, in the flattened grid, that the polygon touches.
    area : ndarray, shape (n,), km²
        What it covers of each.
    total_area : float
        What it covers altogether, also outside the product, km².
    note : str
        Why there is no series; empty where there is one.
    """

    number: int
    name: str
    cells: NDArray[np.int64]
    area: NDArray[np.float64]
    total_area: float
    note: str = ""


def basin_series(
    product: Sequence[Path], polygons: Path, *, name: str | None = None, report: Callable[[str], None] = print
) -> pd.DataFrame:
    """Average the product over polygons, month by month.

    Parameters
    ----------
    product : sequence of Path
        Files of the product.
    polygons : Path
        GeoJSON, GeoPackage or shapefile; brought to longitude and latitude.
    name : str or None
        Column that names the polygons; None: one called `name` in any case, else their numbers.
    report : callable
        Takes a line for each polygon without series.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row a polygon and month. `sd_independent_mm` holds if errors of cells are independent,
        `sd_correlated_mm` if they are one and the same; the truth lies between. `storage_km3` is the anomaly as a
        volume over the valid area, `change_km3` its change from the month before, empty where that is absent. A
        polygon without series has one row, whose note says why.

    Raises
    ------
    DataError
        If a file cannot be read, or holds no polygon.
    ConfigError
        If there is no such column.
    """
    shapes = _read_polygons(polygons)
    names = _names(shapes, name, polygons)
    with Product(product) as files:
        basins = [
            _place(number, label, shape, files.grid)
            for number, (label, shape) in enumerate(zip(names, shapes.geometry, strict=True))
        ]
        for basin in basins:
            if basin.note:
                report(f"{polygons}: polygon {basin.number} ({basin.name}): {basin.note}")
        series = pd.DataFrame(_rows(files, basins), columns=list(COLUMNS[:-1]))
        series["data_label"] = files.data_label
    return series.sort_values(["polygon", "month"], kind="stable", ignore_index=True)


def covered_cells(shape: BaseGeometry, grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Cells of a grid that a polygon within the grid's extent covers, and their covered fractions, exactly.

    Parameters
    ----------
    shape : geometry
        Polygon or multipolygon, degrees.
    grid : Grid
        Cells.

    Returns
    -------
    cells : ndarray of int64
        Places in the flattened grid, rows from the south.
    fractions : ndarray of float64
        Between 0 and 1, of the cells' area in degrees.
    """
    rows, cols = grid.shape
    west, south, east, north = grid.region
    # Only the cells' places are asked for: one zero stands for all values.
    raster = NumPyRasterSource(np.broadcast_to(np.int8(0), (rows, cols)), west, south, east, north)
    features = geopandas.GeoDataFrame(geometry=[shape], crs=4326)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Spatial reference system")
        found = exact_extract(raster, features, ["cell_id", "coverage"], output="pandas")
    cells = np.asarray(found["cell_id"][0], dtype=np.int64)
    row_from_north, col = np.divmod(cells, cols)
    return (rows - 1 - row_from_north) * cols + col, np.asarray(found["coverage"][0], dtype=np.float64)


def _read_polygons(path: Path) -> geopandas.GeoDataFrame:
    if not path.exists():
        raise DataError(f"{path}: no such file; expected polygons as GeoJSON, GeoPackage or shapefile")
    try:
        shapes = geopandas.read_file(path)
    except Exception as error:  # pyogrio, GDAL and GEOS each have their own
        raise DataError(
            f"{path}: cannot be read as polygons ({error}); expected GeoJSON, GeoPackage or shapefile"
        ) from error
    if not isinstance(shapes, geopandas.GeoDataFrame) or shapes.empty:
        raise DataError(f"{path}: holds no polygon")
    if shapes.crs is not None and shapes.crs.to_epsg() != 4326:
        shapes = shapes.to_crs(4326)
    return shapes


def _names(shapes: geopandas.GeoDataFrame, name: str | None, path: Path) -> list[str]:
    columns = [str(column) for column in shapes.columns if column != shapes.geometry.name]
    if name is None:
        name = next((column for column in columns if column.lower() == "name"), None)
        if name is None:
            return [str(number) for number in range(len(shapes))]
    if name not in columns:
        raise ConfigError(f"{path}: has no column {name!r} to name the polygons by; there are: {', '.join(columns)}")
    return [str(value) for value in shapes[name]]


def _place(number: int, name: str, shape: BaseGeometry | None, grid: Grid) -> Basin:
    nothing = np.empty(0, dtype=np.int64), np.empty(0)
    shape, note = _on_the_globe(shape)
    if note:
        return Basin(number, name, *nothing, math.nan, note)
    # Cells of the whole globe, so that what lies outside a regional product counts in the polygon's area.
    globe = Grid(grid.spacing, GLOBE)
    cells, fractions = covered_cells(shape, globe)
    row, col = np.divmod(cells, globe.shape[1])
    area = fractions * cell_area(globe.lat, globe.spacing)[row]
    row = row - round((grid.region[1] - globe.region[1]) / grid.spacing)
    col = (col - round((grid.region[0] - globe.region[0]) / grid.spacing)) % globe.shape[1]
    inside = (row >= 0) & (row < grid.shape[0]) & (col < grid.shape[1])
    if not inside.any():
        where = ", ".join(f"{edge:g}" for edge in grid.region)
        return Basin(
            number, name, *nothing, float(area.sum()), f"outside the product ({where}: west, south, east, north)"
        )
    return Basin(number, name, (row * grid.shape[1] + col)[inside], area[inside], float(area.sum()))


def _on_the_globe(shape: BaseGeometry | None) -> tuple[BaseGeometry, str]:
    """Bring a polygon to longitudes from -180 to 180, cut where it crosses the date line; or say what is wrong."""
    nothing = shapely.Polygon()
    if shape is None or shape.is_empty:
        return nothing, "no geometry"
    shape = shapely.make_valid(shapely.force_2d(shape))
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    if not parts:
        return nothing, f"a {shape.geom_type}, not a polygon"
    shape = shapely.union_all(parts)
    west, south, east, north = shape.bounds
    if (
        not np.isfinite([west, south, east, north]).all()
        or south < -90.001
        or north > 90.001
        or west < -540
        or east > 540
    ):
        return nothing, (
            f"its bounds {west:g}, {south:g}, {east:g}, {north:g} are no longitudes and latitudes; give the file its "
            "coordinate reference system"
        )
    if _jumps(shape):
        return nothing, (
            "an edge spans more than 180 degrees of longitude: where the polygon crosses the date line, cut it there, "
            "or let its longitudes run beyond 180; else put a point between"
        )
    turns = range(math.floor((west + 180.0) / 360.0), math.ceil((east + 180.0) / 360.0))
    pieces = []
    for turn in turns:
        strip = shapely.box(-180.0 + 360.0 * turn, -90.0, 180.0 + 360.0 * turn, 90.0)
        piece = shapely.transform(shape.intersection(strip), _shifted(-360.0 * turn))
        pieces += [part for part in shapely.get_parts(piece) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(pieces), ""


def _shifted(degrees: float) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    return lambda points: points + np.array([degrees, 0.0])


def _jumps(shape: BaseGeometry) -> bool:
    """Whether an edge is longer than half the way round, and not the whole way (a band round the Earth)."""
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        steps = np.abs(np.diff(shapely.get_coordinates(ring)[:, 0]))
        if ((steps > 180.0) & (steps < 359.9)).any():
            return True
    return False


def _rows(files: Product, basins: Sequence[Basin]) -> Iterator[dict[str, Any]]:
    for basin in basins:
        if basin.note:
            yield {"polygon": basin.number, "name": basin.name, "area_km2": basin.total_area, "note": basin.note}
    before: dict[int, float] = {}
    previous = None
    for month in files.months:
        fields = files.read(month)
        held: dict[int, float] = {}
        for basin in basins:
            if basin.note:
                continue
            row = _row(basin, fields)
            last = before.get(basin.number, math.nan) if previous == month - 1 else math.nan
            held[basin.number] = row["storage_km3"]
            head = {"polygon": basin.number, "name": basin.name, "month": str(month)}
            yield {**head, **row, "change_km3": held[basin.number] - last}
        before, previous = held, month


def _row(basin: Basin, fields: Fields) -> dict[str, Any]:
    mean = fields.mean.ravel()[basin.cells]
    known = np.isfinite(mean)
    area = basin.area[known]
    valid_area = float(area.sum())
    row: dict[str, Any] = {
        "valid_area_km2": valid_area,
        "area_km2": basin.total_area,
        "coverage": valid_area / basin.total_area,
    }
    if not valid_area > 0.0:
        return {**row, "storage_km3": math.nan, "note": "no valid cell of the product inside"}
    storage = float(area @ mean[known])
    row |= {"mean_mm": storage / valid_area, "storage_km3": storage * KM3_PER_MM_KM2, "note": ""}
    if fields.sd is not None:
        parts = area * fields.sd.ravel()[basin.cells][known]
        row["sd_independent_mm"] = float(np.sqrt(parts @ parts)) / valid_area
        row["sd_correlated_mm"] = float(parts.sum()) / valid_area
    return row
