"""The cells of a table one by one: what the table's `.json` says of each."""

from collections.abc import Mapping
from dataclasses import dataclass

from gwsd.tables.formatting import DATA, UNIT, Column, Table, Value, absent, plain
from gwsd.tables.recomputing import Source
from gwsd.tables.reported import REPORTED


@dataclass(frozen=True)
class Cell:
    """One value of a table.

    Parameters
    ----------
    row, column : str
        Where it stands: the first value of its row, and its key.
    value : float, int, str or None
        As the csv holds it; None where there is no value.
    text : str
        As it is printed, without the spread.
    shown : str
        As the whole cell is printed, with the spread where it has one; empty for what only the csv holds.
    unit, format, label : str
        Its unit, the format of its number (empty for words) and what people call it.
    reported : bool
        Whether it is the paper's.
    measured : bool
        Whether a clock measured it, or it names the machine: two runs differ.
    source : Source or None
        Where it can be recomputed.
    """

    row: str
    column: str
    value: float | int | str | None
    text: str
    shown: str
    unit: str
    format: str
    label: str
    reported: bool
    measured: bool
    source: Source | None


def row_keys(table: Table) -> tuple[str, ...]:
    """Return the key of each row: its first value.

    Raises
    ------
    ValueError
        Where two rows have the same.
    """
    keys = tuple(str(next(iter(row.values()))) for row in table.rows)
    if len(set(keys)) < len(keys):
        msg = f"The first values of a table's rows tell them apart, but some are the same: {', '.join(keys)}."
        raise ValueError(msg)
    return keys


def cells(table: Table) -> tuple[Cell, ...]:
    """List the cells row by row: those that people see, each with its spread behind it, then those of the csv alone."""
    return tuple(
        cell
        for row, key in zip(table.rows, row_keys(table), strict=True)
        for column in (*table.columns, *table.csv_only)
        for cell in _of_column(table, row, key, column)
    )


def _of_column(table: Table, row: Mapping[str, Value], key: str, column: Column) -> list[Cell]:
    shown = column.cell(row) if column in table.columns else ""
    found = [_cell(table, row, key, column, column.key, shown)]
    if column.spread is not None and not absent(row[column.spread]):
        found.append(_cell(table, row, key, column, column.spread, ""))
    return found


def _cell(table: Table, row: Mapping[str, Value], row_key: str, column: Column, key: str, shown: str) -> Cell:
    value = row[key]
    words = isinstance(value, str | bool)
    is_spread = key != column.key
    heading = column.heading.removesuffix(f" ({column.unit})")
    reported = REPORTED in (column.group, row.get(DATA))
    label = f"{_row_label(table, row)}: {'± of ' if is_spread else ''}{heading}"
    return Cell(
        row=row_key,
        column=key,
        value=plain(value) if words else None if absent(value) else value,
        text=column.printed(value).lstrip("+" if is_spread else ""),
        shown=shown,
        unit="" if words else str(row.get(UNIT, column.unit)),
        format="" if is_spread and absent(value) else column.format_of(value).lstrip("+" if is_spread else ""),
        label=f"{label} ({REPORTED})" if reported else label,
        reported=reported,
        measured=(column.measured or column.machine) and not reported,
        source=None if absent(value) or reported else table.sources.get((row_key, key)),
    )


def _row_label(table: Table, row: Mapping[str, Value]) -> str:
    """Return what people call a row: its label, or its first column with what stands there."""
    if "label" in row:
        return str(row["label"]).replace("`", "")
    first = table.columns[0]
    return f"{first.heading} {first.cell(row)}"
