import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from gwsd.errors import DataError
from gwsd.patches.gathering import Cube, gather, nearest_valid
from gwsd.physics import FORCING
from gwsd.resample import Kernel, upsample
from tests.training.toy_earth import LEVELS, NORMALISATION, VARIABLES, toy_cube, toy_datasets


def one_patch(month: str = "2002-06", row: int = 4, col: int = 5) -> pd.DataFrame:
    return pd.DataFrame({"month": [month], "row": [row], "col": [col]})


def test_a_batch_has_the_values_of_the_files() -> None:
    storage, climate, _ = toy_datasets()
    batch = gather(toy_cube(), one_patch(), size=8, history_months=3)
    window = {"lat": slice(4, 12), "lon": slice(5, 13)}
    now = storage["storage"].sel(time="2002-06-01").isel(window).to_numpy()
    before = storage["storage"].sel(time="2002-05-01").isel(window).to_numpy()
    np.testing.assert_array_equal(batch.storage_mm[0, 0], now)
    np.testing.assert_array_equal(batch.previous_mm[0, 0], before)
    np.testing.assert_allclose(batch.storage[0, 0], (now + 5.0) / 50.0, rtol=1e-5)
    assert torch.equal(batch.target_mm, upsample(batch.storage_mm, Kernel.BICUBIC))
    for channel, name in enumerate(VARIABLES):
        mean, std = LEVELS[name]
        months = climate[name].sel(time=slice("2002-04-01", "2002-06-01")).isel(window).to_numpy()
        np.testing.assert_allclose(batch.climate[0, :, channel], (months - mean) / std, atol=1e-5)
    for name in FORCING:
        expected = climate[name].sel(time="2002-06-01").isel(window).to_numpy()
        np.testing.assert_array_equal(getattr(batch, name)[0, 0], expected)
    latitudes = storage["lat"].to_numpy()[4] - 0.1875 + 0.125 * np.arange(32)
    np.testing.assert_allclose(batch.area[0, 0, :, 7], np.cos(np.deg2rad(latitudes)), rtol=1e-6)


def test_the_previous_month_is_that_of_the_calendar_not_of_the_file() -> None:
    # 2002-08 and 2002-09 are absent: October's predecessor in the file is July.
    rows = pd.concat([one_patch("2002-04"), one_patch("2002-10"), one_patch("2002-11")])
    batch = gather(toy_cube(), rows, size=8, history_months=1)
    assert batch.has_previous.tolist() == [False, False, True]
    assert (batch.previous_mm[:2] == 0).all()


def test_gaps_are_filled_from_the_nearest_valid_cell_and_do_not_count() -> None:
    storage, _, _ = toy_datasets()
    batch = gather(toy_cube(), one_patch(col=32), size=8, history_months=2)  # columns 32-39; the sea begins at 36
    coast = storage["storage"].sel(time="2002-06-01").isel(lat=slice(4, 12), lon=35).to_numpy()
    for column in range(4, 8):
        np.testing.assert_array_equal(batch.storage_mm[0, 0, :, column], coast)
    assert batch.valid[0, 0, :, :16].all()
    assert not batch.valid[0, 0, :, 16:].any()
    for name in ("climate", "target_mm", "previous_mm", "soil_moisture"):
        assert torch.isfinite(getattr(batch, name)).all()


def test_the_climate_reaches_twelve_months_back() -> None:
    batch = gather(toy_cube(), one_patch("2002-04"), size=8, history_months=12)
    climate = toy_datasets()[1]["temperature"].sel(time="2001-05-01").isel(lat=4, lon=5).item()
    assert batch.climate[0, 0, 2, 0, 0].item() == pytest.approx((climate - 15.0) / 8.0, abs=1e-5)
    with pytest.raises(DataError, match=r"14 months of climate up to 2002-04 .* 2001-04 to 2003-03"):
        gather(toy_cube(), one_patch("2002-04"), size=8, history_months=14)


@pytest.mark.parametrize("month", ["2002-08", "2030-01"])
def test_patches_of_absent_months_are_refused(month: str) -> None:
    with pytest.raises(DataError, match=f"storage has no month {month}"):
        gather(toy_cube(), one_patch(month), size=8, history_months=1)


@pytest.mark.parametrize(
    ("variables", "absent", "constraints"),
    [
        (["temperature", "precipitation"], ["soil_moisture"], ("sign",)),
        (["precipitation", "soil_moisture"], ["evapotranspiration"], ()),
        (["temperature"], ["precipitation", "evapotranspiration", "soil_moisture"], ()),
        (VARIABLES, [], ("sign", "magnitude", "regional")),
    ],
)
def test_forcing_that_the_climate_lacks_is_none(
    variables: list[str], absent: list[str], constraints: tuple[str, ...]
) -> None:
    batch = gather(toy_cube(variables), one_patch(), size=8, history_months=3)
    assert batch.climate.shape == (1, 3, len(variables), 8, 8)
    assert [name for name in FORCING if getattr(batch, name) is None] == absent
    assert batch.constraints == constraints


@pytest.mark.parametrize("wraps", [True, False])
@pytest.mark.parametrize("columns", [10, 11])
def test_nearest_valid_against_brute_force(wraps: bool, columns: int) -> None:
    valid = np.random.Generator(np.random.PCG64(columns)).random((7, columns)) > 0.9
    valid[3, 0] = True
    places = np.argwhere(valid)

    def squared_distance(row: np.ndarray, col: np.ndarray) -> np.ndarray:
        across = np.abs(col - np.arange(columns)[:, None])
        across = np.minimum(across, columns - across) if wraps else across
        return (row - np.arange(7)[:, None, None]) ** 2 + across**2

    row, col = np.moveaxis(places[nearest_valid(valid, wraps=wraps)], -1, 0)[..., None]
    nearest = squared_distance(places[:, 0], places[:, 1]).min(axis=-1)
    np.testing.assert_array_equal(squared_distance(row, col)[..., 0], nearest)


def test_bad_inputs_are_named() -> None:
    storage, climate, mask = toy_datasets()

    def refuse(words: str, storage: xr.Dataset = storage, climate: xr.Dataset = climate, mask: xr.Dataset = mask):
        with pytest.raises(DataError, match=words):
            Cube.from_datasets(storage, climate, mask, normalisation=NORMALISATION, variables=VARIABLES)

    refuse("climate: months are missing", climate=climate.isel(time=[0, 1, 3]))
    refuse("storage: months must increase", storage=storage.isel(time=[1, 0]))
    refuse("storage and mask are not on one grid: their `lat` differ", storage=storage.isel(lat=slice(None, None, -1)))
    refuse("no cell is valid", mask=mask * 0)
    refuse(r"`storage` has no value at 288 of 1152 valid cells", mask=mask * 0 + 1)
