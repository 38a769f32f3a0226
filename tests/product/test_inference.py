"""A month by tiled and by full-field inference: the date line, seams, regions, months."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gwsd.errors import ConfigError, DataError
from gwsd.grid import Grid
from gwsd.methods.method import Prediction
from gwsd.patches.gathering import Batch
from gwsd.product.grid_batch import ValidCells, grid_batch, grid_of, month_batch
from gwsd.product.inference import Tiling, blending_window, predict_full_field, predict_tiled
from gwsd.product.months import downscale_month, downscale_months, months_of_year, resolve_inference
from gwsd.product.seams import SeamSums
from gwsd.resample import Kernel, upsample
from tests.product import toy_globe
from tests.product.toy_globe import GRID, MONTHS, SCALE, TILING, interpolation, settings

INFERENCES = ["tiled", "full_field"]
MONTH = MONTHS[4]


def everywhere(height: int, width: int, *, wraps: bool) -> ValidCells:
    """Make cells that are all valid."""
    positions = torch.arange(height * width).reshape(height, width)
    return ValidCells(torch.ones(height, width, dtype=torch.bool), positions, torch.ones(4 * height), wraps)


def batch_of(storage: torch.Tensor, cells: ValidCells, climate: torch.Tensor | None = None) -> Batch:
    climate = torch.zeros(2, 4, *storage.shape) if climate is None else climate
    return grid_batch(climate=climate, storage_mm=storage, scale=SCALE, cells=cells)


def a_month(inference: str, estimator, batch: Batch, cells: ValidCells, **changes):
    return downscale_month(
        estimator, batch, cells, settings(**{"inference": inference, "correction": False, **changes})
    )


def test_tiles_of_the_paper_and_of_a_globe_with_sea() -> None:
    origins = Tiling(32, 24, 16).origins(everywhere(360, 720, wraps=True))
    assert len(origins) == 450
    assert max(origins) == (328, 696)  # the last row is aligned to the edge, the last column extends over the date line
    cells = toy_globe.cells()
    origins = Tiling(8, 8, 1).origins(cells)
    assert len(origins) < 3 * 6
    covered = torch.zeros(24, 48, dtype=torch.bool)
    for row, col in origins:
        covered[row : row + 8, torch.arange(col, col + 8) % 48] = True
    assert covered[cells.valid].all()


@pytest.mark.parametrize("inference", INFERENCES)
@pytest.mark.parametrize("wraps", [False, True])
def test_a_constant_stays_constant(inference: str, wraps: bool) -> None:
    cells = replace(toy_globe.cells(), wraps=wraps)
    batch = batch_of(torch.full((24, 48), 31.7), cells)
    untrained = toy_globe.estimator(residual=True)
    torch.nn.init.zeros_(untrained.network.mean_head.weight)  # as a residual network starts
    for estimator in (untrained, interpolation("bicubic"), interpolation("bilinear")):
        for correction in (False, True):
            mean, _ = a_month(inference, estimator, batch, cells, correction=correction)
            valid = cells.fine_valid
            torch.testing.assert_close(mean[valid], torch.full_like(mean[valid], 31.7), atol=2e-5, rtol=0)
            assert torch.isnan(mean[~valid]).all()


@pytest.mark.parametrize(("inference", "columns"), [("full_field", 8), ("tiled", 12)])
def test_shifted_inputs_shift_the_product(inference: str, columns: int) -> None:
    cube, valid = toy_globe.cube(), torch.from_numpy(toy_globe.land())
    cells = ValidCells.of(cube, GRID)
    batch = month_batch(cube, MONTH, cells, history_months=2)
    moved = ValidCells.of(toy_globe.cube(valid.roll(columns, dims=1).numpy()), GRID)
    shifted = batch_of(batch.storage_mm[0, 0].roll(columns, dims=-1), moved, batch.climate[0].roll(columns, dims=-1))
    for estimator in (toy_globe.estimator(), interpolation("bicubic")):
        first = a_month(inference, estimator, batch, cells, correction=True, error_correlation=0.5)
        second = a_month(inference, estimator, shifted, moved, correction=True, error_correlation=0.5)
        for field, other in zip(first, second, strict=True):
            if estimator.has_sd or field is not None:
                torch.testing.assert_close(field.roll(4 * columns, dims=1), other, atol=2e-3, rtol=0, equal_nan=True)


def test_tiles_are_blended_as_a_mixture() -> None:
    class Counting:
        """Each tile predicts its own number, with a standard deviation of twice that."""

        name = "counting"
        seen = 0

        def predict(self, batch: Batch) -> Prediction:
            number = self.seen + torch.arange(1.0, len(batch.storage) + 1)[:, None, None, None]
            self.seen += len(batch.storage)
            mean = number.expand(-1, 1, 64, 64)
            return Prediction(mean, 2.0 * mean)

    cells = everywhere(24, 48, wraps=True)
    found = predict_tiled(Counting(), batch_of(torch.zeros(24, 48), cells), cells, TILING)
    window = blending_window(16)
    assert (window > 0).all()
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


def test_seams_are_no_rougher_than_the_interior() -> None:
    cells = everywhere(24, 48, wraps=True)
    batch = month_batch(toy_globe.cube(), MONTH, toy_globe.cells(), history_months=2)
    estimator = toy_globe.estimator()
    field = predict_full_field(estimator, batch, cells, estimator.network).mean[0, 0]
    ratios = {}
    for stride in (12, 16):
        tiling = Tiling(16, stride, 3)
        sums = SeamSums(tiling, cells)
        sums.add(predict_tiled(estimator, batch, cells, tiling).mean[0, 0], field)
        ratios[stride] = sums.table().set_index("place")["ratio"]
    assert (ratios[12][["seams, rows of tiles", "seams, columns of tiles"]] < 1.1).all()
    assert (ratios[12][["date line, tiled", "date line, full_field"]] < 1.25).all()
    assert ratios[16]["seams, columns of tiles"] > 1.3  # without overlap the measure sees the seams


@pytest.mark.parametrize("inference", INFERENCES)
def test_a_region_of_any_size(inference: str) -> None:
    # 21 by 13 cells: not divisible by the poolings, and smaller than a tile.
    cells = everywhere(21, 13, wraps=False)
    torch.manual_seed(4)
    batch = batch_of(50 * torch.randn(21, 13), cells, torch.randn(2, 4, 21, 13))
    mean, sd = a_month(inference, toy_globe.estimator(), batch, cells)
    assert mean.shape == sd.shape == (84, 52)
    assert torch.isfinite(mean).all()
    assert torch.isfinite(sd).all()
    # Away from the edges of tiles an interpolation is known.
    mean, sd = a_month(inference, interpolation("bilinear"), batch, cells)
    expected = upsample(batch.storage_mm, Kernel.BILINEAR)[0, 0]
    for rows in (slice(12), slice(-12, None)):
        torch.testing.assert_close(mean[rows], expected[rows], atol=1e-3, rtol=0)
    assert sd is None


def test_a_globe_not_divisible_by_the_poolings_is_refused_and_wrapping_is_undone() -> None:
    cells = everywhere(24, 44, wraps=True)
    estimator = toy_globe.estimator()
    with pytest.raises(
        ConfigError, match="44 columns cannot be wrapped around the date line: expected a multiple of 8"
    ):
        predict_full_field(estimator, batch_of(torch.zeros(24, 44), cells), cells, estimator.network)
    batch = month_batch(toy_globe.cube(), MONTH, toy_globe.cells(), history_months=2)
    before = estimator.predict(batch).mean
    predict_full_field(estimator, batch, toy_globe.cells(), estimator.network)
    assert torch.equal(estimator.predict(batch).mean, before)


def test_auto_inference() -> None:
    group, batch = (toy_globe.estimator(normalisation=name) for name in ("group", "batch"))
    assert resolve_inference(settings(), group) == "tiled"
    assert resolve_inference(settings(), batch) == "full_field"
    assert resolve_inference(settings(), interpolation("bicubic")) == "full_field"
    assert resolve_inference(settings(inference="full_field"), group) == "full_field"


def test_months_are_made_once_and_absent_ones_refused() -> None:
    data, estimator = toy_globe.datasets(), toy_globe.estimator()
    held = months_of_year(data[0], 2002)
    assert held.size == 8
    made = list(downscale_months(estimator, *data, held[:3], settings()))
    assert [fine.month for fine, _ in made] == list(held[:3])
    assert max(difference for _, difference in made) < 6e-4  # half a rounding step, and float32
    with pytest.raises(DataError, match="2002-05: the storage lacks this month"):
        list(downscale_months(estimator, *data, np.arange("2002-04", "2002-06", dtype="datetime64[M]"), settings()))
    with pytest.raises(DataError, match="its 5 months of climate are not all in 2001-12 to 2002-03"):
        list(downscale_months(toy_globe.estimator(history_months=5), *data, MONTHS[:1], settings()))
    torch.nn.init.constant_(estimator.network.mean_head.bias, torch.nan)
    with pytest.raises(DataError, match="toy: the result for 2002-03 is not finite"):
        list(downscale_months(estimator, *data, MONTHS[:1], settings()))


def test_the_grid_and_values_of_invalid_cells() -> None:
    batch = month_batch(toy_globe.cube(), MONTH, toy_globe.cells(), history_months=2)
    storage = toy_globe.datasets()[0]["storage"].sel(time=MONTH.astype("datetime64[ns]")).to_numpy()
    # Column 5 is the first of the sea; its nearest land, column 4, belongs to the land across the date line.
    np.testing.assert_array_equal(batch.storage_mm[0, 0, 13:21, 5], storage[13:21, 4])
    mask = toy_globe.datasets()[2]
    assert grid_of(mask) == GRID
    assert grid_of(mask.isel(lat=[3])).shape == (1, 48)
    assert not ValidCells.of(toy_globe.cube(), Grid(0.5, (10.0, -6.0, 34.0, 6.0))).wraps
    with pytest.raises(DataError, match="`lat` is not evenly spaced and increasing"):
        grid_of(mask.isel(lat=slice(None, None, -1)))
