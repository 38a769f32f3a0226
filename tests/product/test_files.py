"""Files of the product: what they say, that a checker agrees, and that GIS programs put them in the right place."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rioxarray  # noqa: F401
import xarray as xr

from gwsd.cli import main
from gwsd.errors import DataError
from gwsd.grid import Grid
from gwsd.product.months import Correction, FineMonth, Way
from gwsd.product.netcdf import new_product
from gwsd.product.origin import describe_origin
from gwsd.product.reading import Product
from tests.product.toy_globe import GRID

FINE = GRID.refined()
SETTINGS = {
    "scenario": "demo",
    "title": "twin Earth at a small scale",
    "method": "full",
    "seed": 0,
    "precision": "float32",
    "data_label": "synthetic: twin Earth, not observations",
    "sources": {"storage": {"name": "twin", "label": "twin Earth"}, "climate": {"name": "twin", "label": "twin Earth"}},
}
OBSERVED = SETTINGS | {
    "data_label": "G3P v1.12 and ERA5-Land",
    "sources": {
        "storage": {"name": "g3p", "label": "G3P v1.12"},
        "climate": {"name": "era5_land", "label": "ERA5-Land"},
    },
}


def origin(settings=SETTINGS, *, has_sd: bool = True):
    way, correction = Way.FIELD, Correction(True, 0.25)
    return describe_origin(settings, year=2010, way=way, correction=correction, has_sd=has_sd, job_key="0123abcd")


def fine_month(month: str, *, with_sd: bool = True, grid: Grid = FINE) -> FineMonth:
    lat, lon = np.meshgrid(grid.lat, grid.lon, indexing="ij")
    number = int(month[-2:])
    mean = (lat + lon / 1000 + 100 * number).astype(np.float32)
    mean[:8] = np.nan
    sd = np.where(np.isnan(mean), np.nan, 5 + np.abs(lat) / 90).astype(np.float32)
    return FineMonth(np.datetime64(month), mean, sd if with_sd else None)


def write(path: Path, months: list[str], *, settings=SETTINGS, with_sd: bool = True, grid: Grid = FINE) -> Path:
    with new_product(path, grid, origin(settings, has_sd=with_sd), with_sd=with_sd) as file:
        for month in months:
            file.append(fine_month(month, with_sd=with_sd, grid=grid))
    return path


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # March is absent, as in the storage.
    return write(tmp_path_factory.mktemp("product") / "gwsa_0p125_2010.nc", ["2010-01", "2010-02", "2010-04"])


def test_values_are_rounded_to_half_a_thousandth_at_most(product: Path) -> None:
    with xr.open_dataset(product) as data:
        for name, wanted in (("gwsa", fine_month("2010-02").mean), ("gwsa_sd", fine_month("2010-02").sd)):
            found = data[name].sel(time="2010-02").to_numpy()[0]
            np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
            assert np.nanmax(np.abs(found - wanted.astype(np.float64))) <= 0.0005 + 1e-9


def test_months_that_are_absent_stay_absent_and_have_bounds(product: Path) -> None:
    with xr.open_dataset(product, decode_coords="all") as data:
        assert data["time"].dt.strftime("%Y-%m-%d").values.tolist() == ["2010-01-16", "2010-02-16", "2010-04-16"]
        bounds = data["time_bnds"].values.astype("datetime64[D]").astype(str).tolist()
        assert bounds[1:] == [["2010-02-01", "2010-03-01"], ["2010-04-01", "2010-05-01"]]
        assert data["lat_bnds"].values[[0, -1]].tolist() == [[-90.0, -88.125], [88.125, 90.0]]
        assert data["lon_bnds"].values[[0, -1]].tolist() == [[-180.0, -178.125], [178.125, 180.0]]


def test_the_file_says_what_it_is(product: Path) -> None:
    with xr.open_dataset(product, mask_and_scale=False, decode_coords=False) as data:
        assert data.attrs["Conventions"] == "CF-1.11"
        assert data.attrs["title"].startswith("Synthetic: groundwater storage anomaly")
        assert data.attrs["data_label"].startswith("synthetic")
        assert data.attrs["job_key"] == "0123abcd"
        assert "about 250 km" in data.attrs["effective_resolution"]
        assert "0.0005 mm at most" in data.attrs["comment"]
        assert data.attrs["method"] == (
            "full, seed 0, float32; the whole grid at once; 0.5 degree means made equal to the input by an additive "
            "correction"
        )
        for name in ("source", "scenario", "references", "license"):
            assert data.attrs[name]
        assert "G3P" not in str(data.attrs)
        storage = data["gwsa"]
        assert storage.dtype == np.int32
        assert storage.attrs["scale_factor"] == 0.001
        assert storage.attrs["units"] == "mm"
        assert storage.attrs["ancillary_variables"] == "gwsa_sd"
        assert "correlated by 0.25" in data["gwsa_sd"].attrs["comment"]
        assert "Not an error against the true storage" in data["gwsa_sd"].attrs["comment"]


def test_observed_data_bring_their_references_and_licences(tmp_path: Path) -> None:
    with xr.open_dataset(write(tmp_path / "a.nc", ["2010-01"], settings=OBSERVED)) as data:
        assert "10.5880/G3P.2024.001" in data.attrs["references"]
        assert "10.24381/cds.68d2bb30" in data.attrs["references"]
        assert "CC-BY-4.0" in data.attrs["license"]
        assert data.attrs["title"].startswith("groundwater storage anomaly")
    half = OBSERVED | {"data_label": "storage observed, climate synthetic (twin Earth)"}
    with xr.open_dataset(write(tmp_path / "b.nc", ["2010-01"], settings=half)) as data:
        assert data.attrs["title"].startswith("Partly synthetic: ")


def test_chunks_hold_one_month(product: Path) -> None:
    with xr.open_dataset(product) as data:
        assert data["gwsa"].encoding["chunksizes"] == (1, 96, 192)
        assert data["gwsa"].encoding["zlib"]


def test_two_runs_give_the_same_bytes(tmp_path: Path, product: Path) -> None:
    again = write(tmp_path / "again.nc", ["2010-01", "2010-02", "2010-04"])
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(product.read_bytes()).digest()


@pytest.mark.parametrize("with_sd", [True, False])
def test_a_cf_checker_finds_nothing(tmp_path: Path, with_sd: bool) -> None:
    runner = pytest.importorskip("compliance_checker.runner", reason="compliance-checker is not installed")
    path = write(tmp_path / "a.nc", ["2010-01", "2010-02"], with_sd=with_sd)
    runner.CheckSuite.load_all_available_checkers()
    out = tmp_path / "found.json"
    passed, failed = runner.ComplianceChecker.run_checker(
        str(path), ["cf:1.11"], 0, "strict", output_filename=str(out), output_format="json"
    )
    found = json.loads(out.read_text())["cf:1.11"]
    complaints = [
        line
        for level in ("high", "medium", "low")
        for one in found[f"{level}_priorities"]
        if one["value"][0] < one["value"][1]  # what is passed may have messages too
        for line in one["msgs"]
    ]
    assert complaints == []
    assert passed
    assert not failed


def test_rioxarray_puts_it_in_the_right_place(product: Path) -> None:
    with xr.open_dataset(product, decode_coords="all") as data:
        storage = data["gwsa"].sel(time="2010-01").squeeze()
        assert storage.rio.crs.to_epsg() == 4326
        assert storage.rio.bounds() == (-180.0, -90.0, 180.0, 90.0)
        assert storage.rio.resolution() == (1.875, 1.875)
        # The cell's own value: latitude + longitude/1000 + 100.
        assert storage.sel(lat=45.0, lon=90.0, method="nearest").item() == pytest.approx(145.0, abs=2)


def test_a_year_without_months_is_a_file_without_months(tmp_path: Path) -> None:
    with xr.open_dataset(write(tmp_path / "a.nc", [])) as data:
        assert data.sizes["time"] == 0
        assert data["gwsa"].shape == (0, 96, 192)


def test_a_value_that_the_packing_cannot_hold_is_refused(tmp_path: Path) -> None:
    wild = fine_month("2010-01")
    wild.mean[50, 50] = 3e6
    with (
        pytest.raises(DataError, match=r"a value of 3e\+06 mm is beyond what a file of the product holds"),
        new_product(tmp_path / "a.nc", FINE, origin(), with_sd=True) as file,
    ):
        file.append(wild)


def test_files_of_several_years_are_one_product(tmp_path: Path, product: Path) -> None:
    later = write(tmp_path / "2011.nc", ["2011-02"])
    with Product([later, product]) as files:
        assert files.months.astype(str).tolist() == ["2010-01", "2010-02", "2010-04", "2011-02"]
        assert files.grid == FINE
        np.testing.assert_allclose(files.read(np.datetime64("2011-02")).mean, fine_month("2011-02").mean, atol=0.0006)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"months": ["2010-02"]}, "holds 2010-02, and so does"),
        ({"months": ["2012-01"], "settings": OBSERVED}, "its data_label is not that of"),
        ({"months": ["2012-01"], "grid": Grid(1.875, (0.0, 0.0, 30.0, 15.0))}, "on another grid than"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path: Path, product: Path, other, words: str) -> None:
    second = write(tmp_path / "b.nc", other.pop("months"), **other)
    with pytest.raises(DataError, match=words):
        Product([product, second])


def test_a_month_becomes_a_geotiff(tmp_path: Path, product: Path) -> None:
    out = tmp_path / "month.tif"
    main(["export", str(product), "--month", "2010-02", "--out", str(out)])
    wanted = fine_month("2010-02")
    with rasterio.open(out) as image:
        assert image.crs.to_epsg() == 4326
        assert image.bounds == (-180.0, -90.0, 180.0, 90.0)
        assert image.transform.e < 0  # north up
        assert np.isnan(image.nodata)
        assert image.descriptions == (
            "groundwater storage anomaly",
            "standard deviation of the groundwater storage anomaly",
        )
        assert image.units == ("mm", "mm")
        tags = image.tags()
        assert tags["month"] == "2010-02"
        assert tags["data_label"] == SETTINGS["data_label"]
        np.testing.assert_allclose(image.read(1), wanted.mean[::-1], atol=0.0006)
        np.testing.assert_allclose(image.read(2), wanted.sd[::-1], atol=0.0006)
        ((sampled, _),) = image.sample([(100.3, -20.0)])
    row, col = int((-20.0 + 90) / 1.875), int((100.3 + 180) / 1.875)
    assert sampled == pytest.approx(wanted.mean[row, col], abs=0.001)


def test_the_same_month_gives_the_same_bytes(tmp_path: Path, product: Path) -> None:
    outs = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for out in outs:
        main(["export", str(product), "--month", "2010-01", "--out", str(out)])
    assert outs[0].read_bytes() == outs[1].read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--month", "2010-03"], r"no month 2010-03 \(months there: 2010-01 to 2010-04, without those that the source"),
        (["--month", "2010"], "'2010' is no month; expected YYYY-MM"),
        (["--month", "2010-13"], "'2010-13' is no month; expected YYYY-MM"),
    ],
)
def test_a_month_that_cannot_be_exported_is_one_message(tmp_path: Path, product: Path, arguments, words: str) -> None:
    with pytest.raises(SystemExit, match=words):
        main(["export", str(product), *arguments, "--out", str(tmp_path / "a.tif")])
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_product_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "a.nc"
    text.write_text("no NetCDF")
    with pytest.raises(DataError, match="cannot be read as NetCDF"):
        Product([text])
    xr.Dataset({"storage": ("x", [1.0])}).to_netcdf(tmp_path / "b.nc")
    with pytest.raises(DataError, match=r"b.nc: has no variable 'time'; expected a file of the product"):
        Product([tmp_path / "b.nc"])
    with pytest.raises(DataError, match=r"c.nc: no such file"):
        Product([tmp_path / "c.nc"])
