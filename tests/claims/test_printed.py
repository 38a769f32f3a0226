import math

import pytest

from gwsd.claims.printed import Interval, number_text, read_printed


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("1.64", 1.635, 1.645),
        ("2.10", 2.095, 2.105),
        ("0.9983", 0.99825, 0.99835),
        ("-0.257", -0.2575, -0.2565),
        ("26", 25.5, 26.5),
        ("8.2 million", 8.15e6, 8.25e6),
        ("8,000", 7999.5, 8000.5),
    ],
)
def test_a_print_stands_for_what_rounds_to_it(text, low, high):
    interval = read_printed(text)
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_a_count_stands_for_itself():
    assert read_printed("57,503", exact=True) == Interval(57503, 57503)


@pytest.mark.parametrize(("text", "half"), [("450", 5), ("40", 5), ("0.15", 0.005), ("300", 50), ("54", 0.5)])
def test_about_leaves_the_last_digit_open(text, half):
    interval = read_printed(text, exact=True, approximate=True)
    assert interval.high - interval.middle == pytest.approx(half)


def test_over_under_and_plus_have_no_end():
    assert read_printed("20", bound="above") == Interval(20, math.inf)
    assert read_printed("2", bound="below") == Interval(-math.inf, 2)
    assert read_printed("240+") == Interval(240, math.inf)


def test_months_are_counted():
    first, last = (read_printed(month).middle for month in ("2002-04", "2023-09"))
    assert last - first + 1 == 258


@pytest.mark.parametrize("text", ["many", "1.2.3", "3 trillion", "", "2-3"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match="is no number"):
        read_printed(text)


def test_intervals_meet_where_a_value_lies_in_both():
    assert read_printed("0.998").meets(read_printed("0.9983"))
    assert read_printed("40", approximate=True).meets(read_printed("44"))
    assert not read_printed("2.99").meets(read_printed("3.39"))


def test_numbers_are_written_for_people():
    assert [number_text(x) for x in (2023.0, 57503.0, 8190850.0, 0.98765, 3.55e-8)] == [
        "2023",
        "57,503",
        "8,190,850",
        "0.9877",
        "3.55e-08",
    ]
