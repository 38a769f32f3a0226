"""Storage changes are correlated with P - ET at the right lag, never across a gap."""

import numpy as np
import pytest
import xarray as xr

from gwsd.data.water_balance import compare_with_net_input
from gwsd.errors import DataError

MONTHS = np.arange("2002-01", "2006-01", dtype="datetime64[M]")


def earth(lag: int = 0) -> tuple[xr.Dataset, xr.Dataset]:
    random = np.random.default_rng(5)
    axes = {"lat": [10.25, 10.75], "lon": [20.25, 20.75, 21.25]}
    rain = random.gamma(2.0, 40.0, (len(MONTHS), 2, 3))
    loss = np.full_like(rain, 75.0)
    level = np.cumsum(rain - loss, axis=0)
    level = np.concatenate([np.zeros((lag, 2, 3)), level[: len(level) - lag]])
    dims, time = ("time", "lat", "lon"), {"time": MONTHS.astype("datetime64[ns]"), **axes}
    climate = xr.Dataset({"precipitation": (dims, rain), "evapotranspiration": (dims, loss)}, time)
    return xr.Dataset({"storage": (dims, level)}, time), climate


@pytest.mark.parametrize("lag", [0, 1, 2])
def test_the_lag_of_the_storage_is_found(lag: int) -> None:
    table = compare_with_net_input(*earth(lag)).set_index("lag")
    assert table["correlation_of_means"].idxmax() == lag
    assert table.loc[lag, "correlation_of_means"] > 0.9
    assert table.loc[lag, "median_cell_correlation"] > 0.9
    assert (table.drop(index=lag)["correlation_of_means"].abs() < 0.5).all()


def test_no_change_is_taken_across_a_gap() -> None:
    storage, climate = earth()
    gappy = storage.isel(time=[0, 1, 2, 10, 11, 12, 13])
    # Changes within the two runs of months: 2 and 3.
    assert compare_with_net_input(gappy, climate).set_index("lag").loc[0, "months"] == 5
    leaping = gappy.copy(deep=True)
    leaping["storage"][3:] += 1e4
    np.testing.assert_allclose(
        compare_with_net_input(leaping, climate).to_numpy(float), compare_with_net_input(gappy, climate).to_numpy(float)
    )


def test_invalid_cells_do_not_count_and_too_few_months_are_refused() -> None:
    storage, climate = earth()
    storage["storage"][:, 0, 0] = np.nan
    assert (compare_with_net_input(storage, climate)["cells"] == 5).all()
    with pytest.raises(DataError, match="Only 2 storage changes"):
        compare_with_net_input(storage.isel(time=slice(0, 3)), climate)
    with pytest.raises(DataError, match=r"evapotranspiration is absent.*climate_variables"):
        compare_with_net_input(storage, climate.drop_vars("evapotranspiration"))
