"""What a table publishes: `tables/tableN.json`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwsd.numbers.entry import COMPUTED, REPORTED, Entry, entry, write_sidecar
from gwsd.tables.cells import Cell, cells
from gwsd.tables.formatting import Column, Table
from gwsd.tables.recomputing import Source

Files = Mapping[str, Mapping[str, Mapping[int, Path]]]
"""The results that a table read: by the name of its job's input, by method and by seed."""


def write_table(path: Path, table: Table, *, file: str, caption: str, files: Files) -> None:
    """Write every cell of a table, and how to set the table again.

    Parameters
    ----------
    path : Path
        Where to.
    table : Table
        What its module builds.
    file : str
        The table's csv, relative to the project's root; its stem names the artifact.
    caption : str
        The table's.
    files : mapping
        What the cells can be recomputed from.
    """
    artifact = Path(file).stem
    write_sidecar(
        path,
        artifact=artifact,
        caption=caption,
        data_label=table.provenance_note,
        values=[_entry(cell, artifact, file, files) for cell in cells(table)],
        columns=[
            *(_column(column, visible=True) for column in table.columns),
            *(_column(column, visible=False) for column in table.csv_only),
        ],
        notes=table.notes,
    )


def _entry(cell: Cell, artifact: str, file: str, files: Files) -> Entry:
    return entry(
        artifact=artifact,
        row=cell.row,
        column=cell.column,
        value=cell.value,
        text=cell.text,
        unit=cell.unit,
        format=cell.format,
        label=cell.label,
        file=file,
        origin=REPORTED if cell.reported else COMPUTED,
        measured=cell.measured,
        shown=cell.shown if cell.shown not in ("", cell.text) else None,
        source=None if cell.source is None else _source(cell.source, files),
    )


def _column(column: Column, *, visible: bool) -> dict[str, Any]:
    return {
        "key": column.key,
        "heading": column.heading,
        "group": column.group,
        "unit": column.unit,
        "text": column.text,
        "spread": column.spread,
        "visible": visible,
    }


def _source(source: Source, files: Files) -> Sequence[dict[str, Any]] | None:
    of_seeds = files.get(source.files, {}).get(source.method, {})
    where = {} if source.epoch is None else {"where": {"epoch": source.epoch}}
    found = [
        {"file": path.as_posix(), "key": source.key, **where, "factor": source.factor}
        for _, path in sorted(of_seeds.items())
    ]
    return found or None
