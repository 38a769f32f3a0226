"""The raw files: names, units, fill values, orientation, stamps, step types."""

import tempfile
import zipfile

import numpy as np
import pytest
import xarray as xr

from gwsd.twin.netcdf import ABSENT_MONTHS, WARNING, storage_months
from gwsd.twin.raw_climate import delivery_of
from tests.twin.conftest import SETTINGS


def members(path):
    """The datasets of a delivery by member name ("" for a plain netCDF)."""
    if not zipfile.is_zipfile(path):
        with xr.open_dataset(path) as data:
            return {"": data.load()}
    found = {}
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        for name in archive.namelist():
            with xr.open_dataset(archive.extract(name, folder)) as data:
                found[name] = data.load()
    return found


def test_225_months_and_33_absent():
    months = storage_months("2002-04", "2023-09")
    assert (len(months), len(set(ABSENT_MONTHS))) == (225, 33)
    assert (months <= np.datetime64("2017-06")).sum() == 163


def test_storage_has_the_format_of_g3p(earth):
    with xr.open_dataset(earth["storage"]) as data, xr.open_dataset(earth["known"]) as known:
        assert list(data.data_vars) == ["GWSA", "uncertainty"]
        for field in data.data_vars.values():
            assert field.dims == ("time", "lat", "lon")
            assert field.dtype == np.float32
            assert field.attrs["units"] == "mm"
            assert field.encoding["_FillValue"] == -9999.0
        assert set(data["time"].to_index().day) == {16}
        months = data["time"].values.astype("datetime64[M]")
        np.testing.assert_array_equal(months, storage_months("2010-04", "2012-06"))
        assert np.all(np.diff(data["lat"]) == -0.5)
        assert np.all(np.diff(data["lon"]) == 0.5)
        ever = data["GWSA"].notnull().any("time").sortby("lat").values
        missing_land = known["fault"].values == 4
        covered = (known["valid"].values == 1) | (known["fault"].values > 0)
        np.testing.assert_array_equal(ever, covered & ~missing_land)
        assert not covered.all()
        assert float(np.sqrt((data["uncertainty"] ** 2).mean())) == pytest.approx(SETTINGS.noise_mm, rel=0.05)


def test_every_file_says_that_it_is_synthetic(earth):
    for path in [path for path in earth.values() if path.suffix == ".nc"]:
        for data in members(path).values():
            assert data.attrs["title"].startswith("Synthetic"), path
            assert data.attrs["comment"] == WARNING, path


def test_the_second_year_has_a_date_axis_and_the_third_is_a_zip_of_two_step_types(earth):
    (dated,) = members(earth[2011]).values()
    assert dated["date"].values.tolist() == [20110000 + 100 * month + 1 for month in range(1, 13)]
    parts = members(earth[2012])
    analysed, summed = (parts[f"data_stream-moda_stepType-{kind}.nc"] for kind in ("avgua", "avgad"))
    assert (set(analysed), set(summed)) == ({"swvl1", "t2m", "sp"}, {"tp"})
    assert set(analysed["valid_time"].to_index().hour) == {0}
    assert set(summed["valid_time"].to_index().hour) == {6}
    assert analysed["expver"].values.astype(str).tolist() == ["0001"] * 3 + ["0005"] * 3


def test_deliveries_differ_over_the_years():
    kinds = [delivery_of(year, 2001) for year in range(2001, 2024)]
    assert (sum(kind.dated for kind in kinds), sum(kind.split for kind in kinds)) == (1, 7)
    assert {kind.positive["avgua"] for kind in kinds} == {True, False}
    assert any(kind.split and kind.positive["avgua"] != kind.positive["avgad"] for kind in kinds)


def test_a_plain_year_has_era5_lands_names_and_units(earth):
    (data,) = members(earth[2010]).values()
    units = {"tp": "m", "swvl1": "m**3 m**-3", "t2m": "K", "sp": "Pa"}
    assert {name: data[name].attrs["units"] for name in data.data_vars} == units
    assert data["number"].shape == ()
    np.testing.assert_allclose(data["latitude"], np.arange(36.0, 17.9, -0.5))
    np.testing.assert_allclose(data["longitude"], np.arange(70.0, 90.1, 0.5))
    ranges = {"t2m": (230, 320), "sp": (40e3, 105e3), "swvl1": (0, 0.7), "tp": (0, 0.08)}  # tp in metres per day
    for name, (low, high) in ranges.items():
        assert data[name].dtype == np.float32
        assert np.isnan(data[name].encoding["_FillValue"])
        assert data[name].isnull().any()
        np.testing.assert_array_equal(data[name].isnull(), data["tp"].isnull())
        assert low < data[name].min() < data[name].max() < high
