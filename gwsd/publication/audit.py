"""Verdicts on the claims of the paper: join the findings of `paper/claims.yaml` with the values of a run."""

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwsd.artifacts.json_face import Entry, entry
from gwsd.artifacts.registry import ARTIFACTS, INTERPOLATIONS
from gwsd.artifacts.reported import STEPS_IN_PAPER
from gwsd.errors import DataError
from gwsd.publication.claims import IN_WORDS, Claim, ClaimCheck, Finding

NAMES = {
    "reproduced": "reproduced",
    "not_reproduced": "not reproduced",
    "contradicts": "contradicts another claim",
    "cannot_hold": "cannot hold",
    "not_checkable": "not checkable here",
    "reported_by_others": "reported by others",
}
"""The verdict classes, with their names."""

COLUMNS = ("id", "place", "claim", "value", "unit", "kind", "verdict", "found", "reason", "compared_with", "data")
"""Columns of `claims.csv`."""

_VERDICTS = {
    "cannot hold": ("cannot_hold", "cannot hold ({})"),
    "contradicts": ("contradicts", "contradicts claim {}"),
    "differs": ("not_reproduced", "not reproduced"),
    "found": ("reproduced", "reproduced"),
    "reported by others": ("reported_by_others", "reported by others"),
    "not checkable": ("not_checkable", "not checkable here ({})"),
    "absent": ("not_checkable", "not checkable here ({} is not in this run)"),
    "consistent": ("reproduced", "reproduced"),
}
"""Verdict class and text of each status; of several, the first decides."""

_UNTRAINED = tuple(entry.name for entry in ARTIFACTS if not entry.trains)
_OF_THE_FIELD = re.compile(r"examples|regions|months|largest_(loss|gain)_cm|month_of_\w+|change_\w+")
"""Columns of figures' statistics in which no network has a part."""


@dataclass(frozen=True)
class RunValues:
    """Published values of a run by id, and the label of its data."""

    entries: Mapping[str, Entry]
    label: str = ""

    @classmethod
    def read(cls, paths: Iterable[Path], computed: Sequence[Entry] = (), label: str = "") -> "RunValues":
        """Read the JSON files of tables and figures, and add values computed for the claims."""
        entries: dict[str, Entry] = {}
        for path in paths:
            try:
                entries |= {value["id"]: value for value in json.loads(path.read_text())["values"]}
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path}: not the values of a table or figure ({error}); make it again") from error
        return cls(entries | {value["id"]: value for value in computed}, label)

    def missing(self, names: Iterable[str]) -> str:
        """Return the first of some ids that has no value in this run."""
        return next((name for name in names if self.entries.get(name, {}).get("value") is None), "")


@dataclass(frozen=True)
class _Outcome:
    """Result of a finding or a check: `status` is a finding's verdict, or `found`, `differs` or `absent` in the run."""

    status: str
    evidence: str
    compared: str = ""
    data: str = "the paper itself"
    found: str = ""
    detail: str = ""
    numbers: tuple[str, ...] = ()


def weigh(claim: Claim, run: RunValues) -> dict[str, Any]:
    """Return the verdict of one claim as an entry of `claims.json`."""
    outcomes = [_established(finding) for finding in claim.findings] + [
        _checked(claim, check, run) for check in claim.run
    ]
    outcomes_of = {status: [outcome for outcome in outcomes if outcome.status == status] for status in _VERDICTS}
    slug, verdict = _verdict(outcomes_of)
    ranked = [outcome for status in _VERDICTS for outcome in outcomes_of[status]]
    numbers = list(dict.fromkeys(name for outcome in outcomes for name in outcome.numbers))
    reasons = [outcome.evidence for outcome in ranked]
    if outcomes_of["found"] or outcomes_of["differs"]:
        reasons += _remarks(claim, slug, numbers, run)
    return {
        "id": claim.id,
        "place": claim.place,
        "claim": claim.claim,
        "value": claim.value or "",
        "unit": claim.unit,
        "kind": claim.kind,
        "verdict": verdict,
        "found": _joined(outcome.found for outcome in outcomes),
        "reason": ". ".join(dict.fromkeys(reasons)),
        "compared_with": _joined(part for outcome in ranked for part in outcome.compared.split("; ")),
        "data": _joined(outcome.data for outcome in ranked),
        "slug": slug,
        "printed": claim.printed,
        "number": next(iter(numbers), ""),
        "numbers": numbers,
        "measured": any(run.entries[name].get("measured", False) for name in numbers),
    }


def _established(finding: Finding) -> _Outcome:
    outside = finding.established == "outside fact"
    return _Outcome(
        status=finding.verdict,
        evidence=finding.evidence,
        compared=finding.compared or (finding.of if finding.verdict == "contradicts" else ""),
        data="the paper and facts from outside" if outside else "the paper itself",
        detail=finding.established if finding.verdict == "cannot hold" else finding.of,
    )


_CELL = re.compile(r"\{([^{}]+)\}")
_OPERATOR = re.compile(r"\s*(<=|>=|==|<|>)\s*")
_HOLDS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: math.isclose(a, b, abs_tol=1e-9),
}
_SIGNS = {"<=": "≤", ">=": "≥", "==": "="}


def _checked(claim: Claim, check: ClaimCheck, run: RunValues) -> _Outcome:
    expression = check.value if check.value is not None else str(check.relation)
    names = tuple(dict.fromkeys(_CELL.findall(expression))) or (expression,)
    compared = "; ".join(names)
    missing = run.missing(names)
    if missing:
        return _Outcome("absent", f"this run has no {missing}", compared, run.label, detail=missing)
    try:
        if check.relation is not None:
            agrees, evidence, found = _relation(expression, run)
        else:
            agrees, found = _agrees(claim, expression, run)
            unit = "" if claim.kind in IN_WORDS else claim.unit
            evidence = f"{f'{found} {unit}'.strip()} found where the paper prints {claim.printed}"
    except (SyntaxError, NameError, TypeError, ValueError, ArithmeticError) as error:
        raise DataError(f"paper/claims.yaml: {claim.id}: {expression!r} cannot be computed ({error})") from None
    evidence = f"{evidence}; {check.because}" if check.because else evidence
    return _Outcome("found" if agrees else "differs", evidence, compared, run.label, found, numbers=names)


def _agrees(claim: Claim, expression: str, run: RunValues) -> tuple[bool, str]:
    """Compare the printed value with a value of the run; words must all occur in it, in order."""
    cell = run.entries.get(expression)
    if cell is not None and (claim.kind in IN_WORDS or isinstance(cell["value"], str)):
        words = iter(re.findall(r"[\w.×°=/-]+", str(cell["text"]).casefold()))
        return all(word in words for word in re.findall(r"[\w.×°=/-]+", str(claim.value).casefold())), str(cell["text"])
    value = _computed(expression if cell is None else f"{{{expression}}}", run)
    low, high = claim.interval
    slack = 1e-9 * max(1.0, abs(value))
    return low - slack <= value <= high + slack, number_text(value)


def _relation(expression: str, run: RunValues) -> tuple[bool, str, str]:
    """Evaluate a chain of comparisons: whether it holds, the relation with its numbers, and the values compared."""
    parts = _OPERATOR.split(expression)
    sides, operators = parts[::2], parts[1::2]
    values = [_computed(side, run) for side in sides]
    holds = all(_HOLDS[sign](*pair) for sign, *pair in zip(operators, values[:-1], values[1:], strict=True))
    texts = [_side_text(side, value, run) for side, value in zip(sides, values, strict=True)]
    evidence = texts[0] + "".join(
        f" {_SIGNS.get(sign, sign)} {text}" for sign, text in zip(operators, texts[1:], strict=True)
    )
    found = " against ".join(
        number_text(value) for side, value in zip(sides, values, strict=True) if _CELL.search(side)
    )
    return holds, evidence if holds else f"does not hold: {evidence}", found


def _computed(expression: str, run: RunValues) -> float:
    """Evaluate an expression of `paper/claims.yaml`, with the run's values in place of ids."""
    code = _CELL.sub(lambda cell: f"({float(run.entries[cell[1]]['value'])!r})", expression)
    return float(eval(code, {"__builtins__": {}, "min": min, "max": max, "abs": abs}))


def _side_text(side: str, value: float, run: RunValues) -> str:
    if _CELL.fullmatch(side) or not _CELL.search(side):
        return number_text(value)
    filled = _CELL.sub(lambda cell: number_text(float(run.entries[cell[1]]["value"])), side)
    return f"[{filled.replace(' * ', ' × ').replace(' - ', ' − ')} = {number_text(value)}]"


def number_text(value: float) -> str:
    """Format a number with four significant digits, integers in full, and no comma in a year."""
    if value == int(value) or abs(value) >= 1e5:
        rounded = int(value if value == int(value) else float(f"{value:.4g}"))
        return f"{rounded:,}" if abs(rounded) >= 1e4 else f"{rounded}"
    return f"{value:.4g}"


def _verdict(outcomes: Mapping[str, list[_Outcome]]) -> tuple[str, str]:
    """Choose the verdict: findings against the paper outweigh a run, a run outweighs what merely is consistent."""
    for status, (slug, text) in _VERDICTS.items():
        if outcomes[status]:
            return slug, text.format(outcomes[status][0].detail)
    raise ValueError("expected an outcome")


def _remarks(claim: Claim, slug: str, numbers: Iterable[str], run: RunValues) -> list[str]:
    remarks = []
    if run.label.startswith("synthetic"):
        remarks.append("On twin data, not observations")
        if claim.on_twin:
            remarks.append(f"The twin is made so: {claim.on_twin}")
    if claim.kind in ("setting", "configuration"):
        return [*remarks, "A setting of this scenario, not a result"] if slug == "not_reproduced" else remarks
    steps = run.entries.get("table3:full:steps", {}).get("value")
    if steps is not None and steps < STEPS_IN_PAPER and any(_of_a_network(name) for name in numbers):
        remarks.append(f"The networks were trained for {number_text(steps)} of the paper's {STEPS_IN_PAPER:,} steps")
    return remarks


def _of_a_network(name: str) -> bool:
    artifact, row, column = name.split(":")
    if artifact == "claims":
        return row != "figure1" and _OF_THE_FIELD.fullmatch(column) is None
    return artifact not in _UNTRAINED and row not in INTERPOLATIONS


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(part for part in parts if part))


def audit(claims: Sequence[Claim], run: RunValues, computed: Sequence[Entry], file: str) -> dict[str, Any]:
    """Weigh all claims: the content of `claims.json`, whose path from the project's root is `file`.

    `computed` are values computed for the claims alone; `values` of the content holds them and the counts.
    """
    weighed = [weigh(claim, run) for claim in claims]
    found = Counter(claim["slug"] for claim in weighed)
    against = _gathered(claims, ("contradicts", "cannot hold"))
    odd = _gathered(claims, ("consistent",))
    counts = {
        "total": (len(claims), "in all"),
        **{slug: (found[slug], name) for slug, name in NAMES.items()},
        "reproduced_in_run": (
            sum(claim["slug"] == "reproduced" and bool(claim["numbers"]) for claim in weighed),
            "reproduced by values of the run, settings among them",
        ),
        "contradictions": (len(against), "contradictions found"),
        "oddities": (len(odd), "oddities found"),
    }
    by_clock = any(claim["measured"] for claim in weighed)
    by_run = ("reproduced", "not_reproduced", "reproduced_in_run")
    values = [
        entry(
            artifact="claims",
            row="count",
            column=slug,
            value=count,
            text=f"{count}",
            format="d",
            label=f"Claims: {name}",
            file=file,
            measured=by_clock and slug in by_run,
            kind="trained" if slug in by_run else "deterministic",
        )
        for slug, (count, name) in counts.items()
    ]
    return {
        "data_label": run.label,
        "claims": weighed,
        "counts": {slug: count for slug, (count, _) in counts.items()},
        "contradictions": against,
        "oddities": odd,
        "values": [*values, *computed],
    }


def _gathered(claims: Iterable[Claim], verdicts: tuple[str, ...]) -> list[dict[str, Any]]:
    """Group findings under their subjects, each with its claims and evidence."""
    groups: dict[str, dict[str, dict[str, None]]] = {}
    for claim in claims:
        for finding in claim.findings:
            if finding.verdict in verdicts and (finding.subject or finding.verdict != "consistent"):
                group = groups.setdefault(finding.subject or claim.id, {"claims": {}, "evidence": {}})
                group["claims"][claim.id] = group["evidence"][finding.evidence] = None
    return [
        {"heading": heading, **{name: list(items) for name, items in group.items()}}
        for heading, group in groups.items()
    ]


def claims_csv(claims: Iterable[Mapping[str, Any]]) -> str:
    """Return `claims.csv` of the claims of an audit."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(claims)
    return stream.getvalue()
