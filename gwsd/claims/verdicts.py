"""From what the checks found to one verdict a claim."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gwsd.claims.cells import OF_THE_FIELD, Cells
from gwsd.claims.ledger import Claim, Ledger
from gwsd.claims.printed import number_text
from gwsd.claims.rules import Finding, judge
from gwsd.errors import DataError
from gwsd.tables.reported import STEPS_IN_PAPER

INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
"""Rows of methods that are not trained."""

SLUGS = ("reproduced", "not_reproduced", "contradicts", "cannot_hold", "not_checkable", "reported_by_others")
"""Verdicts without their details, for counting and filtering."""
NAMES = {
    "reproduced": "reproduced",
    "not_reproduced": "not reproduced",
    "contradicts": "contradicts another claim",
    "cannot_hold": "cannot hold",
    "not_checkable": "not checkable here",
    "reported_by_others": "reported by others",
}
"""The verdicts in words."""


@dataclass(frozen=True)
class Verdict:
    """What was found of one claim.

    Attributes
    ----------
    claim : Claim
        The claim.
    slug : str
        The verdict without detail, one of `SLUGS`.
    text : str
        The verdict in words, with its detail.
    found : str
        The value found.
    reason : str
        The evidence.
    compared : str
        With what it was compared.
    data : str
        On what.
    findings : tuple of Finding
        All that the checks found.
    """

    claim: Claim
    slug: str
    text: str
    found: str
    reason: str
    compared: str
    data: str
    findings: tuple[Finding, ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        """Ids of the run's values that were used."""
        return tuple(dict.fromkeys(name for one in self.findings for name in one.numbers))

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What speaks against the claim within the paper."""
        return tuple(one for one in self.findings if one.status in ("contradicts", "cannot hold"))

    @property
    def oddities(self) -> tuple[Finding, ...]:
        """What is possible but odd."""
        return tuple(one for one in self.findings if one.status == "holds" and one.heading)


@dataclass(frozen=True)
class Contradiction:
    """One contradiction or oddity, with all claims that it touches.

    Attributes
    ----------
    heading : str
        What it is about.
    claims : tuple of str
        Ids of the claims.
    evidence : tuple of str
        The evidence of each.
    """

    heading: str
    claims: tuple[str, ...]
    evidence: tuple[str, ...]


def audit(ledger: Ledger, cells: Cells) -> tuple[Verdict, ...]:
    """Find a verdict for each claim of the ledger.

    Parameters
    ----------
    ledger : Ledger
        The claims.
    cells : Cells
        The run's values.

    Returns
    -------
    tuple of Verdict
        In the ledger's order.

    Raises
    ------
    DataError
        Where a claim is called not checkable although something compares it.
    """
    return tuple(weigh(claim, ledger, cells) for claim in ledger.claims)


def contradictions(verdicts: Iterable[Verdict]) -> tuple[Contradiction, ...]:
    """Gather what speaks against the paper within itself, under one heading each."""
    return _gathered((one, two) for one in verdicts for two in one.failures)


def oddities(verdicts: Iterable[Verdict]) -> tuple[Contradiction, ...]:
    """Gather what is possible but odd."""
    return _gathered((one, two) for one in verdicts for two in one.oddities)


def _gathered(found: Iterable[tuple[Verdict, Finding]]) -> tuple[Contradiction, ...]:
    claims: dict[str, list[str]] = {}
    evidence: dict[str, list[str]] = {}
    for verdict, one in found:
        claims.setdefault(one.heading, []).append(verdict.claim.id)
        evidence.setdefault(one.heading, []).append(one.evidence)
    return tuple(
        Contradiction(heading, tuple(dict.fromkeys(ids)), tuple(dict.fromkeys(evidence[heading])))
        for heading, ids in claims.items()
    )


def counts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Count the verdicts, those that nobody got too."""
    found = Counter(one.slug for one in verdicts)
    return {slug: found[slug] for slug in SLUGS}


def weigh(claim: Claim, ledger: Ledger, cells: Cells) -> Verdict:
    """Find the verdict of one claim; see `audit`."""
    findings = tuple(one for check in claim.checks for one in judge(claim, check, ledger, cells))
    by_status: dict[str, list[Finding]] = {}
    for one in findings:
        by_status.setdefault(one.status, []).append(one)
    decided = {"contradicts", "cannot hold", "found", "differs"} & set(by_status)
    if "unchecked" in by_status and decided:
        raise DataError(
            f"paper/claims.yaml: {claim.id} is called not checkable, but {by_status[min(decided)][0].compared} tells; "
            "take its check `unchecked` away"
        )
    slug, text = _slug(by_status)
    order = ("cannot hold", "contradicts", "differs", "found", "others", "unchecked", "absent", "holds")
    sorted_ = sorted(findings, key=lambda one: order.index(one.status))
    reasons = list(dict.fromkeys(one.evidence for one in sorted_))
    seen = {"found", "differs"} & set(by_status)
    numbers = [name for one in findings for name in one.numbers]
    reasons += _remarks(claim, slug, numbers, cells) if seen else []
    return Verdict(
        claim=claim,
        slug=slug,
        text=text,
        found="; ".join(dict.fromkeys(one.found for one in findings if one.found)),
        reason=". ".join(reasons),
        compared="; ".join(dict.fromkeys(part for one in sorted_ for part in one.compared.split("; ") if part)),
        data="; ".join(dict.fromkeys(one.data for one in sorted_)),
        findings=findings,
    )


def _slug(by_status: dict[str, list[Finding]]) -> tuple[str, str]:
    if "cannot hold" in by_status:
        return "cannot_hold", f"cannot hold ({by_status['cannot hold'][0].detail})"
    if "contradicts" in by_status:
        return "contradicts", f"contradicts claim {by_status['contradicts'][0].detail}"
    if "differs" in by_status:
        return "not_reproduced", NAMES["not_reproduced"]
    if "found" in by_status:
        return "reproduced", NAMES["reproduced"]
    if "others" in by_status:
        return "reported_by_others", NAMES["reported_by_others"]
    if "unchecked" in by_status:
        return "not_checkable", f"not checkable here ({by_status['unchecked'][0].detail})"
    if "holds" in by_status and "absent" not in by_status:
        return "reproduced", NAMES["reproduced"]
    return "not_checkable", f"not checkable here ({by_status['absent'][0].detail} is not in this run)"


def _remarks(claim: Claim, slug: str, numbers: Sequence[str], cells: Cells) -> list[str]:
    """Say what the run's data are, what of them was made to be so, and how long the network was trained."""
    remarks = []
    if cells.on_twin:
        remarks.append("On twin data, not observations")
        if claim.on_twin:
            remarks.append(f"The twin is made so: {claim.on_twin}")
    if claim.kind in ("setting", "configuration"):
        return [*remarks, "A setting of this scenario, not a result"] if slug == "not_reproduced" else remarks
    steps = cells.entries.get("table3:full:steps", {}).get("value")
    if steps is not None and steps < STEPS_IN_PAPER and any(_of_a_network(name) for name in numbers):
        remarks.append(f"The networks were trained for {number_text(steps)} of the paper's {STEPS_IN_PAPER:,} steps")
    return remarks


def _of_a_network(name: str) -> bool:
    artifact, row, column = name.split(":")
    if artifact == "claims":
        return row != "figure1" and column not in OF_THE_FIELD
    return artifact not in ("table1", "table2", "figure1", "figure2") and row not in INTERPOLATIONS
