"""The correction: means exact, detail kept, and a standard deviation that follows from what is assumed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gwsd.product.correction import correct_means, corrected_sd
from gwsd.product.correction_check import CorrectionSums
from gwsd.product.whole_grid import Cells, block_means
from tests.product import toy_globe


def equal_cells(height: int, width: int) -> Cells:
    places = torch.arange(height * width).reshape(height, width)
    return Cells(torch.ones(height, width, dtype=torch.bool), places, torch.ones(4 * height), False)


@pytest.mark.parametrize("wraps", [True, False])
def test_every_coarse_mean_becomes_its_input(wraps: bool) -> None:
    cells = replace(toy_globe.cells(), wraps=wraps)
    torch.manual_seed(0)
    product, storage = 300 * torch.randn(96, 192), 300 * torch.randn(24, 48)
    corrected = correct_means(product, storage, cells).float()  # as it is handed on
    means = np.zeros((24, 48))
    for row in range(24):
        area = np.cos(np.deg2rad(-90 + 7.5 * row + 1.875 * (np.arange(4) + 0.5)))
        for col in range(48):
            block = corrected[4 * row : 4 * row + 4, 4 * col : 4 * col + 4].double().numpy()
            means[row, col] = np.average(block.mean(axis=1), weights=area)
    valid = cells.valid.numpy()
    assert np.abs(means - storage.numpy())[valid].max() < 1e-4


def test_a_product_whose_means_are_right_is_left_alone() -> None:
    cells = toy_globe.cells()
    product = torch.randn(96, 192)
    corrected = correct_means(product, block_means(product, cells).float(), cells)
    torch.testing.assert_close(corrected[cells.fine_valid], product.double()[cells.fine_valid], atol=1e-6, rtol=0)


def test_the_correction_is_smooth() -> None:
    cells = equal_cells(24, 48)
    row, col = np.mgrid[:24, :48]
    storage = torch.from_numpy(100 * np.sin(row / 3.0) * np.cos(col / 4.0))
    added = correct_means(torch.zeros(96, 192), storage, cells)
    steps = (added[:, 1:] - added[:, :-1]).abs()
    at_edges, inside = steps[:, 3::4].mean(), steps[:, 1::4].mean()
    # A constant in each cell would put all of the steps at the edges of the cells.
    assert at_edges < 1.3 * inside


def test_what_lies_outside_valid_cells_has_no_effect() -> None:
    cells = toy_globe.cells()
    product, storage = torch.randn(96, 192), torch.randn(24, 48)
    other = torch.where(cells.fine_valid, product, 1e6)
    one, two = (correct_means(field, storage, cells)[cells.fine_valid] for field in (product, other))
    assert torch.equal(one, two)


@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.9, 1.0])
def test_the_deviation_is_that_of_simulated_errors(correlation: float) -> None:
    # One coarse cell at 60° north, where the four rows differ in area; deviations from 0.5 to 3 mm.
    area = np.cos(np.deg2rad(58 + 1.0 * np.arange(4)))
    cells = Cells(torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 1, dtype=torch.int64), torch.tensor(area), False)
    sd = np.linspace(0.5, 3.0, 16).reshape(4, 4)
    random = np.random.Generator(np.random.PCG64(3))
    common, own = random.standard_normal((100_000, 1, 1)), random.standard_normal((100_000, 4, 4))
    errors = sd * (np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own)
    share = np.repeat(area[:, None] / area.sum() / 4, 4, axis=1)
    left = errors - (share * errors).sum(axis=(1, 2), keepdims=True)
    found = corrected_sd(torch.from_numpy(sd), cells, correlation).numpy()
    np.testing.assert_allclose(found, left.std(axis=0), rtol=0.02, atol=1e-6)


def test_independent_errors_follow_the_known_formula() -> None:
    torch.manual_seed(1)
    sd = torch.rand(8, 12).double() + 0.1
    found = corrected_sd(sd, equal_cells(2, 3), 0.0) ** 2
    variance = sd**2
    means = variance.reshape(2, 4, 3, 4).mean(dim=(1, 3)).repeat_interleave(4, 0).repeat_interleave(4, 1)
    torch.testing.assert_close(found, variance * (1 - 2 / 16) + means / 16)


def test_the_deviation_is_never_negative_or_larger_than_need_be() -> None:
    sd = torch.full((8, 8), 1.7)
    for correlation in (0.0, 0.3, 1.0):
        found = corrected_sd(sd, equal_cells(2, 2), correlation)
        expected = 1.7 * np.sqrt((1 - correlation) * (1 - 1 / 16))
        torch.testing.assert_close(found, torch.full_like(found, expected), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("correlation", [-0.1, 1.1])
def test_a_correlation_beyond_its_range_is_refused(correlation: float) -> None:
    with pytest.raises(ValueError, match=r"correlation of errors within a cell is .*; expected 0 to 1"):
        corrected_sd(torch.ones(4, 4), equal_cells(1, 1), correlation)


def test_the_check_finds_the_correlation_that_is_there() -> None:
    cells = equal_cells(40, 40)
    random = np.random.Generator(np.random.PCG64(9))
    for correlation in (0.0, 0.6):
        common = np.kron(random.standard_normal((40, 40)), np.ones((4, 4)))
        errors = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * random.standard_normal((160, 160))
        before = torch.from_numpy(2.0 * errors)
        means = block_means(before, cells).repeat_interleave(4, 0).repeat_interleave(4, 1)
        sums = CorrectionSums(cells, 0.25)
        known = torch.ones(160, 160, dtype=torch.bool)
        sums.add("target", before, before - means, torch.full((160, 160), 2.0), known)
        (row,) = sums.table(1, stated=True).to_dict("records")
        assert row["error_correlation"] == pytest.approx(correlation, abs=0.03)
        assert row["removed"] == pytest.approx(row["removed_by_formula_found"], abs=1e-6)
        assert row["removed_by_formula_independent"] == pytest.approx(1 / 16, abs=1e-6)
        assert row["removed_by_formula_setting"] == pytest.approx(1 - 0.75 * 15 / 16, abs=1e-6)
        assert row["sd_before_mm"] == pytest.approx(2.0)
        assert row["sd_after_mm"] == pytest.approx(2.0 * np.sqrt(0.75 * 15 / 16))
