from collections import Counter

import pytest

from gwsd.artifacts.reported import PAPER, STEPS_IN_PAPER, figure_note, reported, reported_spread


def test_each_number_is_listed_once_with_its_place():
    assert max(Counter((entry.table, entry.row, entry.column) for entry in PAPER).values()) == 1
    assert all(entry.place.startswith(("Table", "Section", "Figure", "Abstract")) for entry in PAPER)


def test_numbers_are_the_papers():
    assert (reported("table3", "full", "mae"), reported_spread("table3", "full", "mae")) == (1.64, 0.85)
    assert reported("text", "epoch_30", "physics") == 3.39
    assert reported("table8", "data_assimilation", "training") == "240+"
    assert reported("table3", "nearest", "r2") is None
    assert reported("table3", "residual", "mae") is None
    assert STEPS_IN_PAPER == 8_000 // 16 * 30


def test_table_5_adds_up_and_contradicts_the_text():
    for epoch in ("1", "10", "30"):
        terms = sum(reported("table5", epoch, term) for term in ("sign", "magnitude", "regional"))
        assert terms == pytest.approx(reported("table5", epoch, "physics"), abs=0.005)
    assert reported("table5", "30", "physics") != reported("text", "epoch_30", "physics")


def test_the_note_of_a_figure_lists_the_papers_numbers():
    assert figure_note("figure3").startswith("example 1: MAE 1.67 cm; example 2: MAE 2.01 cm")
    assert figure_note("figure2") == ""
