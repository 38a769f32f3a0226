"""Storage files in every layout that users and products have, read to the same numbers."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gwsd.data.inputs import STORAGE, expand
from gwsd.data.storage_files import GROUNDWATER, TOTAL_WATER, WATER, find_quantity, open_g3p, read_storage
from gwsd.errors import DataError
from gwsd.units import millimetres

REAL_DATA = Path(os.environ.get("GWSD_REAL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
MONTHS = ("2002-04", "2002-05", "2002-08", "2003-01", "2003-02", "2004-12")
SINGLE = "gwsa_g3p_200204_202309_monthly_05_degree_250km_gauss_filtered_gravis.nc"


def make_storage(months=MONTHS, *, name="GWSA", units="mm", uncertainty=True):
    """G3P as published: half degrees, north first, stamps on the 16th, absent months absent, NaN over water."""
    lat, lon = np.arange(9.75, -9.8, -0.5), np.arange(-14.75, 14.8, 0.5)
    time = np.array([f"{month}-16" for month in months], dtype="datetime64[ns]")
    # A month has the same values in any file. Tenths survive packing.
    fields = [np.random.default_rng(int(m.replace("-", ""))).normal(0.0, 60.0, (len(lat), len(lon))) for m in months]
    values = np.round(np.stack(fields), 1).astype(np.float32)
    values[:, :, 10:20] = np.nan
    dims, attrs = ("time", "lat", "lon"), {"units": units} if units else {}
    data = {name: (dims, values, attrs)}
    if uncertainty:
        data["uncertainty"] = (dims, np.abs(values) + 1.0, attrs)
    return xr.Dataset(data, coords={"time": time, "lat": lat, "lon": lon})


def write(dataset, path, **encoding):
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.to_netcdf(path, encoding=dict.fromkeys(dataset.data_vars, encoding))
    return path


def write_years(dataset, folder):
    """The layout of older versions of G3P."""
    name = "GWSA_{}_Ano_0.5_degree_Gauss_250km_land_masked_GravIS.nc"
    return [write(part, folder / name.format(year)) for year, part in dataset.groupby("time.year")]


def zip_folder(folder, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return path


def check_same(paths, straight, *, open_=open_g3p, rtol=1e-6, atol=0.0, **options):
    """Compare everything but titles."""
    opened = open_(paths if isinstance(paths, list) else [paths], **options)
    xr.testing.assert_allclose(opened, straight, rtol=rtol, atol=atol)
    assert opened["storage"].attrs["units"] == "mm"


@pytest.fixture
def straight(tmp_path):
    return open_g3p([write(make_storage(), tmp_path / "straight" / SINGLE)])


def test_storage_is_read_in_our_convention(straight):
    product = make_storage()
    assert list(straight.data_vars) == ["storage", "uncertainty"]
    assert straight["time"].values.astype("datetime64[D]").astype(str).tolist() == [f"{m}-01" for m in MONTHS]
    assert (np.diff(straight["lat"]) > 0).all()
    np.testing.assert_array_equal(straight["storage"].values, product["GWSA"].values[:, ::-1])
    np.testing.assert_array_equal(straight["uncertainty"].values, product["uncertainty"].values[:, ::-1])
    assert straight["storage"].dtype == np.float32
    assert straight["storage"].attrs == {"units": "mm", "quantity": GROUNDWATER, "long_name": GROUNDWATER}
    assert "synthetic" not in straight.attrs


def scaled(dataset, factor, units):
    """The same depths of water in another unit, or with none stated."""
    changed = dataset * factor
    for name in changed.data_vars:
        changed[name].attrs = {"units": units} if units else {}
    return changed


def capital_units(dataset):
    """As some mascon files have them, also on the time axis."""
    days = (dataset["time"].values - np.datetime64("2002-01-01", "ns")) / np.timedelta64(1, "D")
    changed = dataset.assign_coords(time=("time", days, {"Units": "days since 2002-01-01T00:00:00Z"}))
    changed["GWSA"].attrs = {"Units": "mm"}
    return changed


LAYOUTS = {
    "mixed case": lambda d: d.rename(GWSA="Gwsa", uncertainty="Uncertainty", lat="Lat", lon="LON", time="Time"),
    "long names of axes": lambda d: d.rename(lat="latitude", lon="longitude", time="valid_time"),
    "south first": lambda d: d.isel(lat=slice(None, None, -1)),
    "0 to 360": lambda d: d.assign_coords(lon=d["lon"] % 360.0).sortby("lon"),
    "last hour of the month": lambda d: d.assign_coords(
        time=((d["time"].values.astype("M8[M]") + 1).astype("M8[h]") - 1).astype("M8[ns]")
    ),
    "integers YYYYMM": lambda d: d.assign_coords(time=[int(month.replace("-", "")) for month in MONTHS]),
    "months out of order": lambda d: d.isel(time=[3, 0, 5, 1, 4, 2]),
    "dims in another order": lambda d: d.transpose("lon", "time", "lat"),
    "axes in single precision": lambda d: d.assign_coords(lat=d["lat"].astype("f4"), lon=d["lon"].astype("f4")),
    "units in capitals": capital_units,
    "no units": lambda d: scaled(d, 1.0, None),
    "metres": lambda d: scaled(d, 0.001, "m w.e."),
    "uncertainty in another unit": lambda d: d.assign(uncertainty=(d["uncertainty"] / 10).assign_attrs(units="cm")),
    "uncertainty named after the storage": lambda d: d.rename(GWSA="gws", uncertainty="gws_error"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_reads_to_the_same_numbers(tmp_path, straight, layout):
    check_same(write(LAYOUTS[layout](make_storage()), tmp_path / SINGLE), straight)


ENCODINGS = {
    "fill declared": {"_FillValue": np.float32(-99999.0)},
    "the library's fill": {"_FillValue": np.float32(9.96921e36)},
    "packed with an offset": {"dtype": "i2", "scale_factor": 0.1, "add_offset": 100.0, "_FillValue": np.int16(32767)},
    "big-endian": {"dtype": ">f4", "zlib": True},
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_reads_to_the_same_numbers(tmp_path, straight, encoding):
    check_same(write(make_storage(), tmp_path / SINGLE, **ENCODINGS[encoding]), straight, atol=1e-5)


@pytest.mark.parametrize("form", ["NETCDF3_CLASSIC", "NETCDF3_64BIT", "NETCDF4_CLASSIC"])
def test_older_file_formats_read_to_the_same_numbers(tmp_path, straight, form):
    make_storage().assign_attrs(title="A file", comment="SYNTHETIC").to_netcdf(tmp_path / SINGLE, format=form)
    check_same(tmp_path / SINGLE, straight)
    assert open_g3p([tmp_path / SINGLE]).attrs == {"source_title": "A file", "synthetic": "yes"}


@pytest.mark.parametrize("fill", [-9999.0, -99999.0, 1e20, 9.96921e36, -3.4e38])
def test_undeclared_fill_values_become_nan(tmp_path, straight, fill):
    check_same(write(make_storage().fillna(fill), tmp_path / SINGLE, _FillValue=None), straight)


@pytest.mark.parametrize("layout", ["single", "yearly"])
def test_the_zip_of_g3p_is_read_as_published(tmp_path, straight, layout):
    root = tmp_path / "zipped" / "G3P_v1.12"
    if layout == "single":
        write(make_storage(), root / "GWSA" / SINGLE)
    else:
        files = write_years(make_storage(), root / "GWSA")
        check_same(files[::-1], straight)
    write(make_storage(name="TWS") + 1000.0, root / "TWS" / "tws_g3p.nc")
    (root / "G3P_v1.12_readme.txt").write_text("text")
    check_same(zip_folder(tmp_path / "zipped", tmp_path / "G3P_v1.12.zip"), straight)
    assert not list(tmp_path.glob(".unpacked*"))


def test_files_of_some_months_are_merged_whatever_their_order_unit_and_suffix(tmp_path, straight):
    parts = [make_storage().isel(time=[k]) for k in range(len(MONTHS))]
    files = [write(part, tmp_path / f"{k}.nc") for k, part in enumerate(parts)]
    files[1] = write(scaled(parts[1], 0.001, "m").isel(lat=slice(None, None, -1)), tmp_path / "metres.nc")
    files[3] = write(make_storage().isel(time=3), tmp_path / "scalar_time.nc")
    (tmp_path / "zipped").mkdir()
    for k in (4, 5):
        files[k].rename(tmp_path / "zipped" / f"{k}.nc")
    archive = zip_folder(tmp_path / "zipped", tmp_path / "two_months.nc")
    check_same([archive, *files[:4]], straight, open_=read_storage)
    whole = write(make_storage(), tmp_path / SINGLE)
    check_same([files[2], whole], straight, open_=read_storage)  # a month twice, with the same values


def test_a_variable_is_chosen_by_its_name(tmp_path):
    dataset = make_storage(name="Deep", uncertainty=False)
    dataset["gwsa"] = (dataset["Deep"] * 3.0).assign_attrs(units="mm")
    dataset["mask"] = dataset["Deep"][0]
    path = write(dataset, tmp_path / "two.nc")
    np.testing.assert_array_equal(read_storage([path])["storage"], dataset["gwsa"][:, ::-1])
    for name in ("Deep", "DEEP"):
        np.testing.assert_array_equal(read_storage([path], variable=name)["storage"], dataset["Deep"][:, ::-1])
    with pytest.raises(DataError, match=r"no monthly field 'deeep' .*did you mean 'Deep'\? It has Deep, gwsa"):
        read_storage([path], variable="deeep")
    with pytest.raises(DataError, match=r"cannot tell which variable.*'Deep', 'other'"):
        read_storage([write(dataset.rename(gwsa="other"), tmp_path / "unknown.nc")])
    assert "storage" in read_storage([write(dataset[["Deep"]], tmp_path / "only.nc")])


@pytest.mark.parametrize(
    ("name", "attributes", "quantity"),
    [
        ("GWSA", {}, GROUNDWATER),
        ("storage", {"long_name": "Groundwater storage anomaly"}, GROUNDWATER),
        ("twsa", {}, TOTAL_WATER),
        ("lwe_thickness", {"long_name": "Liquid_Water_Equivalent_Thickness"}, TOTAL_WATER),
        ("lwe", {"long_name": "groundwater anomaly"}, GROUNDWATER),
        ("anomaly", {"standard_name": "terrestrial_water_storage"}, TOTAL_WATER),
        ("storage", {}, WATER),
    ],
)
def test_the_quantity_is_that_of_the_file(name, attributes, quantity):
    assert find_quantity(name, attributes) == quantity


UNITS = {
    1.0: ("mm", "MM", " mm w.e. ", "kg.m-2", "mm_ewh", "kg/m^2", "kg m**-2", "Millimeter", "mm(EWH) relative to 2004"),
    10.0: ("cm", "[cm_EWH]", "cm equivalent water height"),
    1000.0: ("m", "metres", "m w.e."),
    None: ("mm/day", "mm s-1", "mm month-1", "mm per month", "mm d^-1", "kg m-2 s-1", "m3 m-3", "m2", "K", "miles"),
}


@pytest.mark.parametrize(("unit", "factor"), [(unit, factor) for factor, units in UNITS.items() for unit in units])
def test_units_of_a_depth_of_water(unit, factor):
    assert millimetres(unit) == factor


@pytest.mark.parametrize("stated", [None, "", "1", "unknown"])
def test_the_setting_gives_the_unit_where_the_file_does_not(tmp_path, straight, stated):
    path = write(scaled(make_storage(), 0.1, stated), tmp_path / "storage.nc")
    check_same(path, straight, units="cm")


@pytest.mark.parametrize(
    ("units", "factor", "setting", "message"),
    [
        ("mm", 0.001, None, "far too small for a storage anomaly: the values are metres"),
        ("m", 1.0, None, "far too large for a storage anomaly: the values are mm or cm"),
        (None, 1.0, None, r"has no units\. Expected.*sources\.storage_units.*looks like mm or cm"),
        (None, 1.0, "m", "far too large"),
        ("mm/day", 1.0, None, r"has the units 'mm/day'\. Expected mm, cm, m or kg m-2"),
        ("kg m-2", 1.0, "cm", r"has the units 'kg m-2', but sources\.storage_units is 'cm'"),
    ],
)
def test_wrong_units_are_refused(tmp_path, units, factor, setting, message):
    path = write(scaled(make_storage(), factor, units), tmp_path / "storage.nc")
    with pytest.raises(DataError, match=rf"storage\.nc: variable 'GWSA' .*{message}"):
        read_storage([path], units=setting)


def test_a_calm_month_is_judged_with_the_others(tmp_path):
    calm = make_storage(MONTHS[:1])
    calm["GWSA"][:] = 0.25
    files = [write(calm, tmp_path / "calm.nc"), write(make_storage(MONTHS[1:]), tmp_path / "more.nc")]
    assert (read_storage(files)["storage"][0] == 0.25).all()
    with pytest.raises(DataError, match=r"calm\.nc.*far too small"):
        read_storage(files[:1])
    empty = write(make_storage(MONTHS[:1]) * np.nan, tmp_path / "empty.nc")
    with pytest.raises(DataError, match=r"empty\.nc.*holds no values"):
        read_storage([empty])


WRONG = {
    "no time": (lambda d: d.isel(time=0, drop=True), "there is no time axis"),
    "time of numbers": (lambda d: d.assign_coords(time=range(6)), "'time' does not hold dates"),
    "a month twice": (lambda d: d.assign_coords(time=d["time"].values[[0, 1, 2, 3, 4, 4]]), "2003-02 occurs 2 times"),
    "projected": (
        lambda d: d.assign_coords(lat=1000.0 * np.arange(40)).rename(lat="y", lon="x"),
        "latitudes run from 0 to 39000, which are not degrees",
    ),
    "no latitude": (lambda d: d.rename(lat="row"), "there is no axis 'lat'"),
    "levels": (lambda d: d.expand_dims(level=2), "has a dimension 'level' of length 2"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_wrong_layouts_are_refused(tmp_path, fault):
    change, message = WRONG[fault]
    with pytest.raises(DataError, match=rf"storage\.nc: .*{message}"):
        read_storage([write(change(make_storage(uncertainty=False)), tmp_path / "storage.nc")])


@pytest.mark.parametrize(("share", "form"), [(0.3, "NETCDF3_CLASSIC"), (0.9, "NETCDF3_CLASSIC"), (0.9, "NETCDF4")])
def test_truncated_files_are_refused(tmp_path, share, form):
    file = tmp_path / "zipped" / "GWSA" / "storage.nc"
    write(make_storage(), file)
    make_storage().to_netcdf(file, format=form)
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    with pytest.raises(DataError, match=r"storage\.nc: the file is truncated or damaged.*download or copy it again"):
        read_storage([file])
    path = zip_folder(tmp_path / "zipped", tmp_path / "G3P.zip")
    with pytest.raises(DataError, match=r"G3P\.zip: GWSA.storage\.nc: the file is truncated") as caught:
        open_g3p([path])
    assert ".unpacked" not in str(caught.value)


def test_files_of_other_formats_are_refused(tmp_path):
    path = tmp_path / "storage.nc"
    with pytest.raises(DataError, match=r"storage\.nc: .*No such file"):
        read_storage([path])
    for content, message in {b"": "empty", b"<!DOCTYPE": "web page", b"GRIB\0\0": "GRIB", b"none": "unknown"}.items():
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"storage\.nc: .*{message}"):
            read_storage([path])


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    first = write(make_storage(), tmp_path / "first.nc")
    other = make_storage(MONTHS[2:4])
    other["GWSA"][1, 5, 5] += 2.5
    cases = {
        "both hold 2003-01, .*up to 2.5 mm apart": other,
        "are on different grids": make_storage(("2005-01",)).isel(lat=slice(4, None)),
        "holds 'GWSA' and .* 'twsa'": make_storage(("2005-01",), name="twsa"),
    }
    for message, dataset in cases.items():
        with pytest.raises(DataError, match=rf"first\.nc .*{message}"):
            read_storage([first, write(dataset, tmp_path / "second.nc")])
    with pytest.raises(DataError, match="No storage file was given"):
        read_storage([])


def test_g3p_refuses_other_storage(tmp_path):
    path = write(make_storage(uncertainty=False), tmp_path / "gwsa.nc")
    with pytest.raises(DataError, match=r"no variable 'uncertainty'.*scenario=own storage_path=FILE"):
        open_g3p([path])
    write(make_storage(), tmp_path / "zipped" / "TWS" / "tws.nc")
    with pytest.raises(DataError, match=r"other\.zip: the zip .*TWS/tws\.nc"):
        open_g3p([zip_folder(tmp_path / "zipped", tmp_path / "other.zip")])


def test_a_path_is_a_file_a_directory_or_a_glob(tmp_path):
    for name in ("b.nc", "a.zip", "notes.txt", ".hidden/c.nc", "2003/d.nc4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert expand(str(tmp_path / "notes.txt"), "storage_path") == [tmp_path / "notes.txt"]
    assert expand(str(tmp_path), "storage_path") == [tmp_path / "2003/d.nc4", tmp_path / "a.zip", tmp_path / "b.nc"]
    assert expand(f"{tmp_path}/**/*.nc4", "storage_path") == [tmp_path / "2003/d.nc4"]
    for path, words in {"absent.nc": "no such file", "*.grib": "no file matches"}.items():
        with pytest.raises(DataError, match=f"climate_path: .*{words}"):
            expand(str(tmp_path / path), "climate_path")


def test_real_total_water_storage():
    path = REAL_DATA / "observed_storage" / "twsa_jpl_l2_gauss250km_05deg_200204_202309.nc"
    if not path.exists():
        pytest.skip(f"no real data at {path}; set GWSD_REAL_DATA")
    dataset = STORAGE["local"].open([path])
    assert dict(dataset.sizes) == {"time": 216, "lat": 360, "lon": 720}
    assert dataset["storage"].attrs["quantity"] == "total water storage anomaly"
    assert np.isfinite(dataset["storage"].values).all(axis=0).sum() == 61895
    # In Bangladesh the monsoon stores some decimetres between April and September.
    means = dataset["storage"].sel(lat=24.25, lon=90.25).groupby("time.month").mean()
    assert means.sel(month=9) - means.sel(month=4) > 200.0
