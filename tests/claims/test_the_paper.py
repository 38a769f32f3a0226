"""The paper's own ledger: what it holds, what it finds, and that a changed number is noticed."""

import re
from pathlib import Path

import pytest

from gwsd.claims.ledger import NUMERIC
from gwsd.claims.verdicts import audit, contradictions, weigh
from gwsd.tables.reported import PAPER
from tests.claims.conftest import LEDGER
from tests.claims.ledgers import as_the_paper_has_it, cells_of

SHARED_PAPER = Path(__file__).parents[3] / "shared" / "paper" / "securing-the-silent-reserve.txt"
NUMERAL = r"(?<![\w.])\d[\d,]*\.?\d*"
FACTOR = 1.37
"""By which numbers are changed: more than any rounding, less than any bound forgives."""
ONLY_BOUNDED = {
    "loss.alpha_dry",  # printed once; `loss.alpha` holds the formula against the model
    "loss.alpha_slope",
    "uncertainty.range_high",  # the paper says no more than that the mean lies below it
    "uncertainty.error_high",
    "cost.patches",  # patches may overlap as much as one likes
    "cost.assimilation_hours",  # printed as 240+
}
"""Numbers that nothing pins from above."""


@pytest.fixture(scope="module")
def alone(ledger):
    """The verdicts where no run is at hand."""
    return {one.claim.id: one for one in audit(ledger, cells_of({}))}


def test_there_are_hundreds_of_claims_of_every_part(ledger):
    assert len(ledger.claims) > 400
    places = " ".join(one.place for one in ledger.claims)
    parts = [
        "Abstract",
        "Section I",
        "Section 2.1",
        "Section 3.1",
        "Section 4.8",
        "Section 5.3",
        "Section VI",
        "References",
    ]
    parts += [f"Table {n}" for n in range(1, 9)]
    parts += [f"Figure {n}" for n in range(1, 8)]
    parts += [f"Equation ({n})" for n in range(1, 16)]
    assert [part for part in parts if part not in places] == []


def test_every_cell_of_the_paper_s_tables_is_a_claim(ledger):
    linked = {claim.reported for claim in ledger.claims}
    cells = {f"{one.table}:{one.row}:{one.column}" for one in PAPER if one.table.startswith("table")}
    assert {f"table{n}" for n in range(1, 9)} == {one.split(":")[0] for one in cells}
    assert cells <= linked


def test_every_reference_and_every_equation_is_weighed(ledger):
    assert {f"reference.r{number:02d}" for number in range(1, 24)} <= set(ledger.by_id)
    assert {f"equation.e{number:02d}" for number in range(1, 16)} <= set(ledger.by_id)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("table5.30.physics", "contradicts claim physics.last_total"),
        ("physics.last_total", "contradicts claim table5.30.physics"),
        ("table3.full.physics", "contradicts claim table5.30.physics"),
        ("abstract.physics", "contradicts claim table5.30.physics"),
        ("table5.1.sign", "cannot hold (equation)"),
        ("table5.30.sign", "cannot hold (equation)"),
        ("equation.e01", "cannot hold (equation)"),
        ("equation.e05", "cannot hold (equation)"),
        ("equation.e09", "cannot hold (equation)"),
        ("equation.e10", "cannot hold (equation)"),
        ("figure3.example_3_lowest", "contradicts claim figure3.example_1"),
        ("gap.no_memory", "contradicts claim table4.data_assimilation.temporal"),
        ("results.implied_sd", "cannot hold (outside fact)"),
        ("results.interpolation_physics_infinite", "cannot hold (equation)"),
        ("related.middle_east_loss", "cannot hold (outside fact)"),
        ("related.india_reservoirs", "cannot hold (outside fact)"),
        ("reference.r03", "cannot hold (reference list)"),
        ("reference.r11", "cannot hold (outside fact)"),
        ("reference.r16", "cannot hold (reference list)"),
        ("reference.r18", "cannot hold (reference list)"),
        ("table4.miro.listed", "cannot hold (reference list)"),
        ("caption.figure1", "cannot hold (reference list)"),
        ("table2.validation_independent", "cannot hold (arithmetic)"),
        ("loss.units", "cannot hold (equation)"),
        ("cost.geostatistics_prohibitive", "contradicts claim table8.geostatistical.training"),
    ],
)
def test_a_contradiction_is_found(alone, name, text):
    assert alone[name].text == text


@pytest.mark.parametrize(
    "name",
    [
        "abstract.fine_resolution",
        "table2.distinct",
        "formulation.cells_factor",
        "equation.e02",
        "equation.e07_channels",
        "training.steps",
        "figure3.example_2_highest",
        "conclusion.years",
        "cost.patches",
        "reference.r01",
        "reference.r17",
        "references.all_cited",
        "intro.aquifers",
    ],
)
def test_what_holds_is_said_to_hold(alone, name):
    assert alone[name].slug in ("reproduced", "reported_by_others")
    assert alone[name].failures == ()


def test_table_5_adds_up_in_each_row_but_not_to_the_text(alone):
    (total,) = (one for one in contradictions(alone.values()) if one.heading == "Total of the physics loss")
    assert {"physics.last_total", "table5.30.physics", "table6.full.physics", "conclusion.physics"} <= set(total.claims)
    assert any("1.02 + 1.42 + 0.55 = 2.99" in one for one in total.evidence)
    assert alone["table5.1.physics"].failures == alone["table5.10.physics"].failures == ()


def test_every_verdict_has_its_reason(alone):
    assert [name for name, one in alone.items() if not one.reason] == []


def test_a_run_that_finds_what_the_paper_prints_reproduces_it(ledger):
    verdicts = audit(ledger, as_the_paper_has_it(ledger))
    assert [one.claim.id for one in verdicts if one.slug == "not_reproduced" and one.claim.value is not None] == []


def test_a_claim_with_a_comparator_is_never_called_not_checkable(ledger):
    verdicts = audit(ledger, as_the_paper_has_it(ledger))
    compared = [
        one for one in verdicts if one.slug == "not_checkable" and any(check.cell for check in one.claim.checks)
    ]
    assert compared == []


def test_a_changed_number_flips_its_verdict(ledger):
    run = as_the_paper_has_it(ledger)
    before = {one.claim.id: one for one in audit(ledger, run)}
    tried, missed = 0, []
    for claim in ledger.claims:
        if claim.kind not in NUMERIC or before[claim.id].slug != "reproduced" or claim.kind == "date":
            continue
        tried += 1
        changed = _with_value(ledger, claim)
        touched = [one for one in changed.claims if one.id == claim.id or _names(one, claim.id)]
        if all(weigh(one, changed, run).slug == before[one.id].slug for one in touched):
            missed.append(claim.id)
    print(f"changed numbers noticed: {tried - len(missed)} of {tried}")
    assert tried > 150
    assert set(missed) == ONLY_BOUNDED


def _names(claim, other):
    return any(other in (*check.same, *check.where.values()) for check in claim.checks)


def _with_value(ledger, claim):
    """The ledger with one number made larger by `FACTOR`, printed with as many digits; under a bound, far beyond it."""
    number, _, word = claim.value.replace(",", "").partition(" ")
    digits = len(number.partition(".")[2])
    larger = float(number) * (0.1 if claim.bound == "below" else 10 if claim.bound else FACTOR)
    larger = max(round(larger, digits), float(number) + 10.0**-digits) if not claim.bound else larger
    text = f"{larger:.{digits}f} {word}".strip()
    changed = claim.model_copy(update={"value": text})
    changed.__dict__.pop("interval", None)
    claims = tuple(changed if one.id == claim.id else one for one in ledger.claims)
    other = ledger.model_copy(update={"claims": claims})
    for name in ("by_id", "facts_by_id"):
        other.__dict__.pop(name, None)
    return other


@pytest.mark.parametrize(
    ("fact", "statistic"),
    [
        ("fact.real_nearest", "nearest_mae_mm"),
        ("fact.real_bilinear", "bilinear_mae_mm"),
        ("fact.real_patch_sd", "patch_sd_mm"),
    ],
)
def test_facts_of_the_real_field_are_those_of_the_docs(ledger, fact, statistic):
    table = (LEDGER.parents[1] / "docs" / "twin-earth.md").read_text()
    (row,) = re.findall(rf"\| `{statistic}` \| \S+ \| (\S+) \|", table)
    assert ledger.facts_by_id[fact].value == float(row)


@pytest.mark.skipif(not SHARED_PAPER.exists(), reason="the paper's text is not in this project")
def test_the_words_are_ours(ledger):
    paper = " ".join(re.findall(r"[a-z]+", SHARED_PAPER.read_text().lower()))
    copied = []
    for claim in ledger.claims:
        words = re.findall(r"[a-z]+", claim.claim.lower())
        runs = [" ".join(words[start : start + 8]) for start in range(len(words) - 7)]
        copied += [claim.id for one in runs if f" {one} " in f" {paper} "]
    assert copied == []


@pytest.mark.skipif(not SHARED_PAPER.exists(), reason="the paper's text is not in this project")
def test_every_number_of_the_paper_s_text_is_a_claim(ledger):
    body = SHARED_PAPER.read_text().partition("\nREFERENCES")[0]
    values = {number for claim in ledger.claims for number in re.findall(NUMERAL, claim.value or "")}
    body = re.sub(r"\([^()]*\d{4}[a-z]?\)|Schmidhuber,\s+1997\)|\^\{[\d,]+\}\*", " ", body)  # citations, affiliations
    body = re.sub(r"(Figures?|Tables?|Sections?|Panels?) \d+", " ", body)
    body = re.sub(r"(?m)^\d\.\d(\.\d)?\s.*$|^\$\$.*$|10\^\{-\d\}", " ", body)  # headings, displayed equations, powers
    missing = {number for number in re.findall(NUMERAL, body) if number.strip(",.") not in values}
    assert missing == set()
