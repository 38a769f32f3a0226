"""Reading the ledger, and refusing it where it is wrong: one message that names all that is."""

import difflib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from gwsd.claims import bibliography, equations
from gwsd.claims.ledger import LISTED, Check, Claim, Fact, Ledger, Within
from gwsd.claims.printed import read_printed
from gwsd.errors import DataError
from gwsd.tables.reported import PAPER


def read_ledger(path: Path) -> Ledger:
    """Read and validate the ledger.

    Parameters
    ----------
    path : Path
        `paper/claims.yaml`.

    Returns
    -------
    Ledger

    Raises
    ------
    DataError
        One message that names all that is wrong: unknown keys with the nearest, ids given twice, references to
        claims that do not exist, numbers that differ from `gwsd.tables.reported`.
    """
    try:
        document = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError) as error:
        raise DataError(f"{path}: cannot be read as YAML: {error}") from error
    return build_ledger(document, str(path))


def build_ledger(document: Any, name: str = "claims.yaml") -> Ledger:
    """Validate a ledger that is already read.

    Parameters
    ----------
    document : dict
        The YAML document.
    name : str
        What to call it in messages.

    Returns
    -------
    Ledger
    """
    try:
        ledger = Ledger.model_validate(document)
    except ValidationError as error:
        lines = [_line(document, detail) for detail in error.errors()]
        raise DataError(f"{name}: " + "; ".join(lines)) from error
    faults = [*_repeated(ledger), *_dangling(ledger), *_unlike_reported(ledger)]
    if faults:
        raise DataError(f"{name}: " + "; ".join(faults))
    return ledger


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known names are near an unknown one."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)
    return f"near ones: {', '.join(near)}" if near else "none is near"


_FIELDS: dict[str, type[BaseModel]] = {
    "facts": Fact,
    "claims": Claim,
    "checks": Check,
    "within": Within,
    "symbols": equations.Symbol,
    "equations": equations.Equation,
    "references": bibliography.Reference,
    "citations": bibliography.Citation,
}


def _line(document: Any, detail: Any) -> str:
    """Turn one of pydantic's errors into words: which claim, which key, what was expected."""
    where: list[str] = []
    here: Any = document
    model: type[BaseModel] = Ledger
    for part in detail["loc"]:
        here = here[part] if isinstance(here, list | dict) and _has(here, part) else None
        if isinstance(part, int):
            names = (here.get(name) for name in ("id", "key", "number")) if isinstance(here, dict) else ()
            where[-1] += f"[{next((name for name in names if name is not None), part)}]"
        else:
            where.append(str(part))
    for part in detail["loc"][:-1]:
        model = _FIELDS.get(str(part), model)
    path = ".".join(where) or "document"
    if detail["type"] == "extra_forbidden":
        return f"{path}: unknown key; {nearest(str(detail['loc'][-1]), model.model_fields)}"
    return f"{path}: {detail['msg'].removeprefix('Value error, ')}"


def _has(container: Any, part: Any) -> bool:
    return part in container if isinstance(container, dict) else isinstance(part, int) and part < len(container)


def _repeated(ledger: Ledger) -> list[str]:
    counts = Counter([*(one.id for one in ledger.claims), *(one.id for one in ledger.facts)])
    return [f"{name}: this id is given {count} times" for name, count in counts.items() if count > 1]


def _dangling(ledger: Ledger) -> list[str]:
    faults = []
    known = [*ledger.by_id, *ledger.facts_by_id]
    for claim in ledger.claims:
        for check in claim.checks:
            named = [*check.same, *check.where.values(), *filter(None, (check.against, check.contradicts))]
            faults += [
                f"{claim.id}: {name!r} is no claim and no fact; {nearest(name, known)}"
                for name in named
                if ":" not in name and name not in known
            ]
            listed = [name for name in named if name.startswith(LISTED)]
            faults += [f"{claim.id}: {fault}" for name in listed if (fault := _unlisted(ledger, name))]
            for rule, registry in (("equation", equations.PROPERTIES), ("reference", bibliography.PROPERTIES)):
                value = getattr(check, rule)
                if value and value not in registry:
                    faults.append(f"{claim.id}: {rule} {value!r} is not computed; {nearest(value, registry)}")
    return faults


def _unlisted(ledger: Ledger, name: str) -> str:
    _, key, field = name.split(":")
    keys = [one.key for one in ledger.references]
    if key not in keys:
        return f"{key!r} is not in the reference list; {nearest(key, keys)}"
    value = getattr(next(one for one in ledger.references if one.key == key), field, None)
    return "" if isinstance(value, int) else f"{name}: {key} has no number {field!r}"


def _unlike_reported(ledger: Ledger) -> list[str]:
    """Hold the ledger and `gwsd.tables.reported` together: each number there is a claim here, and the same one."""
    entries: dict[str, Any] = {}
    for entry in PAPER:
        name = f"{entry.table}:{entry.row}:{entry.column}"
        entries[name] = entry.value
        if entry.spread is not None:
            entries[f"± {name}"] = entry.spread
    linked = {claim.reported: claim for claim in ledger.claims if claim.reported}
    faults = [
        f"{name} of gwsd/tables/reported.py is no claim; give one `reported: {name!r}`"
        for name in entries
        if name not in linked
    ]
    for name, claim in linked.items():
        if name not in entries:
            faults.append(f"{claim.id}: {name!r} is not in gwsd/tables/reported.py; {nearest(name, entries)}")
        elif not _same(claim.value or "", entries[name]):
            faults.append(f"{claim.id}: {claim.value!r} here, {entries[name]!r} in gwsd/tables/reported.py")
    return faults


def _same(printed: str, value: Any) -> bool:
    if isinstance(value, bool):
        return printed == ("Yes" if value else "No")
    if isinstance(value, str):
        return printed == value
    try:
        return read_printed(printed, exact=True).middle == float(value)
    except ValueError:
        return False
