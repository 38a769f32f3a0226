"""The paper's claims: printed numbers, the file's form, and that the file is complete."""

import json
import math
import re
from pathlib import Path

import pytest
import yaml

from gwsd.artifacts.reported import PAPER, SPREADS
from gwsd.errors import DataError
from gwsd.publication.audit import RunValues, audit
from gwsd.publication.claims import read_claims, read_printed

ROOT = Path(__file__).parents[2]
PATH = ROOT / "paper" / "claims.yaml"
PAPER_TEXT = ROOT.parent / "shared" / "paper" / "securing-the-silent-reserve.txt"
NUMERAL = r"(?<![\w.])\d[\d,]*\.?\d*"


@pytest.fixture(scope="module")
def claims():
    return read_claims(PATH)


@pytest.fixture(scope="module")
def alone(claims):
    """The verdicts without a run."""
    return {claim["id"]: claim for claim in audit(claims, RunValues({}), [], "claims.json")["claims"]}


@pytest.mark.parametrize(
    ("text", "options", "interval"),
    [
        ("1.64", {}, (1.635, 1.645)),
        ("2.10", {}, (2.095, 2.105)),
        ("-0.257", {}, (-0.2575, -0.2565)),
        ("8.2 million", {}, (8.15e6, 8.25e6)),
        ("57,503", {"exact": True}, (57503, 57503)),
        ("40", {"approximate": True}, (35, 45)),
        ("0.15", {"approximate": True}, (0.145, 0.155)),
        ("240+", {}, (240, math.inf)),
        ("2 billion", {"bound": "above"}, (2e9, math.inf)),
        ("5", {"bound": "below"}, (-math.inf, 5)),
    ],
)
def test_a_printed_number_stands_for_all_that_round_to_it(text, options, interval):
    assert read_printed(text, **options) == pytest.approx(interval)


FINDING = {"verdict": "consistent", "established": "arithmetic", "evidence": "1 = 1"}
CLAIM = {"id": "a.a", "place": "Table 9", "claim": "x", "kind": "statement", "findings": [FINDING]}


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ([CLAIM, CLAIM], r"a\.a: id given 2 times"),
        ([{**CLAIM, "colour": 1}], "colour"),
        ([{**CLAIM, "kind": "number"}], "kind number has a value"),
        ([{**CLAIM, "findings": []}], "expected findings or run"),
        ([{**CLAIM, "run": [{"because": "x"}]}], "expected either value or relation"),
        ([{**CLAIM, "findings": [{**FINDING, "verdict": "contradicts", "of": "b.b"}]}], "contradicts .*which is no"),
        ("nothing", "not a list of claims"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path, claims, message):
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump({"claims": claims}))
    with pytest.raises(DataError, match=message):
        read_claims(path)


def test_the_numbers_that_tables_print_as_the_papers_are_those_of_the_claims(claims):
    printed = {claim.reported: claim.value for claim in claims if claim.reported}
    expected = PAPER | {f"± {name}": spread for name, spread in SPREADS.items()}
    assert set(printed) == set(expected)
    for name, value in expected.items():
        if isinstance(value, bool | str):
            assert printed[name] == {True: "Yes", False: "No"}.get(value, value)
        else:
            assert read_printed(printed[name], exact=True)[0] == float(value), name


def test_every_value_that_a_claim_is_compared_with_is_published(claims):
    published = {entry["id"] for entry in json.loads((ROOT / "reference/demo/numbers.json").read_text())["values"]}
    checks = [check.value or check.relation for claim in claims for check in claim.run]
    named = {name for check in checks for name in re.findall(r"[a-z]+\d?:\w+:\w+", check)}
    assert named - published == set()


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("table5.30.physics", "contradicts claim physics.last_total"),
        ("table5.30.sign", "cannot hold (equation)"),
        ("reference.r16", "cannot hold (reference list)"),
        ("intro.aquifers", "reported by others"),
        ("figure3.example_3_low", "not checkable here (picture only)"),
        ("training.steps", "reproduced"),
        ("table7.memory_12.mae", "not checkable here (table7:memory_12:mae_cm is not in this run)"),
    ],
)
def test_verdicts_without_a_run(alone, name, verdict):
    assert alone[name]["verdict"] == verdict
    assert alone[name]["reason"]


def test_sums_in_the_evidence_are_right(claims):
    """Evidence such as `[1.02 + 1.42 + 0.55 = 2.99]` is static text: compute it again."""
    checked = 0
    for claim in claims:
        for finding in claim.findings:
            for formula, result in re.findall(r"\[([\d.,+×/− ()²]+) = ([\d.,-]+)", finding.evidence):
                python = formula.translate(str.maketrans({"×": "*", "−": "-", "²": "**2", ",": ""}))
                computed = eval(python.replace("**2", "**2 "))
                assert computed == pytest.approx(float(result.replace(",", "").rstrip(".")), rel=2e-3), finding.evidence
                checked += 1
    assert checked > 30
    assert len(claims) > 400


@pytest.mark.skipif(not PAPER_TEXT.exists(), reason="the paper's text is not in this project")
def test_the_words_are_ours_and_every_number_of_the_paper_is_a_claim(claims):
    text = PAPER_TEXT.read_text()
    paper = " ".join(re.findall(r"[a-z]+", text.lower()))
    for claim in claims:
        words = re.findall(r"[a-z]+", claim.claim.lower())
        runs = [" ".join(words[start : start + 8]) for start in range(len(words) - 7)]
        assert not [run for run in runs if f" {run} " in f" {paper} "], claim.id
    body = text.partition("\nREFERENCES")[0]
    body = re.sub(r"\([^()]*\d{4}[a-z]?\)|Schmidhuber,\s+1997\)|\^\{[\d,]+\}\*", " ", body)  # citations, affiliations
    body = re.sub(r"(Figures?|Tables?|Sections?|Panels?) \d+", " ", body)
    body = re.sub(r"(?m)^\d\.\d(\.\d)?\s.*$|^\$\$.*$|10\^\{-\d\}", " ", body)  # headings, displayed equations, powers
    values = {number for claim in claims for number in re.findall(NUMERAL, claim.value or "")}
    assert {number for number in re.findall(NUMERAL, body) if number.strip(",.") not in values} == set()
