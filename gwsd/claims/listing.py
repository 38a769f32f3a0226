"""The files of the audit: a table to read and a JSON file for the page, the manuscript and `numbers.json`."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from gwsd.claims.cells import Cells
from gwsd.claims.rules import printed
from gwsd.claims.verdicts import NAMES, Contradiction, Verdict, contradictions, counts, oddities
from gwsd.numbers.entry import Entry, entry

BY_RUN = ("reproduced", "not_reproduced", "reproduced_in_run")
"""Counts to which claims belong that are compared with values of the run."""

COLUMNS = ("id", "place", "claim", "value", "unit", "kind", "verdict", "found", "reason", "compared_with", "data")
"""Columns of `claims.csv`."""


def row_of(verdict: Verdict) -> dict[str, str]:
    """Return a verdict as a row of `claims.csv`."""
    claim = verdict.claim
    return {
        "id": claim.id,
        "place": claim.place,
        "claim": claim.claim,
        "value": claim.value or "",
        "unit": claim.unit,
        "kind": claim.kind,
        "verdict": verdict.text,
        "found": verdict.found,
        "reason": verdict.reason,
        "compared_with": verdict.compared,
        "data": verdict.data,
    }


def csv_of(verdicts: Sequence[Verdict]) -> str:
    """Return `claims.csv`."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row_of(one) for one in verdicts)
    return file.getvalue()


def document_of(verdicts: Sequence[Verdict], cells: Cells, computed: Sequence[Entry], file: str) -> dict[str, Any]:
    """Return `claims.json`.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of all claims.
    cells : Cells
        The run's values, of which some are clock readings.
    computed : sequence of Entry
        Values that were computed for the claims alone; they are published here.
    file : str
        Where the document will lie, relative to the project's root.

    Returns
    -------
    dict
        `claims`, `counts`, `contradictions`, `oddities` and the counts again as published `values`.
    """
    against, odd = contradictions(verdicts), oddities(verdicts)
    totals = {
        "total": len(verdicts),
        **counts(verdicts),
        "reproduced_in_run": sum(one.slug == "reproduced" and bool(one.numbers) for one in verdicts),
        "contradictions": len(against),
        "oddities": len(odd),
    }
    by_clock = [any(cells.entries[name].get("measured", False) for name in one.numbers) for one in verdicts]
    return {
        "data_label": cells.label,
        "claims": [
            {
                **row_of(one),
                "slug": one.slug,
                "printed": printed(one.claim) if one.claim.value is not None else "",
                "number": next(iter(one.numbers), ""),
                "numbers": list(one.numbers),
                "measured": measured,
            }
            for one, measured in zip(verdicts, by_clock, strict=True)
        ],
        "counts": totals,
        "contradictions": [_gathered(one) for one in against],
        "oddities": [_gathered(one) for one in odd],
        "values": [
            # A verdict that rests on a clock's reading may be another in the next run, and so may its count.
            *(_count(slug, count, file, measured=any(by_clock) and slug in BY_RUN) for slug, count in totals.items()),
            *computed,
        ],
    }


def _gathered(one: Contradiction) -> dict[str, Any]:
    return {"heading": one.heading, "claims": list(one.claims), "evidence": list(one.evidence)}


def _count(slug: str, count: int, file: str, *, measured: bool) -> Entry:
    words = {
        "total": "in all",
        "reproduced_in_run": "reproduced by values of the run, settings among them",
        "contradictions": "contradictions found",
        "oddities": "oddities found",
    }
    return entry(
        artifact="claims",
        row="count",
        column=slug,
        value=count,
        text=f"{count}",
        format="d",
        label=f"Claims: {words.get(slug) or NAMES[slug]}",
        file=file,
        measured=measured,
    )
