import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.sources import deliveries, era5
from gwsd.sources.era5_land import open_climate, open_climate_year

REAL_DATA = Path(os.environ.get("GWSD_REAL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def make_year(
    year=2003, months=12, *, names=("tp", "swvl1", "t2m", "sp"), hour=0, time="valid_time", east=True, step=1.0
):
    """A delivery as the CDS makes it: nodes, each value a function of month, place and variable."""
    lat = np.arange(90.0, -90.0 - step / 2, -step)
    lon = np.arange(0.0, 360.0, step) if east else np.arange(-180.0, 180.0, step)
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
        values[:, (lat > 40.0) & (lat <= 50.0), :] = np.nan  # water
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


VARIANTS = {
    "time": lambda year: year.rename(valid_time="time"),
    "date": lambda year: year.assign_coords(valid_time=[20030001 + 100 * m for m in range(1, 13)]).rename(
        valid_time="date"
    ),
    "dates of the sixth hour": lambda year: year.assign_coords(valid_time=year["valid_time"] + np.timedelta64(6, "h")),
    "south first": lambda year: year.isel(latitude=slice(None, None, -1)),
    "signed longitude": lambda year: year.assign_coords(longitude=(year["longitude"] + 180) % 360 - 180),
    "sorted signed longitude": lambda year: year.assign_coords(longitude=(year["longitude"] + 180) % 360 - 180).sortby(
        "longitude"
    ),
    "expver a scalar": lambda year: year.assign_coords(expver="0001"),
    "expver a number": lambda year: year.assign_coords(expver=1),
    "no expver, no number": lambda year: year.drop_vars(["expver", "number"]),
    "expver a dimension": lambda year: year.drop_vars("expver").expand_dims(expver=["0001"], axis=1),
    "number a dimension": lambda year: year.drop_vars("number").expand_dims(number=[0], axis=1),
    "months in disorder": lambda year: year.isel(valid_time=[3, 1, 2, 0, *range(11, 3, -1)]),
    "double precision": lambda year: year.astype(np.float64),
    "capital letters": lambda year: year.rename(tp="TP", t2m="T2M"),
    "names of the request": lambda year: year.rename(tp="total_precipitation", sp="surface_pressure"),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("form", ["NETCDF4", "NETCDF3_64BIT"])
def test_every_layout_reads_to_the_same_numbers(tmp_path, variant, form):
    plain = make_year(step=10.0)
    straight = open_climate_year(write(plain, tmp_path / "straight.nc"))
    units = {name: plain[name].attrs["units"] for name in plain}
    changed = VARIANTS[variant](plain)
    for (_, there), unit in zip(changed.items(), units.values(), strict=True):
        there.attrs["units"] = unit
    changed.to_netcdf(tmp_path / "changed.nc", format=form)
    xr.testing.assert_identical(open_climate_year(tmp_path / "changed.nc"), straight)


@pytest.mark.parametrize("form", ["NETCDF4", "NETCDF3_CLASSIC"])
def test_packed_fields_read_to_what_they_were(tmp_path, form):
    plain = make_year(step=10.0)
    packed = {}
    for name in plain.data_vars:
        low, high = float(plain[name].min()), float(plain[name].max())
        packing = {"scale_factor": (high - low) / 65530.0, "add_offset": (high + low) / 2.0}
        packed[name] = {"dtype": "int16", "_FillValue": -32767, **packing}
    plain.to_netcdf(tmp_path / "packed.nc", format=form, encoding=packed)
    straight = open_climate_year(write(plain, tmp_path / "straight.nc"))
    changed = open_climate_year(tmp_path / "packed.nc")
    for name in straight:
        span = float(straight[name].max() - straight[name].min())
        assert changed[name].dtype == np.float32
        np.testing.assert_allclose(changed[name], straight[name], atol=span * 2e-5)


@pytest.mark.parametrize("chunk", [1, 4, 5, 12])
def test_blocks_of_chunks_make_up_the_year(tmp_path, chunk, monkeypatch):
    monkeypatch.setattr(deliveries, "BLOCK_BYTES", 1)
    monkeypatch.setattr(deliveries, "LARGEST_BLOCK_BYTES", 4 * 19 * 36 * 5)  # five months
    plain = make_year(step=10.0)
    straight = open_climate_year(write(plain, tmp_path / "straight.nc"))
    encoding = {name: {"chunksizes": (chunk, 19, 36), "zlib": True} for name in plain.data_vars}
    plain.to_netcdf(tmp_path / "chunked.nc", encoding=encoding)
    (year,) = open_climate([tmp_path / "chunked.nc"], "2003-01", "2003-12")
    sizes = {1: (1,) * 12, 4: (4, 4, 4), 5: (5, 5, 2), 12: (5, 5, 2)}
    assert year["temperature"].chunks[0] == sizes[chunk]
    xr.testing.assert_identical(year.load(), straight)


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


def both_versions(months=2):
    """An older delivery: final and preliminary fields side by side, the second month not yet final."""
    final, preliminary = make_year(months=months).drop_vars("expver"), make_year(months=months).drop_vars("expver") + 1
    for name in final.data_vars:
        final[name][1] = np.nan
    both = xr.concat([final, preliminary], dim="expver").assign_coords(expver=[1, 5])
    both["t2m"].attrs["units"] = "K"
    return both


def test_final_fields_go_before_preliminary_ones(tmp_path):
    year = open_climate_year(write(both_versions(), tmp_path / "both.nc"))
    temperature = year["temperature"].sel(lat=0.0, lon=0.0)
    np.testing.assert_allclose(temperature, [6.85 + 1.0, 6.85 + 2.0 + 1.0], atol=1e-3)
    assert year.attrs["preliminary_months"] == "2003-02"


def marked(year, version, *, warmer=0.0, months=12, scalar=False):
    dataset = make_year(year, months=months, step=10.0)
    dataset["t2m"] = dataset["t2m"] + np.float32(warmer)
    dataset["t2m"].attrs["units"] = "K"
    return dataset.assign_coords(expver=version if scalar else ("valid_time", np.full(months, version)))


@pytest.mark.parametrize("final_first", [True, False])
@pytest.mark.parametrize("scalar", [True, False])
def test_of_two_deliveries_the_final_one_is_taken_whichever_comes_first(tmp_path, final_first, scalar):
    final = write(marked(2003, "0001", months=10, scalar=scalar), tmp_path / "final.nc")
    early = write(marked(2003, "0005", warmer=5.0, scalar=scalar), tmp_path / "early.nc")
    (year,) = open_climate([final, early] if final_first else [early, final], "2003-01", "2003-12")
    expected = 6.85 + np.arange(1, 13) + np.where(np.arange(1, 13) > 10, 5.0, 0.0)
    np.testing.assert_allclose(year["temperature"].sel(lat=0.0, lon=0.0), expected, atol=1e-3)
    assert year.attrs["preliminary_months"] == "2003-11 2003-12"


def test_a_final_year_says_nothing_of_preliminary_months(tmp_path):
    (year,) = open_climate([write(marked(2003, "0001"), tmp_path / "final.nc")], "2003-01", "2003-12")
    assert "preliminary_months" not in year.attrs


def test_the_same_month_twice_is_taken_once_and_refused_where_it_differs(tmp_path):
    one = write(marked(2003, "0001"), tmp_path / "one.nc")
    packing = {"dtype": "int16", "scale_factor": 0.0004, "add_offset": 287.0, "_FillValue": -32767}
    marked(2003, "0001").to_netcdf(tmp_path / "packed.nc", encoding={"t2m": packing})
    (year,) = open_climate([one, tmp_path / "packed.nc"], "2003-01", "2003-12")
    xr.testing.assert_identical(year.load(), open_climate_year(one))
    other = write(marked(2003, "0001", warmer=0.5), tmp_path / "other.nc")
    with pytest.raises(DataError, match=r"one\.nc and .*other\.nc both hold 2003-01 of t2m, and differ by up to 0\.5"):
        open_climate([one, other], "2003-01", "2003-12")
    hours = xr.concat([marked(2003, "0001"), marked(2003, "0001", warmer=3.0)], dim="valid_time")
    with pytest.raises(DataError, match=r"hours\.nc holds 2003-01 of t2m twice.*product_type"):
        open_climate([write(hours, tmp_path / "hours.nc")], "2003-01", "2003-12")


def test_absent_variables_are_named(tmp_path):
    path = write(make_year(names=("tp", "t2m")), tmp_path / "part.nc")
    with pytest.raises(DataError, match=r"part\.nc: ERA5-Land's swvl1 .*, sp .* is absent.*request these"):
        open_climate_year(path)
    chosen = open_climate_year(path, variables=("precipitation", "temperature"))
    assert list(chosen) == ["precipitation", "temperature"]


def test_an_absent_variable_offers_to_run_on_those_present(tmp_path):
    path = write(make_year(names=("tp", "t2m"), step=10.0), tmp_path / "part.nc")
    with pytest.raises(DataError, match=r"run on the ones present: set climate_variables: \[tp, t2m\] in the config"):
        open_climate([path], "2003-01", "2003-12")
    (year,) = open_climate([path], "2003-01", "2003-12", ["precipitation", "temperature"])
    assert list(year) == ["precipitation", "temperature"]
    other = write(make_year(names=("sp",), step=10.0), tmp_path / "pressure.nc")
    with pytest.raises(DataError, match=r"ERA5's tp .* is absent.*single-levels.*climate_variables: \[sp\]"):
        era5.open_climate([other], "2003-01", "2003-12", ["precipitation"])


def test_members_that_disagree_are_refused(tmp_path):
    one = write(make_year(names=("swvl1", "t2m", "sp")), tmp_path / "one.nc")
    short = write(make_year(months=11, names=("tp",)), tmp_path / "short.nc")
    with pytest.raises(DataError, match="tp lacks 2003-12"):
        open_climate_year(one, short)
    small = write(make_year(names=("tp",)).isel(latitude=slice(10, 100)), tmp_path / "small.nc")
    with pytest.raises(DataError, match=r"one\.nc: its grid .* differs from that of .*small\.nc"):
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
    with zipfile.ZipFile(archive, "w") as stream:
        stream.write(path, "data.nc")
    with pytest.raises(DataError, match=r"cut\.zip: data\.nc: the file is truncated or damaged"):
        open_climate_year(archive)


def test_a_file_that_vanishes_is_one_message(tmp_path):
    path = write(make_year(step=10.0), tmp_path / "gone.nc")
    (year,) = open_climate([path], "2003-01", "2003-12")
    path.unlink()
    with pytest.raises(DataError, match=r"gone\.nc: t2m cannot be read"):
        year["temperature"].load()


def test_a_zip_is_unpacked_once_and_removed_after_the_last_year(tmp_path, monkeypatch):
    paths = []
    for year in (2003, 2004):
        paths.append(tmp_path / f"{year}.zip")
        with zipfile.ZipFile(paths[-1], "w") as archive:
            archive.write(write(make_year(year, step=10.0), tmp_path / "data.nc"), "data.nc")
    (tmp_path / "data.nc").unlink()
    unpack, times = deliveries.unpacked, []
    monkeypatch.setattr(deliveries, "unpacked", lambda path: times.append(path) or unpack(path))
    years = [year["temperature"].load() for year in open_climate(paths, "2003-01", "2004-12")]
    assert [year.sizes["time"] for year in years] == [12, 12]
    assert times == paths
    assert sorted(tmp_path.iterdir()) == paths
    open_climate(paths, "2003-01", "2004-12")  # and never iterated
    with pytest.raises(DataError, match="lacks 2005"):
        open_climate(paths, "2003-01", "2005-12")
    assert sorted(tmp_path.iterdir()) == paths


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


def real_data(name):
    folder = REAL_DATA / name
    if not folder.exists():
        pytest.skip(f"no real data at {folder}; set GWSD_REAL_DATA")
    return sorted(folder.iterdir())


def test_real_deliveries_of_era5_land():
    january, february = real_data("era5_land_samples")
    with pytest.raises(DataError, match=r"swvl1.*climate_variables: \[tp, t2m\]"):
        open_climate_year(january)
    (climate,) = open_climate([january, february], "2025-01", "2025-02", ["precipitation", "temperature"])
    climate = climate.load()
    assert list(climate["time"].values.astype("datetime64[M]").astype(str)) == ["2025-01", "2025-02"]
    # Belem in its wet season.
    rain, warmth = climate["precipitation"].values, climate["temperature"].values
    assert (np.isnan(rain[0]) | ((rain[0] > 330.0) & (rain[0] < 415.0))).all()
    assert np.isnan(rain[0]).sum() == 1
    assert np.nanmin(rain[1]) > 250.0
    assert np.nanmax(rain[1]) < 650.0
    assert np.nanmin(warmth) > 24.5
    assert np.nanmax(warmth) < 27.5
    assert climate["lat"].values[0] == -2.2
    assert "preliminary_months" not in climate.attrs


def test_real_deliveries_split_by_step_type():
    paths = real_data("era5_indochina")
    years = list(era5.open_climate(paths, "2005-01", "2024-12", ["precipitation", "temperature"]))
    assert len(years) == 20
    climate = xr.concat([year.load() for year in years], dim="time")
    assert climate.sizes["time"] == 240
    # Indochina has 1 to 3 m of rain a year, most of it from May to October.
    rain = climate["precipitation"].mean(("lat", "lon")).groupby("time.month").mean()
    assert 1000.0 < rain.sum() < 3000.0
    assert rain.sel(month=slice(5, 10)).sum() > 0.7 * rain.sum()
    assert 20.0 < climate["temperature"].mean() < 28.0
    assert np.isfinite(climate["precipitation"]).all()
