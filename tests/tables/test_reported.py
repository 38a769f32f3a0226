from collections import Counter

import pytest

from gwsd.tables.reported import PAPER, STEPS_IN_PAPER, reported, reported_value


def test_no_number_has_two_homes():
    counts = Counter((entry.table, entry.row, entry.column) for entry in PAPER)
    assert max(counts.values()) == 1


def test_every_number_says_where_it_stands():
    assert all(entry.place.startswith(("Table", "Section", "Figure", "Abstract")) for entry in PAPER)


@pytest.mark.parametrize(
    ("place", "value", "spread", "unit"),
    [
        (("table3", "full", "mae"), 1.64, 0.85, "cm"),
        (("table3", "nearest", "mae"), 2.21, 1.25, "cm"),
        (("table5", "30", "physics"), 2.99, None, ""),
        (("text", "epoch_30", "physics"), 3.39, None, ""),
        (("table8", "data_assimilation", "training"), "240+", None, "h"),
        (("figure7", "pixels", "correlation of sd and error"), -0.257, None, ""),
    ],
)
def test_numbers_are_the_papers(place, value, spread, unit):
    entry = reported(*place)
    assert (entry.value, entry.spread, entry.unit) == (value, spread, unit)


def test_where_the_paper_is_silent_there_is_none():
    assert reported("table3", "nearest", "r2") is None
    assert reported_value("table6", "no_physics", "physics") is None
    assert reported_value("table3", "residual", "mae") is None


def test_table_5_adds_up_and_contradicts_the_text():
    for epoch in ("1", "10", "30"):
        terms = sum(reported_value("table5", epoch, term) for term in ("sign", "magnitude", "regional"))
        assert terms == pytest.approx(reported_value("table5", epoch, "physics"), abs=0.005)
    assert reported_value("table5", "30", "physics") != reported_value("text", "epoch_30", "physics")


def test_steps_are_those_of_the_papers_settings():
    assert STEPS_IN_PAPER == 8_000 // 16 * 30
