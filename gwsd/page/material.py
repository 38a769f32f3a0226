"""What the page is made of: published numbers, the sidecars of tables and figures, the weighed claims."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwsd.errors import DataError

Entry = Mapping[str, Any]
"""One published value, as numbers.json and the sidecars hold it."""


@dataclass(frozen=True)
class Material:
    """All that is read for the page, apart from the records.

    Parameters
    ----------
    scenario, data_label : str
        As numbers.json says.
    numbers : dict of str to mapping
        Published values by id, in the order of the file.
    sidecars : dict of str to mapping
        By artifact.
    claims : tuple of mapping
        Each with `id`, `verdict` and what was found.
    contradictions, oddities : tuple of mapping
        Each with `heading`, `claims` and `evidence`.
    claim_values : tuple of mapping
        What the audit publishes: counts of claims, and values computed for it.
    """

    scenario: str
    data_label: str
    numbers: dict[str, Entry]
    sidecars: dict[str, Mapping[str, Any]]
    claims: tuple[Mapping[str, Any], ...]
    contradictions: tuple[Mapping[str, Any], ...] = ()
    oddities: tuple[Mapping[str, Any], ...] = ()
    claim_values: tuple[Entry, ...] = ()


def read_material(numbers: Path, sidecars: Iterable[Path], claims: Path) -> Material:
    """Read the files that the page shows.

    Parameters
    ----------
    numbers : Path
        numbers.json.
    sidecars : iterable of Path
        tableN.json and figureN.json.
    claims : Path
        claims.json of the audit.

    Raises
    ------
    DataError
        If one of them is not what the workflow writes, or a value of a sidecar is not among the numbers.
    """
    document = _read(numbers, "values", "scenario", "data_label")
    published = {entry["id"]: entry for entry in document["values"]}
    found: dict[str, Mapping[str, Any]] = {}
    for path in sidecars:
        sidecar = _read(path, "artifact", "caption", "values")
        for entry in sidecar["values"]:
            text = published.get(entry["id"], {}).get("text", "absent")
            if text != entry["text"]:
                raise DataError(
                    f"{path}: {entry['id']} is {entry['text']!r} here, but {text!r} in {numbers}; expected the same in "
                    "both; make numbers.json again with `snakemake --cores all`"
                )
        found[sidecar["artifact"]] = sidecar
    weighed = _read(claims, "claims")
    return Material(
        scenario=document["scenario"],
        data_label=document["data_label"],
        numbers=published,
        sidecars=found,
        claims=tuple(weighed["claims"]),
        contradictions=tuple(weighed.get("contradictions", ())),
        oddities=tuple(weighed.get("oddities", ())),
        claim_values=tuple(published[one["id"]] for one in weighed.get("values", ()) if one["id"] in published),
    )


def _read(path: Path, *members: str) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        missing = [name for name in members if name not in document]
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: not readable as JSON ({error}); make it again with `snakemake --cores all`") from None
    if missing:
        raise DataError(
            f"{path}: it has no {', '.join(missing)}; expected the file that this workflow writes; "
            "make it again with `snakemake --cores all`"
        )
    return dict(document)


@dataclass(frozen=True)
class Cell:
    """One cell of a table: a value, or a value and its spread, or nothing; `text` is set to the left."""

    parts: tuple[Entry, ...]
    text: bool


def columns_of(sidecar: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List the columns that people see."""
    return [column for column in sidecar.get("columns", ()) if column.get("visible", True)]


def grid_of(sidecar: Mapping[str, Any]) -> list[list[Cell]]:
    """Arrange a table's values in its rows and the columns that people see.

    Parameters
    ----------
    sidecar : mapping
        With `columns`, `rows` and `values`; a column may name that of its spread.

    Returns
    -------
    list of list of Cell
        One list a row; a cell without a value has no parts.
    """
    values = {(entry["row"], entry["column"]): entry for entry in sidecar["values"]}
    columns = columns_of(sidecar)
    return [
        [
            Cell(
                parts=tuple(
                    values[row, key] for key in (column["key"], column.get("spread")) if key and (row, key) in values
                ),
                text=bool(column.get("text")),
            )
            for column in columns
        ]
        for row in sidecar.get("rows", ())
    ]


def others_of(sidecar: Mapping[str, Any], grid: Sequence[Sequence[Cell]]) -> list[Entry]:
    """List the values of a sidecar that its grid does not show."""
    shown = {part["id"] for row in grid for cell in row for part in cell.parts}
    return [entry for entry in sidecar["values"] if entry["id"] not in shown]


def groups_of(columns: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Join neighbouring columns with the same group heading; empty where no column has one."""
    joined: list[dict[str, Any]] = []
    for column in columns:
        name = column.get("group") or ""
        if joined and joined[-1]["name"] == name:
            joined[-1]["span"] += 1
        else:
            joined.append({"name": name, "span": 1})
    return joined if any(group["name"] for group in joined) else []
