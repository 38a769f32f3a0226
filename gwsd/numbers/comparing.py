"""Compares the published values of two folders, number by number. Standard library only."""

import csv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gwsd.errors import DataError
from gwsd.numbers.entry import Entry
from gwsd.numbers.published import read_document
from gwsd.numbers.tolerances import Tolerance

Status = Literal["same", "within", "outside", "only in one", "clock reading"]
Value = float | int | str | None

NOT_COUNTED = ("data",)
"""Columns of a table's csv that are no values: which Earth a row speaks of."""

CLOCK = ("measured_", "hardware")
"""How columns of a csv begin that hold clock readings or name the machine."""


@dataclass(frozen=True)
class Compared:
    """A value of two folders.

    Parameters
    ----------
    id : str
        Its name.
    status : {'same', 'within', 'outside', 'only in one', 'clock reading'}
        What the comparison says.
    first, second : float, int, str or None
        The values; None for an empty cell.
    unit : str
        Of both.
    tolerance : float or None
        The difference that is allowed; None where only equality is, or any words are.
    where : {'', 'first', 'second'}
        Where it is, if not in both.
    """

    id: str
    status: Status
    first: Value
    second: Value
    unit: str = ""
    tolerance: float | None = None
    where: Literal["", "first", "second"] = ""

    @property
    def difference(self) -> float | None:
        """Second minus first, of numbers."""
        if isinstance(self.first, int | float) and isinstance(self.second, int | float):
            return self.second - self.first
        return None


@dataclass(frozen=True)
class Comparison:
    """All values of two folders."""

    values: tuple[Compared, ...]

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many of each status."""
        found = Counter(one.status for one in self.values)
        return {status: found[status] for status in ("same", "within", "outside", "only in one", "clock reading")}

    @property
    def agrees(self) -> bool:
        """Whether nothing is outside or missing."""
        return not any(one.status in ("outside", "only in one") for one in self.values)


def compare(
    first: Mapping[str, Entry], second: Mapping[str, Entry], tolerances: Mapping[str, Tolerance] | None = None
) -> Comparison:
    """Compare two sets of published values.

    Parameters
    ----------
    first, second : mapping
        Entries by id.
    tolerances : mapping or None
        What may differ, by id; nothing but equality is tolerated where an id has none.

    Returns
    -------
    Comparison
        In the order of the first, then what only the second has.
    """
    allowed = tolerances or {}
    names = [*first, *(name for name in second if name not in first)]
    return Comparison(tuple(_compared(name, first.get(name), second.get(name), allowed.get(name)) for name in names))


def _compared(name: str, one: Entry | None, other: Entry | None, allowed: Tolerance | None) -> Compared:
    known = one if one is not None else other
    assert known is not None
    values = (None if one is None else one["value"], None if other is None else other["value"])
    unit = str(known.get("unit", ""))
    if any(entry is not None and entry.get("measured", False) for entry in (one, other)):
        return Compared(name, "clock reading", *values, unit)
    free = allowed is not None and allowed.varies
    if one is None or other is None:
        status: Status = "within" if free else "only in one"
        return Compared(name, status, *values, unit, where="second" if one is None else "first")
    if values[0] == values[1]:
        return Compared(name, "same", *values, unit)
    tolerance = None if allowed is None or free else allowed.tolerance
    difference = Compared(name, "outside", *values, unit, tolerance)
    if free or (
        tolerance is not None and difference.difference is not None and abs(difference.difference) <= tolerance
    ):
        return Compared(name, "within", *values, unit, tolerance)
    return difference


def read_both(first: Path, second: Path) -> tuple[dict[str, Entry], dict[str, Entry]]:
    """Read the published values of two folders in the fullest form that both have.

    Parameters
    ----------
    first, second : Path
        Folders of results: with `numbers.json`, or lists of values beside tables and figures, or the tables' csv.
        A `numbers.json` may also be named itself.

    Raises
    ------
    DataError
        Where a folder is missing, or they have no form in common.
    """
    for folder in (first, second):
        if not folder.exists():
            raise DataError(f"{folder}: no such folder; name a folder of results, such as results/demo.")
    for found, read in FORMS:
        if found(first) and found(second):
            return read(found(first)), read(found(second))
    forms = "numbers.json, tables/table*.json or tables/table*.csv"
    empty = [str(folder) for folder in (first, second) if not any(found(folder) for found, _ in FORMS)]
    if empty:
        raise DataError(f"{' and '.join(empty)}: no published values here; expected {forms}.")
    raise DataError(f"{first} and {second} hold their values in different forms; both need one of {forms}.")


def _numbers(folder: Path) -> list[Path]:
    path = folder if folder.is_file() else folder / "numbers.json"
    return [path] if path.is_file() else []


def _lists(folder: Path) -> list[Path]:
    found = [*folder.glob("table[0-9]*.json"), *folder.glob("tables/table[0-9]*.json")]
    return sorted(path for path in found if not path.name.endswith(".record.json"))


def _tables(folder: Path) -> list[Path]:
    return sorted([*folder.glob("table[0-9]*.csv"), *folder.glob("tables/table[0-9]*.csv")])


def _read_lists(paths: Sequence[Path]) -> dict[str, Entry]:
    return {one["id"]: one for path in paths for one in read_document(path)["values"]}


def _read_tables(paths: Sequence[Path]) -> dict[str, Entry]:
    values: dict[str, Entry] = {}
    for path in paths:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.reader(stream)
            key, *columns = next(reader, [""])
            for line in reader:
                if len(line) != len(columns) + 1:
                    raise DataError(
                        f"{path}: the row {','.join(line)!r} has not as many cells as the heading {key}, …."
                    )
                for column, cell in zip(columns, line[1:], strict=True):
                    if column not in NOT_COUNTED:
                        name = f"{path.stem}:{line[0]}:{column}"
                        values[name] = {"id": name, "value": _parsed(cell), "measured": column.startswith(CLOCK)}
    return values


def _parsed(cell: str) -> Value:
    if not cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return cell


FORMS: tuple[tuple[Callable[[Path], list[Path]], Callable[[Sequence[Path]], dict[str, Entry]]], ...] = (
    (_numbers, _read_lists),
    (_lists, _read_lists),
    (_tables, _read_tables),
)
"""The forms of published values, the fullest first: which files, and how they are read."""
