"""Quality control finds every fault and nothing else."""

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter

from gwsd.data import quality
from gwsd.data.calendar import month_range
from gwsd.data.land import is_ice_sheet
from gwsd.data.quality import Reason
from gwsd.data.settings import Quality
from gwsd.data.storage import align_storage
from gwsd.errors import DataError
from gwsd.grid import Grid

SETTINGS = Quality(
    max_anomaly_mm=2000.0, spike_threshold_sigma=8.0, min_std_mm=0.01, expected_cells=57503, expected_months=225
)
GRID = Grid(0.5, (0.0, 40.0, 24.0, 60.0))


def make_world(seed, months=60):
    """Storage and climate of a region with an ocean, an ice cap and every fault, and the reasons that hold."""
    rng = np.random.default_rng(seed)
    rows, columns = GRID.shape
    every = month_range("2002-04", "2008-12")
    present = np.sort(rng.choice(len(every), months, replace=False))
    noise = gaussian_filter(rng.normal(size=(len(every), rows, columns)), (1.0, 3.0, 3.0))
    season = np.sin(2 * np.pi * np.arange(len(every)) / 12)[:, None, None]
    flood = np.zeros((len(every), 1, 1))
    flood[present[20]] = 300.0  # a month that differs everywhere is weather, not a fault
    near = np.exp(-(((np.arange(columns) - 30) / 8.0) ** 2))
    storage = (60.0 * season + 40.0 * noise / noise.std() + flood * near).astype(np.float32)[present]

    truth = np.full(GRID.shape, Reason.VALID, dtype=np.int8)
    truth[:, :8] = Reason.OCEAN
    truth[36:, 8:] = Reason.ICE
    land = np.argwhere(truth == Reason.VALID)
    kinds = [Reason.FILLED, Reason.INCOMPLETE, Reason.NO_CLIMATE, Reason.CONSTANT, Reason.IMPLAUSIBLE]
    for reason, cells in zip(kinds, np.split(rng.permutation(land)[:100], 5), strict=True):
        truth[tuple(cells.T)] = reason
    damage = {
        Reason.FILLED: lambda x: np.full_like(x, np.nan),
        Reason.INCOMPLETE: lambda x: np.where(np.arange(months) == rng.integers(months), np.nan, x),
        Reason.CONSTANT: lambda x: np.full_like(x, rng.choice([0.0, 37.5])),
        Reason.IMPLAUSIBLE: lambda x: spike(x, rng),
    }
    for row, column in np.argwhere(truth > Reason.ICE):
        if (change := damage.get(truth[row, column])) is not None:
            storage[:, row, column] = change(storage[:, row, column])
    storage[:, (truth == Reason.OCEAN) | (truth == Reason.ICE)] = np.nan

    warm = 10.0 + 12.0 * season + np.zeros(GRID.shape)
    temperature = np.where(truth == Reason.ICE, warm - 30.0, warm).astype(np.float32)
    temperature[:, truth == Reason.OCEAN] = np.nan
    rain = np.where(np.isfinite(temperature), 60.0, np.nan).astype(np.float32)
    for row, column in np.argwhere(truth == Reason.NO_CLIMATE):
        rain[rng.integers(len(every)) if rng.random() < 0.5 else slice(None), row, column] = np.nan
    coords = {"lat": GRID.lat, "lon": GRID.lon}
    dims = ("time", "lat", "lon")
    return (
        xr.Dataset({"storage": (dims, storage, {"units": "mm"})}, coords={"time": every[present], **coords}),
        xr.Dataset(
            {"precipitation": (dims, rain), "temperature": (dims, temperature)}, coords={"time": every, **coords}
        ),
        truth,
    )


def spike(series, rng):
    """A month far out, a month beyond all bounds, or one at either end."""
    damaged = series.copy()
    place = rng.choice([0, len(series) - 1, *range(1, len(series) - 1)])
    damaged[place] += rng.choice([-1.0, 1.0]) * rng.uniform(900.0, 3000.0)
    return damaged


@pytest.mark.parametrize("seed", [1, 2])
def test_every_fault_is_found_and_nothing_else(seed):
    storage, climate, truth = make_world(seed)
    kept, mask = quality.control_quality(storage, climate, SETTINGS, lambda line: None)
    np.testing.assert_array_equal(mask["reason"], truth)
    np.testing.assert_array_equal(mask["valid"], truth == Reason.VALID)
    assert mask["valid"].dtype == np.int8
    assert mask["reason"].attrs["flag_meanings"].split()[Reason.NO_CLIMATE] == "no_climate"
    assert mask["reason"].attrs["flag_values"].tolist() == [reason.value for reason in Reason]
    kept = kept["storage"]
    np.testing.assert_array_equal(np.isfinite(kept).all("time"), truth == Reason.VALID)
    assert np.isnan(kept.values[:, truth != Reason.VALID]).all()
    assert kept.attrs == storage["storage"].attrs


def test_a_coast_without_storage_is_ocean_and_not_filled():
    storage, climate, truth = make_world(1)
    row, column = np.argwhere(truth == Reason.FILLED)[0]
    share = np.ones(GRID.shape)
    share[row, column] = 0.2
    climate["land_share"] = (("lat", "lon"), share)
    reason = quality.assess(storage, climate, SETTINGS)["reason"].values
    assert reason[row, column] == Reason.OCEAN
    assert (reason == Reason.FILLED).sum() == (truth == Reason.FILLED).sum() - 1


def test_without_temperature_ice_is_known_by_the_outlines_of_the_sheets():
    storage, climate, truth = make_world(1)
    assert "comment" not in quality.assess(storage, climate, SETTINGS)["reason"].attrs
    mask = quality.assess(storage, climate.drop_vars("temperature"), SETTINGS)
    np.testing.assert_array_equal(mask["reason"], np.where(truth == Reason.ICE, Reason.FILLED, truth))
    assert "no temperature" in mask["reason"].attrs["comment"]
    north = GRID.lat + 20.0  # on Greenland's latitudes
    moved = [dataset.assign_coords(lat=north, lon=GRID.lon - 60.0) for dataset in (storage, climate)]
    mask = quality.assess(moved[0], moved[1].drop_vars("temperature"), SETTINGS)
    sheet = is_ice_sheet(north[:, None], GRID.lon - 60.0)
    found, bare = mask["reason"].values, truth == Reason.FILLED
    assert (bare & sheet).any()
    assert (found[bare & sheet] == Reason.ICE).all()
    assert (found[bare & ~sheet] == Reason.FILLED).all()


def test_a_step_at_the_end_of_a_series_is_not_a_spike():
    # As in the twin's Galapagos: the first month is 11 standard deviations below the next two.
    rng = np.random.default_rng(0)
    series = np.cumsum(rng.normal(0.0, 20.0, (225, 1)), axis=0).astype(np.float32)
    series[0] = series[1] - 11.0 * 20.0
    alone = np.zeros(GRID.shape, dtype=bool)
    alone[5, 5] = True
    assert not quality._find_spikes(series, alone, GRID.lon, 8.0).any()
    series[100] += 30.0 * 20.0  # judged by its own series: there are no neighbours
    assert quality._find_spikes(series, alone, GRID.lon, 8.0).all()


def test_counts_and_differences_from_the_paper_are_reported():
    storage, climate, truth = make_world(2, months=30)
    lines = []
    _, mask = quality.control_quality(storage, climate, SETTINGS, lines.append)
    counts = quality.count_reasons(mask).set_index("reason")["cells"]
    assert counts.sum() == truth.size
    assert (counts["valid"], counts["constant"]) == ((truth == Reason.VALID).sum(), 20)
    assert f"{counts['valid']:,} instead of 57,503" in lines[0]
    assert "30 instead of 225" in lines[1]
    assert "constant 20" in lines[2]


def test_storage_without_climate_and_storage_of_one_month():
    storage, climate, truth = make_world(1)
    _, mask = quality.control_quality(storage, None, SETTINGS, lambda line: None)
    with_storage = ~np.isin(truth, [Reason.OCEAN, Reason.ICE, Reason.FILLED])
    needs_climate = truth == Reason.NO_CLIMATE
    found = mask["reason"].values
    np.testing.assert_array_equal(found[with_storage], np.where(needs_climate, Reason.VALID, truth)[with_storage])
    lines = []
    _, mask = quality.control_quality(storage.isel(time=[0]), climate, SETTINGS, lines.append)
    assert "one month" in lines[0]
    assert not (mask["reason"] == Reason.CONSTANT).any()


def test_no_valid_cell_and_different_grids_are_errors():
    storage, climate, _ = make_world(1)
    with pytest.raises(DataError, match="differ in lat"):
        quality.assess(storage, climate.isel(lat=slice(1, None)), SETTINGS)
    with pytest.raises(DataError, match=r"No half-degree cell passes quality control \(.*implausible 1,"):
        quality.control_quality(storage * 1e4, climate, SETTINGS, lambda line: None)


def test_storage_is_aligned_with_the_region_without_empty_months():
    storage, _, _ = make_world(1)
    storage["storage"][3] = np.nan
    wider = Grid(0.5, (-2.0, 40.0, 10.0, 60.0))
    aligned = align_storage(storage, wider, start="2002-04", end="2008-12")
    assert aligned.sizes["time"] == 59
    assert aligned["storage"].shape[1:] == wider.shape
    assert np.isnan(aligned["storage"].values[:, :, :4]).all()
    np.testing.assert_array_equal(aligned["storage"].values[:3, :, 4:], storage["storage"].values[:3, :, :20])
    with pytest.raises(DataError, match="no value within the region"):
        align_storage(storage, Grid(0.5, (100.0, 0.0, 120.0, 20.0)), start="2002-04", end="2008-12")
