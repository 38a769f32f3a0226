"""Small ledgers and runs to weigh them against."""

from typing import Any

from gwsd.claims.cells import Cells
from gwsd.claims.ledger import Claim, Ledger

TWIN = "synthetic: twin Earth, not observations"
NOTHING: dict[str, Any] = {"facts": [], "symbols": [], "equations": [], "references": [], "citations": []}


def small(*claims: dict[str, Any], **more: Any) -> Ledger:
    """A ledger of a few claims, not held against `gwsd.tables.reported`."""
    return Ledger.model_validate({**NOTHING, **more, "claims": [_whole(one) for one in claims]})


def _whole(claim: dict[str, Any]) -> dict[str, Any]:
    return {"place": "Section 1", "claim": "Something", "kind": "number", **claim}


def cells_of(values: dict[str, Any], label: str = TWIN) -> Cells:
    """Published values as a run would have them."""
    entries = {
        name: {"id": name, "value": value, "text": str(value), "artifact": name.split(":")[0], "measured": False}
        for name, value in values.items()
    }
    columns: dict[str, set[str]] = {}
    for name in values:
        columns.setdefault(name.split(":")[0], set()).add(name.rpartition(":")[2])
    return Cells(entries, columns, label)


def as_the_paper_has_it(ledger: Ledger) -> Cells:
    """A run that finds just what the paper prints, in each cell that a claim is compared with."""
    values: dict[str, Any] = {}
    for claim in ledger.claims:
        for check in claim.checks:
            if check.cell:
                value = printed_value(claim)
                before = values.get(check.cell)
                values[check.cell] = f"{before} {value}" if isinstance(before, str) else value
    return Cells(cells_of(values).entries, {}, "")


def printed_value(claim: Claim) -> Any:
    if claim.kind in ("words", "configuration"):
        return claim.value
    return claim.interval.middle
