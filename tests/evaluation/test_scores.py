import json

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gwsd.evaluation.scores import PHYSICS_COLUMNS, SCORE_COLUMNS, pooled, score_rows, summary
from gwsd.evaluation.statistics import cell_statistics, weighted_means
from gwsd.methods.method import Prediction

SHAPE = (6, 1, 8, 8)


def patch_table(patches):
    number = np.arange(patches)
    return pd.DataFrame(
        {"patch": number, "month": "2010-05", "row": number, "col": number, "lat": 0.5 * number, "lon": 10.0}
    )


def a_test(seed=0, *, with_sd=True, previous=(1, 1, 0, 1, 1, 1)):
    """Cells, and the scores made from them."""
    draw = np.random.Generator(np.random.PCG64(seed))
    # Patches that differ much in level, spread and number of valid cells: pooling must weigh them right.
    level = draw.normal(0, 80, (SHAPE[0], 1, 1, 1))
    width = draw.uniform(0.5, 9, (SHAPE[0], 1, 1, 1))
    target = level + draw.normal(0, 20, SHAPE)
    mean = target + draw.normal(0.7, 1, SHAPE) * width
    sd = draw.uniform(0.5, 6, SHAPE) if with_sd else None
    valid = draw.uniform(size=SHAPE) < draw.uniform(0.2, 1.0, (SHAPE[0], 1, 1, 1))
    valid[:, :, 0, 0] = True
    prediction = Prediction(torch.from_numpy(mean), None if sd is None else torch.from_numpy(sd))
    mask = torch.from_numpy(valid)
    means = weighted_means(cell_statistics(prediction, torch.from_numpy(target)), mask)
    physics = {name: np.where(previous, draw.uniform(size=SHAPE[0]), np.nan) for name in PHYSICS_COLUMNS}
    scores = score_rows(
        patch_table(SHAPE[0]),
        mask.sum(dim=(1, 2, 3)).numpy(),
        {name: value.numpy() for name, value in means.items()},
        physics,
    )
    return target, mean, sd, valid, scores


def test_pooled_metrics_are_those_of_all_cells_thrown_together():
    target, mean, sd, valid, scores = a_test()
    error, seen, spread = (mean - target)[valid], target[valid], sd[valid]
    metrics = pooled(scores)
    assert metrics["mae_pooled_mm"] == pytest.approx(np.abs(error).mean())
    assert metrics["bias_mm"] == pytest.approx(error.mean())
    assert metrics["rmse_mm"] == pytest.approx(np.sqrt((error**2).mean()))
    assert metrics["target_sd_mm"] == pytest.approx(seen.std())
    assert metrics["r2"] == pytest.approx(1.0 - (error**2).sum() / ((seen - seen.mean()) ** 2).sum())
    assert metrics["sharpness_mm"] == pytest.approx(spread.mean())
    assert metrics["coverage_90"] == pytest.approx((np.abs(error) <= 1.6448536269514722 * spread).mean())
    assert metrics["spread_skill"] == pytest.approx(np.sqrt((spread**2).mean()) / np.sqrt((error**2).mean()))
    assert metrics["sd_error_correlation"] == pytest.approx(np.corrcoef(spread, np.abs(error))[0, 1])


def test_rmse_is_no_mean_of_rmses():
    _, _, _, _, scores = a_test()
    assert abs(pooled(scores)["rmse_mm"] - np.sqrt(scores["mse_mm2"]).mean()) > 0.1


def test_r2_of_a_patch_is_against_its_own_mean():
    target, mean, _, valid, scores = a_test()
    seen, error = target[3][valid[3]], (mean - target)[3][valid[3]]
    assert scores["r2"][3] == pytest.approx(1.0 - (error**2).sum() / ((seen - seen.mean()) ** 2).sum())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_pooling_takes_no_heed_of_order_and_repetition(seed):
    *_, scores = a_test(seed % 50)
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(scores))
    again = pd.concat([scores.iloc[order], scores], ignore_index=True)
    for name, value in pooled(scores).items():
        assert pooled(again)[name] == pytest.approx(value, rel=1e-9), name


def test_summary_states_mean_and_spread_over_patches_each_counting_once():
    target, mean, _, valid, scores = a_test()
    of_patches = [np.abs(mean - target)[patch][valid[patch]].mean() for patch in range(SHAPE[0])]
    found = summary(scores, "full")
    assert found["mae_mm"] == pytest.approx(np.mean(of_patches))
    assert found["mae_sd_mm"] == pytest.approx(np.std(of_patches, ddof=1))
    assert found["mae_mm"] != pytest.approx(found["mae_pooled_mm"], rel=1e-3)
    assert found["method"] == "full"
    assert found["patches"] == 6
    assert found["valid_cells"] == valid.sum()


def test_physics_counts_patches_with_a_month_before_only():
    *_, scores = a_test()
    found = summary(scores, "full")
    assert found["patches_with_previous"] == 5
    assert found["physics"] == pytest.approx(scores["physics"].drop(index=2).mean())
    *_, scores = a_test(previous=(0,) * 6)
    assert summary(scores, "full")["physics"] is None


def test_a_term_without_its_forcing_is_left_out_of_the_summary_and_the_sum_stays():
    *_, scores = a_test()
    scores = scores.assign(magnitude=np.nan, regional=np.nan, physics=scores["sign"])
    found = summary(scores, "full", patches_with_previous=5)
    assert found["magnitude"] is None
    assert found["regional"] is None
    assert found["physics"] == found["sign"] == pytest.approx(scores["sign"].drop(index=2).mean())
    nothing = scores.assign(**dict.fromkeys(PHYSICS_COLUMNS, np.nan))
    found = json.loads(json.dumps(summary(nothing, "full", patches_with_previous=5), allow_nan=False))
    assert found["patches_with_previous"] == 5
    assert [found[name] for name in (*PHYSICS_COLUMNS, "physics_sd")] == [None] * 6
    assert found["mae_mm"] > 0


def test_a_method_without_a_standard_deviation_has_empty_columns_and_a_summary_fit_for_json():
    *_, scores = a_test(with_sd=False)
    assert tuple(scores.columns) == SCORE_COLUMNS
    assert scores[["coverage_90", "crps_mm", "nll", "mean_sd_mm"]].isna().all(axis=None)
    found = json.loads(json.dumps(summary(scores, "bilinear"), allow_nan=False))
    assert [found[key] for key in ("coverage_90", "crps_mm", "spread_skill", "sd_error_correlation")] == [None] * 4
    assert found["rmse_mm"] > 0


def test_a_constant_target_has_no_r2_and_one_patch_no_spread():
    *_, scores = a_test()
    one = scores.iloc[:1].assign(target_variance_mm2=0.0, r2=np.nan)
    found = summary(one, "full")
    assert found["r2"] is None
    assert found["r2_patch_median"] is None
    assert found["mae_sd_mm"] is None


def test_uniform_standard_deviations_have_no_correlation_with_errors():
    *_, scores = a_test()
    flat = scores.assign(mean_sd_mm=2.0, mean_variance_mm2=4.0, sd_error_product_mm2=2.0 * scores["mae_mm"])
    assert summary(flat, "full")["sd_error_correlation"] is None
