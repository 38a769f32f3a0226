"""A month made by tiles and as one field: nothing at the date line, nothing at the seams, nothing made up."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gwsd.errors import DataError
from gwsd.grid import Grid
from gwsd.methods.method import Prediction
from gwsd.patches.gathering import Batch
from gwsd.product.estimators import Estimator, interpolation
from gwsd.product.field import downscale_field
from gwsd.product.months import Correction, Way, downscale_month, downscale_months, resolved
from gwsd.product.seams import SeamSums, second_differences
from gwsd.product.tiles import Tiling, blending_window, downscale_tiles
from gwsd.product.whole_grid import Cells, grid_of, month_of_cube, months_of_year, whole_grid
from gwsd.resample import Kernel, upsample
from tests.product import toy_globe
from tests.product.toy_globe import GRID, MONTHS, SCALE, TILING
from tests.training.toy_earth import toy_cube

WAYS = [Way.TILES, Way.FIELD]
MONTH = MONTHS[4]
OFF = Correction(False)


def everywhere(height: int, width: int, *, wraps: bool) -> Cells:
    """Make cells that are all valid."""
    places = torch.arange(height * width).reshape(height, width)
    return Cells(torch.ones(height, width, dtype=torch.bool), places, torch.ones(4 * height), wraps)


def a_month(way: Way, estimator: Estimator, batch: Batch, cells: Cells, correction: Correction = OFF):
    return downscale_month(estimator, batch, cells, way=way, tiling=TILING, correction=correction)


def test_the_papers_globe_has_450_tiles() -> None:
    origins = Tiling(32, 24, 16).origins(everywhere(360, 720, wraps=True))
    assert len(origins) == 450
    assert max(origins) == (328, 696)  # the last row is aligned to the edge, the last column reaches over the date line


def test_tiles_over_the_sea_are_left_out_and_all_land_is_covered() -> None:
    cells = toy_globe.cells()
    origins = Tiling(8, 8, 1).origins(cells)
    assert len(origins) < 3 * 6
    covered = torch.zeros(24, 48, dtype=torch.bool)
    for row, col in origins:
        covered[row : row + 8, torch.arange(col, col + 8) % 48] = True
    assert covered[cells.valid].all()


def test_a_stride_that_leaves_gaps_is_refused() -> None:
    with pytest.raises(ValueError, match="tiles of 16 cells every 17 leave gaps"):
        Tiling(16, 17, 1)


def test_the_blending_window_is_positive_everywhere() -> None:
    window = blending_window(32)
    assert (window > 0).all()
    assert window[0].max() < 1e-4 * window.max()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("on", [False, True])
@pytest.mark.parametrize("wraps", [False, True])
def test_a_constant_stays_constant(way: Way, on: bool, wraps: bool) -> None:
    cells = replace(toy_globe.cells(), wraps=wraps)
    batch = whole_grid(
        climate=torch.zeros(2, 4, 24, 48), storage_mm=torch.full((24, 48), 31.7), scale=SCALE, cells=cells
    )
    untrained = toy_globe.estimator(residual=True)
    torch.nn.init.zeros_(untrained.network.mean_head.weight)  # as a residual network starts
    for estimator in (untrained, interpolation("bicubic"), interpolation("bilinear")):
        mean, _ = a_month(way, estimator, batch, cells, Correction(on))
        valid = cells.fine_valid
        torch.testing.assert_close(mean[valid], torch.full_like(mean[valid], 31.7), atol=2e-5, rtol=0)
        assert torch.isnan(mean[~valid]).all()


def test_what_does_not_change_along_a_parallel_does_not_notice_the_date_line() -> None:
    cells = everywhere(24, 48, wraps=True)
    torch.manual_seed(0)
    climate, storage = torch.randn(2, 4, 24, 1).expand(-1, -1, -1, 48), 50 * torch.randn(24, 1).expand(-1, 48)
    batch = whole_grid(climate=climate, storage_mm=storage, scale=SCALE, cells=cells)
    mean, sd = a_month(Way.FIELD, toy_globe.estimator(), batch, cells)
    # Poolings and transposed convolutions have a pattern of eight coarse cells; it goes on over the date line.
    for field in (mean, sd):
        torch.testing.assert_close(field, field.roll(32, dims=1), atol=1e-3, rtol=0)
    assert mean.std() > 1.0


@pytest.mark.parametrize(("way", "columns"), [(Way.FIELD, 8), (Way.TILES, 12)])
def test_a_shift_of_the_inputs_shifts_the_product(way: Way, columns: int) -> None:
    cube, valid = toy_globe.cube(), torch.from_numpy(toy_globe.land())
    cells = Cells.of(cube, GRID)
    batch = month_of_cube(cube, MONTH, cells, memory=2)
    moved = Cells.of(toy_globe.cube(valid.roll(columns, dims=1).numpy()), GRID)
    assert not torch.equal(moved.valid, valid)
    shifted = whole_grid(
        climate=batch.climate[0].roll(columns, dims=-1),
        storage_mm=batch.storage_mm[0, 0].roll(columns, dims=-1),
        scale=SCALE,
        cells=moved,
    )
    estimator = toy_globe.estimator()
    here = a_month(way, estimator, batch, cells, Correction(True, 0.5))
    there = a_month(way, estimator, shifted, moved, Correction(True, 0.5))
    for one, other in zip(here, there, strict=True):
        torch.testing.assert_close(one.roll(4 * columns, dims=1), other, atol=2e-3, rtol=0, equal_nan=True)


def test_tiles_are_blended_as_a_mixture() -> None:
    class Counting:
        """Each tile answers its own number, with a standard deviation of twice that."""

        name = "counting"
        states_sd = True

        def __init__(self) -> None:
            self.seen = 0

        def predict(self, batch: Batch) -> Prediction:
            number = self.seen + torch.arange(1.0, len(batch.storage) + 1)[:, None, None, None]
            self.seen += len(batch.storage)
            mean = number.expand(-1, 1, 64, 64)
            return Prediction(mean, 2.0 * mean)

    cells = everywhere(24, 48, wraps=True)
    batch = whole_grid(climate=torch.zeros(2, 4, 24, 48), storage_mm=torch.zeros(24, 48), scale=SCALE, cells=cells)
    found = downscale_tiles(Counting(), batch, cells, TILING)
    window = blending_window(16)
    for row, col in [(0, 0), (40, 3), (50, 190), (95, 100), (33, 50)]:
        weights, values = [], []
        for number, (top, left) in enumerate(TILING.origins(cells), start=1):
            inner_row, inner_col = row - 4 * top, (col - 4 * left) % 192
            if 0 <= inner_row < 64 and inner_col < 64:
                weights.append(float(window[inner_row, inner_col]))
                values.append(float(number))
        weights, values = np.array(weights) / np.sum(weights), np.array(values)
        mean = weights @ values
        variance = weights @ ((2 * values) ** 2 + values**2) - mean**2
        assert found.mean[0, 0, row, col].item() == pytest.approx(mean, rel=1e-5)
        assert found.sd[0, 0, row, col].item() == pytest.approx(np.sqrt(variance), rel=1e-5)
        assert variance > weights @ (2 * values) ** 2 - 1e-9


def test_without_a_stated_deviation_there_is_none() -> None:
    cells = toy_globe.cells()
    batch = month_of_cube(toy_globe.cube(), MONTH, cells, memory=2)
    for way in WAYS:
        assert a_month(way, toy_globe.estimator(variance_head=False), batch, cells, Correction(True))[1] is None
        assert a_month(way, interpolation("bilinear"), batch, cells)[1] is None


def test_seams_are_no_rougher_than_the_interior() -> None:
    cells = everywhere(24, 48, wraps=True)
    cube = toy_globe.cube()
    batch = month_of_cube(cube, MONTH, toy_globe.cells(), memory=2)
    estimator = toy_globe.estimator()
    sums, mosaic = SeamSums(TILING, cells), SeamSums(Tiling(16, 16, 3), cells)
    tiles = downscale_tiles(estimator, batch, cells, TILING).mean[0, 0]
    field = downscale_field(estimator, batch, cells, estimator.network).mean[0, 0]
    sums.add(tiles, field)
    ratio = sums.table(1).set_index("place")["ratio"]
    assert ratio["seams, rows of tiles"] < 1.1
    assert ratio["seams, columns of tiles"] < 1.1
    assert ratio["date line, tiles"] < 1.25
    assert ratio["date line, field"] < 1.25
    # The measure sees seams where there are some: tiles side by side, not blended.
    side_by_side = downscale_tiles(estimator, batch, cells, Tiling(16, 16, 3)).mean[0, 0]
    mosaic.add(side_by_side, field)
    assert mosaic.table(1).set_index("place")["ratio"]["seams, columns of tiles"] > 1.3


def test_interpolation_as_a_field_is_that_round_the_earth() -> None:
    cells = everywhere(24, 48, wraps=True)
    storage = 50 * torch.randn(24, 48)
    batch = whole_grid(climate=torch.zeros(2, 4, 24, 48), storage_mm=storage, scale=SCALE, cells=cells)
    for kernel in (Kernel.BILINEAR, Kernel.BICUBIC):
        mean, _ = a_month(Way.FIELD, interpolation(kernel.value), batch, cells)
        torch.testing.assert_close(mean, upsample(storage[None, None], kernel, wraps=True)[0, 0], atol=1e-4, rtol=0)


@pytest.mark.parametrize("way", WAYS)
def test_a_region_of_any_size_is_made(way: Way) -> None:
    # 21 by 13 cells: the poolings do not divide it, and a tile is wider than it.
    cells = everywhere(21, 13, wraps=False)
    torch.manual_seed(4)
    batch = whole_grid(climate=torch.randn(2, 4, 21, 13), storage_mm=50 * torch.randn(21, 13), scale=SCALE, cells=cells)
    mean, sd = a_month(way, toy_globe.estimator(), batch, cells)
    assert mean.shape == sd.shape == (84, 52)
    assert torch.isfinite(mean).all()
    assert torch.isfinite(sd).all()
    # What is right for an interpolation is known, within two cells of no tile's edge.
    mean, _ = a_month(way, interpolation("bilinear"), batch, cells)
    expected = upsample(batch.storage_mm, Kernel.BILINEAR)[0, 0]
    torch.testing.assert_close(mean[:12], expected[:12], atol=1e-3, rtol=0)
    torch.testing.assert_close(mean[-12:], expected[-12:], atol=1e-3, rtol=0)


def test_a_region_does_not_wrap() -> None:
    assert not Cells.of(toy_cube(), Grid(0.5, (10.0, -6.0, 34.0, 6.0))).wraps
    assert toy_globe.cells().wraps


def test_a_globe_that_the_poolings_do_not_divide_is_refused() -> None:
    cells = everywhere(24, 44, wraps=True)
    batch = whole_grid(climate=torch.zeros(2, 4, 24, 44), storage_mm=torch.zeros(24, 44), scale=SCALE, cells=cells)
    estimator = toy_globe.estimator()
    with pytest.raises(ValueError, match="44 columns cannot be wrapped: expected a multiple of 8"):
        downscale_field(estimator, batch, cells, estimator.network)


def test_after_a_field_the_network_meets_zeros_again() -> None:
    cells, estimator = toy_globe.cells(), toy_globe.estimator()
    batch = month_of_cube(toy_globe.cube(), MONTH, cells, memory=2)
    before = estimator.predict(batch).mean
    downscale_field(estimator, batch, cells, estimator.network)
    assert torch.equal(estimator.predict(batch).mean, before)


def test_holes_are_filled_from_the_nearest_valid_cell() -> None:
    cube = toy_globe.cube()
    cells = Cells.of(cube, GRID)
    batch = month_of_cube(cube, MONTH, cells, memory=2)
    storage = toy_globe.datasets()[0]["storage"].sel(time=MONTH.astype("datetime64[ns]")).to_numpy()
    # Column 5 is the first of the sea; its nearest land, column 4, reaches round from the other side of the date line.
    np.testing.assert_array_equal(batch.storage_mm[0, 0, 13:21, 5], storage[13:21, 4])
    assert torch.equal(cells.fill(batch.storage_mm[0, 0]), batch.storage_mm[0, 0])


def test_a_users_own_arrays_may_have_holes() -> None:
    cube, cells = toy_globe.cube(), toy_globe.cells()
    batch = month_of_cube(cube, MONTH, cells, memory=2)
    holes = torch.where(cells.valid, 0.0, torch.nan)
    own = whole_grid(
        climate=batch.climate[0] + holes, storage_mm=batch.storage_mm[0, 0] + holes, scale=SCALE, cells=cells
    )
    for name in ("climate", "storage", "storage_mm", "valid", "area"):
        assert torch.equal(getattr(own, name), getattr(batch, name))
    assert torch.isnan(own.target_mm).all()  # there is none: nobody may take it for one


@pytest.mark.parametrize("way", WAYS)
def test_in_bfloat16_a_month_is_near_that_in_float32(way: Way) -> None:
    cells = toy_globe.cells()
    batch = month_of_cube(toy_globe.cube(), MONTH, cells, memory=2)
    exact, _ = a_month(way, toy_globe.estimator(), batch, cells)
    rough, _ = a_month(way, toy_globe.estimator(precision="bfloat16"), batch, cells)
    difference = (rough - exact)[cells.fine_valid]
    assert 0 < difference.abs().mean() < 0.05 * exact[cells.fine_valid].std()


def test_second_differences_see_bends_and_not_slopes() -> None:
    slope = torch.arange(12.0).expand(3, 12)
    bend = (slope - 5).abs()
    for axis, field in ((1, bend), (0, bend.T)):
        found = second_differences(field, axis, wraps=False)
        assert torch.isnan(found.select(axis, 0)).all()
        assert torch.isnan(found.select(axis, -1)).all()
        assert (found.select(axis, 5) == 2).all()
        assert found.nan_to_num().sum() == 2 * 3
    assert (second_differences(slope, 1, wraps=True)[:, 0] == 12).all()


def test_auto_takes_tiles_where_statistics_are_those_of_the_field() -> None:
    assert resolved("auto", toy_globe.estimator(normalisation="group")) is Way.TILES
    assert resolved("auto", toy_globe.estimator(normalisation="batch")) is Way.FIELD
    assert resolved("auto", interpolation("bicubic")) is Way.FIELD
    assert resolved("field", toy_globe.estimator(normalisation="group")) is Way.FIELD


def months(which: list[np.datetime64], memory: int = 2):
    return downscale_months(
        toy_globe.estimator(memory=memory),
        toy_globe.cube(),
        which,
        toy_globe.cells(),
        memory=memory,
        way=Way.FIELD,
        tiling=TILING,
        correction=OFF,
    )


def test_a_month_that_the_storage_lacks_is_not_made_up() -> None:
    storage = toy_globe.datasets()[0]
    held = months_of_year(storage, 2002)
    assert np.datetime64("2002-05") not in held
    assert held.size == 8
    assert [fine.month for fine in months(list(held[:3]))] == list(held[:3])
    with pytest.raises(DataError, match="2002-05: the storage has no such month"):
        list(months([np.datetime64("2002-05")]))


def test_a_month_whose_climate_does_not_reach_back_is_refused() -> None:
    with pytest.raises(DataError, match="its 5 months of climate are not all in 2001-12 to 2003-02"):
        list(months([MONTHS[0]], memory=5))


def test_a_broken_network_is_refused() -> None:
    broken = toy_globe.estimator()
    torch.nn.init.constant_(broken.network.mean_head.bias, torch.nan)
    settings = {"memory": 2, "way": Way.FIELD, "tiling": TILING, "correction": OFF}
    with pytest.raises(DataError, match="toy: its mean is not a number in 2002-04; train it again"):
        list(downscale_months(broken, toy_globe.cube(), [np.datetime64("2002-04")], toy_globe.cells(), **settings))


def test_the_grid_is_read_from_the_cells() -> None:
    assert grid_of(toy_globe.datasets()[2]) == GRID
    mask = toy_globe.datasets()[2]
    with pytest.raises(DataError, match="`lat` is not evenly spaced and increasing"):
        grid_of(mask.isel(lat=slice(None, None, -1)))
