"""Figures 3, 4 and 5: which patches, which months, where."""

import numpy as np
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.figures import figure3_data, figure4_data, figure5_data
from gwsd.figures.predicted_patches import read_patches
from tests.figures.conftest import LABELS, SIZE


def brute_mae(predictions: xr.Dataset, patch: int) -> float:
    one = predictions.isel(patch=patch)
    valid = one["valid"].values == 1
    return float(np.abs(one["mean"].values - one["target"].values)[valid].mean())


def test_patch_mae_counts_valid_cells_alone(predictions: xr.Dataset, land: xr.Dataset) -> None:
    patches = read_patches(predictions, land)
    expected = [brute_mae(predictions, patch) for patch in range(30)]
    np.testing.assert_allclose(patches.patch_mae, expected, rtol=1e-5)
    assert patches.method == "full"


def test_a_missing_target_is_named(predictions: xr.Dataset, land: xr.Dataset) -> None:
    with pytest.raises(DataError, match=r"predictions\.nc: has no variable 'target'"):
        read_patches(predictions.drop_vars("target"), land)


def test_patches_of_another_grid_are_refused(predictions: xr.Dataset, land: xr.Dataset) -> None:
    with pytest.raises(DataError, match="patches lie outside the grid"):
        read_patches(predictions, land.isel(lat=slice(0, 100)))


def test_examples_stand_in_the_middle_of_the_ranking(predictions: xr.Dataset, land: xr.Dataset) -> None:
    data = figure3_data.compute(predictions, land, evaluation={"figure_patches": 3}, **LABELS)
    assert data.sizes["example"] == 3
    assert (np.diff(data["mae"].values) >= 0).all()
    assert 5.0 < data["rank"].values[0] < 45.0 < 60.0 < data["rank"].values[2] < 95.0
    number = int(data["patch"].values[1])
    assert float(data["mae"].values[1]) == pytest.approx(brute_mae(predictions, number), rel=1e-5)
    corner = int(predictions["row"].values[number]) * 4
    np.testing.assert_allclose(data["lat"].values[1], land["lat"].values[corner : corner + 4 * SIZE])


def test_examples_do_not_overlap_where_that_can_be_had(predictions: xr.Dataset, land: xr.Dataset) -> None:
    patches = read_patches(predictions, land)
    chosen = figure3_data.choose_examples(patches, 3)
    for one in chosen:
        for other in chosen:
            apart = abs(patches.row[one] - patches.row[other]), abs(patches.col[one] - patches.col[other])
            assert one == other or max(apart) >= 4 * SIZE


def test_more_examples_than_patches_give_what_there_is(predictions: xr.Dataset, land: xr.Dataset) -> None:
    patches = read_patches(predictions.isel(patch=slice(0, 2)), land)
    assert sorted(figure3_data.choose_examples(patches, 5)) == [0, 1]


def test_errors_by_month_agree_with_a_plain_loop(
    predictions: xr.Dataset, storage: xr.Dataset, mask: xr.Dataset, land: xr.Dataset
) -> None:
    data = figure4_data.compute(predictions, storage, mask, land, **LABELS)
    assert int(data["patches"].sum()) == 30
    for month in range(1, 13):
        here = [p for p in range(30) if predictions["month"].values[p].endswith(f"-{month:02d}")]
        assert int(data["patches"].sel(month=month)) == len(here)
        if here:
            maes = [brute_mae(predictions, p) for p in here]
            assert float(data["mae_mean"].sel(month=month)) == pytest.approx(np.mean(maes), rel=1e-5)
            median = data["mae_quantile"].sel(month=month, quantile=0.5)
            assert float(median) == pytest.approx(np.median(maes), rel=1e-5)
        else:
            assert np.isnan(data["mae_mean"].sel(month=month))


def test_seasonal_cycle_weighs_cells_by_area_and_side(predictions: xr.Dataset, land: xr.Dataset) -> None:
    cycle = figure4_data.seasonal_cycle(read_patches(predictions, land), land["lat"].values)
    lat = land["lat"].values
    for half, side in enumerate((1, -1)):
        for month in range(12):
            total = weight = 0.0
            for p in range(30):
                if not predictions["month"].values[p].endswith(f"-{month + 1:02d}"):
                    continue
                start = 4 * int(predictions["row"].values[p])
                rows = lat[start : start + 4 * SIZE]
                area = np.cos(np.deg2rad(rows))[:, None] * (np.sign(rows) == side)[:, None]
                area = area * predictions["valid"].values[p]
                total += float((area * predictions["mean"].values[p]).sum())
                weight += float(area.sum())
            value = cycle["predicted"].values[half, month]
            assert (np.isnan(value) and weight == 0.0) or value == pytest.approx(total / weight, rel=1e-4)


def test_whole_cycle_turns_round_between_the_hemispheres(storage: xr.Dataset, mask: xr.Dataset) -> None:
    north, south = figure4_data.whole_cycle(storage, mask)
    assert np.corrcoef(north, south)[0, 1] < -0.9


def test_overlapping_patches_are_averaged(predictions: xr.Dataset, land: xr.Dataset) -> None:
    patches = read_patches(predictions, land)
    shape = land["land_fraction"].shape
    mean, number = figure5_data.mean_error_map(patches, shape)
    total = np.zeros(shape)
    count = np.zeros(shape, dtype=int)
    for p in range(30):
        row, col = 4 * int(predictions["row"].values[p]), 4 * int(predictions["col"].values[p])
        one = predictions.isel(patch=p)
        error = np.abs(one["mean"].values - one["target"].values)
        for y, x in zip(*np.nonzero(one["valid"].values), strict=True):
            total[row + y, col + x] += error[y, x]
            count[row + y, col + x] += 1
    assert (number == count).all()
    assert number.max() > 1
    np.testing.assert_allclose(mean[count > 0], total[count > 0] / count[count > 0], rtol=1e-5)
    assert np.isnan(mean[count == 0]).all()


def test_regions_are_the_best_covered_one_a_continent() -> None:
    lat, lon = np.arange(-89.75, 90.0, 0.5), np.arange(-179.75, 180.0, 0.5)
    number = np.zeros((360, 720), dtype=np.int32)
    named = {candidate.name: candidate for candidate in figure5_data.NAMED}
    wanted = ("East Asia", "South Asia", "Australia", "Southern Africa", "Western and central Europe")
    for patches, name in zip((9, 8, 3, 2, 1), wanted, strict=True):
        window = figure5_data.window_of(named[name].region, lat, lon)
        number[window] = np.maximum(number[window], patches)
    chosen = figure5_data.choose_regions(number, np.ones_like(number, dtype=bool), lat, lon)
    assert {c.name for c in chosen} == {
        "East Asia", "Australia", "Southern Africa", "Western and central Europe",
    }  # fmt: skip
    assert [c.region for c in chosen] == sorted(c.region for c in chosen)


def test_named_regions_have_the_figure_s_extent_and_lie_on_the_globe() -> None:
    for candidate in figure5_data.NAMED:
        west, south, east, north = candidate.region
        assert -180 <= west < east <= 180, candidate
        assert -60 <= south < north <= 66, candidate


def test_a_region_s_own_boxes_stand_in_for_named_ones(predictions: xr.Dataset, land: xr.Dataset) -> None:
    data = figure5_data.compute(predictions, land, **LABELS)
    assert 1 <= data.sizes["region"] <= 4
    assert set(data["name"].values) == {""}
    assert "world_land" not in data
    error, over = data["error"].values, data["patches_over"].values
    assert (np.isfinite(error) == (over > 0)).all()


def test_no_valid_cell_is_said(predictions: xr.Dataset, land: xr.Dataset) -> None:
    empty = predictions.assign(valid=predictions["valid"] * 0)
    with pytest.raises(DataError, match="no test patch has a valid cell"):
        figure5_data.compute(empty, land, **LABELS)
    with pytest.raises(DataError, match="no test patch has a valid cell"):
        figure3_data.compute(empty, land, evaluation={"figure_patches": 3}, **LABELS)
