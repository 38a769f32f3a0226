"""The files of a toy twin Earth: mass, determinism, validity, truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gwsd.errors import ConfigError, DataError
from gwsd.physics import Limit, extraterrestrial_radiation, infiltration_efficiency, limit_by_water, oudin
from gwsd.sources.twin.cells import find_land
from gwsd.sources.twin.faults import KINDS, choose_faults
from gwsd.sources.twin.months import storage_months
from gwsd.sources.twin.simulation import Stream, generator
from gwsd.sources.twin.truth import Truth, open_truth

STATES = ("snow", "soil", "groundwater")


def residual(balance):
    """P - ET - runoff - drainage - net pumping - Δ(snow + soil + groundwater), mm, from what was written."""
    change = sum(np.diff(balance[name].values, axis=0) for name in STATES)
    out = sum(balance[name].values for name in ("evapotranspiration", "runoff", "drainage", "net_pumping"))
    return balance["precipitation"].values - out - change


@pytest.fixture(scope="module")
def balance(earth):
    with xr.open_dataset(earth["balance"]) as data:
        return data.load()


def test_mass_closes_in_what_was_written(balance):
    assert balance["precipitation"].dtype == np.float64
    scale = np.maximum(balance["precipitation"].values, 1.0)
    assert np.abs(residual(balance) / scale).max() < 1e-9


def test_the_closure_test_can_fail(balance):
    leaky = balance.copy(deep=True)
    leaky["drainage"].values[3, 7] += 1e-3
    assert np.abs(residual(leaky)).max() > 5e-4


def test_every_term_of_the_balance_takes_part(balance):
    for name in ("precipitation", "evapotranspiration", "runoff", "drainage", "net_pumping"):
        assert balance[name].values.max() > 0, name
        assert balance[name].values.min() >= 0, name
    for name in STATES:
        assert np.abs(np.diff(balance[name].values, axis=0)).max() > 0.1, name


def test_the_sample_in_float64_is_the_field_in_float32(balance):
    exact, field = balance["groundwater"].values[1:], balance["field_storage"].values
    assert field.dtype == np.float32
    np.testing.assert_allclose(field, exact, atol=0.02, rtol=1e-4)


def test_infiltration_rises_with_soil_moisture(balance):
    wet = balance["precipitation"].values > 20.0
    share = balance["infiltration"].values[wet] / balance["precipitation"].values[wet]
    moisture = balance["soil_moisture"].values[wet]
    low, high = np.quantile(moisture, [0.3, 0.7])
    assert share[moisture > high].mean() > 1.5 * share[moisture < low].mean()


def test_truth_is_the_field_that_was_stepped(earth, balance):
    with Truth(earth["truth"]) as truth, xr.open_dataset(earth["known"]):
        months = balance["time"].values.astype("datetime64[M]")
        present = np.isin(months, truth.months)
        rows = np.rint((balance["lat"].values - truth.grid.lat[0]) / truth.grid.spacing).astype(int)
        columns = np.rint((balance["lon"].values - truth.grid.lon[0]) / truth.grid.spacing).astype(int)
        fields = np.stack([truth.patch(m, slice(None), slice(None))[rows, columns] for m in truth.months])
    expected = balance["field_storage"].values[present]
    expected = expected - expected.mean(axis=0)  # the toy period lies after the baseline: all months count
    assert np.abs(fields - expected).max() < 0.2


def test_a_patch_of_the_truth_is_the_window_of_the_whole(earth, land):
    with Truth(earth["truth"]) as truth:
        whole = truth.patch("2011-02", slice(None), slice(None))
    patch = open_truth(earth["truth"], slice(40, 72), slice(8, 40), "2011-02")
    np.testing.assert_array_equal(patch, whole[40:72, 8:40])
    np.testing.assert_array_equal(np.isnan(whole), land.values < 0.5)
    assert 1.0 < np.nanstd(whole) < 500.0


def test_truth_of_an_absent_month_is_refused(earth):
    with pytest.raises(DataError, match="no month 2011-06"):
        open_truth(earth["truth"], slice(0, 4), slice(0, 4), "2011-06")


def test_same_seed_same_bytes(earth, build_earth, tmp_path):
    again = build_earth(tmp_path)
    names = sorted(path.name for path in earth.folder.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 6 + len(again.climate)
    for name in names:
        assert (earth.folder / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_known_validity_is_cover_less_faults(earth, land):
    cells = find_land(land, earth.settings)
    with xr.open_dataset(earth["known"]) as known:
        np.testing.assert_array_equal(known["valid"] == 1, cells.chosen & (known["fault"].values == 0))
        counts = {kind: int((known["fault"] == flag).sum()) for flag, kind in enumerate(KINDS, start=1)}
    assert counts == earth.settings.faults


def test_faults_show_in_the_raw_file_and_nowhere_else(earth):
    table = pd.read_csv(earth["faults"])
    assert table["kind"].value_counts().to_dict() == earth.settings.faults
    with xr.open_dataset(earth["storage"]) as raw, xr.open_dataset(earth["known"]) as known:
        storage = raw["GWSA"].sortby("lat").transpose("time", "lat", "lon").values
        valid = known["valid"].values == 1
    healthy = storage[:, valid]
    assert np.isfinite(healthy).all()
    assert np.abs(healthy).max() < 2000.0
    assert healthy.std(axis=0).min() > 1.0
    for fault in table.itertuples():
        series = storage[:, fault.row, fault.column]
        if fault.kind == "constant":
            assert np.ptp(series) == 0.0
        elif fault.kind == "filled":
            assert np.isnan(series).all()
        elif fault.kind == "hole":
            assert 0 < np.isnan(series).sum() == len(fault.months.split()) < len(series)
        else:
            change = np.abs(np.diff(series))
            assert change.max() > 12.0 * 1.4826 * np.median(np.abs(np.diff(series) - np.median(np.diff(series))))
            assert abs(fault.value_mm) >= 400.0


def test_seeds_change_the_faults(earth, land):
    cells = find_land(land, earth.settings)
    months = storage_months("2010-04", "2012-06")
    drawn = [
        choose_faults(cells.chosen, cells.coarse, months, earth.settings.faults, generator(seed, Stream.FAULTS)).kind
        for seed in (1, 2, 1)
    ]
    assert (drawn[0] != drawn[1]).any()
    np.testing.assert_array_equal(drawn[0], drawn[2])


def test_exactly_the_valid_cells_asked_for_are_those_with_most_land(land, earth):
    cells = find_land(land, replace(earth.settings, valid_cells=800))
    assert cells.chosen.sum() == 800 + sum(earth.settings.faults.values())
    rows, columns = cells.coarse.shape
    share = land.values.reshape(rows, 4, columns, 4).mean(axis=(1, 3))
    assert share[cells.chosen].min() >= share[~cells.chosen].max() - 0.01


def test_more_cells_than_land_is_refused(land, earth):
    with pytest.raises(ConfigError, match=r"twin.valid_cells = 57503 and 18 faults need 57521 half-degree land cells"):
        find_land(land, replace(earth.settings, valid_cells=57503))


def test_more_faults_than_cells_is_refused(land, earth):
    with pytest.raises(ConfigError, match="lower the numbers or enlarge the region"):
        find_land(land, replace(earth.settings, faults={"constant": 5000}))


def test_an_unknown_kind_of_fault_is_refused(land, earth):
    cells = find_land(land, earth.settings)
    with pytest.raises(ConfigError, match=r"twin.faults.crack is unknown"):
        choose_faults(cells.chosen, cells.coarse, storage_months("2010-04", "2012-06"), {"crack": 1}, generator(1, 0))


def test_with_the_switch_the_formulas_are_those_of_the_losses(build_earth, tmp_path):
    crime = build_earth(tmp_path, same_formulas_as_losses=True, end="2010-12")
    with (
        xr.open_dataset(crime["balance"]) as balance,
        xr.open_dataset(crime["climate_blocks"]) as blocks,
        Truth(crime["truth"]) as truth,
    ):
        assert np.abs(residual(balance)).max() < 1e-9
        alpha = infiltration_efficiency(balance["soil_moisture"].values, 0.1, 0.4)
        net = balance["precipitation"].values - balance["evapotranspiration"].values
        np.testing.assert_allclose(balance["infiltration"].values, alpha * net, atol=1e-9)
        # evapotranspiration against the losses' own functions, at a sample cell inside the climate block
        lat, lon = blocks["lat"].values[0], blocks["lon"].values[0]
        inside = np.isin(balance["lat"].values, lat) & np.isin(balance["lon"].values, lon)
        cell = int(np.flatnonzero(inside)[0])
        y = int(np.flatnonzero(lat == balance["lat"].values[cell])[0])
        x = int(np.flatnonzero(lon == balance["lon"].values[cell])[0])
        temperature = blocks["temperature"].values[0, :, y, x]
        assert truth.months.size > 0
        for t, days in enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)):
            radiation = extraterrestrial_radiation(balance["lat"].values[cell], 15.2 + 30.4 * t)
            potential = oudin(temperature[t], radiation, days)
            water = balance["precipitation"].values[t, cell] + balance["soil"].values[t, cell]
            expected = limit_by_water(potential, water, limit=Limit.BUDYKO)
            assert balance["evapotranspiration"].values[t, cell] == pytest.approx(float(expected), rel=2e-3, abs=0.05)


def test_without_the_switch_they_are_not(balance):
    alpha = infiltration_efficiency(balance["soil_moisture"].values, 0.1, 0.4)
    net = balance["precipitation"].values - balance["evapotranspiration"].values
    assert np.abs(balance["infiltration"].values - alpha * net).mean() > 2.0


def test_storage_remembers_the_climate_of_months_before(balance):
    rain, storage = balance["precipitation"].values, balance["groundwater"].values[1:]
    anomaly = storage - storage.mean(axis=0)
    moving = anomaly.std(axis=0) > 1.0
    lag_1 = ((anomaly[1:] * anomaly[:-1]).sum(axis=0) / np.maximum((anomaly**2).sum(axis=0), 1e-9))[moving]
    assert np.median(lag_1) > 0.6
    # storage goes with the rain of months before, not only with that of its own month
    rain = rain - rain.mean(axis=0)

    def correlation(months):
        summed = sum(rain[5 - k : len(rain) - k] for k in range(months))
        with np.errstate(invalid="ignore"):
            both = (summed * anomaly[5:]).mean(axis=0) / summed.std(axis=0) / anomaly[5:].std(axis=0)
        return np.median(both[moving])

    assert correlation(6) > correlation(1) + 0.1
