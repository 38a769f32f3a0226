import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.sources.local import open_storage

REAL_DATA = Path(os.environ.get("GWSD_REAL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def make_storage(months=("2002-04", "2002-05", "2002-08"), units="mm", name="gwsa"):
    """Storage whose every value tells its month, latitude and longitude."""
    lat = np.arange(-9.75, 10.0, 0.5)
    lon = np.arange(-179.75, 180.0, 0.5)
    time = np.array([f"{month}-16" for month in months], dtype="datetime64[ns]")
    values = 100.0 * np.arange(len(months))[:, None, None] + lat[:, None] + lon / 2.0
    values[:, 0, 0] = np.nan
    dataset = xr.Dataset(
        {name: (("time", "lat", "lon"), values.astype(np.float32))},
        coords={"time": time, "lat": lat, "lon": lon},
    )
    if units:
        dataset[name].attrs["units"] = units
    return dataset


def write(dataset, folder, name="storage.nc", **options):
    path = folder / name
    dataset.to_netcdf(path, **options)
    return path


@pytest.fixture
def straight(tmp_path):
    return open_storage(write(make_storage(), tmp_path, "straight.nc"))


def test_a_plain_file_comes_in_our_convention(straight):
    assert dict(straight.sizes) == {"time": 3, "lat": 40, "lon": 720}
    assert list(straight["time"].values.astype(str)) == [
        f"{month}-01T00:00:00.000000000" for month in ("2002-04", "2002-05", "2002-08")
    ]
    assert straight["storage"].dtype == np.float32
    assert straight["storage"].attrs["units"] == "mm"
    np.testing.assert_allclose(straight["storage"].sel(lat=5.25, lon=-90.25)[2], 200.0 + 5.25 - 45.125)
    assert np.isnan(straight["storage"][:, 0, 0]).all()


def test_latitude_reversed_is_sorted(tmp_path, straight):
    path = write(make_storage().isel(lat=slice(None, None, -1)), tmp_path)
    xr.testing.assert_identical(open_storage(path), straight)


def test_longitudes_from_0_to_360_are_wrapped(tmp_path, straight):
    turned = make_storage()
    turned = turned.assign_coords(lon=turned["lon"] % 360.0).sortby("lon")
    assert turned["lon"][0] == 0.25
    xr.testing.assert_identical(open_storage(write(turned, tmp_path)), straight)


def test_axes_in_another_order_and_by_other_names(tmp_path, straight):
    other = make_storage(name="LWE_Thickness").rename(lat="latitude", lon="Longitude", time="date")
    path = write(other.transpose("Longitude", "date", "latitude"), tmp_path)
    xr.testing.assert_identical(open_storage(path), straight)


@pytest.mark.parametrize(
    ("units", "factor"),
    [("m", 1000.0), ("metres", 1000.0), ("cm", 10.0), ("kg m-2", 1.0), ("mm EWH", 1.0), ("Millimeter", 1.0)],
)
def test_a_file_that_says_its_unit_is_converted(tmp_path, straight, units, factor):
    dataset = make_storage(units=units)
    dataset["gwsa"].values /= factor
    opened = open_storage(write(dataset, tmp_path))
    np.testing.assert_allclose(opened["storage"], straight["storage"], rtol=1e-5)
    assert opened["storage"].attrs["units"] == "mm"


def test_metres_that_say_mm_are_refused(tmp_path):
    dataset = make_storage()
    dataset["gwsa"].values /= 1000.0
    path = write(dataset, tmp_path)
    with pytest.raises(DataError, match=r"storage\.nc.*says 'mm'.*plainly metres.*Multiply them by 1000"):
        open_storage(path)


def test_millimetres_that_say_m_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"storage\.nc.*says 'm'.*far too large.*Correct the attribute"):
        open_storage(write(make_storage(units="m"), tmp_path))


def test_a_file_without_units_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"storage\.nc.*has no units.*Expected.*mm, cm or m.*looks like mm"):
        open_storage(write(make_storage(units=None), tmp_path))


@pytest.mark.parametrize("units", ["mm/day", "mm s-1", "kg m-2 s-1", "K", "miles"])
def test_units_that_are_no_depth_of_water_are_refused(tmp_path, units):
    with pytest.raises(DataError, match=r"has the units '.*'\. Expected mm, cm, m or kg m-2"):
        open_storage(write(make_storage(units=units), tmp_path))


def test_no_time_axis(tmp_path):
    path = write(make_storage().isel(time=0, drop=True), tmp_path)
    with pytest.raises(DataError, match=r"storage\.nc: there is no time axis\. Expected a dimension 'time'"):
        open_storage(path)


def test_a_time_axis_of_mere_numbers(tmp_path):
    path = write(make_storage().assign_coords(time=[0, 1, 2]), tmp_path)
    with pytest.raises(DataError, match=r"'time' does not hold dates.*Set the attribute 'units'"):
        open_storage(path)


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize("form", ["NETCDF4", "NETCDF3_CLASSIC"])
def test_truncated_file(tmp_path, share, form):
    path = write(make_storage(), tmp_path, format=form)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=r"storage\.nc: the file is truncated or damaged.*download or copy it again"):
        open_storage(path)


def test_a_web_page_a_grib_file_an_empty_file_and_none(tmp_path):
    path = tmp_path / "storage.nc"
    with pytest.raises(DataError, match="there is no such file"):
        open_storage(path)
    for content, message in [
        (b"", "empty"),
        (b"<!DOCTYPE html>", "web page"),
        (b"GRIB\0\0\0\0", "GRIB"),
        (b"nonsense", "no known format"),
    ]:
        path.write_bytes(content)
        with pytest.raises(DataError, match=message):
            open_storage(path)


def test_undeclared_fill_values_become_nan(tmp_path):
    dataset = make_storage()
    dataset["gwsa"].values[:, 5, 5] = [-99999.0, 1e20, 9.96921e36]
    opened = open_storage(write(dataset, tmp_path, encoding={"gwsa": {"_FillValue": None}}))
    assert np.isnan(opened["storage"][:, 5, 5]).all()
    assert np.isfinite(opened["storage"][:, 5, 6]).all()


def test_another_grid_is_refused(tmp_path):
    for step in (0.25, 1.0):
        lat = np.arange(-9.75, 10.0, step)
        dataset = make_storage().interp(lat=lat)
        with pytest.raises(DataError, match=r"latitude starts.*Expected half-degree cells"):
            open_storage(write(dataset, tmp_path, f"step{step}.nc"))


def test_a_month_twice_is_refused(tmp_path):
    path = write(make_storage(months=("2002-04", "2002-05", "2002-05")), tmp_path)
    with pytest.raises(DataError, match=r"month 2002-05 comes 2 times.*monmean"):
        open_storage(path)


def test_months_out_of_order_are_sorted(tmp_path, straight):
    path = write(make_storage().isel(time=[2, 0, 1]), tmp_path)
    xr.testing.assert_identical(open_storage(path), straight)


def test_two_fields_without_a_known_name_are_refused(tmp_path):
    dataset = make_storage(name="alpha")
    dataset["beta"] = dataset["alpha"]
    with pytest.raises(DataError, match=r"cannot tell which variable.*'alpha', 'beta'"):
        open_storage(write(dataset, tmp_path))
    only = make_storage(name="alpha")
    assert "storage" in open_storage(write(only, tmp_path, "only.nc"))


def test_uncertainty_is_converted_too(tmp_path):
    dataset = make_storage(units="cm")
    dataset["uncertainty"] = dataset["gwsa"] * 0.0 + 2.0
    opened = open_storage(write(dataset, tmp_path))
    np.testing.assert_allclose(opened["uncertainty"][:, 1, 1], 20.0)


def test_the_real_observed_storage_opens():
    path = REAL_DATA / "observed_storage" / "twsa_jpl_l2_gauss250km_05deg_200204_202309.nc"
    if not path.exists():
        pytest.skip(f"no real data at {path}; set GWSD_REAL_DATA")
    dataset = open_storage(path)
    assert dict(dataset.sizes) == {"time": 216, "lat": 360, "lon": 720}
    complete = np.isfinite(dataset["storage"].values).all(axis=0)
    assert complete.sum() == 61895
    # Bangladesh's monsoon stores some decimetres between April and September.
    cell = dataset["storage"].sel(lat=24.25, lon=90.25)
    means = cell.groupby("time.month").mean()
    assert means.sel(month=9) - means.sel(month=4) > 200.0
