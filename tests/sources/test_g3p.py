import zipfile

import numpy as np
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.sources.g3p import LABEL, open_storage

SINGLE = "gwsa_g3p_200204_202309_monthly_05_degree_250km_gauss_filtered_gravis.nc"
MONTHS = ("2002-04", "2002-05", "2002-08", "2003-01", "2003-02", "2004-12")


def make_product(months=MONTHS, *, global_grid=False):
    """G3P as we know it: half degrees, north first, stamps on the 16th, absent months absent, NaN over water."""
    south, west = (-89.75, -179.75) if global_grid else (-9.75, -14.75)
    lat, lon = np.arange(-south, south - 0.1, -0.5), np.arange(west, -west + 0.1, 0.5)
    time = np.array([f"{month}-16" for month in months], dtype="datetime64[ns]")
    # The same month has the same values whatever file it is in. Tenths: packing keeps them.
    fields = [np.random.default_rng(int(m.replace("-", ""))).normal(0.0, 60.0, (len(lat), len(lon))) for m in months]
    values = np.round(np.stack(fields), 1).astype(np.float32)
    values[:, :, 10:20] = np.nan
    dims = ("time", "lat", "lon")
    data = {"GWSA": (dims, values, {"units": "mm"}), "uncertainty": (dims, np.abs(values) + 1.0, {"units": "mm"})}
    return xr.Dataset(data, coords={"time": time, "lat": lat, "lon": lon})


def write(dataset, path, **encoding):
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.to_netcdf(path, encoding=dict.fromkeys(dataset.data_vars, encoding))
    return path


def write_years(dataset, folder):
    """The layout of older versions."""
    name = "GWSA_{}_Ano_0.5_degree_Gauss_250km_land_masked_GravIS.nc"
    return [write(part, folder / name.format(year)) for year, part in dataset.groupby("time.year")]


def zip_folder(folder, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return path


@pytest.fixture
def straight(tmp_path):
    return open_storage(write(make_product(), tmp_path / "straight" / SINGLE))


def test_the_product_comes_in_our_convention(straight):
    product = make_product()
    assert LABEL == "G3P v1.12"
    assert list(straight.data_vars) == ["storage", "uncertainty"]
    assert straight["time"].values.astype("datetime64[D]").astype(str).tolist() == [f"{m}-01" for m in MONTHS]
    assert (np.diff(straight["lat"]) > 0).all()
    np.testing.assert_array_equal(straight["storage"].values, product["GWSA"].values[:, ::-1])
    np.testing.assert_array_equal(straight["uncertainty"].values, product["uncertainty"].values[:, ::-1])
    assert straight["storage"].dtype == np.float32
    assert straight["storage"].attrs["units"] == "mm"
    assert np.isnan(straight["storage"][:, :, 10:20]).all()


def test_a_global_grid_keeps_its_rows_and_columns(tmp_path):
    product = make_product(("2002-04", "2002-05"), global_grid=True)
    dataset = open_storage(write(product, tmp_path / SINGLE, zlib=True))
    assert dict(dataset.sizes) == {"time": 2, "lat": 360, "lon": 720}
    assert (dataset["lat"][0], dataset["lon"][0]) == (-89.75, -179.75)
    np.testing.assert_array_equal(dataset["storage"].values, product["GWSA"].values[:, ::-1])


def scaled(dataset, factor, units):
    """The same depths of water in another unit, or with none stated."""
    changed = dataset * factor
    for name in changed.data_vars:
        changed[name].attrs = {"units": units} if units else {}
    return changed


VARIANTS = {
    "lower case": lambda d: d.rename(GWSA="gwsa"),
    "mixed case": lambda d: d.rename(GWSA="Gwsa", uncertainty="Uncertainty", lat="Lat", lon="LON", time="Time"),
    "long names of axes": lambda d: d.rename(lat="latitude", lon="longitude"),
    "south first": lambda d: d.isel(lat=slice(None, None, -1)),
    "0 to 360": lambda d: d.assign_coords(lon=d["lon"] % 360.0).sortby("lon"),
    "first of the month": lambda d: d.assign_coords(time=d["time"].values.astype("M8[M]").astype("M8[ns]")),
    "last hour of the month": lambda d: d.assign_coords(
        time=((d["time"].values.astype("M8[M]") + 1).astype("M8[h]") - 1).astype("M8[ns]")
    ),
    "months out of order": lambda d: d.isel(time=[3, 0, 5, 1, 4, 2]),
    "dims in another order": lambda d: d.transpose("lon", "time", "lat"),
    "axes in single precision": lambda d: d.assign_coords(lat=d["lat"].astype("f4"), lon=d["lon"].astype("f4")),
    "no units": lambda d: scaled(d, 1.0, None),
    "mm EWH": lambda d: scaled(d, 1.0, "mm EWH"),
    "centimetres": lambda d: scaled(d, 0.1, "cm"),
    "metres": lambda d: scaled(d, 0.001, "m"),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_of_the_format_reads_as_the_same_numbers(tmp_path, straight, variant):
    path = write(VARIANTS[variant](make_product()), tmp_path / SINGLE)
    xr.testing.assert_allclose(open_storage(path), straight, rtol=1e-6, atol=0.0)


ENCODINGS = {
    "double precision": {"dtype": "f8"},
    "fill declared": {"_FillValue": np.float32(-99999.0)},
    "the library's fill": {"_FillValue": np.float32(9.96921e36)},
    "packed in 16 bits": {"dtype": "i2", "scale_factor": 0.1, "_FillValue": np.int16(-32768)},
    "packed with an offset": {"dtype": "i2", "scale_factor": 0.1, "add_offset": 100.0, "_FillValue": np.int16(32767)},
    "packed in 32 bits": {"dtype": "i4", "scale_factor": 0.1, "_FillValue": np.int32(-9999999)},
    "compressed": {"zlib": True, "shuffle": True},
    "big-endian": {"dtype": ">f4"},
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_reads_as_the_same_numbers(tmp_path, straight, encoding):
    path = write(make_product(), tmp_path / SINGLE, **ENCODINGS[encoding])
    xr.testing.assert_allclose(open_storage(path), straight, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("form", ["NETCDF3_CLASSIC", "NETCDF3_64BIT", "NETCDF4_CLASSIC"])
def test_older_file_formats_read_as_the_same_numbers(tmp_path, straight, form):
    make_product().to_netcdf(tmp_path / SINGLE, format=form)
    xr.testing.assert_identical(open_storage(tmp_path / SINGLE), straight)


@pytest.mark.parametrize("fill", [-9999.0, -99999.0, 1e20, 9.96921e36, -3.4e38])
def test_fill_values_that_are_not_declared_become_nan(tmp_path, straight, fill):
    path = write(make_product().fillna(fill), tmp_path / SINGLE, _FillValue=None)
    with xr.open_dataset(path, decode_cf=False) as raw:
        assert "_FillValue" not in raw["GWSA"].attrs
        assert raw["GWSA"].notnull().all()
    xr.testing.assert_identical(open_storage(path), straight)


def test_yearly_files_are_put_together(tmp_path, straight):
    files = write_years(make_product(), tmp_path)
    assert len(files) == 3
    xr.testing.assert_identical(open_storage(files), straight)
    xr.testing.assert_identical(open_storage(files[::-1]), straight)


@pytest.mark.parametrize("layout", ["single", "yearly"])
def test_the_zip_is_read_as_it_comes(tmp_path, straight, layout):
    root = tmp_path / "zipped" / "G3P_v1.12"
    if layout == "single":
        write(make_product(), root / "GWSA" / SINGLE)
    else:
        write_years(make_product(), root / "GWSA")
    tws = make_product().rename(GWSA="TWS") + 1000.0
    write(tws, root / "TWS" / "tws_g3p_200204_202309_monthly_05_degree_costg_gravis.nc")
    (root / "G3P_v1.12_readme.txt").write_text("text")
    path = zip_folder(tmp_path / "zipped", tmp_path / "G3P_v1.12.zip")
    xr.testing.assert_identical(open_storage(path), straight)
    xr.testing.assert_identical(open_storage([path]), straight)
    assert not list(tmp_path.glob(".unpacked*"))


def test_a_month_that_comes_twice_with_the_same_values_is_taken_once(tmp_path, straight):
    whole = write(make_product(), tmp_path / SINGLE)
    part = write(make_product(MONTHS[2:4]), tmp_path / "part.nc")
    xr.testing.assert_identical(open_storage([part, whole]), straight)


def test_a_month_that_comes_twice_with_other_values_names_both_files(tmp_path):
    whole = write(make_product(), tmp_path / SINGLE)
    other = make_product(MONTHS[2:4])
    other["GWSA"][1, 5, 5] += 1.0
    part = write(other, tmp_path / "part.nc")
    with pytest.raises(DataError, match=r"gwsa_g3p_.* and .*part\.nc both hold 2003-01, with different values"):
        open_storage([whole, part])


def test_files_on_different_grids_are_refused(tmp_path):
    whole = write(make_product(), tmp_path / SINGLE)
    part = write(make_product(("2005-01",)).isel(lat=slice(4, None)), tmp_path / "part.nc")
    with pytest.raises(DataError, match=r"gwsa_g3p_.* and .*part\.nc are on different grids"):
        open_storage([whole, part])


def test_another_storage_file_is_pointed_to_its_scenario(tmp_path):
    path = write(make_product().drop_vars("uncertainty"), tmp_path / "gwsa.nc")
    with pytest.raises(DataError, match=r"no variable 'uncertainty'.*scenario=own storage_path=FILE"):
        open_storage(path)


def test_a_zip_without_groundwater_says_what_it_holds(tmp_path):
    write(make_product(), tmp_path / "zipped" / "TWS" / "tws.nc")
    path = zip_folder(tmp_path / "zipped", tmp_path / "other.zip")
    with pytest.raises(DataError, match=r"other\.zip: the zip holds no .*it holds TWS/tws\.nc"):
        open_storage(path)


def test_a_truncated_file_in_a_good_zip_is_named(tmp_path):
    file = write(make_product(), tmp_path / "zipped" / "G3P_v1.12" / "GWSA" / SINGLE)
    file.write_bytes(file.read_bytes()[:-3000])
    path = zip_folder(tmp_path / "zipped", tmp_path / "G3P_v1.12.zip")
    with pytest.raises(DataError) as caught:
        open_storage(path)
    assert str(caught.value).startswith(f"{path}: G3P_v1.12/GWSA/{SINGLE}: the file is truncated or damaged")
    assert ".unpacked" not in str(caught.value)
