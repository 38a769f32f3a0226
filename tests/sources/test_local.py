import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.sources.local import open_storage, read_storage
from gwsd.sources.units import millimetres

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
    [
        ("m", 1000.0),
        ("metres", 1000.0),
        ("m w.e.", 1000.0),
        ("cm", 10.0),
        ("cm equivalent water height", 10.0),
        ("[cm_EWH]", 10.0),
        ("kg m-2", 1.0),
        ("kg/m^2", 1.0),
        ("kg m**-2", 1.0),
        ("mm EWH", 1.0),
        ("mm(EWH) relative to 2004-2009", 1.0),
        ("Millimeter", 1.0),
    ],
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


@pytest.mark.parametrize(
    "units", ["mm/day", "mm s-1", "mm month-1", "mm per month", "mm d^-1", "kg m-2 s-1", "m3 m-3", "m2", "K", "miles"]
)
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


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (np.arange(-9.875, 10.0, 0.25), np.arange(-179.875, 180.0, 0.25)),
        (np.arange(-9.5, 10.0, 1.0), np.arange(-180.0, 180.0, 1.0)),
        (np.arange(-30.0, 30.1, 0.5), np.arange(100.0, 120.1, 0.625)),
    ],
)
def test_another_spacing_is_returned_as_it_is(tmp_path, lat, lon):
    values = np.random.default_rng(1).normal(0.0, 50.0, (3, len(lat), len(lon))).astype(np.float32)
    time = make_storage()["time"].values
    dataset = xr.Dataset(
        {"gwsa": (("time", "lat", "lon"), values, {"units": "mm"})}, coords={"time": time, "lat": lat, "lon": lon}
    )
    opened = open_storage(write(dataset.isel(lat=slice(None, None, -1)), tmp_path))
    np.testing.assert_array_equal(opened["storage"], values)
    np.testing.assert_allclose(opened["lat"], lat, atol=1e-6)
    np.testing.assert_allclose(opened["lon"], lon, atol=1e-6)


def test_projected_coordinates_are_refused(tmp_path):
    dataset = make_storage().rename(lat="y", lon="x")
    dataset = dataset.assign_coords(y=np.arange(40) * 1000.0, x=np.arange(720) * 1000.0)
    with pytest.raises(DataError, match=r"latitudes run from 0 to 39000, which are no degrees.*cdo remapcon"):
        open_storage(write(dataset, tmp_path))


def test_a_month_twice_is_refused(tmp_path):
    path = write(make_storage(months=("2002-04", "2002-05", "2002-05")), tmp_path)
    with pytest.raises(DataError, match=r"month 2002-05 comes 2 times.*monmean.*your-own-data\.md"):
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


def test_an_uncertainty_named_after_its_storage_and_in_its_own_unit(tmp_path):
    dataset = make_storage(units="cm")
    dataset["gwsa_error"] = (dataset["gwsa"] * 0.0 + 20.0).assign_attrs(units="mm")
    opened = open_storage(write(dataset, tmp_path))
    np.testing.assert_allclose(opened["uncertainty"][:, 1, 1], 20.0)
    np.testing.assert_allclose(opened["storage"][0, 1, 1], dataset["gwsa"][0, 1, 1] * 10.0)


def test_the_setting_says_the_unit_where_the_file_does_not(tmp_path, straight):
    for number, stated in enumerate([None, "", "1", "unknown"]):
        dataset = make_storage(units=stated)
        dataset["gwsa"].values /= 10.0
        opened = open_storage(write(dataset, tmp_path, f"{number}.nc"), units="cm")
        np.testing.assert_allclose(opened["storage"], straight["storage"], rtol=1e-5)


def test_a_setting_that_contradicts_the_file_is_refused(tmp_path, straight):
    path = write(make_storage(units="kg m-2"), tmp_path)
    xr.testing.assert_identical(open_storage(path, units="mm"), straight)
    with pytest.raises(DataError, match=r"says 'kg m-2', but sources\.storage_units says 'cm'.*remove it or.*ncatted"):
        open_storage(path, units="cm")


def test_a_setting_that_the_values_cannot_be_in_is_refused(tmp_path):
    path = write(make_storage(units=None), tmp_path)
    with pytest.raises(
        DataError, match=r"is in m as sources\.storage_units says.*far too large.*Set sources\.storage_u"
    ):
        open_storage(path, units="m")
    dataset = make_storage(units=None)
    dataset["gwsa"].values /= 1000.0
    path = write(dataset, tmp_path, "metres.nc")
    with pytest.raises(DataError, match=r"as the product's documentation says.*far too small.*storage_units to m\."):
        read_storage(path, default_unit="mm")
    with pytest.raises(DataError, match=r"has no units, and the product's documentation says 'furlong'\. Expected mm"):
        read_storage(path, default_unit="furlong")


@pytest.mark.parametrize("written", ["mm", "MM", " mm w.e. ", "kg.m-2", "mm_ewh"])
def test_units_that_are_millimetres(written):
    assert millimetres(written) == 1.0


def test_the_storage_is_taken_by_the_name_that_is_given(tmp_path, straight):
    dataset = make_storage(name="Deep")
    dataset["deep"] = dataset["Deep"] * 2.0
    dataset["gwsa"] = dataset["Deep"] * 3.0
    dataset["mask"] = dataset["Deep"][0]
    for name in ("deep", "gwsa"):
        dataset[name].attrs["units"] = "mm"
    path = write(dataset, tmp_path)
    xr.testing.assert_identical(open_storage(path, variable="Deep"), straight)
    np.testing.assert_array_equal(open_storage(path, variable="deep")["storage"], straight["storage"] * 2.0)
    np.testing.assert_array_equal(open_storage(path)["storage"], straight["storage"] * 3.0)
    only = write(make_storage(name="Deep"), tmp_path, "only.nc")
    xr.testing.assert_identical(open_storage(only, variable="DEEP"), straight)
    with pytest.raises(DataError, match=r"no monthly field 'deeep', .*did you mean 'deep'\? It has Deep, deep, gwsa"):
        open_storage(path, variable="deeep")
    with pytest.raises(DataError, match=r"no monthly field 'mask'"):
        open_storage(path, variable="mask")


def test_attributes_called_units_in_capitals_are_read(tmp_path, straight):
    dataset = make_storage()
    days = ((dataset["time"].values - np.datetime64("2002-01-01", "ns")) / np.timedelta64(1, "D")).astype(float)
    dataset = dataset.assign_coords(time=("time", days, {"Units": "days since 2002-01-01T00:00:00Z"}))
    dataset["gwsa"].attrs = {"Units": "mm"}
    xr.testing.assert_identical(open_storage(write(dataset, tmp_path)), straight)
    broken = dataset.assign_coords(time=("time", days, {"Units": "days since when"}))
    with pytest.raises(DataError, match=r"time axis cannot be decoded.*Expected CF units"):
        open_storage(write(broken, tmp_path, "broken.nc"))


def monthly_files(folder, dataset=None):
    dataset = make_storage() if dataset is None else dataset
    stems = dataset["time"].values.astype("datetime64[M]").astype(str)
    return [write(dataset.isel(time=[k]), folder, f"{stem}.nc") for k, stem in enumerate(stems)]


def test_files_of_a_month_each_are_merged_whatever_their_order(tmp_path, straight):
    files = monthly_files(tmp_path)
    for order in ([0, 1, 2], [2, 0, 1]):
        xr.testing.assert_identical(open_storage([files[k] for k in order]), straight)
    scalar = [write(make_storage().isel(time=k), tmp_path, f"scalar{k}.nc") for k in range(3)]
    xr.testing.assert_identical(open_storage(scalar), straight)


def test_files_of_some_months_each_in_units_and_directions_of_their_own(tmp_path, straight):
    metres = make_storage().isel(time=[0, 2], lat=slice(None, None, -1))
    metres["gwsa"] = (metres["gwsa"] / 1000.0).assign_attrs(units="m")
    turned = make_storage(name="GWSA").isel(time=[1])
    turned = turned.assign_coords(lon=turned["lon"] % 360.0).sortby("lon")
    opened = open_storage([write(metres, tmp_path, "a.nc"), write(turned, tmp_path, "b.nc")])
    xr.testing.assert_allclose(opened, straight, rtol=1e-5)


def test_zip_files_are_read_too_whatever_they_are_called(tmp_path, straight):
    files = monthly_files(tmp_path)
    archive = tmp_path / "two_of_them.nc"
    with zipfile.ZipFile(archive, "w") as target:
        for number, file in enumerate(files[:2]):
            target.write(file, f"folder{number}/storage.nc")
        target.writestr("README.txt", "months")
    xr.testing.assert_identical(open_storage([files[2], archive]), straight)
    assert not list(tmp_path.glob(".*"))
    with zipfile.ZipFile(archive, "a") as target:
        target.writestr("folder3/storage.nc", files[2].read_bytes()[:3000])
    with pytest.raises(DataError, match=r"two_of_them\.nc: folder3/storage\.nc.*truncated or damaged"):
        open_storage([files[2], archive])


def test_a_month_in_two_files_is_kept_once_where_its_values_agree(tmp_path, straight):
    whole = write(make_storage(), tmp_path, "whole.nc")
    again = write(make_storage().isel(time=[1]), tmp_path, "again.nc")
    xr.testing.assert_identical(open_storage([whole, again]), straight)
    other = make_storage().isel(time=[1])
    other["gwsa"][0, 3, 4] += 2.5
    path = write(other, tmp_path, "other.nc")
    with pytest.raises(
        DataError, match=r"whole\.nc and .*other\.nc both hold 2002-05, .*up to 2\.5 mm apart.*leave one"
    ):
        open_storage([whole, path])
    other = make_storage().isel(time=[1])
    other["gwsa"][0, 3, 4] = np.nan
    with pytest.raises(DataError, match="both hold 2002-05, with different values"):
        open_storage([whole, write(other, tmp_path, "hole.nc")])


def test_an_uncertainty_that_some_files_lack_is_nan_there(tmp_path):
    with_errors = make_storage().isel(time=[0, 1])
    with_errors["uncertainty"] = with_errors["gwsa"] * 0.0 + 4.0
    files = [write(with_errors, tmp_path, "a.nc"), write(make_storage().isel(time=[2]), tmp_path, "b.nc")]
    for order in (files, files[::-1]):
        opened = open_storage(order)
        assert (opened["uncertainty"][:2, 1, 1] == 4.0).all()
        assert np.isnan(opened["uncertainty"][2]).all()


def test_files_of_different_grids_or_variables_are_refused(tmp_path):
    first, second, _ = monthly_files(tmp_path)
    wider = write(make_storage(months=("2002-08",)).isel(lon=slice(10)), tmp_path, "wider.nc")
    with pytest.raises(
        DataError, match=r"2002-04\.nc and .*wider\.nc are on different grids \(40 by 720.*40 by 10 cells"
    ):
        open_storage([first, wider])
    total = write(make_storage(months=("2002-08",), name="twsa"), tmp_path, "total.nc")
    with pytest.raises(DataError, match=r"2002-05\.nc holds 'gwsa' and .*total\.nc 'twsa'.*storage_variable"):
        open_storage([second, total])
    with pytest.raises(DataError, match="No storage file was given"):
        open_storage([])


def test_calm_and_empty_months_are_judged_with_the_others(tmp_path):
    dataset = make_storage()
    dataset["gwsa"].values[1] = 0.25
    dataset["gwsa"].values[2] = np.nan
    files = monthly_files(tmp_path, dataset)
    opened = open_storage(files)
    assert (opened["storage"][1] == 0.25).all()
    with pytest.raises(DataError, match=r"2002-05\.nc.*far too small"):
        open_storage(files[1])
    with pytest.raises(DataError, match=r"2002-08\.nc.*holds no values at all"):
        open_storage(files[2])
    no_units = [write(xr.open_dataset(f).load().drop_attrs(), tmp_path, f"n{k}.nc") for k, f in enumerate(files)]
    with pytest.raises(DataError, match=r"n0\.nc \(and 2 more\): variable 'gwsa' has no units"):
        open_storage(no_units)


def test_what_is_peculiar_to_a_product_can_be_mended(tmp_path, straight):
    shifted = make_storage()
    shifted = shifted.assign_coords(time=shifted["time"] + np.timedelta64(31, "D"))
    files = monthly_files(tmp_path, shifted)

    def mend(raw):
        return raw.assign_coords(time=raw["time"] - np.timedelta64(31, "D"))

    xr.testing.assert_identical(read_storage(files, default_unit="mm", mend=mend), straight)


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
