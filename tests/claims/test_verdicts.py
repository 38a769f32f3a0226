"""From checks to verdicts, each with a case that holds and one that fails."""

import pytest

from gwsd.claims.verdicts import audit, contradictions, counts, oddities
from gwsd.errors import DataError
from tests.claims.ledgers import cells_of, small

OTHER = {"id": "b.b", "place": "Table 9", "value": "2.99", "checks": [{"others": "somebody"}]}


def verdict(claim, cells=None, *others, label="", **more):
    ledger = small({"id": "a.a", **claim}, OTHER, *others, **more)
    return audit(ledger, cells_of(cells or {}, label))[0]


@pytest.mark.parametrize(
    ("value", "text"), [("2.99", "reproduced"), ("3.0", "reproduced"), ("3.39", "contradicts claim b.b")]
)
def test_the_same_quantity_is_printed_twice(value, text):
    assert verdict({"value": value, "checks": [{"same": ["b.b"]}]}).text == text


@pytest.mark.parametrize(
    ("found", "text"),
    [(1.638, "reproduced"), (1.6449, "reproduced"), (1.646, "not reproduced"), (0.5, "not reproduced")],
)
def test_a_value_of_the_run_is_reproduced_within_the_paper_s_rounding(found, text):
    one = verdict({"value": "1.64", "unit": "cm", "checks": [{"cell": "t:r:c"}]}, {"t:r:c": found})
    assert one.text == text
    assert "the paper prints 1.64 cm" in one.reason
    assert one.numbers == ("t:r:c",)


def test_a_tolerance_is_declared_with_its_reason():
    within = {"percent": 10, "because": "three seeds differ as much"}
    check = {"cell": "t:r:c", "within": within}
    assert verdict({"value": "1.64", "checks": [check]}, {"t:r:c": 1.75}).text == "reproduced"
    one = verdict({"value": "1.64", "checks": [check]}, {"t:r:c": 1.95})
    assert one.text == "not reproduced"
    assert "10 % (three seeds differ as much)" in one.reason


def test_a_cell_is_brought_to_the_claim_s_unit():
    check = {"cell": "t:r:c", "factor": 0.1}
    assert verdict({"value": "1.64", "checks": [check]}, {"t:r:c": 16.4}).found == "1.64"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("30 (early stopping after 10)", "reproduced"),
        ("8 (early stopping after 10)", "not reproduced"),
        ("(stopping early) 30", "not reproduced"),
    ],
)
def test_words_are_found_in_their_order(cell, text):
    claim = {"value": "30 (early stopping)", "kind": "words", "checks": [{"cell": "t:r:c"}]}
    assert verdict(claim, {"t:r:c": cell}).text == text


def test_an_order_is_found_in_the_run_or_not():
    check = {"holds": "full < nearest", "where": {"full": "t:full:mae", "nearest": "t:nearest:mae"}}
    claim = {"kind": "statement", "checks": [check]}
    assert verdict(claim, {"t:full:mae": 1.0, "t:nearest:mae": 2.0}).text == "reproduced"
    one = verdict(claim, {"t:full:mae": 2.0, "t:nearest:mae": 1.0})
    assert (one.text, one.found) == ("not reproduced", "2 against 1")


def test_what_cannot_hold_says_by_what():
    check = {"holds": "self <= x", "where": {"x": "b.b"}}
    assert verdict({"value": "4.0", "checks": [check]}).text == "cannot hold (arithmetic)"
    assert verdict({"value": "4.0", "checks": [{**check, "contradicts": "b.b"}]}).text == "contradicts claim b.b"
    fact = {"id": "fact.x", "fact": "Known", "value": 1, "source": "A book"}
    one = verdict({"value": "4.0", "checks": [{**check, "where": {"x": "fact.x"}}]}, facts=[fact])
    assert one.text == "cannot hold (outside fact)"
    assert "[A book]" in one.reason


def test_a_relation_without_a_value_does_not_hold():
    one = verdict({"value": "1.5", "checks": [{"holds": "sqrt(1 - self) > 0"}]})
    assert one.text == "cannot hold (arithmetic)"
    assert "sqrt of -0.45" in one.reason


def test_equations_and_references_are_computed():
    equation = {"number": 1, "defines": "i", "uses": ["W_hj"], "gate": "i"}
    claim = {"kind": "equation", "checks": [{"equation": "gate_letters", "of": 1}]}
    assert verdict(claim, equations=[equation]).text == "cannot hold (equation)"
    assert verdict(claim, equations=[{**equation, "uses": ["W_hi"]}]).text == "reproduced"
    claim = {"kind": "reference", "checks": [{"reference": "listed", "of": "A 2020"}]}
    assert verdict(claim).text == "cannot hold (reference list)"


def test_a_year_of_the_reference_list_is_a_number():
    works = [{"number": 1, "key": "A 2021", "about": "x", "journal": "J", "year": 2021, "volume": 1}]
    check = {
        "holds": "year == first + volume - 1",
        "where": {"year": "list:A 2021:year", "volume": "list:A 2021:volume", "first": "fact.j"},
    }
    fact = {"id": "fact.j", "fact": "First year", "value": 2023, "source": "The journal"}
    claim = {"kind": "reference", "checks": [check]}
    assert verdict(claim, references=works, facts=[fact]).text == "cannot hold (outside fact)"
    assert verdict(claim, references=works, facts=[{**fact, "value": 2021}]).text == "reproduced"


def test_what_others_report_is_theirs():
    assert verdict({"value": "2.10", "checks": [{"others": "Somebody (2018)"}]}).text == "reported by others"


def test_words_against_words():
    check = {"against": "b.b", "because": "the one says yes, the other no"}
    one = verdict({"kind": "statement", "checks": [check]})
    assert one.text == "contradicts claim b.b"
    assert "the other no (Table 9" in one.reason


def test_a_failure_within_the_paper_outweighs_what_the_run_found():
    checks = [{"cell": "t:r:c"}, {"same": ["b.b"]}]
    one = verdict({"value": "3.4", "checks": checks}, {"t:r:c": 3.41})
    assert one.text == "contradicts claim b.b"
    assert one.found == "3.41"


def test_not_checkable_is_refused_where_something_tells():
    unchecked = {"unchecked": "picture only", "would_tell": "the picture's data"}
    claim = {"value": "1.0", "checks": [unchecked, {"cell": "t:r:c"}]}
    assert verdict(claim).text == "not checkable here (picture only)"
    with pytest.raises(DataError, match=r"a\.a is called not checkable, but t:r:c tells"):
        verdict(claim, {"t:r:c": 1.0})


def test_what_the_run_lacks_is_not_checkable_and_named():
    one = verdict({"value": "1.0", "checks": [{"cell": "table7:memory_12:mae_cm"}]})
    assert one.text == "not checkable here (table7:memory_12:mae_cm is not in this run)"


def test_a_column_that_no_table_has_is_an_error():
    with pytest.raises(DataError, match=r"table7 of this run has no column 'mea_cm'; near ones: table7:full:mae_cm"):
        verdict({"value": "1.0", "checks": [{"cell": "table7:full:mea_cm"}]}, {"table7:full:mae_cm": 1.0})


def test_a_verdict_on_the_twin_says_so():
    claim = {"value": "57,503", "kind": "count", "on_twin": "twin.valid_cells", "checks": [{"cell": "t:r:c"}]}
    twin = verdict(claim, {"t:r:c": 57503}, label="synthetic: twin Earth, not observations")
    assert "On twin data, not observations. The twin is made so: twin.valid_cells" in twin.reason
    assert twin.data == "synthetic: twin Earth, not observations"
    assert "twin" not in verdict(claim, {"t:r:c": 57503}, label="G3P v1.12").reason.lower()


def test_a_short_training_is_told():
    values = {"table3:full:mae_cm": 1.2, "table3:nearest:mae_cm": 0.2, "table3:full:steps": 384}
    of_network = verdict({"value": "1.64", "checks": [{"cell": "table3:full:mae_cm"}]}, values)
    assert "384 of the paper's 15,000 steps" in of_network.reason
    assert "steps" not in verdict({"value": "2.21", "checks": [{"cell": "table3:nearest:mae_cm"}]}, values).reason


def test_a_setting_that_differs_is_no_result():
    claim = {"value": "8,000", "kind": "setting", "checks": [{"cell": "t:r:c"}]}
    assert "A setting of this scenario, not a result" in verdict(claim, {"t:r:c": 768}).reason


def test_contradictions_are_gathered_under_their_heading():
    ledger = small(
        {"id": "a.a", "value": "3.4", "checks": [{"same": ["b.b"], "finding": "Total"}]},
        {"id": "a.c", "value": "3.39", "checks": [{"same": ["b.b"], "finding": "Total"}]},
        {"id": "a.d", "value": "1.0", "checks": [{"same": ["b.b"]}]},
        {"id": "a.e", "value": "1.0", "checks": [{"holds": "self < x", "where": {"x": "b.b"}, "odd": "Small"}]},
        OTHER,
    )
    verdicts = audit(ledger, cells_of({}))
    found = contradictions(verdicts)
    assert [(one.heading, one.claims) for one in found] == [("Total", ("a.a", "a.c")), ("a.d", ("a.d",))]
    assert [(one.heading, one.claims) for one in oddities(verdicts)] == [("Small", ("a.e",))]
    assert counts(verdicts)["contradicts"] == 3
    assert sum(counts(verdicts).values()) == 5
