"""The correction: exact means, kept detail, and the standard deviation under the assumed correlation."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gwsd.product.correction import CorrectionSums, correct_means, corrected_sd
from gwsd.product.grid_batch import ValidCells, block_means
from tests.product import toy_globe


def equal_cells(height: int, width: int) -> ValidCells:
    places = torch.arange(height * width).reshape(height, width)
    return ValidCells(torch.ones(height, width, dtype=torch.bool), places, torch.ones(4 * height), False)


@pytest.mark.parametrize("wraps", [True, False])
def test_every_coarse_mean_becomes_its_input(wraps: bool) -> None:
    cells = replace(toy_globe.cells(), wraps=wraps)
    torch.manual_seed(0)
    product, storage = 300 * torch.randn(96, 192), 300 * torch.randn(24, 48)
    corrected = correct_means(product, storage, cells).float()  # as it is handed on
    other = correct_means(torch.where(cells.fine_valid, product, 1e6), storage, cells).float()
    assert torch.equal(corrected[cells.fine_valid], other[cells.fine_valid])  # invalid cells have no effect
    means = np.zeros((24, 48))
    for row in range(24):
        area = np.cos(np.deg2rad(-90 + 7.5 * row + 1.875 * (np.arange(4) + 0.5)))
        band = corrected[4 * row : 4 * row + 4].double().numpy().reshape(4, 48, 4).mean(axis=2)
        means[row] = np.average(band, weights=area, axis=0)
    valid = cells.valid.numpy()
    assert np.abs(means - storage.numpy())[valid].max() < 1e-4


def test_the_correction_is_smooth() -> None:
    cells = equal_cells(24, 48)
    row, col = np.mgrid[:24, :48]
    storage = torch.from_numpy(100 * np.sin(row / 3.0) * np.cos(col / 4.0))
    added = correct_means(torch.zeros(96, 192), storage, cells)
    steps = (added[:, 1:] - added[:, :-1]).abs()
    at_edges, inside = steps[:, 3::4].mean(), steps[:, 1::4].mean()
    # A constant in each cell would put all of the steps at the edges of the cells.
    assert at_edges < 1.3 * inside


@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.9, 1.0])
def test_the_standard_deviation_is_that_of_simulated_errors(correlation: float) -> None:
    # One coarse cell at 60° north, where the four rows differ in area; deviations from 0.5 to 3 mm.
    area = np.cos(np.deg2rad(58 + 1.0 * np.arange(4)))
    cells = ValidCells(
        torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 1, dtype=torch.int64), torch.tensor(area), False
    )
    sd = np.linspace(0.5, 3.0, 16).reshape(4, 4)
    random = np.random.Generator(np.random.PCG64(3))
    common, own = random.standard_normal((100_000, 1, 1)), random.standard_normal((100_000, 4, 4))
    errors = sd * (np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own)
    share = np.repeat(area[:, None] / area.sum() / 4, 4, axis=1)
    left = errors - (share * errors).sum(axis=(1, 2), keepdims=True)
    found = corrected_sd(torch.from_numpy(sd), cells, correlation).numpy()
    np.testing.assert_allclose(found, left.std(axis=0), rtol=0.02, atol=1e-6)


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
        (row,) = sums.table(has_sd=True).to_dict("records")
        assert row["error_correlation"] == pytest.approx(correlation, abs=0.03)
        assert row["removed"] == pytest.approx(row["removed_by_formula_found"], abs=1e-6)
        assert row["removed_by_formula_independent"] == pytest.approx(1 / 16, abs=1e-6)
        assert row["removed_by_formula_setting"] == pytest.approx(1 - 0.75 * 15 / 16, abs=1e-6)
        assert row["sd_before_mm"] == pytest.approx(2.0)
        assert row["sd_after_mm"] == pytest.approx(2.0 * np.sqrt(0.75 * 15 / 16))
