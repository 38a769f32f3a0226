import numpy as np
import pytest

from gwsd.claims.equations import (
    PROPERTIES,
    Equation,
    Symbol,
    Written,
    largest_sign_loss,
    magnitude_loss,
    sign_loss,
    smoothness_loss,
)


def equation(number, defines="x", uses=(), gate=""):
    return Equation(number=number, defines=defines, uses=tuple(uses), gate=gate)


def symbol(name, means="something", shape=""):
    return Symbol(symbol=name, means=means, place="Section 1", shape=shape)


def judged(name, equations=(), symbols=(), of=1):
    return PROPERTIES[name](Written(tuple(equations), tuple(symbols)), of)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("gate_letters", [equation(1, uses=["W_xi", "W_hi", "b_i"], gate="i")], [equation(1, uses=["W_hj"], gate="i")]),
        ("defined", [equation(1, uses=["y", "W_a"]), equation(2, "y")], [equation(1, uses=["z"])]),
        ("defined_once", [equation(1, "i"), equation(2, "f")], [equation(1, "i"), equation(5, "i")]),
    ],
)
def test_symbols_of_equations(name, good, bad):
    assert judged(name, good).holds
    assert not judged(name, bad).holds


def test_a_slip_names_the_symbol():
    assert "W_hj" in judged("gate_letters", [equation(1, uses=["W_xi", "W_hj"], gate="i")]).evidence
    assert "(1), (5)" in judged("defined_once", [equation(1, "i"), equation(5, "i")]).evidence


def test_one_symbol_one_meaning():
    assert judged("one_meaning", symbols=[symbol("θ")], of="θ").holds
    found = judged("one_meaning", symbols=[symbol("θ", "weights"), symbol("θ", "soil moisture")], of="θ")
    assert not found.holds
    assert "soil moisture" in found.evidence


def test_fields_of_one_shape_are_subtracted():
    fields = [symbol("a", shape="H×W"), symbol("b", shape="H×W"), symbol("c", shape="sH×sW")]
    assert judged("same_shapes", symbols=fields, of="a - b").holds
    assert not judged("same_shapes", symbols=fields, of="a - c").holds


def test_the_sign_loss_is_the_share_of_cells_that_disagree():
    assert sign_loss([[1.0, -2.0, 3.0, 0.0]], [[1.0, 1.0, -1.0, 1.0]]) == 0.5
    assert largest_sign_loss() == 1
    assert not judged("sign_has_gradient", of=12).holds


def test_the_magnitude_loss_is_twice_what_is_missing_of_the_correlation():
    rng = np.random.default_rng(1)
    x, noise = (one - one.mean() for one in rng.normal(size=(2, 10_000)))
    y = 0.3 * x + noise
    assert magnitude_loss(x, y) == pytest.approx(2 * (1 - np.corrcoef(x, y)[0, 1]))


def test_smoothness_sums_squares_as_printed():
    assert smoothness_loss([[0.0, 1.0], [2.0, 4.0]]) == (1 + 4 + 4 + 9) / 4
    assert not judged("total_variation", of=15).holds


def test_the_variance_as_printed_can_be_negative():
    assert not judged("variance_is_positive", of=9).holds


def test_the_physics_of_an_interpolation_is_finite():
    assert not judged("interpolation_is_infinite", of="12-14").holds


def test_a_mean_absolute_error_is_no_standard_deviation():
    found = judged("error_equals_sd", of=11)
    assert not found.holds
    assert "0.798" in found.evidence


def test_terms_that_are_added_have_one_unit():
    terms = [equation(number).model_copy(update={"unit": unit}) for number, unit in ((1, "1"), (2, "1"), (3, "mm"))]
    assert judged("same_unit", terms, of="1-2").holds
    found = judged("same_unit", terms, of="1-3")
    assert not found.holds
    assert "(3): mm" in found.evidence


def test_lateral_flow_is_in_no_term():
    vertical = [equation(12, uses=["ΔG", "P"]), equation(13, uses=["ΔG", "ET"]), equation(14, uses=["M", "α"])]
    assert judged("no_lateral_term", vertical).holds
    assert not judged("no_lateral_term", [*vertical[:2], equation(14, uses=["flow"])]).holds
