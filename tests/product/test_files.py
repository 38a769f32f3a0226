"""Files of the product: attributes, CF compliance, georeferencing, and reading them back."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rioxarray  # noqa: F401
import xarray as xr

from gwsd.errors import DataError, GwsdError
from gwsd.grid import Grid
from gwsd.product.attributes import InputSource, describe_product
from gwsd.product.dataset import ProductDataset
from gwsd.product.netcdf import FineMonth, new_product
from tests.product.test_downscale import run
from tests.product.toy_globe import GRID, settings

FINE = GRID.refined()
TWIN = [InputSource(kind, "twin", "twin Earth", True) for kind in ("storage", "climate")]
OBSERVED = [
    InputSource("storage", "g3p", "G3P v1.12", False),
    InputSource("climate", "era5_land", "ERA5-Land", False),
]
SYNTHETIC = "synthetic: twin Earth, not observations"


def attributes(sources=TWIN, data_label=SYNTHETIC) -> dict[str, str]:
    return describe_product(
        settings(error_correlation=0.25),
        sources,
        inference="full_field",
        method="full",
        period="2010",
        scenario="demo",
        title="a small scale",
        data_label=data_label,
        job_key="0123abcd",
        weights={"data_label": data_label, "job_key": "4567"},
    )


def fine_month(month: str, *, has_sd: bool = True, grid: Grid = FINE) -> FineMonth:
    lat, lon = np.meshgrid(grid.lat, grid.lon, indexing="ij")
    number = int(month[-2:])
    mean = (lat + lon / 1000 + 100 * number).astype(np.float32)
    mean[:8] = np.nan
    sd = np.where(np.isnan(mean), np.nan, 5 + np.abs(lat) / 90).astype(np.float32)
    return FineMonth(np.datetime64(month), mean, sd if has_sd else None)


def write(path: Path, months: list[str], *, has_sd: bool = True, grid: Grid = FINE, **about) -> Path:
    with new_product(path, grid, attributes(**about), has_sd=has_sd) as file:
        for month in months:
            file.append(fine_month(month, has_sd=has_sd, grid=grid))
    return path


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # March is absent, as in the storage.
    return write(tmp_path_factory.mktemp("product") / "gwsa_0p125_2010.nc", ["2010-01", "2010-02", "2010-04"])


def test_values_axes_and_georeferencing(product: Path) -> None:
    with xr.open_dataset(product, decode_coords="all") as data:
        assert data["time"].dt.strftime("%Y-%m-%d").values.tolist() == ["2010-01-16", "2010-02-16", "2010-04-16"]
        bounds = data["time_bnds"].values.astype("datetime64[D]").astype(str).tolist()
        assert bounds[1:] == [["2010-02-01", "2010-03-01"], ["2010-04-01", "2010-05-01"]]
        assert data["lat_bnds"].values[[0, -1]].tolist() == [[-90.0, -88.125], [88.125, 90.0]]
        assert data["lon_bnds"].values[[0, -1]].tolist() == [[-180.0, -178.125], [178.125, 180.0]]
        for name, expected in (("gwsa", fine_month("2010-02").mean), ("gwsa_sd", fine_month("2010-02").sd)):
            found = data[name].sel(time="2010-02").to_numpy()[0]
            np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
            assert np.nanmax(np.abs(found - expected.astype(np.float64))) <= 0.0005 + 1e-9
        storage = data["gwsa"].sel(time="2010-01").squeeze()
        assert storage.rio.crs.to_epsg() == 4326
        assert storage.rio.bounds() == (-180.0, -90.0, 180.0, 90.0)
        # The cell's own value: latitude + longitude/1000 + 100.
        assert storage.sel(lat=45.0, lon=90.0, method="nearest").item() == pytest.approx(145.0, abs=2)


@pytest.mark.parametrize("has_sd", [True, False])
def test_cf_compliance(tmp_path: Path, has_sd: bool) -> None:
    runner = pytest.importorskip("compliance_checker.runner", reason="compliance-checker is not installed")
    path, out = write(tmp_path / "a.nc", ["2010-01", "2010-02"], has_sd=has_sd), tmp_path / "found.json"
    runner.CheckSuite.load_all_available_checkers()
    passed, failed = runner.ComplianceChecker.run_checker(
        str(path), ["cf:1.11"], 0, "strict", output_filename=str(out), output_format="json"
    )
    found = json.loads(out.read_text())["cf:1.11"]
    checks = [check for level in ("high", "medium", "low") for check in found[f"{level}_priorities"]]
    assert [check["msgs"] for check in checks if check["value"][0] < check["value"][1]] == []
    assert passed
    assert not failed


def test_attributes_name_the_origin(product: Path) -> None:
    with xr.open_dataset(product, mask_and_scale=False, decode_coords=False) as data:
        title = "Synthetic: groundwater storage anomaly on a 0.125 degree grid, 2010 (a small scale)"
        assert (data.attrs["title"], data.attrs["data_label"]) == (title, SYNTHETIC)
        assert data.attrs["job_key"] == "0123abcd"
        assert "G3P" not in data.attrs["references"]
        storage = data["gwsa"]
        assert (storage.dtype, storage.attrs["scale_factor"], storage.attrs["units"]) == (np.int32, 0.001, "mm")
        assert storage.encoding["chunksizes"] == (1, 96, 192)
        assert "correlated by 0.25" in data["gwsa_sd"].attrs["comment"]
    observed = attributes(OBSERVED, "G3P v1.12 and ERA5-Land")
    assert "10.5880/G3P.2024.001" in observed["references"]
    assert "10.24381/cds.68d2bb30" in observed["references"]
    assert "CC-BY-4.0" in observed["license"]
    assert observed["title"].startswith("groundwater storage anomaly")
    mixed = attributes(OBSERVED, "observed storage, synthetic climate")["title"]
    assert mixed.startswith("Partly synthetic: ")
    assert mixed.endswith("a demonstration, not a result about the Earth")


def test_two_runs_give_the_same_bytes(tmp_path: Path, product: Path) -> None:
    again = write(tmp_path / "again.nc", ["2010-01", "2010-02", "2010-04"])
    assert again.read_bytes() == product.read_bytes()
    images = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for image in images:
        run("export", str(product), "--month", "2010-01", "--out", str(image))
    assert images[0].read_bytes() == images[1].read_bytes()


def test_files_of_several_years_are_one_product(tmp_path: Path, product: Path) -> None:
    later = write(tmp_path / "2011.nc", ["2011-02"])
    with ProductDataset([later, product]) as dataset:
        assert dataset.months.astype(str).tolist() == ["2010-01", "2010-02", "2010-04", "2011-02"]
        assert dataset.grid == FINE
        found = dataset.read(np.datetime64("2011-02")).mean
        np.testing.assert_allclose(found, fine_month("2011-02").mean, atol=0.0006)
    for name, months, changes, message in (
        ("a.nc", ["2010-02"], {}, "2010-02 is also in"),
        ("b.nc", ["2012-01"], {"data_label": "observed"}, "its data_label is not that of"),
        ("c.nc", ["2012-01"], {"grid": Grid(1.875, (0.0, 0.0, 30.0, 15.0))}, "its grid is not that of"),
    ):
        with pytest.raises(DataError, match=message):
            ProductDataset([product, write(tmp_path / name, months, **changes)])


def test_export_as_geotiff(tmp_path: Path, product: Path) -> None:
    out = tmp_path / "month.tif"
    run("export", str(product), "--month", "2010-02", "--out", str(out))
    expected = fine_month("2010-02")
    with rasterio.open(out) as image:
        assert image.crs.to_epsg() == 4326
        assert image.bounds == (-180.0, -90.0, 180.0, 90.0)
        assert image.transform.e < 0  # north up
        assert np.isnan(image.nodata)
        quantity = "groundwater storage anomaly"
        assert image.descriptions == (quantity, f"standard deviation of the {quantity}")
        assert image.units == ("mm", "mm")
        assert (image.tags()["month"], image.tags()["data_label"]) == ("2010-02", SYNTHETIC)
        np.testing.assert_allclose(image.read(1), expected.mean[::-1], atol=0.0006)
        np.testing.assert_allclose(image.read(2), expected.sd[::-1], atol=0.0006)
        ((sampled, _),) = image.sample([(100.3, -20.0)])
    row, col = int((-20.0 + 90) / 1.875), int((100.3 + 180) / 1.875)
    assert sampled == pytest.approx(expected.mean[row, col], abs=0.001)


def test_impossible_exports_and_values_are_one_message(tmp_path: Path, product: Path) -> None:
    for month, out, message in (
        ("2010-03", tmp_path / "a.tif", r"month 2010-03 is absent \(months there: 2010-01 to 2010-04"),
        ("2010-13", tmp_path / "a.tif", "'2010-13' is not a month; expected YYYY-MM"),
        ("2010-01", product, "is also an input"),
    ):
        with pytest.raises(GwsdError, match=message):
            run("export", str(product), "--month", month, "--out", str(out))
    assert list(tmp_path.iterdir()) == []
    wild = fine_month("2010-01")
    wild.mean[50, 50] = 3e6
    with (
        pytest.raises(DataError, match=r"a value of 3e\+06 mm exceeds the range of the file"),
        new_product(tmp_path / "a.nc", FINE, attributes(), has_sd=True) as file,
    ):
        file.append(wild)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.nc").write_text("not NetCDF")
    xr.Dataset({"storage": ("x", [1.0])}).to_netcdf(tmp_path / "b.nc")
    months = np.array(["2010-01"], dtype="datetime64[ns]")
    axes = {"time": months, "lat": [0.5, 1.5], "lon": [0.5, 1.5]}
    metres = xr.Dataset({"gwsa": (("time", "lat", "lon"), np.ones((1, 2, 2)), {"units": "m"})}, axes)
    metres.to_netcdf(tmp_path / "d.nc")
    messages = {
        "a": "cannot be read as NetCDF",
        "b": "has no variable 'time'",
        "c": "no such file",
        "d": "is not in mm",
    }
    for name, message in messages.items():
        with pytest.raises(DataError, match=message):
            ProductDataset([tmp_path / f"{name}.nc"])
