import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from gwsd.evaluation.uncertainty import gaussian_crps, gaussian_nll, in_interval, standard_normal_quantile


def tensors(*values):
    return [torch.tensor(value, dtype=torch.float64) for value in values]


@pytest.mark.parametrize(("observed", "mean", "sd"), [(0.0, 0.0, 1.0), (3.0, 1.0, 0.5), (-40.0, 12.0, 30.0), (5, 5, 9)])
def test_crps_is_the_integral_of_the_squared_difference_of_distributions(observed, mean, sd):
    def below(x):
        return norm.cdf(x, mean, sd) ** 2

    def above(x):
        return (1.0 - norm.cdf(x, mean, sd)) ** 2

    reach = abs(observed - mean) + 12.0 * sd
    integral = quad(below, observed - reach, observed)[0] + quad(above, observed, observed + reach)[0]
    assert float(gaussian_crps(*tensors(observed, mean, sd))) == pytest.approx(integral, rel=1e-6)


@given(st.floats(-100, 100), st.floats(-100, 100))
def test_crps_of_a_certain_forecast_is_its_absolute_error(observed, mean):
    crps = float(gaussian_crps(*tensors(observed, mean, 1e-9)))
    assert crps == pytest.approx(abs(observed - mean), abs=1e-8)


@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(0.01, 100), st.floats(0.1, 10))
def test_crps_scales_with_the_unit_and_is_never_negative(observed, mean, sd, factor):
    one = float(gaussian_crps(*tensors(observed, mean, sd)))
    other = float(gaussian_crps(*tensors(factor * observed, factor * mean, factor * sd)))
    assert other == pytest.approx(factor * one, rel=1e-6, abs=1e-9)
    assert one > 0


def test_nll_is_that_of_scipy_without_its_constant():
    observed, mean, sd = tensors([1.0, -2.0, 7.0], [0.5, 2.0, 7.0], [0.3, 4.0, 2.0])
    expected = -norm.logpdf(observed.numpy(), mean.numpy(), sd.numpy()) - 0.5 * math.log(2.0 * math.pi)
    np.testing.assert_allclose(gaussian_nll(observed, mean, sd).numpy(), expected)


@pytest.mark.parametrize("probability", [0.5, 0.9, 0.99])
def test_the_interval_holds_its_share_of_draws(probability):
    assert standard_normal_quantile(probability) == pytest.approx(norm.ppf(0.5 + probability / 2.0))
    draws = torch.from_numpy(np.random.Generator(np.random.PCG64(3)).normal(4.0, 2.5, 40_000))
    inside = in_interval(draws, torch.full_like(draws, 4.0), torch.full_like(draws, 2.5), probability)
    assert float(inside.double().mean()) == pytest.approx(probability, abs=0.01)


@pytest.mark.parametrize("probability", [0.0, 1.0, 90.0])
def test_a_probability_that_is_none_is_refused(probability):
    with pytest.raises(ValueError, match="expected between 0 and 1"):
        standard_normal_quantile(probability)
