"""Consistency checks of the product."""

import numpy as np
import pandas as pd
import pytest
import torch

from gwsd.errors import DataError
from gwsd.patches.gathering import gather
from gwsd.product.check import check_product, months_with_most_patches
from gwsd.product.estimator import Estimator
from gwsd.product.grid_batch import month_batch
from gwsd.product.inference import predict_full_field
from tests.product import toy_globe
from tests.product.toy_globe import interpolation, settings

MONTHS = np.array(["2002-04", "2002-10"], dtype="datetime64[M]")
TABLE = pd.DataFrame(
    {
        "month": ["2002-10", "2002-04", "2002-10", "2002-04", "2002-06"],
        "row": [4, 4, 8, 2, 0],
        "col": [8, 12, 10, 10, 0],
    }
)


def check(estimator: Estimator, *, truth=None, months=MONTHS, **changes):
    def read_cube(_):
        return toy_globe.cube()

    product = settings(**{"inference": "full_field", **changes})
    return check_product(
        estimator, read_cube, months, TABLE, toy_globe.cells(), product, truth=truth, report=lambda line: None
    )


def rough_truth(month: np.datetime64) -> torch.Tensor:
    """Storage with detail and errors of the coarse means; no truth in one fine cell of a coarse cell."""
    random = torch.Generator().manual_seed(int(str(month)[-2:]))
    truth = 30 * torch.randn(96, 192, generator=random) + 20
    truth[40, 60] = torch.nan
    return truth


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return check(toy_globe.estimator(), truth=rough_truth, inference="tiled", error_correlation=0.3)


def test_months_are_those_with_most_patches() -> None:
    assert months_with_most_patches(TABLE, 2).astype(str).tolist() == ["2002-04", "2002-10"]
    assert months_with_most_patches(TABLE, 9).size == 3


def test_differences_of_the_field_from_patches_are_those_of_a_direct_comparison(tables) -> None:
    estimator, cube, cells = toy_globe.estimator(), toy_globe.cube(), toy_globe.cells()
    found = tables["inference"].set_index(["comparison", "quantity"])
    differences = []
    for month in MONTHS:
        batch = month_batch(cube, month, cells, history_months=2)
        whole = predict_full_field(estimator, batch, cells, estimator.network).mean[0, 0]
        rows = TABLE[TABLE["month"] == str(month)]
        patches = gather(cube, rows, size=16, history_months=2)
        answers = estimator.predict(patches).mean
        for number, (row, col) in enumerate(zip(rows["row"], rows["col"], strict=True)):
            window = whole[4 * row : 4 * row + 64, 4 * col : 4 * col + 64]
            differences.append((window - answers[number, 0])[patches.valid[number, 0]].abs().numpy())
    differences = np.concatenate(differences)
    row = found.loc[("full_field - patches", "mean")]
    assert row["cells"] == differences.size
    assert row["mean_abs_mm"] == pytest.approx(differences.mean(), rel=1e-4)
    assert row["max_abs_mm"] == pytest.approx(differences.max(), rel=1e-4)
    assert row["p99_abs_mm"] == pytest.approx(np.quantile(differences, 0.99), rel=1e-4)
    assert set(found.index) == {
        *(("tiled - full_field", what) for what in ("mean", "sd", "mean, corrected")),
        *((f"{name} - patches", what) for name in ("tiled", "full_field") for what in ("mean", "sd")),
    }


def test_bicubic_scores_nothing_against_the_target_and_the_ceiling_is_below_it() -> None:
    errors = check(interpolation("bicubic"), truth=rough_truth, months=MONTHS[:1])["errors"]
    errors = errors.set_index(["reference", "method"])
    assert errors.loc[("target", "product"), "mae_mm"] == pytest.approx(0.0, abs=1e-4)
    bicubic = errors.loc[("truth", "bicubic")]
    assert errors.loc[("truth", "product"), "rmse_mm"] == pytest.approx(bicubic["rmse_mm"], rel=1e-5)
    assert bicubic["rmse_over_bicubic"] == 1.0
    assert errors.loc[("truth", "perfect detail inside each cell"), "rmse_mm"] < bicubic["rmse_mm"]


def test_against_perfect_detail_the_correction_removes_what_the_formula_says(tables) -> None:
    rows = tables["correction"].set_index("reference")
    assert list(rows.index) == ["target", "truth", "detail"]
    assert rows.loc["detail", "rmse_after_mm"] < rows.loc["detail", "rmse_before_mm"]
    # The correction is smooth, the formula takes each cell's own error away: near, not equal.
    assert rows.loc["detail", "removed"] == pytest.approx(rows.loc["detail", "removed_by_formula_found"], abs=0.1)
    assert (rows["setting"] == 0.3).all()
    assert (rows["removed_by_formula_independent"] < rows["removed_by_formula_setting"]).all()


def test_without_a_truth_there_is_the_target_alone() -> None:
    found = check(interpolation("bilinear"), months=MONTHS[:1])
    assert set(found["errors"]["reference"]) == {"target"}
    assert set(found["correction"]["reference"]) == {"target"}
    assert found["correction"]["sd_before_mm"].isna().all()
    with pytest.raises(DataError, match="the patch table has no rows"):
        check(interpolation("bilinear"), months=MONTHS[:0])
