"""Comparison of two runs."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import t

from gwsd.errors import DataError
from gwsd.provenance.compare import Spread, compare, comparison_text, read_document, read_spread, write_reference
from tests.provenance.results_folder import ROOT


def entry(name: str, value: Any, kind: str = "deterministic", form: str = ".2f", **more: Any) -> dict[str, Any]:
    return {"id": name, "value": value, "format": form, "kind": kind, "measured": kind == "clock", "unit": "cm", **more}


def run(folder: Path, *entries: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    (folder / "numbers.json").write_text(json.dumps({"scenario": "toy", "values": entries}))
    return folder


@pytest.mark.parametrize(
    ("first", "second", "form", "agrees"),
    [
        (1.0, 1.0 + 9e-6, ".9f", True),
        (1.0, 1.0 + 2e-5, ".9f", False),
        (1e-9, 9e-5, ".2f", True),
        (1e-9, 2e-4, ".2f", False),
        (100, 100, ",d", True),
        (100_000_000, 100_000_001, ",d", False),
        ("a", "b", "", False),
        (None, None, "", True),
        (None, 1.0, ".2f", False),
    ],
)
def test_deterministic_values_agree_to_rounding(first: Any, second: Any, form: str, agrees: bool) -> None:
    (item,) = compare({"a": entry("a", first, form=form)}, {"a": entry("a", second, form=form)}, Spread())
    assert (item.kind, item.agrees) == ("deterministic", agrees)


def test_a_value_of_one_run_alone_does_not_agree() -> None:
    first, second = compare({"a": entry("a", 1.0)}, {"b": entry("b", 1.0)}, Spread())
    assert (first.missing, second.missing) == ("second", "first")
    assert not first.agrees


def test_trained_numbers_are_measured_in_standard_deviations() -> None:
    spread = Spread(3, {"a": 0.5, "old": 2.0, "word": None})
    ours = {name: entry(name, value, "trained") for name, value in (("a", 1.0), ("b", 1.0), ("word", "June"))}
    ours |= {"old": entry("old", 1.0), "time": entry("time", 1.0, "clock")}
    theirs = {name: {**item, "value": "July" if name == "word" else 3.0} for name, item in ours.items()}
    found = {item.id: item for item in compare(ours, theirs, spread)}
    distances = {"a": 4.0, "b": None, "word": None, "old": 1.0, "time": None}
    assert {name: item.distance for name, item in found.items()} == distances
    assert [item.kind for item in found.values()] == ["trained"] * 4 + ["clock"]
    text = comparison_text(list(found.values()), Path("ours"), Path("theirs"), spread)
    assert re.search(r"4\.00  a \(cm\)\n +1 +3 +1\.00  old \(cm\)", text)
    assert re.search(r"June +July +–  word", text)
    short = comparison_text(list(found.values()), Path("ours"), Path("theirs"), spread, limit=1)
    assert "old" not in short
    assert "and 3 more; --all" in short


def test_the_bound_is_student_s_and_covers_all_numbers_together() -> None:
    spread = Spread(3, {})
    assert spread.bound() == pytest.approx(t.ppf(0.975, 2) * math.sqrt(2.0))
    assert spread.bound(100) == pytest.approx(t.ppf(1.0 - 0.05 / 200, 2) * math.sqrt(2.0))
    ours = {str(index): entry(str(index), 0.0, "trained") for index in range(5)}
    for value, words in ((1.0, "consistent with another seed"), (1000.0, "this run differs by more than its seeds")):
        theirs = {**ours, "0": entry("0", value, "trained")}
        known = Spread(3, dict.fromkeys(ours, 1.0))
        assert words in comparison_text(compare(ours, theirs, known), Path("a"), Path("b"), known)


def test_a_reference_holds_the_first_run_and_the_spread(tmp_path: Path) -> None:
    runs = [
        run(
            tmp_path / str(seed),
            entry("mae", float(seed), "trained", source=["file"]),
            entry("count", 3, form="d"),
            entry("month", f"2010-0{seed}", "trained"),
            entry("time", float(seed), "clock"),
        )
        for seed in (1, 2, 3)
    ]
    reference = tmp_path / "reference"
    write_reference(reference, runs)
    assert read_spread(tmp_path, reference) == Spread(3, {"mae": 1.0, "month": None})
    values = {name: item["value"] for name, item in read_document(reference)["values"].items()}
    assert values == {"mae": 1.0, "count": 3, "month": "2010-01", "time": 1.0}
    assert "source" not in (reference / "numbers.json").read_text()
    with pytest.raises(DataError, match="give each its own `seeds`"):
        write_reference(reference, [runs[0], runs[0]])


@pytest.mark.parametrize("text", ["{", "[]", '{"values": 3}', '{"values": [{"id": "a"}]}'])
def test_a_damaged_list_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "numbers.json").write_text(text)
    with pytest.raises(DataError, match=r"numbers\.json: not "):
        read_document(tmp_path)


def test_the_reference_of_the_project_agrees_with_itself() -> None:
    values, spread = read_document(ROOT / "reference/demo")["values"], read_spread(ROOT / "reference/demo")
    found = compare(values, values, spread)
    assert all(item.agrees for item in found)
    assert spread.runs == 3
    assert sum(item.distance is not None for item in found) > 200
