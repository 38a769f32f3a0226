"""ERA5-Land and ERA5 deliveries in every layout of the Climate Data Store, read to the same numbers."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gwsd.data import cds_files
from gwsd.data.era5_land import VARIABLES, open_era5, open_era5_land
from gwsd.errors import DataError

REAL_DATA = Path(os.environ.get("GWSD_REAL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def make_year(year=2003, months=12, *, names=("tp", "swvl1", "t2m", "sp"), warmer=0.0, version="0001"):
    """A delivery of the CDS on 10° nodes; each value is a function of month, place and variable."""
    lat, lon = np.arange(90.0, -91.0, -10.0), np.arange(0.0, 360.0, 10.0)
    signed = (lon + 180.0) % 360.0 - 180.0
    pattern = np.arange(1, months + 1)[:, None, None] + lat[:, None] / 100.0 + signed / 1000.0
    make = {
        "tp": (0.002 + 0.0001 * pattern, "m"),
        "swvl1": (0.2 + 0.001 * pattern, "m**3 m**-3"),
        "t2m": (280.0 + warmer + pattern, "K"),
        "sp": (90000.0 + 100.0 * pattern, "Pa"),
    }
    dims = ("valid_time", "latitude", "longitude")
    stamps = np.array([f"{year}-{m:02d}-01" for m in range(1, months + 1)], dtype="datetime64[ns]")
    data = {}
    for name in names:
        values = make[name][0].astype(np.float32)
        values[:, (lat > 40.0) & (lat <= 50.0), :] = np.nan  # water
        data[name] = (dims, values, {"units": make[name][1]})
    dataset = xr.Dataset(data, coords={"valid_time": stamps, "latitude": lat, "longitude": lon})
    return dataset.assign_coords(number=0, expver=("valid_time", np.full(months, version)))


def write(dataset, path):
    dataset.to_netcdf(path)
    return path


def zip_files(path, *files):
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.write(file, file.name)
    return path


def read_year(*paths, months=12, variables=tuple(VARIABLES)):
    """The year 2003 of one delivery."""
    (year,) = (year.load() for year in open_era5_land(paths, "2003-01", f"2003-{months:02d}", variables).years)
    return year


@pytest.fixture
def straight(tmp_path):
    return read_year(write(make_year(), tmp_path / "straight.nc"))


def test_units_and_orientation(straight):
    assert list(straight.data_vars) == ["precipitation", "soil_moisture", "temperature", "surface_pressure"]
    assert [straight[name].attrs["units"] for name in straight] == ["mm month-1", "m3 m-3", "degC", "hPa"]
    assert (straight["lat"].values[0], straight["lon"].values[0]) == (-90.0, -180.0)
    assert (np.diff(straight["lat"]) > 0).all()
    assert (np.diff(straight["lon"]) > 0).all()
    here = straight.sel(lat=20.0, lon=-100.0)
    pattern = np.arange(1, 13) + 0.2 - 0.1
    # tp has the units m but is in metres per day.
    np.testing.assert_allclose(here["precipitation"], (2.0 + 0.1 * pattern) * DAYS, rtol=1e-5)
    np.testing.assert_allclose(here["temperature"], 6.85 + pattern, atol=1e-4)
    np.testing.assert_allclose(here["surface_pressure"], 900.0 + pattern, rtol=1e-6)
    np.testing.assert_allclose(here["soil_moisture"], 0.2 + 0.001 * pattern, rtol=1e-5)
    assert np.isnan(straight["temperature"].sel(lat=50.0)).all()
    assert straight["precipitation"].dtype == np.float32


def test_a_leap_february_has_29_days(tmp_path, straight):
    (leap,) = open_era5_land([write(make_year(2004), tmp_path / "2004.nc")], "2004-01", "2004-12").years
    ratio = leap["precipitation"].values / straight["precipitation"].values
    np.testing.assert_allclose(np.nanmean(ratio, axis=(1, 2)), [1, 29 / 28, *[1] * 10], rtol=1e-6)


def signed(year):
    return year.assign_coords(longitude=(year["longitude"] + 180) % 360 - 180)


LAYOUTS = {
    "time": lambda year: year.rename(valid_time="time"),
    "date": lambda year: year.assign_coords(valid_time=[20030001 + 100 * m for m in range(1, 13)]).rename(
        valid_time="date"
    ),
    "dates of the sixth hour": lambda year: year.assign_coords(valid_time=year["valid_time"] + np.timedelta64(6, "h")),
    "south first": lambda year: year.isel(latitude=slice(None, None, -1)),
    "signed longitude": signed,
    "expver a number": lambda year: year.assign_coords(expver=1),
    "no expver, no number": lambda year: year.drop_vars(["expver", "number"]),
    "expver a dimension": lambda year: year.drop_vars("expver").expand_dims(expver=["0001"], axis=1),
    "number a dimension": lambda year: year.drop_vars("number").expand_dims(number=[0], axis=1),
    "months in disorder": lambda year: year.isel(valid_time=[3, 1, 2, 0, *range(11, 3, -1)]),
    "capital letters": lambda year: year.rename(tp="Total_precipitation", t2m="T2M"),
}


OLDER = [("time", "NETCDF3_CLASSIC"), ("date", "NETCDF3_64BIT")]


@pytest.mark.parametrize(("layout", "form"), [*((layout, "NETCDF4") for layout in LAYOUTS), *OLDER])
def test_every_layout_reads_to_the_same_numbers(tmp_path, straight, layout, form):
    plain = make_year()
    changed = LAYOUTS[layout](plain)
    for there, name in zip(changed.values(), plain, strict=True):
        there.attrs["units"] = plain[name].attrs["units"]
    changed.to_netcdf(tmp_path / "changed.nc", format=form)
    xr.testing.assert_identical(read_year(tmp_path / "changed.nc"), straight)


def test_packed_fields_are_decoded(tmp_path, straight):
    plain = make_year()
    packed = {}
    for name in plain.data_vars:
        low, high = float(plain[name].min()), float(plain[name].max())
        packing = {"scale_factor": (high - low) / 65530.0, "add_offset": (high + low) / 2.0}
        packed[name] = {"dtype": "int16", "_FillValue": -32767, **packing}
    plain.to_netcdf(tmp_path / "packed.nc", encoding=packed)
    changed = read_year(tmp_path / "packed.nc")
    for name in straight:
        span = float(straight[name].max() - straight[name].min())
        assert changed[name].dtype == np.float32
        np.testing.assert_allclose(changed[name], straight[name], atol=span * 2e-5)


UNITS = {
    "tp": {"mm": 1000.0, "m day-1": 1.0, "mm/month": None, "m s-1": None, "": None},
    "t2m": {"degrees_Celsius": -273.15, "deg C": -273.15, "kelvin": 0.0, "F": None, "": None},
    "sp": {"hPa": 0.01, "millibars": 0.01, "atm": None},
}


@pytest.mark.parametrize(("name", "unit"), [(name, unit) for name, units in UNITS.items() for unit in units])
def test_units_of_climate_are_converted_or_refused(tmp_path, straight, name, unit):
    dataset, change = make_year(), UNITS[name][unit]
    if change is not None:
        values = dataset[name] + change if name == "t2m" else dataset[name] * change
        dataset[name] = values.astype(np.float32)
    dataset[name].attrs["units"] = unit
    path = write(dataset, tmp_path / "units.nc")
    if change is not None:
        xr.testing.assert_allclose(read_year(path), straight, rtol=1e-5, atol=1e-4)
    else:
        with pytest.raises(DataError, match=rf"units\.nc: {name} has the units '{unit}'\. Expected one of"):
            read_year(path)


@pytest.mark.parametrize("chunk", [1, 4, 12])
def test_blocks_of_chunks_make_up_the_year(tmp_path, straight, chunk, monkeypatch):
    monkeypatch.setattr(cds_files, "MIN_BLOCK_BYTES", 1)
    monkeypatch.setattr(cds_files, "MAX_BLOCK_BYTES", 4 * 19 * 36 * 5)  # five months
    plain = make_year()
    encoding = {name: {"chunksizes": (chunk, 19, 36), "zlib": True} for name in plain.data_vars}
    plain.to_netcdf(tmp_path / "chunked.nc", encoding=encoding)
    (year,) = open_era5_land([tmp_path / "chunked.nc"], "2003-01", "2003-12").years
    sizes = {1: (1,) * 12, 4: (4, 4, 4), 12: (5, 5, 2)}
    assert year["temperature"].chunks[0] == sizes[chunk]
    xr.testing.assert_identical(year.load(), straight)


def test_a_zip_of_two_step_types_whatever_its_suffix(tmp_path, straight):
    # Accumulated fields are stamped 06 UTC, and here also turned in longitude.
    instant = write(make_year(names=("swvl1", "t2m", "sp")), tmp_path / "data_stream-moda_stepType-avgua.nc")
    turned = signed(make_year(names=("tp",))).sortby("longitude")
    turned = turned.assign_coords(valid_time=turned["valid_time"] + np.timedelta64(6, "h"))
    summed = write(turned, tmp_path / "data_stream-moda_stepType-avgad.nc")
    xr.testing.assert_identical(read_year(zip_files(tmp_path / "2003.nc", instant, summed)), straight)
    xr.testing.assert_identical(read_year(summed, instant), straight)


def test_older_deliveries_with_both_versions_of_a_field(tmp_path):
    final, preliminary = (make_year(months=2, warmer=w).drop_vars("expver") for w in (0.0, 1.0))
    for name in final.data_vars:
        final[name][1] = np.nan
    both = xr.concat([final, preliminary], dim="expver").assign_coords(expver=[1, 5])
    both["t2m"][0, 0, 3, 3] = np.nan  # only preliminary there
    both["t2m"].attrs["units"] = "K"
    year = read_year(write(both, tmp_path / "both.nc"), months=2)
    np.testing.assert_allclose(year["temperature"].sel(lat=0.0, lon=0.0), [7.85, 9.85], atol=1e-3)
    assert np.isfinite(year["temperature"].sel(lat=60.0, lon=30.0)).all()
    assert year.attrs["preliminary_months"] == "2003-02"


@pytest.mark.parametrize(("final_first", "scalar"), [(True, False), (False, True)])
def test_final_fields_take_precedence(tmp_path, final_first, scalar):
    versions = [make_year(months=10), make_year(version="0005", warmer=5.0)]
    if scalar:
        versions = [dataset.assign_coords(expver=dataset["expver"].values[0]) for dataset in versions]
    paths = [write(dataset, tmp_path / f"{k}.nc") for k, dataset in enumerate(versions)]
    (year,) = open_era5_land(paths if final_first else paths[::-1], "2003-01", "2003-12").years
    expected = 6.85 + np.arange(1, 13) + np.where(np.arange(1, 13) > 10, 5.0, 0.0)
    np.testing.assert_allclose(year["temperature"].sel(lat=0.0, lon=0.0), expected, atol=1e-3)
    assert year.attrs["preliminary_months"] == "2003-11 2003-12"
    (final,) = open_era5_land(paths[:1], "2003-01", "2003-10").years
    assert "preliminary_months" not in final.attrs


def test_a_month_in_two_files_must_agree(tmp_path, straight):
    first = write(make_year(), tmp_path / "first.nc")
    packing = {"dtype": "int16", "scale_factor": 0.0004, "add_offset": 287.0, "_FillValue": -32767}
    make_year().to_netcdf(tmp_path / "packed.nc", encoding={"t2m": packing})
    opened = open_era5_land([first, tmp_path / "packed.nc"], "2003-01", "2003-12")
    (year,) = opened.years
    assert opened.files == [first]
    xr.testing.assert_identical(year.load(), straight)
    other = write(make_year(warmer=0.5), tmp_path / "other.nc")
    with pytest.raises(DataError, match=r"first\.nc and .*other\.nc both hold 2003-01 of t2m, with values up to 0\.5"):
        open_era5_land([first, other], "2003-01", "2003-12")
    hours = xr.concat([make_year(), make_year(warmer=3.0)], dim="valid_time")
    with pytest.raises(DataError, match=r"hours\.nc holds 2003-01 of t2m twice.*product_type"):
        open_era5_land([write(hours, tmp_path / "hours.nc")], "2003-01", "2003-12")


def test_an_absent_variable_is_named(tmp_path):
    path = write(make_year(names=("tp", "t2m")), tmp_path / "part.nc")
    message = r"part\.nc: ERA5-Land's swvl1 .*, sp .* is absent.*without it: set climate_variables: \[tp, t2m\]"
    with pytest.raises(DataError, match=message):
        read_year(path)
    assert list(read_year(path, variables=["precipitation", "temperature"])) == ["precipitation", "temperature"]
    with pytest.raises(DataError, match=r"ERA5's swvl1 .*single-levels"):
        open_era5([path], "2003-01", "2003-12")


def test_files_on_different_grids_are_refused(tmp_path):
    rest = write(make_year(names=("swvl1", "t2m", "sp")), tmp_path / "rest.nc")
    small = write(make_year(names=("tp",)).isel(latitude=slice(2, 9)), tmp_path / "small.nc")
    with pytest.raises(DataError, match=r"rest\.nc: its grid .* differs from that of .*small\.nc"):
        read_year(rest, small)


def test_damaged_files_are_named(tmp_path):
    path = write(make_year(), tmp_path / "data.nc")
    (year,) = open_era5_land([path], "2003-01", "2003-12").years
    archive = zip_files(tmp_path / "cut.zip", path)
    archive.write_bytes(archive.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"cut\.zip: .*truncated or damaged"):
        read_year(archive)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"data\.nc: the file is truncated or damaged"):
        read_year(path)
    with pytest.raises(DataError, match=r"cut\.zip: data\.nc: the file is truncated or damaged"):
        read_year(zip_files(archive, path))
    path.unlink()
    with pytest.raises(DataError, match=r"data\.nc: t2m cannot be read"):
        year["temperature"].load()


def test_years_are_read_one_by_one_from_zips_that_are_unpacked_once(tmp_path, monkeypatch):
    paths = []
    for year in (2003, 2004, 2005, 2006):
        data = write(make_year(year).assign_attrs(comment="Synthetic" if year == 2004 else ""), tmp_path / "data.nc")
        paths.append(zip_files(tmp_path / f"{year}.zip", data))
    (tmp_path / "data.nc").unlink()
    unpack, times = cds_files.unpacked, []
    monkeypatch.setattr(cds_files, "unpacked", lambda path: times.append(path) or unpack(path))
    opened = open_era5_land(paths, "2003-04", "2005-09")
    assert opened.files == paths[:3]
    assert opened.synthetic
    years = [year[["temperature"]].load() for year in opened.years]
    assert [year.sizes["time"] for year in years] == [9, 12, 9]
    assert years[0]["time"].values[0] == np.datetime64("2003-04-01", "ns")
    assert times == paths
    assert sorted(tmp_path.iterdir()) == paths
    with pytest.raises(DataError, match="lacks 2007"):
        open_era5_land(paths, "2003-01", "2007-12")
    assert sorted(tmp_path.iterdir()) == paths


def test_missing_months_are_named_before_anything_is_read(tmp_path):
    paths = [write(make_year(2003), tmp_path / "2003.nc"), write(make_year(2005, months=8), tmp_path / "2005.nc")]
    with pytest.raises(DataError, match=r"lacks 2004, 2005-09\. Expected every month .*: download 2004, 2005"):
        open_era5_land(paths, "2003-04", "2005-09")
    paths[1] = write(make_year(2004, names=("swvl1", "t2m", "sp")), tmp_path / "2004.nc")
    with pytest.raises(DataError, match=r"lacks 2004 of tp\. Expected"):
        open_era5_land(paths, "2003-01", "2004-12")
    with pytest.raises(DataError, match="There are no ERA5-Land files"):
        open_era5_land([], "2003-04", "2005-09")


def real_data(name):
    folder = REAL_DATA / name
    if not folder.exists():
        pytest.skip(f"no real data at {folder}; set GWSD_REAL_DATA")
    return sorted(folder.iterdir())


def test_real_deliveries_of_era5_land():
    files = real_data("era5_land_samples")
    (climate,) = open_era5_land(files, "2025-01", "2025-02", ["precipitation", "temperature"]).years
    climate = climate.load()
    # Belem in its wet season.
    rain, warmth = climate["precipitation"].values, climate["temperature"].values
    assert np.isnan(rain[0]).sum() == 1
    assert 330.0 < np.nanmin(rain[0]) < np.nanmax(rain[0]) < 415.0
    assert 250.0 < np.nanmin(rain[1]) < np.nanmax(rain[1]) < 650.0
    assert 24.5 < np.nanmin(warmth) < np.nanmax(warmth) < 27.5
    assert climate["lat"].values[0] == -2.2
    assert "preliminary_months" not in climate.attrs


def test_real_deliveries_split_by_step_type():
    opened = open_era5(real_data("era5_indochina"), "2005-01", "2024-12", ["precipitation", "temperature"])
    years = [year.load() for year in opened.years]
    assert len(years) == 20
    climate = xr.concat(years, dim="time")
    # Indochina has 1 to 3 m of rain a year, most of it from May to October.
    rain = climate["precipitation"].mean(("lat", "lon")).groupby("time.month").mean()
    assert 1000.0 < rain.sum() < 3000.0
    assert rain.sel(month=slice(5, 10)).sum() > 0.7 * rain.sum()
    assert 20.0 < climate["temperature"].mean() < 28.0
    assert np.isfinite(climate["precipitation"]).all()
