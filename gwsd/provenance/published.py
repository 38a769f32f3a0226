"""Whether each published number is the one in its source, and is printed as it is."""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from gwsd.provenance.lineage import Lineage
from gwsd.provenance.printed import check_page, check_pdf, check_table

NUMBERS = "numbers.json"
PDF = "paper.pdf"
PLACED = "paper.numbers.json"
PAGE = "audit/index.html"
LEAVE_ROUNDING = 1e-9
"""Relative difference of a value and its recomputation that the order of a sum may make."""

Entry = Mapping[str, Any]


@dataclass
class Numbers:
    """What was found of the published numbers.

    Parameters
    ----------
    problems : list of str
        Numbers that are not what they should be.
    notes : list of str
        What could not be checked here.
    checked : dict of str to int
        Numbers compared, by where they stand.
    roots : dict of str to str
        Root hashes that the PDF and the page print.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)

    def add(self, where: str, count: int, problems: list[str]) -> None:
        """Count numbers compared in one place, with what was found."""
        self.checked[where] = self.checked.get(where, 0) + count
        self.problems += problems


def check_numbers(results: Path, name: str, lineage: Lineage) -> Numbers:
    """Compare every published number with its source and with where it is printed.

    Parameters
    ----------
    results : Path
        Folder of a scenario.
    name : str
        How records call it, such as `results/demo`.
    lineage : Lineage
        Of its records.
    """
    found = Numbers()
    path = results / NUMBERS
    if not path.is_file():
        found.notes.append(f"{name}/{NUMBERS} is not here: published numbers are not checked")
        return found
    try:
        entries: list[Entry] = json.loads(path.read_text(encoding="utf-8"))["values"]
        by_id = {str(one["id"]): one for one in entries}
        texts = {key: str(one["text"]) for key, one in by_id.items()}
    except (ValueError, KeyError, TypeError) as error:
        found.problems.append(f"{name}/{NUMBERS}: is no list of published values ({type(error).__name__}: {error})")
        return found
    if len(by_id) < len(entries):
        found.problems.append(f"{name}/{NUMBERS}: some ids occur twice")
    folder = _Folder(results, name)
    sources = Sources(folder, lineage)
    found.add(NUMBERS, 0, list(sources.origins(entries)))
    found.add(NUMBERS, len(entries), [problem for one in entries for problem in _problems(one, sources)])
    for artifact in dict.fromkeys(str(one.get("artifact")) for one in entries):
        _check_artifact(artifact, [one for one in entries if one.get("artifact") == artifact], folder, found)
    check_pdf(results / PDF, results / PLACED, texts, found, f"{name}/{PDF}")
    check_page(results / PAGE, texts, found, f"{name}/{PAGE}")
    return found


def _problems(one: Entry, sources: "Sources") -> Iterator[str]:
    try:
        for problem in sources.problems(one):
            yield f"{one['id']}: {problem}"
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        yield f"{one['id']}: its entry in {NUMBERS} cannot be followed ({type(error).__name__}: {error})"


def _check_artifact(artifact: str, entries: list[Entry], folder: "_Folder", found: Numbers) -> None:
    """Compare an artifact's own list, and where it is a table its printed faces."""
    for kind in ("tables", "figures"):
        path = f"{folder.name}/{kind}/{artifact}.json"
        own = folder.json(path)
        if isinstance(own, dict):
            listed = {str(one.get("id")): one for one in own.get("values", ()) if isinstance(one, dict)}
            differing = [
                f"{one['id']}: {NUMBERS} and {path} differ"
                for one in entries
                if any(listed.get(str(one["id"]), {}).get(key) != one.get(key) for key in ("value", "text", "unit"))
            ]
            found.add(path, len(entries), differing)
            if kind == "tables":
                for suffix in ("md", "tex", "html"):
                    face = folder.path(f"{folder.name}/tables/{artifact}.{suffix}")
                    if face.is_file():
                        count, problems = check_table(face, own, entries)
                        found.add("tables", count, [f"{folder.name}/tables/{face.name}: {one}" for one in problems])


class _Folder:
    """Files of a results folder by the paths of records, each read once."""

    def __init__(self, results: Path, name: str) -> None:
        self.results, self.name = results, name
        self._read: dict[str, Any] = {}

    def path(self, name: str) -> Path:
        return self.results / name.removeprefix(f"{self.name}/")

    def json(self, name: str) -> Any:
        """Return what a JSON file holds; None where it is absent or damaged (its hash tells)."""
        if name not in self._read:
            try:
                self._read[name] = json.loads(self.path(name).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                self._read[name] = None
        return self._read[name]

    def rows(self, name: str) -> list[dict[str, str]] | None:
        """Return the rows of a CSV file; None where it is absent or damaged."""
        if name not in self._read:
            try:
                with self.path(name).open(newline="", encoding="utf-8") as stream:
                    self._read[name] = list(csv.DictReader(stream))
            except (OSError, ValueError, csv.Error):
                self._read[name] = None
        rows: list[dict[str, str]] | None = self._read[name]
        return rows


class Sources:
    """Where published numbers come from, in a results folder."""

    def __init__(self, folder: _Folder, lineage: Lineage) -> None:
        self.folder = folder
        self.lineage = lineage

    def problems(self, one: Entry) -> Iterator[str]:
        """Say how a number differs from its source."""
        yield from self._cell(one)
        yield from self._text(one)
        if one.get("source"):
            yield from self._recomputed(one)

    def origins(self, entries: Iterable[Entry]) -> Iterator[str]:
        """Say which files of numbers are not those that the records speak of; each once."""
        for file, sha256, record in dict.fromkeys(
            (one.get("file"), one.get("sha256"), one.get("record")) for one in entries
        ):
            made = self.lineage.maker_of_path(str(file))
            if made is None:
                yield f"{NUMBERS}: no record here makes {file}"
            elif sha256 not in (None, made[0].sha256):
                yield f"{NUMBERS}: has another SHA-256 of {file} than the record that made it"
            if made is not None and record not in (None, made[1].path):
                yield f"{NUMBERS}: says that {file} was made by {record}, but that was {made[1].path}"

    def _cell(self, one: Entry) -> Iterator[str]:
        """Compare with the cell of a table, or with the entry of the same id in a JSON file."""
        file, value = str(one["file"]), one["value"]
        if file.endswith(".csv") and Path(file).parent.name == "tables":
            cell = self._cell_of(file, str(one["row"]), str(one["column"]))
            if cell is None:
                yield f"{file} has no row {one['row']!r} with a column {one['column']!r}"
            elif not _same_cell(cell, value):
                yield f"{NUMBERS} has {value!r}, but {file} has {cell!r}"
        elif file.endswith(".json"):
            listed = self.folder.json(file)
            values = listed.get("values", ()) if isinstance(listed, dict) else ()
            for other in values:
                if other.get("id") == one["id"] and (other.get("value"), other.get("text")) != (value, one["text"]):
                    yield f"{NUMBERS} has {value!r} ({one['text']}), but {file} has {other.get('value')!r}"

    def _cell_of(self, file: str, row: str, column: str) -> str | None:
        for cells in self.folder.rows(file) or ():
            keys = list(cells.values())
            if row in (keys[0], "-".join(keys[:2])) and column in cells:
                return cells[column]
        return None

    def _text(self, one: Entry) -> Iterator[str]:
        value, form = one["value"], one.get("format")
        if not form or not isinstance(value, int | float) or isinstance(value, bool):
            return
        if _plain(format(value, form)).lstrip("+") != _plain(str(one["text"])).lstrip("+"):
            yield f"its text is {one['text']}, but {value!r} prints as {format(value, form)}"

    def _recomputed(self, one: Entry) -> Iterator[str]:
        found = [self._value(source) for source in one["source"]]
        missing = [source["file"] for source, value in zip(one["source"], found, strict=True) if value is None]
        if missing:
            yield f"cannot be recomputed: {', '.join(missing)} has not what it comes from"
            return
        mean = fmean(value for value in found if value is not None)
        rounded = isinstance(one["value"], int) and round(mean) == one["value"]
        if not rounded and not math.isclose(mean, float(one["value"]), rel_tol=LEAVE_ROUNDING, abs_tol=1e-12):
            yield f"{NUMBERS} has {one['value']!r}, but its sources give {mean!r}"

    def _value(self, source: Mapping[str, Any]) -> float | None:
        file, key, factor = str(source["file"]), str(source["key"]), float(source.get("factor", 1.0))
        if file.endswith(".csv"):
            where = source.get("where", {})
            for cells in self.folder.rows(file) or ():
                if all(_same_cell(cells.get(name, ""), wanted) for name, wanted in where.items()):
                    return float(cells[key]) * factor if cells.get(key) else None
            return None
        document = self.folder.json(file)
        value = document.get(key) if isinstance(document, dict) else None
        return float(value) * factor if isinstance(value, int | float) else None


def _same_cell(cell: str, value: Any) -> bool:
    if value is None:
        return cell == ""
    if isinstance(value, bool):
        return cell in (("yes", "True", "1") if value else ("no", "False", "0"))
    if isinstance(value, str):
        return cell == value
    try:
        return float(cell) == float(value)
    except ValueError:
        return False


def _plain(text: str) -> str:
    """Leave out how thousands stand apart and which minus sign is printed."""
    return text.replace("−", "-").replace("\u202f", ",").replace("\u2009", ",")
