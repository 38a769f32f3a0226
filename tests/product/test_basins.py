"""Series over polygons: weights against a brute force, the date line, gaps between months, notes."""

from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

from gwsd.errors import ConfigError, DataError
from gwsd.grid import EARTH_RADIUS_KM, Grid
from gwsd.product.basins import COLUMNS, basin_series
from tests.product.test_downscale import run
from tests.product.test_files import FINE, fine_month, write

STAR = shapely.Polygon([(10, 10), (25.3, 12.2), (31.7, 33.1), (18.4, 21.9), (4.2, 28.8)])


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("product") / "p.nc", ["2010-01", "2010-02", "2010-04"])


def polygons(folder: Path, *shapes, suffix: str = "geojson", crs: int | None = 4326, **columns) -> Path:
    path = folder / f"polygons.{suffix}"
    frame = geopandas.GeoDataFrame(columns or {"name": [f"p{n}" for n in range(len(shapes))]}, geometry=list(shapes))
    (frame if crs is None else frame.set_crs(4326).to_crs(crs)).to_file(path)
    return path


def brute_force(shape, values: np.ndarray, sd: np.ndarray) -> dict[str, float]:
    """Integrate over 2,500 points a cell, each inside or outside."""
    fine, (rows, cols) = 50, FINE.shape
    lon = FINE.region[0] + 1.875 * (np.arange(cols * fine) + 0.5) / fine
    weights = np.zeros(FINE.shape)
    shapely.prepare(shape)
    for row in range(rows):
        south = FINE.region[1] + 1.875 * row
        if shape.bounds[1] < south + 1.875 and shape.bounds[3] > south:
            inside = shapely.contains_xy(shape, *np.meshgrid(lon, south + 1.875 * (np.arange(fine) + 0.5) / fine))
            band = np.sin(np.deg2rad(south + 1.875)) - np.sin(np.deg2rad(south))
            share = inside.reshape(fine, cols, fine).mean(axis=(0, 2))
            weights[row] = share * EARTH_RADIUS_KM**2 * np.deg2rad(1.875) * band
    valid = np.isfinite(values)
    area, total = weights[valid], weights.sum()
    return {
        "mean_mm": area @ values[valid] / area.sum(),
        "sd_independent_mm": np.sqrt(((area * sd[valid]) ** 2).sum()) / area.sum(),
        "sd_correlated_mm": area @ sd[valid] / area.sum(),
        "valid_area_km2": area.sum(),
        "area_km2": total,
        "coverage": area.sum() / total,
    }


def test_series_are_those_of_a_brute_force(tmp_path: Path, product: Path) -> None:
    coast = shapely.box(-30, -79.9, 20, -60.3)  # half of it is outside the valid cells
    series = basin_series([product], polygons(tmp_path, STAR, coast))
    assert list(series.columns) == list(COLUMNS)
    for number, shape in enumerate((STAR, coast)):
        rows = series[series["polygon"] == number].set_index("month")
        assert list(rows.index) == ["2010-01", "2010-02", "2010-04"]
        for month in rows.index:
            fine = fine_month(month)
            row = rows.loc[month]
            for name, expected in brute_force(shape, fine.mean, fine.sd).items():
                assert row[name] == pytest.approx(expected, rel=2e-3, abs=0.02 if name == "mean_mm" else None)
            assert row["storage_km3"] == pytest.approx(row["mean_mm"] * row["valid_area_km2"] * 1e-6)
    assert set(series["data_label"]) == {"synthetic: twin Earth, not observations"}


def test_storage_change_is_never_taken_across_a_gap(tmp_path: Path, product: Path) -> None:
    rows = basin_series([product], polygons(tmp_path, STAR)).set_index("month")
    assert np.isnan(rows.loc["2010-01", "change_km3"])
    assert np.isnan(rows.loc["2010-04", "change_km3"])  # March is absent
    step = rows.loc["2010-02", "storage_km3"] - rows.loc["2010-01", "storage_km3"]
    assert rows.loc["2010-02", "change_km3"] == pytest.approx(step)
    assert step == pytest.approx(0.1 * rows.loc["2010-01", "valid_area_km2"] / 1000, rel=1e-4)  # 100 mm a month


def test_polygons_may_cross_the_date_line(tmp_path: Path, product: Path) -> None:
    beyond = shapely.box(170, 0, 190, 10)
    cut = shapely.MultiPolygon([shapely.box(170, 0, 180, 10), shapely.box(-180, 0, -170, 10)])
    east = shapely.box(350, 0, 370, 10)  # longitudes from 0 to 360 and beyond
    series = basin_series([product], polygons(tmp_path, beyond, cut, east, shapely.box(-10, 0, 10, 10)))
    by = {number: rows.reset_index(drop=True) for number, rows in series.groupby("polygon")}
    for first, second in ((0, 1), (2, 3)):
        numbers = by[first].columns.difference(["polygon", "name"])
        pd.testing.assert_frame_equal(by[first][numbers], by[second][numbers])
    assert by[0]["coverage"].eq(1.0).all()


def test_polygons_without_series_have_a_note(tmp_path: Path, product: Path) -> None:
    across = shapely.Polygon([(170, 0), (-170, 0), (-170, 10), (170, 10)])  # goes the long way round
    metres = shapely.box(300_000, 4_000_000, 400_000, 4_100_000)
    shapes = [across, shapely.Point(3, 4), metres, shapely.box(0, -89, 10, -80), shapely.box(0, 0, 10, 10)]
    lines: list[str] = []
    series = basin_series([product], polygons(tmp_path, *shapes), report=lines.append).set_index("polygon")
    assert "crosses the date line, cut it there" in series.loc[0, "note"]
    assert series.loc[1, "note"] == "a Point, not a polygon"
    assert "are not longitudes and latitudes" in series.loc[2, "note"]
    assert set(series.loc[3, "note"]) == {"no valid cell of the product inside"}
    assert (series.loc[3, "coverage"] == 0).all()
    assert set(series.loc[4, "note"]) == {""}
    assert series.loc[[0, 1, 2, 3], "mean_mm"].isna().all()
    assert len(lines) == 3
    assert lines[0].endswith(series.loc[0, "note"])
    regional = write(tmp_path / "r.nc", ["2010-01"], grid=Grid(1.875, (0.0, 0.0, 30.0, 30.0)))
    shapes = polygons(tmp_path, shapely.box(60, 30, 70, 40), shapely.box(15, 20, 45, 30))
    series = basin_series([regional], shapes, report=lines.append).set_index("polygon")
    assert series.loc[0, "note"] == "outside the product (0, 0, 30, 30: west, south, east, north)"
    assert series.loc[1, "coverage"] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
def test_other_formats_and_projections_are_read(tmp_path: Path, product: Path, suffix: str) -> None:
    crs = 3857 if suffix == "gpkg" else 4326
    found = basin_series([product], polygons(tmp_path, STAR, suffix=suffix, crs=crs))
    wanted = basin_series([product], polygons(tmp_path, STAR))
    np.testing.assert_allclose(found["mean_mm"], wanted["mean_mm"], rtol=1e-4)
    assert found["area_km2"][0] == pytest.approx(wanted["area_km2"][0], rel=1e-3)


def test_the_command_and_the_column_of_names(tmp_path: Path, product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = polygons(tmp_path, STAR, shapely.Point(1, 1), Basin=["Chad", "?"], code=[7, 8]), tmp_path / "series.csv"
    run("basins", "--product", str(product), "--polygons", str(path), "--name", "Basin", "--out", str(out))
    table = pd.read_csv(out)
    assert list(table.columns) == list(COLUMNS)
    assert table["name"].tolist() == ["Chad"] * 3 + ["?"]
    assert "polygon 1 (?): a Point, not a polygon" in capsys.readouterr().err
    assert basin_series([product], path, report=lambda line: None)["name"].tolist() == ["0"] * 3 + ["1"]
    with pytest.raises(ConfigError, match="has no column 'basin'; there are: Basin, code"):
        basin_series([product], path, name="basin")


def test_unreadable_polygons_and_outputs_are_one_message(tmp_path: Path, product: Path) -> None:
    with pytest.raises(DataError, match=r"none.geojson: no such file; expected polygons as GeoJSON"):
        basin_series([product], tmp_path / "none.geojson")
    (tmp_path / "bad.geojson").write_text("{")
    with pytest.raises(DataError, match=r"bad.geojson: cannot be read as polygons"):
        basin_series([product], tmp_path / "bad.geojson")
    shapes = polygons(tmp_path, STAR)
    with pytest.raises(DataError, match="has no month; give the file of another year"):
        basin_series([write(tmp_path / "empty.nc", [])], shapes)
    for out, message in (
        (tmp_path / "nowhere" / "a.csv", "the folder .*nowhere does not exist"),
        (shapes, "is also an input"),
        (tmp_path, "not a file"),
    ):
        with pytest.raises(DataError, match=message):
            run("basins", "--product", str(product), "--polygons", str(shapes), "--out", str(out))
