"""Published values: collect them into `numbers.json` and read them back."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gwsd.artifacts.json_face import Entry
from gwsd.errors import DataError

SCHEMA = 1
"""Version of the file's layout."""

_COUNTED = ("parameters", "memory_months", "patches", "cells", "count")
"""Columns that are counted or set, also in artifacts of trained networks."""


def collect(
    lists: Sequence[Path], *, scenario: str, data_label: str, sha256: Mapping[str, str], trained: Sequence[str]
) -> dict[str, Any]:
    """Return the content of `numbers.json`: all values of `lists` (JSON files of tables, figures, facts and claims).

    Each entry gains `sha256` (of its file, from the mapping by path), `record` and `kind`; `trained` are the paths of
    files and folders that depend on a training. An id that occurs twice is a DataError.
    """
    values: dict[str, Entry] = {}
    for path in lists:
        entries = read_document(path)["values"]
        sources: dict[str, set[str]] = {}
        for entry in entries:
            sources.setdefault(entry["row"], set()).update(source["file"] for source in entry.get("source", ()))
        for entry in entries:
            if entry["id"] in values:
                raise DataError(f"{path}: {entry['id']} is also published by another artifact; ids must be unique")
            file = entry["file"]
            if file not in sha256:
                raise DataError(f"{path}: {entry['id']} is of {file}; add it to the inputs of the rule numbers_file")
            files = {source["file"] for source in entry.get("source", ())} or sources[entry["row"]] or {file}
            values[entry["id"]] = {
                **entry,
                "sha256": sha256[file],
                "record": f"{file}.record.json",
                "kind": kind_of(entry, any(name.startswith(tuple(trained)) for name in files)),
            }
    return {"schema": SCHEMA, "scenario": scenario, "data_label": data_label, "values": list(values.values())}


def kind_of(entry: Entry, trained: bool) -> str:
    """Classify a value: `clock` (differs in every run), `trained` (differs between machines) or `deterministic`."""
    if entry.get("measured"):
        return "clock"
    words = isinstance(entry["value"], str) and entry["artifact"].startswith("table") and "source" not in entry
    if entry["origin"] != "computed" or words or entry["column"] in _COUNTED:
        return "deterministic"
    return entry.get("kind") or ("trained" if trained else "deterministic")


def read_document(path: Path) -> dict[str, Any]:
    """Read `numbers.json` or an artifact's JSON file; a DataError if it is missing, damaged or of another layout."""
    try:
        document = dict(json.loads(path.read_text(encoding="utf-8")))
        ids = [entry["id"] for entry in document["values"]]
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; make it with `snakemake {path}`") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not a list of published values ({error}); delete it and make it again") from error
    if document.get("schema", SCHEMA) != SCHEMA:
        raise DataError(f"{path}: schema {document['schema']}; expected {SCHEMA}")
    twice = sorted({name for name in ids if ids.count(name) > 1}) if len(set(ids)) < len(ids) else []
    if twice:
        raise DataError(f"{path}: ids given twice: {', '.join(twice)}; delete it and make it again")
    return document


def read_numbers(path: Path) -> dict[str, Entry]:
    """Read published values by id, in the order of the file."""
    return {entry["id"]: entry for entry in read_document(path)["values"]}


def find(numbers: Mapping[str, Entry], name: str) -> Entry:
    """Return a published value by its id; the column may be cut short (`table3:full:mae`) where that is unique."""
    if name in numbers:
        return numbers[name]
    begins = [known for known in numbers if known.startswith(name)] if name.count(":") == 2 else []
    units = {"%": "percent", "h": "hours", "min": "minutes", "s": "seconds"}
    with_unit = [known for known in begins if known == f"{name}_{units.get(unit := numbers[known]['unit'], unit)}"]
    if len(with_unit) == 1 or len(begins) == 1:
        return numbers[(with_unit or begins)[0]]
    if begins:
        raise DataError(
            f"{name}: several published values begin so: {', '.join(begins[:8])}; write one of them in full"
        )
    near = [known for known in numbers if known.startswith(name)][:8] or get_close_matches(name, numbers, 5, 0.5)
    hint = f"similar: {', '.join(near)}" if near else "an id reads artifact:row:column, such as table3:full:mae_cm"
    raise DataError(f"{name}: no such published value; {hint}")
