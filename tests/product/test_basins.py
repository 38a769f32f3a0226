"""Series over polygons: weights against a brute force, the date line, gaps between months, and what is said."""

from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

from gwsd.cli import main
from gwsd.errors import ConfigError, DataError
from gwsd.grid import EARTH_RADIUS_KM, Grid
from gwsd.product.basins import COLUMNS, basin_series, covered_cells
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


def brute_force(shape, values: np.ndarray, sd: np.ndarray):
    """Ten thousand points a cell, each inside or outside."""
    fine = 100
    weights = np.zeros(values.shape)
    west, south, east, north = shape.bounds
    for row in range(FINE.shape[0]):
        for col in range(FINE.shape[1]):
            left, bottom = FINE.region[0] + 1.875 * col, FINE.region[1] + 1.875 * row
            if left > east or left + 1.875 < west or bottom > north or bottom + 1.875 < south:
                continue
            steps = 1.875 * (np.arange(fine) + 0.5) / fine
            lon, lat = np.meshgrid(left + steps, bottom + steps)
            inside = shapely.contains_xy(shape, lon, lat).mean()
            band = np.sin(np.deg2rad(bottom + 1.875)) - np.sin(np.deg2rad(bottom))
            weights[row, col] = inside * EARTH_RADIUS_KM**2 * np.deg2rad(1.875) * band
    total = weights.sum()
    valid = np.isfinite(values) & (weights > 0)
    area = weights[valid]
    mean = area @ values[valid] / area.sum()
    independent = np.sqrt(((area * sd[valid]) ** 2).sum()) / area.sum()
    return mean, independent, area @ sd[valid] / area.sum(), area.sum(), total


def test_series_are_those_of_a_brute_force(tmp_path: Path, product: Path) -> None:
    coast = shapely.box(-30, -79.9, 20, -60.3)  # half of it is outside the valid cells
    series = basin_series([product], polygons(tmp_path, STAR, coast))
    assert list(series.columns) == list(COLUMNS)
    for number, shape in enumerate((STAR, coast)):
        rows = series[series["polygon"] == number].set_index("month")
        assert list(rows.index) == ["2010-01", "2010-02", "2010-04"]
        for month in rows.index:
            fine = fine_month(month)
            mean, independent, correlated, valid, total = brute_force(shape, fine.mean, fine.sd)
            row = rows.loc[month]
            assert row["mean_mm"] == pytest.approx(mean, abs=0.02)
            assert row["sd_independent_mm"] == pytest.approx(independent, rel=2e-3)
            assert row["sd_correlated_mm"] == pytest.approx(correlated, rel=2e-3)
            assert row["valid_area_km2"] == pytest.approx(valid, rel=2e-3)
            assert row["area_km2"] == pytest.approx(total, rel=2e-3)
            assert row["coverage"] == pytest.approx(valid / total, abs=2e-3)
            assert row["storage_km3"] == pytest.approx(row["mean_mm"] * row["valid_area_km2"] * 1e-6)
    assert set(series["data_label"]) == {"synthetic: twin Earth, not observations"}


def test_storage_change_is_never_taken_across_a_gap(tmp_path: Path, product: Path) -> None:
    rows = basin_series([product], polygons(tmp_path, STAR)).set_index("month")
    assert np.isnan(rows.loc["2010-01", "change_km3"])
    assert np.isnan(rows.loc["2010-04", "change_km3"])  # March is absent
    step = rows.loc["2010-02", "storage_km3"] - rows.loc["2010-01", "storage_km3"]
    assert rows.loc["2010-02", "change_km3"] == pytest.approx(step)
    assert step == pytest.approx(0.1 * rows.loc["2010-01", "valid_area_km2"] / 1000, rel=1e-4)  # 100 mm a month


def test_a_polygon_may_cross_the_date_line_in_either_way_of_writing_it(tmp_path: Path, product: Path) -> None:
    beyond = shapely.box(170, 0, 190, 10)
    cut = shapely.MultiPolygon([shapely.box(170, 0, 180, 10), shapely.box(-180, 0, -170, 10)])
    east = shapely.box(350, 0, 370, 10)  # longitudes from 0 to 360 and beyond
    series = basin_series([product], polygons(tmp_path, beyond, cut, east, shapely.box(-10, 0, 10, 10)))
    by = {number: rows.reset_index(drop=True) for number, rows in series.groupby("polygon")}
    for one, other in ((0, 1), (2, 3)):
        numbers = by[one].columns.difference(["polygon", "name"])
        pd.testing.assert_frame_equal(by[one][numbers], by[other][numbers])
    assert by[0]["coverage"].eq(1.0).all()


def test_what_has_no_series_says_why(tmp_path: Path, product: Path) -> None:
    across = shapely.Polygon([(170, 0), (-170, 0), (-170, 10), (170, 10)])  # goes the long way round
    metres = shapely.box(300_000, 4_000_000, 400_000, 4_100_000)
    shapes = [across, shapely.Point(3, 4), metres, shapely.box(0, -89, 10, -80), shapely.box(0, 0, 10, 10)]
    said: list[str] = []
    series = basin_series([product], polygons(tmp_path, *shapes), report=said.append).set_index("polygon")
    assert "crosses the date line, cut it there" in series.loc[0, "note"]
    assert series.loc[1, "note"] == "a Point, not a polygon"
    assert "are no longitudes and latitudes" in series.loc[2, "note"]
    assert set(series.loc[3, "note"]) == {"no valid cell of the product inside"}
    assert (series.loc[3, "coverage"] == 0).all()
    assert set(series.loc[4, "note"]) == {""}
    assert series.loc[[0, 1, 2, 3], "mean_mm"].isna().all()
    assert len(said) == 3
    assert said[0].endswith(series.loc[0, "note"])


def test_outside_a_regional_product(tmp_path: Path) -> None:
    region = Grid(1.875, (0.0, 0.0, 30.0, 30.0))
    path = write(tmp_path / "r.nc", ["2010-01"], grid=region)
    shapes = polygons(tmp_path, shapely.box(60, 30, 70, 40), shapely.box(15, 20, 45, 30))
    series = basin_series([path], shapes, report=lambda line: None).set_index("polygon")
    assert series.loc[0, "note"] == "outside the product (0, 0, 30, 30: west, south, east, north)"
    assert series.loc[1, "coverage"] == pytest.approx(0.5, abs=1e-6)


def test_a_belt_round_the_earth_and_one_cell_are_exact() -> None:
    belt, fractions = covered_cells(shapely.box(-180, 0, 180, 1.875), FINE)
    assert sorted(belt) == list(range(48 * 192, 49 * 192))
    assert fractions == pytest.approx(1.0)
    cell, fractions = covered_cells(shapely.box(1.875, -1.875, 1.875 * 1.5, -1.875 * 0.75), FINE)
    assert cell.tolist() == [47 * 192 + 97]
    assert fractions == pytest.approx([0.125])


@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
def test_other_formats_and_projections_are_read(tmp_path: Path, product: Path, suffix: str) -> None:
    crs = 3857 if suffix == "gpkg" else 4326
    found = basin_series([product], polygons(tmp_path, STAR, suffix=suffix, crs=crs))
    wanted = basin_series([product], polygons(tmp_path, STAR))
    np.testing.assert_allclose(found["mean_mm"], wanted["mean_mm"], rtol=1e-4)
    assert found["area_km2"][0] == pytest.approx(wanted["area_km2"][0], rel=1e-3)


def test_the_column_of_names_is_chosen(tmp_path: Path, product: Path) -> None:
    path = polygons(tmp_path, STAR, Basin=["Chad"], code=[7])
    assert set(basin_series([product], path)["name"]) == {"0"}
    assert set(basin_series([product], path, name="Basin")["name"]) == {"Chad"}
    with pytest.raises(ConfigError, match="has no column 'basin' to name the polygons by; there are: Basin, code"):
        basin_series([product], path, name="basin")


def test_the_command_writes_a_table(tmp_path: Path, product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "series.csv"
    shapes = polygons(tmp_path, STAR, shapely.Point(1, 1))
    main(["basins", "--product", str(product), "--polygons", str(shapes), "--out", str(out)])
    table = pd.read_csv(out)
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == 4
    assert "polygon 1 (p1): a Point, not a polygon" in capsys.readouterr().err


def test_polygons_that_cannot_be_read_are_one_message(tmp_path: Path, product: Path) -> None:
    with pytest.raises(DataError, match=r"none.geojson: no such file; expected polygons as GeoJSON"):
        basin_series([product], tmp_path / "none.geojson")
    (tmp_path / "bad.geojson").write_text("{")
    with pytest.raises(DataError, match=r"bad.geojson: cannot be read as polygons"):
        basin_series([product], tmp_path / "bad.geojson")
    with pytest.raises(SystemExit, match=r"there is no folder .*nowhere; make it, or choose another"):
        main(
            [
                *("basins", "--product", str(product), "--polygons", str(polygons(tmp_path, STAR))),
                *("--out", str(tmp_path / "nowhere" / "a.csv")),
            ]
        )
