import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from gwsd import metrics
from gwsd.metrics import PHYSICS_COLUMNS, cell_statistics, gaussian_crps, patch_scores, pooled, summary, weighted_means

SHAPE = (6, 1, 8, 8)


def cells(seed=0):
    """Patches that differ much in level, spread and number of valid cells: target, mean, sd, valid."""
    draw = np.random.Generator(np.random.PCG64(seed))
    target = draw.normal(0, 80, (6, 1, 1, 1)) + draw.normal(0, 20, SHAPE)
    mean = target + draw.normal(0.7, 1, SHAPE) * draw.uniform(0.5, 9, (6, 1, 1, 1))
    valid = draw.uniform(size=SHAPE) < draw.uniform(0.2, 1.0, (6, 1, 1, 1))
    valid[:, :, 0, 0] = True
    return target, mean, draw.uniform(0.5, 6, SHAPE), valid


def scored(seed=0, *, with_sd=True):
    target, mean, sd, valid = (torch.from_numpy(field) for field in cells(seed))
    scores = patch_scores(mean, sd if with_sd else None, target, valid)
    draw = np.random.Generator(np.random.PCG64(seed + 1))
    previous = np.array([1, 1, 0, 1, 1, 1])
    return scores.assign(**{name: np.where(previous, draw.uniform(size=6), np.nan) for name in PHYSICS_COLUMNS})


def test_weights_by_area_and_values_of_invalid_cells():
    target, mean, sd, valid = (torch.from_numpy(field) for field in cells())
    area = torch.linspace(0.1, 1.0, 8)[:, None].expand(SHAPE)
    found = weighted_means(cell_statistics(mean, sd, target), area * valid)
    expected = np.average((mean - target).abs()[1, 0], weights=(area * valid)[1, 0])
    assert float(found["absolute_error"][1]) == pytest.approx(float(expected))
    spoilt = weighted_means(cell_statistics(torch.where(valid, mean, torch.nan), sd, target), area * valid)
    assert all(torch.equal(found[name], spoilt[name]) for name in found)
    valid[2] = False
    empty = weighted_means(cell_statistics(mean, None, target), valid)
    assert empty["absolute_error"].isnan().tolist() == [False, False, True, False, False, False]


@pytest.mark.parametrize("patches", [[0, 1, 2, 3, 4, 5], [2], [0, 4]])
def test_pooled_metrics_are_those_of_all_cells_together(patches):
    target, mean, sd, valid = (field[patches] for field in cells())
    error, seen, spread = (mean - target)[valid], target[valid], sd[valid]
    scores = scored().loc[patches]
    found = pooled(scores)
    assert scores["n_valid"].sum() == valid.sum()
    assert found["mae_pooled_mm"] == pytest.approx(np.abs(error).mean())
    assert found["bias_mm"] == pytest.approx(error.mean())
    assert found["rmse_mm"] == pytest.approx(np.sqrt((error**2).mean()))
    assert found["target_sd_mm"] == pytest.approx(seen.std())
    assert found["r2"] == pytest.approx(1.0 - (error**2).sum() / ((seen - seen.mean()) ** 2).sum())
    assert found["sharpness_mm"] == pytest.approx(spread.mean())
    assert found["coverage_90"] == pytest.approx((np.abs(error) <= 1.6448536269514722 * spread).mean())
    assert found["spread_skill"] == pytest.approx(np.sqrt((spread**2).mean()) / np.sqrt((error**2).mean()))
    assert found["sd_error_correlation"] == pytest.approx(np.corrcoef(spread, np.abs(error))[0, 1])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_pooling_is_invariant_to_order_and_repetition(seed):
    scores = scored(seed % 50)
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(scores))
    again = pd.concat([scores.iloc[order], scores], ignore_index=True)
    for name, value in pooled(scores).items():
        assert pooled(again)[name] == pytest.approx(value, rel=1e-9), name


def test_summary_has_mean_and_spread_over_patches_each_counting_once():
    target, mean, _, valid = cells()
    of_patches = [np.abs(mean - target)[patch][valid[patch]].mean() for patch in range(6)]
    scores = scored()
    found = summary(scores, "full", patches_with_previous=5)
    assert found["mae_mm"] == pytest.approx(np.mean(of_patches))
    assert found["mae_sd_mm"] == pytest.approx(np.std(of_patches, ddof=1))
    assert found["mae_mm"] != pytest.approx(found["mae_pooled_mm"], rel=1e-3)
    assert (found["method"], found["patches"], found["valid_cells"]) == ("full", 6, valid.sum())
    assert found["patches_with_previous"] == 5
    assert found["physics"] == pytest.approx(scores["physics"].drop(index=2).mean())


def test_absent_scores_are_null_in_json():
    plain = scored(with_sd=False)
    assert plain[["coverage_90", "crps_mm", "nll", "mean_sd_mm"]].isna().all(axis=None)
    found = json.loads(json.dumps(summary(plain, "bilinear", patches_with_previous=5), allow_nan=False))
    assert [found[key] for key in ("coverage_90", "crps_mm", "spread_skill", "sd_error_correlation")] == [None] * 4
    assert found["rmse_mm"] > 0
    single = scored().iloc[:1].assign(target_variance_mm2=0.0, r2=np.nan)
    found = summary(single, "full", patches_with_previous=1)
    assert found["r2"] is found["r2_patch_median"] is found["mae_sd_mm"] is None
    flat = scored().assign(mean_sd_mm=2.0, mean_variance_mm2=4.0)
    flat["sd_error_product_mm2"] = 2.0 * flat["mae_mm"]
    assert summary(flat, "full", patches_with_previous=5)["sd_error_correlation"] is None


def test_a_term_without_its_forcing_is_left_out_of_the_summary():
    scores = scored().assign(magnitude=np.nan, regional=np.nan)
    scores["physics"] = scores["sign"]
    found = summary(scores, "full", patches_with_previous=5)
    assert found["magnitude"] is found["regional"] is None
    assert found["physics"] == found["sign"] == pytest.approx(scores["sign"].drop(index=2).mean())
    found = summary(scores.assign(**dict.fromkeys(PHYSICS_COLUMNS, np.nan)), "full", patches_with_previous=5)
    assert found["patches_with_previous"] == 5
    assert [found[name] for name in (*PHYSICS_COLUMNS, "physics_sd")] == [None] * 6


def tensors(*values):
    return [torch.tensor(value, dtype=torch.float64) for value in values]


@pytest.mark.parametrize(("target", "mean", "sd"), [(0.0, 0.0, 1.0), (3.0, 1.0, 0.5), (-40.0, 12.0, 30.0), (5, 5, 9)])
def test_crps_is_the_integral_of_the_squared_difference_of_distributions(target, mean, sd):
    reach = abs(target - mean) + 12.0 * sd
    below = quad(lambda x: norm.cdf(x, mean, sd) ** 2, target - reach, target)[0]
    above = quad(lambda x: (1.0 - norm.cdf(x, mean, sd)) ** 2, target, target + reach)[0]
    assert float(gaussian_crps(*tensors(target, mean, sd))) == pytest.approx(below + above, rel=1e-6)


@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(0.01, 100), st.floats(0.1, 10))
def test_crps_scales_with_the_unit_and_tends_to_the_absolute_error(target, mean, sd, factor):
    crps = float(gaussian_crps(*tensors(target, mean, sd)))
    scaled = float(gaussian_crps(*tensors(factor * target, factor * mean, factor * sd)))
    assert scaled == pytest.approx(factor * crps, rel=1e-6, abs=1e-9)
    assert crps > 0
    assert float(gaussian_crps(*tensors(target, mean, 1e-9))) == pytest.approx(abs(target - mean), abs=1e-8)


def test_nll_agrees_with_scipy():
    target, mean, sd = tensors([1.0, -2.0, 7.0], [0.5, 2.0, 7.0], [0.3, 4.0, 2.0])
    expected = -norm.logpdf(target.numpy(), mean.numpy(), sd.numpy()) - 0.5 * math.log(2.0 * math.pi)
    np.testing.assert_allclose(metrics.gaussian_nll(target, mean, sd).numpy(), expected)


@pytest.mark.parametrize("probability", [0.5, 0.9, 0.99])
def test_the_interval_contains_its_share_of_draws(probability):
    assert metrics.standard_normal_quantile(probability) == pytest.approx(norm.ppf(0.5 + probability / 2.0))
    draws = torch.from_numpy(np.random.Generator(np.random.PCG64(3)).normal(4.0, 2.5, 40_000))
    inside = metrics.in_interval(draws, torch.full_like(draws, 4.0), torch.full_like(draws, 2.5), probability)
    assert float(inside.double().mean()) == pytest.approx(probability, abs=0.01)
