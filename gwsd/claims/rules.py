"""One claim, one check: what was found."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from gwsd.claims import bibliography, equations
from gwsd.claims.arithmetic import NoValueError, Outcome, evaluate
from gwsd.claims.cells import Cells
from gwsd.claims.ledger import IN_WORDS, LISTED, WHY_UNCHECKED, Check, Claim, Ledger
from gwsd.claims.printed import Interval, exactly, number_text

PAPER_ITSELF = "the paper itself"
WITH_FACTS = "the paper and facts from outside"

Status = Literal["holds", "contradicts", "cannot hold", "found", "differs", "absent", "others", "unchecked"]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    status : str
        `holds` within the paper; `contradicts` another claim; `cannot hold`; `found` in the run; `differs` from the
        run; `absent`: the run has no such value; `others`: reported by others; `unchecked`.
    evidence : str
        Numbers and words.
    compared : str
        With what.
    data : str
        On what: the paper itself, facts from outside, or the run's data.
    found : str
        The value found; empty where there is none.
    detail : str
        Which claim is contradicted, or why it cannot hold, or why it was not checked.
    numbers : tuple of str
        Ids of the run's values that were used.
    heading : str
        Where it stands in the list of contradictions, or of oddities where it holds.
    """

    status: Status
    evidence: str
    compared: str
    data: str = PAPER_ITSELF
    found: str = ""
    detail: str = ""
    numbers: tuple[str, ...] = ()
    heading: str = ""


def judge(claim: Claim, check: Check, ledger: Ledger, cells: Cells) -> list[Finding]:
    """Apply one check to its claim.

    Parameters
    ----------
    claim : Claim
        What the paper says.
    check : Check
        How it is compared.
    ledger : Ledger
        The other claims, and the facts.
    cells : Cells
        The run's values.

    Returns
    -------
    list of Finding
        One for each comparison.
    """
    return _RULES[check.rule](claim, check, ledger, cells)


def _same(claim: Claim, check: Check, ledger: Ledger, cells: Cells) -> list[Finding]:
    found = []
    for name in check.same:
        other = ledger.by_id[name]
        if claim.kind in IN_WORDS or other.kind in IN_WORDS:
            agree = (claim.value or "").casefold() == (other.value or "").casefold()
            evidence = f"{claim.value!r} here, {other.value!r} in {other.place}"
        else:
            agree = claim.interval.meets(other.interval)
            evidence = f"{printed(claim)} here, {printed(other)} in {other.place}"
        status: Status = "holds" if agree else "contradicts"
        heading = check.odd or "" if agree else _heading(claim, check)
        found.append(Finding(status, _with(evidence, check), name, detail=name, heading=heading))
    return found


def _cell(claim: Claim, check: Check, ledger: Ledger, cells: Cells) -> list[Finding]:
    name = check.cell or ""
    entry = cells.find(name)
    if entry is None or entry["value"] is None:
        return [Finding("absent", f"this run has no {name}", name, cells.label, detail=name)]
    if claim.kind in IN_WORDS or isinstance(entry["value"], str):
        agree = _in_order(str(claim.value), str(entry["text"]))
        text = str(entry["text"])
    else:
        value = float(entry["value"]) * check.factor
        agree = _widened(claim.interval, check).meets(exactly(value))
        text = number_text(value)
    tolerance = f"; tolerance {_tolerance(check)}" if check.within else ""
    unit = "" if claim.kind in IN_WORDS else f" {claim.unit}"
    evidence = f"{f'{text}{unit}'.strip()} found where the paper prints {printed(claim)}{tolerance}"
    status: Status = "found" if agree else "differs"
    return [Finding(status, _with(evidence, check), name, cells.label, text, numbers=(name,))]


def _holds(claim: Claim, check: Check, ledger: Ledger, cells: Cells) -> list[Finding]:
    values: dict[str, Interval] = {}
    if claim.value is not None and claim.kind not in IN_WORDS:
        values["self"] = claim.interval
    numbers, outside = [], False
    for name, of in check.where.items():
        if of.startswith(LISTED):
            _, key, column = of.split(":")
            written = next(one for one in ledger.references if one.key == key)
            values[name] = exactly(getattr(written, column))
        elif ":" in of:
            entry = cells.find(of)
            if entry is None or entry["value"] is None:
                return [Finding("absent", f"this run has no {of}", of, cells.label, detail=of)]
            values[name] = exactly(float(entry["value"]))
            numbers.append(of)
        elif of in ledger.facts_by_id:
            values[name] = ledger.facts_by_id[of].interval
            outside = True
        else:
            values[name] = ledger.by_id[of].interval
    try:
        outcome = evaluate(check.holds or "", values)
    except NoValueError as error:
        outcome = Outcome(False, f"{check.holds} ({error})", ())
    compared = "; ".join(check.where.values())
    relation = outcome.evidence if outcome.holds else f"does not hold: {outcome.evidence}"
    evidence = _with(_sourced(relation, check, ledger), check)
    status: Status
    if numbers:
        status = "found" if outcome.holds else "differs"
        sides = [number_text(side.middle) for names, side in outcome.sides if names - {"self"}]
        return [Finding(status, evidence, compared, cells.label, " against ".join(sides), numbers=tuple(numbers))]
    data = WITH_FACTS if outside else PAPER_ITSELF
    if outcome.holds:
        return [Finding("holds", evidence, compared, data, heading=check.odd or "")]
    if check.contradicts:
        return [Finding("contradicts", evidence, compared, data, "", check.contradicts, (), _heading(claim, check))]
    by_equation = any(name.startswith("equation.") for name in check.where.values())
    detail = "outside fact" if outside else "equation" if by_equation else "arithmetic"
    return [Finding("cannot hold", evidence, compared, data, "", detail, (), _heading(claim, check))]


def _equation(claim: Claim, check: Check, ledger: Ledger, cells: Cells) -> list[Finding]:
    written = equations.Written(ledger.equations, ledger.symbols)
    result = equations.PROPERTIES[check.equation or ""](written, check.of)
    return _computed(claim, check, result, f"equation: {check.equation}", "equation")


def _reference(claim: Claim, check: Check, ledger: Ledger, cells: Cells) -> list[Finding]:
    entries = bibliography.Bibliography(ledger.references, ledger.citations)
    result = bibliography.PROPERTIES[check.reference or ""](entries, check.of)
    return _computed(claim, check, result, f"reference list: {check.reference}", "reference list")


def _computed(claim: Claim, check: Check, result: equations.Property, compared: str, detail: str) -> list[Finding]:
    evidence = _with(result.evidence, check)
    if result.holds:
        return [Finding("holds", evidence, compared, heading=check.odd or "")]
    return [Finding("cannot hold", evidence, compared, detail=detail, heading=_heading(claim, check))]


def _others(claim: Claim, check: Check, ledger: Ledger, cells: Cells) -> list[Finding]:
    return [Finding("others", _with(f"reported by {check.others}", check), str(check.others))]


def _against(claim: Claim, check: Check, ledger: Ledger, cells: Cells) -> list[Finding]:
    other = ledger.by_id[check.against or ""]
    evidence = f"{check.because} ({other.place}: {other.claim})"
    return [Finding("contradicts", evidence, other.id, detail=other.id, heading=_heading(claim, check))]


def _unchecked(claim: Claim, check: Check, ledger: Ledger, cells: Cells) -> list[Finding]:
    why = WHY_UNCHECKED[check.unchecked or ""]
    return [Finding("unchecked", f"{why}; what would tell: {check.would_tell}", "", detail=str(check.unchecked))]


_RULES: dict[str, Callable[[Claim, Check, Ledger, Cells], list[Finding]]] = {
    "same": _same,
    "cell": _cell,
    "holds": _holds,
    "equation": _equation,
    "reference": _reference,
    "others": _others,
    "against": _against,
    "unchecked": _unchecked,
}


def printed(claim: Claim) -> str:
    """Write a claim's value as the paper does, with its unit."""
    word = {"above": "over ", "below": "under "}.get(claim.bound or "", "about " if claim.approximate else "")
    joint = "" if claim.unit in ("%", "°") else " "
    return f"{word}{claim.value}{joint}{claim.unit}".strip()


def _heading(claim: Claim, check: Check) -> str:
    return check.finding or claim.id


def _with(evidence: str, check: Check) -> str:
    return f"{evidence}; {check.because}" if check.because else evidence


def _sourced(evidence: str, check: Check, ledger: Ledger) -> str:
    """Add to a relation the facts that it uses, with their sources."""
    facts = [ledger.facts_by_id[name] for name in check.where.values() if name in ledger.facts_by_id]
    said = "; ".join(f"{one.fact}: {one.interval} {one.unit}".strip() + f" [{one.source}]" for one in facts)
    return f"{evidence}; {said}" if said else evidence


def _in_order(claim: str, cell: str) -> bool:
    """Tell whether every word of a claim stands in a cell, in the same order."""
    words = iter(re.findall(r"[\w.×°=/-]+", cell.casefold()))
    return all(word in words for word in re.findall(r"[\w.×°=/-]+", claim.casefold()))


def _widened(interval: Interval, check: Check) -> Interval:
    if check.within is None:
        return interval
    more = (check.within.absolute or 0.0) + (check.within.percent or 0.0) / 100 * abs(interval.middle)
    return Interval(interval.low - more, interval.high + more)


def _tolerance(check: Check) -> Any:
    within = check.within
    if within is None:
        return ""
    amounts = [f"{within.absolute:g}"] if within.absolute is not None else []
    amounts += [f"{within.percent:g} %"] if within.percent is not None else []
    return f"{' and '.join(amounts)} ({within.because})"
