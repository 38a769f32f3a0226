import numpy as np
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.sources.g3p import open_storage


def make_product(upper=True):
    lat = np.arange(89.75, -90.0, -0.5)
    lon = np.arange(-179.75, 180.0, 0.5)
    time = np.array(["2002-04-16", "2002-05-16", "2002-08-16"], dtype="datetime64[ns]")
    values = np.random.default_rng(1).normal(0.0, 60.0, (3, 360, 720)).astype(np.float32)
    values[:, :, 100:300] = np.nan
    names = ("GWSA", "uncertainty") if upper else ("gwsa", "Uncertainty")
    return xr.Dataset(
        {
            names[0]: (("time", "lat", "lon"), values, {"units": "mm"}),
            names[1]: (("time", "lat", "lon"), np.abs(values) / 10.0, {"units": "mm"}),
        },
        coords={"time": time, "lat": lat, "lon": lon},
    )


@pytest.mark.parametrize("upper", [True, False])
def test_the_product_opens_whatever_the_case_of_its_names(tmp_path, upper):
    product = make_product(upper)
    path = tmp_path / "gwsa.nc"
    encoding = {name: {"_FillValue": np.float32(-99999.0)} for name in product.data_vars}
    product.to_netcdf(path, encoding=encoding)
    dataset = open_storage(path)
    assert set(dataset.data_vars) == {"storage", "uncertainty"}
    assert (np.diff(dataset["lat"]) > 0).all()
    assert dataset["time"].values[0] == np.datetime64("2002-04-01", "ns")
    first = next(iter(product.data_vars.values()))
    np.testing.assert_array_equal(dataset["storage"].values, first.values[:, ::-1])
    assert np.isnan(dataset["storage"][0, 10, 150])


def test_a_product_without_units_is_in_mm_as_documented(tmp_path):
    product = make_product()
    for variable in product.values():
        variable.attrs.clear()
    product.to_netcdf(tmp_path / "gwsa.nc")
    dataset = open_storage(tmp_path / "gwsa.nc")
    np.testing.assert_array_equal(dataset["storage"].values, product["GWSA"].values[:, ::-1])


def test_another_storage_file_is_pointed_to_its_scenario(tmp_path):
    make_product().drop_vars("uncertainty").to_netcdf(tmp_path / "gwsa.nc")
    with pytest.raises(DataError, match=r"no variable 'uncertainty'.*scenario=observed storage_path=FILE"):
        open_storage(tmp_path / "gwsa.nc")
