"""The published values of a scenario: `numbers.json`, by id. Standard library only."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gwsd.errors import DataError
from gwsd.numbers.entry import Entry

SCHEMA = 1
"""Version of the file's layout."""

MINUS, NARROW_SPACE = "−", "\u202f"


def read_document(path: Path) -> dict[str, Any]:
    """Read a `numbers.json`, or what one artifact publishes (`tables/table3.json`), whole.

    Raises
    ------
    DataError
        Where it is missing or is not such a file.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; `snakemake` makes it with the other results.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        ids = [one["id"] for one in document["values"]]
    except (ValueError, KeyError, TypeError) as damaged:
        raise DataError(
            f"{path}: is no list of published values ({type(damaged).__name__}: {damaged}); let it be made again."
        ) from damaged
    if document.get("schema", SCHEMA) != SCHEMA:
        raise DataError(f"{path}: its layout is {document['schema']}, this program reads {SCHEMA}.")
    if len(set(ids)) < len(ids):
        twice = sorted({name for name in ids if ids.count(name) > 1})
        raise DataError(f"{path}: holds some ids twice: {', '.join(twice)}; let it be made again.")
    return dict(document)


def read_numbers(path: Path) -> dict[str, Entry]:
    """Read the published values of a file, by id and in order (see `read_document`)."""
    return {one["id"]: one for one in read_document(path)["values"]}


def find(numbers: Mapping[str, Entry], name: str) -> Entry:
    """Return a published value.

    Parameters
    ----------
    numbers : mapping
        By id.
    name : str
        An id such as table3:full:mae_cm; its column may be cut short where it stays the only one, as in
        table3:full:mae, and a column named in full comes first.

    Raises
    ------
    DataError
        Where there is none, or the short form means several; the message names the near ones.
    """
    if name in numbers:
        return numbers[name]
    begins = [one for one in numbers if one.startswith(name)]
    unit_only = [one for one in begins if one == f"{name}_{_slug(numbers[one]['unit'])}"]
    if len(unit_only) == 1:
        return numbers[unit_only[0]]
    if name.count(":") == 2 and len(begins) == 1:
        return numbers[begins[0]]
    if begins and name.count(":") == 2:
        raise DataError(f"{name}: means several published values: {', '.join(begins[:8])}; write one of them in full.")
    near = begins[:8] or get_close_matches(name, numbers, n=5, cutoff=0.5)
    hint = f"near ones: {', '.join(near)}" if near else "an id reads artifact:row:column, such as table3:full:mae_cm"
    raise DataError(f"{name}: no such published value; {hint}.")


def printed(value: float | int, form: str) -> str:
    """Print a number as `text` of an entry has it where the artifact is a table: a true minus sign."""
    return format(value, form).replace("-", MINUS)


def text_agrees(one: Entry) -> bool:
    """Tell whether the text of a value is what its format makes of it.

    Parameters
    ----------
    one : Entry
        Words have no format and agree with themselves; thousands may stand apart by a comma or a narrow space.
    """
    if not one["format"] or one["value"] is None:
        return True
    return bool(printed(one["value"], one["format"]) == str(one["text"]).replace(NARROW_SPACE, ","))


def _slug(unit: str) -> str:
    return {"%": "percent", "h": "hours", "min": "minutes", "s": "seconds"}.get(unit, unit)
