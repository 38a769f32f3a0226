"""The raw files, opened as a user would: names, units, fill, orientation, stamps, step types."""

import tempfile
import zipfile

import numpy as np
import pytest
import xarray as xr

from gwsd.sources.twin.files import WARNING
from gwsd.sources.twin.months import ABSENT_MONTHS, days_in, storage_months
from gwsd.sources.twin.raw_climate import delivery_of


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
    assert len(ABSENT_MONTHS) == len(set(ABSENT_MONTHS)) == 33
    months = storage_months("2002-04", "2023-09")
    assert len(months) == 225
    assert (months <= np.datetime64("2017-06")).sum() == 163


def test_storage_has_the_format_of_g3p(earth):
    with xr.open_dataset(earth["storage"]) as data:
        assert list(data.data_vars) == ["GWSA", "uncertainty"]
        for field in data.data_vars.values():
            assert field.dims == ("time", "lat", "lon")
            assert field.dtype == np.float32
            assert field.attrs["units"] == "mm"
            assert np.isfinite(field.encoding["_FillValue"])
        stamps = data["time"].to_index()
        assert set(stamps.day) == {16}
        months = data["time"].values.astype("datetime64[M]")
        np.testing.assert_array_equal(months, storage_months("2010-04", "2012-06"))
        for absent in ("2011-01", "2011-06", "2012-05"):
            assert np.datetime64(absent) not in months
        assert np.all(np.diff(data["lat"]) == -0.5)
        assert np.all(np.diff(data["lon"]) == 0.5)
        assert data["lon"].min() >= -180.0


def test_ocean_is_filled_and_uncertainty_is_that_of_the_noise(earth):
    with xr.open_dataset(earth["storage"]) as data, xr.open_dataset(earth["known"]) as known:
        ever = data["GWSA"].notnull().any("time").sortby("lat").values
        filled = known["fault"].values == 4
        chosen = (known["valid"].values == 1) | (known["fault"].values > 0)
        np.testing.assert_array_equal(ever, chosen & ~filled)
        assert not chosen.all()
        assert float(np.sqrt((data["uncertainty"] ** 2).mean())) == pytest.approx(earth.settings.noise_mm, rel=0.05)


def test_every_file_says_that_it_is_synthetic(earth):
    for path in sorted(earth.folder.glob("*.nc")):
        for data in members(path).values():
            assert data.attrs["title"].startswith("Synthetic"), path
            assert "(toy)" in data.attrs["title"], path
            assert data.attrs["comment"] == WARNING, path


def test_the_second_year_has_a_date_axis(earth):
    (data,) = members(earth.climate[2011]).values()
    assert data["date"].values.tolist() == [20110000 + 100 * m + 1 for m in range(1, 13)]
    assert "valid_time" not in data.coords


def test_the_third_year_is_a_zip_of_two_step_types(earth):
    parts = members(earth.climate[2012])
    assert set(parts) == {"data_stream-moda_stepType-avgua.nc", "data_stream-moda_stepType-avgad.nc"}
    analysed, summed = (parts[f"data_stream-moda_stepType-{kind}.nc"] for kind in ("avgua", "avgad"))
    assert set(analysed.data_vars) == {"swvl1", "t2m", "sp"}
    assert set(summed.data_vars) == {"tp"}
    assert set(analysed["valid_time"].to_index().hour) == {0}
    assert set(summed["valid_time"].to_index().hour) == {6}
    assert analysed["expver"].values.astype(str).tolist()[-3:] == ["0005"] * 3
    assert analysed["expver"].values.astype(str).tolist()[:-3] == ["0001"] * 3


def test_deliveries_differ_over_the_years():
    kinds = [delivery_of(year, 2001) for year in range(2001, 2024)]
    assert sum(kind.dated for kind in kinds) == 1
    assert sum(kind.split for kind in kinds) == 7
    assert {kind.positive["avgua"] for kind in kinds} == {True, False}
    assert any(kind.split and kind.positive["avgua"] != kind.positive["avgad"] for kind in kinds)


def test_a_plain_year_has_era5_lands_names_and_units(earth):
    (data,) = members(earth.climate[2010]).values()
    assert set(data.data_vars) == {"tp", "swvl1", "t2m", "sp"}
    assert {n: data[n].attrs["units"] for n in data.data_vars} == {
        "tp": "m",
        "swvl1": "m**3 m**-3",
        "t2m": "K",
        "sp": "Pa",
    }
    assert data["number"].shape == ()
    np.testing.assert_allclose(data["latitude"], np.arange(36.0, 17.9, -0.5))
    np.testing.assert_allclose(data["longitude"], np.arange(70.0, 90.1, 0.5))
    for name in data.data_vars:
        assert data[name].dtype == np.float32
        assert np.isnan(data[name].encoding["_FillValue"])
        assert data[name].isnull().any()
        np.testing.assert_array_equal(data[name].isnull(), data["tp"].isnull())
    assert 230.0 < data["t2m"].min() < data["t2m"].max() < 320.0
    assert 40_000.0 < data["sp"].min() < data["sp"].max() < 105_000.0
    assert 0.0 < data["swvl1"].min() < data["swvl1"].max() < 0.7
    assert 0.0 < data["tp"].min() < data["tp"].max() < 0.08  # metres a day


def test_nodes_carry_the_mean_of_the_cells_around_them(earth):
    (data,) = members(earth.climate[2010]).values()
    with xr.open_dataset(earth["climate_blocks"]) as blocks:
        lat, lon = blocks["lat"].values[0], blocks["lon"].values[0]
        node_lat, node_lon = (float(np.round(v[len(v) // 2])) for v in (lat, lon))
        rows, columns = np.abs(lat - node_lat) < 0.25, np.abs(lon - node_lon) < 0.25
        weight = np.cos(np.deg2rad(lat[rows]))[:, None] * np.ones(columns.sum())
        daily = 1000.0 * days_in(np.datetime64("2010-03"))
        for name, short, scale in (("precipitation", "tp", daily), ("soil_moisture", "swvl1", 1.0)):
            window = blocks[name].values[0, 2][np.ix_(rows, columns)]
            assert window.shape == (4, 4)
            node = float(data[short].sel(latitude=node_lat, longitude=node_lon)[2]) * scale
            assert node == pytest.approx(float((window * weight).sum() / weight.sum()), rel=2e-3)


def test_climate_blocks_are_sixteen_degrees(earth):
    with xr.open_dataset(earth["climate_blocks"]) as blocks:
        assert blocks.sizes["y"] == blocks.sizes["x"] == 128
        assert blocks.sizes["time"] == 30
        assert float(blocks["temperature"].notnull().mean()) > 0.8
