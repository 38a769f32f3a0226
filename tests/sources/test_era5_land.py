import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.sources.era5_land import open_climate, open_climate_year

REAL_DATA = Path(os.environ.get("GWSD_REAL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def make_year(year=2003, months=12, *, names=("tp", "swvl1", "t2m", "sp"), hour=0, time="valid_time", east=True):
    """A delivery as the CDS makes it: 1 degree nodes, each value a function of month, place and variable."""
    lat = np.arange(90.0, -91.0, -1.0)
    lon = np.arange(0.0, 360.0) if east else np.arange(-180.0, 180.0)
    signed = (lon + 180.0) % 360.0 - 180.0
    pattern = np.arange(1, months + 1)[:, None, None] + lat[:, None] / 100.0 + signed / 1000.0
    make = {
        "tp": (0.002 + 0.0001 * pattern, "m"),
        "swvl1": (0.2 + 0.001 * pattern, "m**3 m**-3"),
        "t2m": (280.0 + pattern, "K"),
        "sp": (90000.0 + 100.0 * pattern, "Pa"),
    }
    stamps = [f"{year}-{m:02d}-01T{hour:02d}" for m in range(1, months + 1)]
    coords = {time: np.array(stamps, dtype="datetime64[ns]"), "latitude": lat, "longitude": lon}
    if time == "date":
        coords[time] = np.array([year * 10000 + m * 100 + 1 for m in range(1, months + 1)])
    dims = (time, "latitude", "longitude")
    data = {}
    for name in names:
        values, units = make[name]
        values = values.astype(np.float32)
        values[:, 40:50, :] = np.nan  # water
        data[name] = (dims, values, {"units": units})
    return xr.Dataset(data, coords=coords).assign_coords(number=0, expver=(time, np.full(months, "0001")))


def write(dataset, path):
    dataset.to_netcdf(path)
    return path


@pytest.fixture
def straight(tmp_path):
    return open_climate_year(write(make_year(), tmp_path / "straight.nc"))


def test_units_and_orientation(straight):
    assert list(straight.data_vars) == ["precipitation", "soil_moisture", "temperature", "surface_pressure"]
    assert [straight[name].attrs["units"] for name in straight] == ["mm month-1", "m3 m-3", "degC", "hPa"]
    assert straight["lat"].values[0] == -90.0
    assert straight["lon"].values[0] == -180.0
    assert (np.diff(straight["lat"]) > 0).all()
    assert (np.diff(straight["lon"]) > 0).all()
    month = np.arange(1, 13)
    here = straight.sel(lat=20.0, lon=-100.0)
    pattern = month + 0.2 - 0.1
    # tp says m and means metres a day.
    np.testing.assert_allclose(here["precipitation"], (2.0 + 0.1 * pattern) * DAYS, rtol=1e-5)
    np.testing.assert_allclose(here["temperature"], 6.85 + pattern, atol=1e-4)
    np.testing.assert_allclose(here["surface_pressure"], 900.0 + pattern, rtol=1e-6)
    np.testing.assert_allclose(here["soil_moisture"], 0.2 + 0.001 * pattern, rtol=1e-5)
    assert np.isnan(straight["temperature"].sel(lat=45.0)).all()
    assert straight["precipitation"].dtype == np.float32


def test_a_leap_february_has_29_days(tmp_path):
    leap = open_climate_year(write(make_year(2004), tmp_path / "2004.nc"))
    common = open_climate_year(write(make_year(2003), tmp_path / "2003.nc"))
    ratio = leap["precipitation"].values / common["precipitation"].values
    np.testing.assert_allclose(np.nanmean(ratio, axis=(1, 2)), [1, 29 / 28, *[1] * 10], rtol=1e-6)


def test_either_longitude_convention_gives_the_same(tmp_path, straight):
    west = open_climate_year(write(make_year(east=False), tmp_path / "west.nc"))
    xr.testing.assert_identical(west, straight)


def test_a_date_axis_of_integers(tmp_path, straight):
    xr.testing.assert_identical(open_climate_year(write(make_year(time="date"), tmp_path / "d.nc")), straight)


def test_a_zip_with_two_step_types_whatever_its_name(tmp_path, straight):
    # The accumulated fields are stamped 06 UTC and here also turned in longitude.
    instant = write(make_year(names=("swvl1", "t2m", "sp")), tmp_path / "data_stream-moda_stepType-avgua.nc")
    summed = write(make_year(names=("tp",), hour=6, east=False), tmp_path / "data_stream-moda_stepType-avgad.nc")
    path = tmp_path / "era5_land_2003.nc"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(instant, instant.name)
        archive.write(summed, summed.name)
    xr.testing.assert_identical(open_climate_year(path), straight)
    xr.testing.assert_identical(open_climate_year(summed, instant), straight)


def test_final_fields_go_before_preliminary_ones(tmp_path):
    final, preliminary = make_year(months=2).drop_vars("expver"), make_year(months=2).drop_vars("expver") + 1.0
    final["t2m"][1] = np.nan
    both = xr.concat([final, preliminary], dim="expver").assign_coords(expver=[1, 5])
    both["t2m"].attrs["units"] = "K"
    temperature = open_climate_year(write(both, tmp_path / "both.nc"))["temperature"].sel(lat=0.0, lon=0.0)
    np.testing.assert_allclose(temperature, [6.85 + 1.0, 6.85 + 2.0 + 1.0], atol=1e-3)


def test_absent_variables_are_named(tmp_path):
    path = write(make_year(names=("tp", "t2m")), tmp_path / "part.nc")
    with pytest.raises(DataError, match=r"part\.nc: ERA5-Land's swvl1 .*, sp .* is absent.*request these"):
        open_climate_year(path)
    chosen = open_climate_year(path, variables=("precipitation", "temperature"))
    assert list(chosen) == ["precipitation", "temperature"]


def test_members_that_disagree_are_refused(tmp_path):
    one = write(make_year(names=("swvl1", "t2m", "sp")), tmp_path / "one.nc")
    short = write(make_year(months=11, names=("tp",)), tmp_path / "short.nc")
    with pytest.raises(DataError, match="tp lacks 2003-12"):
        open_climate_year(one, short)
    small = write(make_year(names=("tp",)).isel(latitude=slice(10, 100)), tmp_path / "small.nc")
    with pytest.raises(DataError, match=r"small\.nc: its grid .* differs"):
        open_climate_year(one, small)


def test_damaged_deliveries(tmp_path):
    path = write(make_year(), tmp_path / "whole.nc")
    archive = tmp_path / "cut.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        stream.write(path, "data.nc")
    archive.write_bytes(archive.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"cut\.zip: the zip is truncated or damaged"):
        open_climate_year(archive)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"whole\.nc: the file is truncated or damaged"):
        open_climate_year(path)


def test_years_come_one_by_one_cut_to_the_period(tmp_path):
    paths = [write(make_year(year), tmp_path / f"era5_land_{year}.nc") for year in (2003, 2004, 2005)]
    years = list(open_climate(paths, "2003-04", "2005-09"))
    assert [year.sizes["time"] for year in years] == [9, 12, 9]
    assert years[0]["time"].values[0] == np.datetime64("2003-04-01", "ns")
    assert years[2]["time"].values[-1] == np.datetime64("2005-09-01", "ns")


def test_a_missing_year_and_month_are_named_before_anything_is_read(tmp_path):
    paths = [write(make_year(2003), tmp_path / "2003.nc"), write(make_year(2005, months=8), tmp_path / "2005.nc")]
    with pytest.raises(DataError, match=r"lacks 2004, 2005-09\. Expected every month from 2003-04 to 2005-09.*year"):
        open_climate(paths, "2003-04", "2005-09")
    with pytest.raises(DataError, match="There are no ERA5-Land files"):
        open_climate([], "2003-04", "2005-09")


def test_a_missing_year_of_one_variable_names_it(tmp_path):
    paths = [
        write(make_year(2003), tmp_path / "2003.nc"),
        write(make_year(2004, names=("swvl1", "t2m", "sp")), tmp_path / "2004.nc"),
    ]
    with pytest.raises(DataError, match=r"lacks 2004 of tp\. Expected"):
        open_climate(paths, "2003-01", "2004-12")


def test_real_deliveries_of_era5_land():
    folder = REAL_DATA / "era5_land_samples"
    if not folder.exists():
        pytest.skip(f"no real data at {folder}; set GWSD_REAL_DATA")
    january, february = sorted(folder.iterdir())
    with pytest.raises(DataError, match="swvl1"):
        open_climate_year(january)
    climate = open_climate_year(january, february, variables=("precipitation", "temperature"))
    assert list(climate["time"].values.astype("datetime64[M]").astype(str)) == ["2025-01", "2025-02"]
    # Belem's wet season: about 26 degC and 300 to 500 mm a month.
    assert (np.abs(climate["temperature"].mean(("lat", "lon")) - 26.0) < 1.5).all()
    assert ((climate["precipitation"].mean(("lat", "lon")) > 250) & (climate["precipitation"].mean() < 600)).all()
    assert np.isnan(climate["temperature"][0]).sum() == 1
    assert climate["lat"].values[0] == -2.2


def test_real_deliveries_split_by_step_type():
    folder = REAL_DATA / "era5_indochina"
    if not folder.exists():
        pytest.skip(f"no real data at {folder}; set GWSD_REAL_DATA")
    climate = open_climate_year(*sorted(folder.iterdir()), variables=("precipitation", "temperature"))
    assert climate.sizes["time"] == 240
    # Indochina has 1 to 3 m of rain a year, most of it from May to October.
    rain = climate["precipitation"].mean(("lat", "lon")).groupby("time.month").mean()
    assert 1000.0 < rain.sum() < 3000.0
    assert rain.sel(month=slice(5, 10)).sum() > 0.7 * rain.sum()
    assert 20.0 < climate["temperature"].mean() < 28.0
