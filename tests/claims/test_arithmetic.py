import pytest

from gwsd.claims.arithmetic import NoValueError, evaluate, names_in
from gwsd.claims.network import conv_lstm_parameters, multiplications_per_sample, u_net_parameters
from gwsd.claims.printed import exactly, read_printed
from gwsd.model.downscaler import Downscaler


def judged(relation: str, **printed: str) -> bool:
    """Counts are written without a decimal point here, and stand for themselves."""
    return evaluate(relation, {name: read_printed(text, exact="." not in text) for name, text in printed.items()}).holds


PERCENT = "self == 100 * (nearest - full) / nearest"
SUM = "self == sign + magnitude + regional"
ROUNDED_SUM = {"sign": "1.02", "magnitude": "1.42", "regional": "0.55"}
SPREAD = "rmse ** 2 >= mae ** 2 + sd ** 2"
IMPLIED = "rmse / sqrt(1 - r2) == sd"
MONTHS = "self == last - first + 1 - absent"
MINUTES = "self >= patches * seconds / 60"
STEPS = "self == patches / batch * epochs"
COUNT = "self == conv_lstm_parameters(4, 64, 2, 3) + u_net_parameters(65, 64, 128, 256, below) + 2 * 65"
FIT = "self >= 360 / (side * degrees) * 180 / (side * degrees)"
CHANGE = "self == 100 * (without / full - 1)"


@pytest.mark.parametrize(
    ("relation", "holding", "failing"),
    [
        (
            PERCENT,
            {"self": "25.8", "nearest": "2.21", "full": "1.64"},
            {"self": "24.0", "nearest": "2.21", "full": "1.64"},
        ),
        (SUM, {"self": "2.99", **ROUNDED_SUM}, {"self": "3.39", **ROUNDED_SUM}),
        (SPREAD, {"rmse": "2.75", "mae": "1.64", "sd": "0.85"}, {"rmse": "1.75", "mae": "1.64", "sd": "0.85"}),
        (IMPLIED, {"rmse": "2.75", "r2": "0.9983", "sd": "66.7"}, {"rmse": "2.75", "r2": "0.9983", "sd": "5.5"}),
        (
            MONTHS,
            {"self": "225", "first": "2002-04", "last": "2023-09", "absent": "33"},
            {"self": "224", "first": "2002-04", "last": "2023-09", "absent": "33"},
        ),
        (
            MINUTES,
            {"self": "2", "patches": "450", "seconds": "0.15"},
            {"self": "1", "patches": "450", "seconds": "0.15"},
        ),
        (
            STEPS,
            {"self": "15000", "patches": "8000", "batch": "16", "epochs": "30"},
            {"self": "15000", "patches": "8000", "batch": "32", "epochs": "30"},
        ),
        (COUNT, {"self": "8190850", "below": "512"}, {"self": "8190850", "below": "256"}),
        (FIT, {"self": "450", "side": "128", "degrees": "0.125"}, {"self": "250", "side": "128", "degrees": "0.125"}),
        (
            CHANGE,
            {"self": "31.1", "without": "2.15", "full": "1.64"},
            {"self": "31.1", "without": "2.01", "full": "1.64"},
        ),
        ("a < b < c", {"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "3", "c": "2"}),
        ("abs(r) <= 1", {"r": "-0.257"}, {"r": "-1.257"}),
        ("self <= largest_sign_loss()", {"self": "0.99"}, {"self": "1.02"}),
    ],
)
def test_each_relation_holds_where_it_should_and_fails_where_it_should(relation, holding, failing):
    assert judged(relation, **holding)
    assert not judged(relation, **failing)


def test_rounding_is_given_its_due():
    assert judged("a == b", a="3.39", b="3.394")
    assert judged("a == x + y", a="2.0", x="0.99", y="0.99")
    assert not judged("a == x + y", a="2.0", x="0.96", y="0.96")


def test_the_evidence_has_the_numbers_in_place():
    found = evaluate(SUM, {name: read_printed(text) for name, text in {"self": "3.39", **ROUNDED_SUM}.items()})
    assert found.evidence == "3.39 (3.385 to 3.395) = [1.02 + 1.42 + 0.55 = 2.99 (2.975 to 3.005)]"


@pytest.mark.parametrize(("relation", "message"), [("sqrt(a - b) > 0", "sqrt of -1"), ("a / (a - 1) > 0", "division")])
def test_a_formula_without_a_value_says_so(relation, message):
    with pytest.raises(NoValueError, match=message):
        evaluate(relation, {"a": exactly(1), "b": exactly(2)})


def test_names_are_those_without_a_function():
    assert names_in("min(a, b) <= sqrt(c) * 2") == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("relation", "message"),
    [
        ("a + b", "is no relation"),
        ("a ==", "is no relation"),
        ("a == eval(a)", "no such function"),
        ("a == a.real", "more than a formula may be"),
        ("a == 'x'", "more than a formula may be"),
        ("a == c", "no value is given"),
    ],
)
def test_a_formula_may_do_little(relation, message):
    with pytest.raises(ValueError, match=message):
        evaluate(relation, {"a": exactly(1), "b": exactly(2)})


def test_the_parameters_counted_from_words_are_those_of_the_model():
    network = Downscaler(
        climate_variables=["precipitation", "soil_moisture", "temperature", "surface_pressure"],
        temporal_encoder="conv_lstm",
        memory=6,
        lstm_channels=8,
        lstm_layers=2,
        unet_channels=[16, 32, 64],
        bottleneck_channels=128,
        normalisation="batch",
        residual=False,
        variance_head=True,
        variance_floor=1e-4,
    )
    counted = conv_lstm_parameters(4, 8, 2, 3) + u_net_parameters(9, 16, 32, 64, 128) + 2 * 17
    assert counted == sum(one.numel() for one in network.parameters())


def test_the_paper_s_8_2_million_need_a_bottleneck_that_table_1_does_not_list():
    total = conv_lstm_parameters(4, 64, 2, 3) + 130
    assert total + u_net_parameters(65, 64, 128, 256, 512) == 8_190_850
    assert total + u_net_parameters(65, 64, 128, 256, 0) < 2.4e6


def test_the_conv_lstm_multiplies_2_77_billion_times():
    assert multiplications_per_sample(6, 4, 64, 2, 32) == pytest.approx(2.77e9, rel=0.005)
    assert multiplications_per_sample(12, 4, 64, 2, 32) == 2 * multiplications_per_sample(6, 4, 64, 2, 32)
