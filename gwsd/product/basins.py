"""Monthly series of the product over basins or aquifers, weighted by the area that a polygon covers of each cell."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
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
from gwsd.product.dataset import ProductDataset

COLUMNS = (
    *("polygon", "name", "month", "mean_mm", "sd_independent_mm", "sd_correlated_mm", "storage_km3", "change_km3"),
    *("valid_area_km2", "area_km2", "coverage", "note", "data_label"),
)
"""Columns of the series."""

Array = NDArray[np.floating]


def basin_series(
    product: Sequence[Path], polygons: Path, *, name: str | None = None, report: Callable[[str], None] = print
) -> pd.DataFrame:
    """Average the product over polygons, month by month.

    Parameters
    ----------
    polygons : Path
        GeoJSON, GeoPackage or shapefile, in any coordinate reference system.
    name : str or None
        Column with the names of the polygons; None: a column called `name` in any case, else their numbers.
    report : callable
        Takes a line for each polygon without a series.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row per polygon and month. `sd_independent_mm` assumes independent errors of cells,
        `sd_correlated_mm` identical ones; both are errors about the coarse input, whose own uncertainty is not
        included. `storage_km3` is the anomaly as a volume over the valid area, `change_km3` its change from the month
        before, empty where that is absent. A polygon without a series has one row, whose note gives the reason.
    """
    shapes = _read_polygons(polygons)
    names = _names(shapes, name, polygons)
    with ProductDataset(product) as dataset:
        if dataset.months.size == 0:
            raise DataError(f"{', '.join(map(str, product))}: has no month; give the file of another year")
        rows = list(_fixed_rows(names, list(shapes.geometry), dataset.grid))
        for row in rows:
            if row["note"]:
                report(f"{polygons}: polygon {row['polygon']} ({row['name']}): {row['note']}")
        series = pd.DataFrame(_monthly_rows(dataset, rows))
        series["data_label"] = dataset.data_label
    return series.reindex(columns=list(COLUMNS)).sort_values(["polygon", "month"], kind="stable", ignore_index=True)


def extract(
    fields: Sequence[Array], weights: Array, shapes: Sequence[BaseGeometry], grid: Grid, operation: Any
) -> Array:
    """Apply an operation of exactextract (a name, or a function of values, coverage and weights) to fields.

    Fields and weights (areas of the cells) are on the grid, south first; NaN is left out. Returns shape (polygons,
    fields), NaN where a polygon covers no cell with a value.
    """
    west, south, east, north = grid.region
    rasters = [
        NumPyRasterSource(np.ascontiguousarray(field[::-1]), west, south, east, north, nodata=np.nan, name=f"f{number}")
        for number, field in enumerate(fields)
    ]
    area = NumPyRasterSource(np.ascontiguousarray(weights[::-1]), west, south, east, north, name="area")
    features = geopandas.GeoDataFrame(geometry=list(shapes), crs=4326)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Spatial reference system")
        found = exact_extract(rasters, features, operation, weights=area, output="pandas")
    return found.to_numpy(dtype=np.float64, na_value=np.nan)


def cell_areas(grid: Grid) -> Array:
    """Return the area of each cell, shape (rows, columns), km²."""
    return np.repeat(cell_area(grid.lat, grid.spacing)[:, None], grid.shape[1], axis=1)


def _read_polygons(path: Path) -> geopandas.GeoDataFrame:
    if not path.exists():
        raise DataError(f"{path}: no such file; expected polygons as GeoJSON, GeoPackage or shapefile")
    try:
        shapes = geopandas.read_file(path)
    except Exception as error:  # pyogrio, GDAL and GEOS each have their own
        message = f"{path}: cannot be read as polygons ({error}); expected GeoJSON, GeoPackage or shapefile"
        raise DataError(message) from error
    if not isinstance(shapes, geopandas.GeoDataFrame) or shapes.empty:
        raise DataError(f"{path}: contains no polygon")
    return shapes if shapes.crs is None or shapes.crs.to_epsg() == 4326 else shapes.to_crs(4326)


def _names(shapes: geopandas.GeoDataFrame, name: str | None, path: Path) -> list[str]:
    columns = [str(column) for column in shapes.columns if column != shapes.geometry.name]
    if name is None:
        name = next((column for column in columns if column.lower() == "name"), None)
        if name is None:
            return [str(number) for number in range(len(shapes))]
    if name not in columns:
        raise ConfigError(f"{path}: has no column {name!r}; there are: {', '.join(columns)}")
    return [str(value) for value in shapes[name]]


def _fixed_rows(names: Sequence[str], shapes: Sequence[BaseGeometry | None], grid: Grid) -> Iterator[dict[str, Any]]:
    """Yield number, name, shape, total area (also outside a regional product) and note of each polygon."""
    globe = Grid(grid.spacing, GLOBE)
    areas, ones = cell_areas(globe), np.ones(globe.shape)
    extent = shapely.box(*grid.region)
    for number, (name, raw) in enumerate(zip(names, shapes, strict=True)):
        shape, note = _to_globe(raw)
        row = {"polygon": number, "name": name, "shape": shape, "note": note}
        if not note:
            row["area_km2"] = float(extract([ones], areas, [shape], globe, "weighted_sum")[0, 0])
            if shape.intersection(extent).area == 0.0:
                where = ", ".join(f"{edge:g}" for edge in grid.region)
                row["note"] = f"outside the product ({where}: west, south, east, north)"
        yield row


def _to_globe(shape: BaseGeometry | None) -> tuple[BaseGeometry, str]:
    """Bring a polygon to longitudes from -180 to 180, cut at the date line; or return why that is impossible."""
    empty = shapely.Polygon()
    if shape is None or shape.is_empty:
        return empty, "no geometry"
    shape = shapely.make_valid(shapely.force_2d(shape))
    parts = _polygons(shape)
    if not parts:
        return empty, f"a {shape.geom_type}, not a polygon"
    shape = shapely.union_all(parts)
    bounds = west, south, east, north = shape.bounds
    if not np.isfinite(bounds).all() or south < -90.001 or north > 90.001 or west < -540 or east > 540:
        return empty, (
            f"its bounds {', '.join(f'{edge:g}' for edge in bounds)} are not longitudes and latitudes; add the "
            "coordinate reference system to the file"
        )
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        steps = np.abs(np.diff(shapely.get_coordinates(ring)[:, 0]))
        if ((steps > 180.0) & (steps < 359.9)).any():  # 360: a band around the globe
            return empty, (
                "an edge spans more than 180 degrees of longitude: if the polygon crosses the date line, cut it there, "
                "or use longitudes beyond 180; else add a point between"
            )
    pieces = []
    for turn in range(math.floor((west + 180.0) / 360.0), math.ceil((east + 180.0) / 360.0)):
        strip = shapely.box(-180.0 + 360.0 * turn, -90.0, 180.0 + 360.0 * turn, 90.0)
        shift = np.array([-360.0 * turn, 0.0])
        pieces += _polygons(shapely.transform(shape.intersection(strip), lambda points, shift=shift: points + shift))
    return shapely.union_all(pieces), ""


def _polygons(shape: BaseGeometry) -> list[BaseGeometry]:
    return [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]


def _monthly_rows(dataset: ProductDataset, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    grid, areas = dataset.grid, cell_areas(dataset.grid)
    yield from (row for row in rows if row["note"])
    placed = [row for row in rows if not row["note"]]
    shapes = [row["shape"] for row in placed]
    before: list[float] = []
    for number, month in enumerate(dataset.months if placed else ()):
        fields = dataset.read(month)
        known = np.where(np.isfinite(fields.mean), 1.0, np.nan)
        sums = np.nan_to_num(extract([known, fields.mean], areas, shapes, grid, "weighted_sum"))
        series = pd.DataFrame({"valid_area_km2": sums[:, 0]})
        area = series["valid_area_km2"].where(sums[:, 0] > 0.0)
        series["mean_mm"] = sums[:, 1] / area
        series["storage_km3"] = area * series["mean_mm"] * 1.0e-6  # mm km² to km³
        if fields.sd is not None:
            squares = extract([fields.sd], areas, shapes, grid, _sum_of_squares)[:, 0]
            series["sd_independent_mm"] = np.sqrt(squares) / area
            series["sd_correlated_mm"] = extract([fields.sd], areas, shapes, grid, "weighted_sum")[:, 0] / area
        follows = number > 0 and dataset.months[number - 1] == month - 1
        series["change_km3"] = series["storage_km3"] - (before if follows else math.nan)
        before = series["storage_km3"].tolist()
        for index, row in enumerate(placed):
            found = {str(name): float(series[name].iloc[index]) for name in series}
            empty = "" if found["valid_area_km2"] > 0.0 else "no valid cell of the product inside"
            coverage = found["valid_area_km2"] / row["area_km2"]
            yield {**row, **found, "month": str(month), "coverage": coverage, "note": empty}


def _sum_of_squares(values: np.ma.MaskedArray, coverage: Array, weights: Array) -> float:
    return float(np.ma.filled((values * coverage * weights) ** 2, 0.0).sum())
