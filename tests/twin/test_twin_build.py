"""The toy twin Earth: mass, determinism, validity, faults, truth."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gwsd.errors import ConfigError, DataError
from gwsd.physics import infiltration_efficiency
from gwsd.twin.geography import find_land
from gwsd.twin.raw_storage import KINDS
from gwsd.twin.settings import FaultCounts
from gwsd.twin.truth import Truth
from tests.twin.conftest import SETTINGS, build, make_land

STATES = ("snow", "soil", "groundwater")
FAULTS = SETTINGS.faults.model_dump()
WHOLE = slice(None)


def residual(balance):
    """P - ET - runoff - drainage - net pumping - Δ(snow + soil + groundwater), mm."""
    change = sum(np.diff(balance[name].values, axis=0) for name in STATES)
    out = sum(balance[name].values for name in ("evapotranspiration", "runoff", "drainage", "net_pumping"))
    return balance["precipitation"].values - out - change


def test_mass_closes_and_a_leak_would_show(balance):
    assert balance["precipitation"].dtype == np.float64
    assert np.abs(residual(balance) / np.maximum(balance["precipitation"].values, 1.0)).max() < 1e-9
    leaky = balance.copy(deep=True)
    leaky["drainage"].values[3, 7] += 1e-3
    assert np.abs(residual(leaky)).max() > 5e-4


def test_every_term_of_the_balance_matters_and_both_precisions_agree(balance):
    for name in ("precipitation", "evapotranspiration", "runoff", "drainage", "net_pumping"):
        assert balance[name].values.max() > 0 <= balance[name].values.min(), name
    for name in STATES:
        assert np.abs(np.diff(balance[name].values, axis=0)).max() > 0.1, name
    np.testing.assert_allclose(balance["field_storage"], balance["groundwater"][1:], atol=0.02, rtol=1e-4)


def test_infiltration_increases_with_soil_moisture_and_storage_persists(balance):
    wet = balance["precipitation"].values > 20.0
    share = balance["infiltration"].values[wet] / balance["precipitation"].values[wet]
    moisture = balance["soil_moisture"].values[wet]
    low, high = np.quantile(moisture, [0.3, 0.7])
    assert share[moisture > high].mean() > 1.5 * share[moisture < low].mean()
    storage = balance["groundwater"].values
    anomaly = storage - storage.mean(axis=0)
    anomaly = anomaly[:, anomaly.std(axis=0) > 1.0]
    assert np.median((anomaly[1:] * anomaly[:-1]).sum(axis=0) / (anomaly**2).sum(axis=0)) > 0.6


def test_the_formulas_of_the_losses_are_used_for_the_inverse_crime_only(tmp_path, balance):
    with xr.open_dataset(build(tmp_path, inverse_crime=True, end="2010-12")["balance"]) as data:
        crime = data.load()
    assert np.abs(residual(crime)).max() < 1e-9
    errors = []
    for water in (crime, balance):
        alpha = infiltration_efficiency(water["soil_moisture"].values, 0.1, 0.4)
        recharge = alpha * (water["precipitation"].values - water["evapotranspiration"].values)
        errors.append(np.abs(water["infiltration"].values - recharge))
    assert errors[0].max() < 1e-9
    assert errors[1].mean() > 2.0


def test_truth_is_the_simulated_field(earth, balance):
    months = balance["time"].values.astype("datetime64[M]")
    with Truth(earth["truth"]) as truth:
        fields = np.stack([truth.patch(month, WHOLE, WHOLE) for month in truth.months])
        month, rows, columns = truth.months[7], slice(40, 72), slice(8, 40)
        np.testing.assert_array_equal(truth.patch(month, rows, columns), fields[7, rows, columns])
        with pytest.raises(DataError, match="no month 2011-06"):
            truth.patch("2011-06", rows, columns)
        rows = np.rint((balance["lat"].values - truth.grid.lat[0]) / truth.grid.spacing).astype(int)
        columns = np.rint((balance["lon"].values - truth.grid.lon[0]) / truth.grid.spacing).astype(int)
    np.testing.assert_array_equal(np.isnan(fields[0]), make_land().values < 0.5)
    expected = balance["field_storage"].values[np.isin(months, truth.months)]
    expected = expected - expected.mean(axis=0)  # the toy period is after the baseline: all months count
    assert np.abs(fields[:, rows, columns] - expected).max() < 0.2


def test_same_seed_same_bytes(earth, tmp_path):
    again = build(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in earth.values()}
    for name, path in again.items():
        assert path.read_bytes() == earth[name].read_bytes(), name


def test_faults_are_in_the_raw_file_and_nowhere_else(earth):
    table = pd.read_csv(earth["faults"])
    assert table["kind"].value_counts().to_dict() == FAULTS
    with xr.open_dataset(earth["storage"]) as raw, xr.open_dataset(earth["known"]) as known:
        storage = raw["GWSA"].sortby("lat").transpose("time", "lat", "lon").values
        valid, fault = known["valid"].values == 1, known["fault"].values
    np.testing.assert_array_equal(valid, find_land(make_land(), SETTINGS).covered & (fault == 0))
    assert {kind: (fault == flag).sum() for flag, kind in enumerate(KINDS, start=1)} == FAULTS
    assert np.abs(storage[:, valid]).max() < 2000.0
    assert storage[:, valid].std(axis=0).min() > 1.0
    for fault in table.itertuples():
        series = storage[:, fault.row, fault.column]
        if fault.kind == "constant":
            assert np.ptp(series) == 0.0
        elif fault.kind == "missing_land":
            assert np.isnan(series).all()
        elif fault.kind == "gap":
            assert 0 < np.isnan(series).sum() == len(fault.months.split()) < len(series)
        else:
            change = np.diff(series)
            assert np.abs(change).max() > 12.0 * 1.4826 * np.median(np.abs(change - np.median(change)))
            assert abs(fault.value_mm) >= 400.0


def test_the_valid_cells_are_those_with_most_land():
    land = make_land()
    cells = find_land(land, SETTINGS.model_copy(update={"valid_cells": 800}))
    assert cells.covered.sum() == 800 + sum(FAULTS.values())
    rows, columns = cells.coarse.shape
    share = land.values.reshape(rows, 4, columns, 4).mean(axis=(1, 3))
    assert share[cells.covered].min() >= share[~cells.covered].max() - 0.01


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"valid_cells": 57503}, "twin.valid_cells = 57503 and 18 faults need 57521 half-degree land cells"),
        ({"faults": FaultCounts(constant=9999, spike=0, gap=0, missing_land=0)}, "lower the numbers or enlarge"),
        ({"end": "2010-03"}, "has no month from 2010-04 to 2010-03"),
    ],
)
def test_impossible_settings_are_refused(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        build(tmp_path, **changes)
