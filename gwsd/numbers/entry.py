"""One published value, as every list of numbers holds it. Standard library only."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Entry = dict[str, Any]
"""See `entry`."""

COMPUTED = "computed"
REPORTED = "reported by the paper"
"""Where a value comes from: `origin` of an entry."""


def entry(
    *,
    artifact: str,
    row: str,
    column: str,
    value: float | int | str | None,
    text: str,
    file: str,
    unit: str = "",
    format: str = "",
    label: str = "",
    origin: str = COMPUTED,
    measured: bool = False,
    **more: Any,
) -> Entry:
    """Make an entry; its id is `artifact:row:column`.

    Parameters
    ----------
    artifact, row, column : str
        Where it is printed, such as table3, full, mae_cm.
    value : float, int, str or None
        With every digit, in the unit; words as they are. None where a cell is empty; so is what is no number.
    text : str
        As it is printed, without the unit.
    file : str
        Where it stands, relative to the project's root.
    unit, format, label : str
        Its unit; how Python's `format` prints it (empty for words); what people call it.
    origin : {'computed', 'reported by the paper'}
        Whether it was computed or is the paper's.
    measured : bool
        Whether it is a clock's reading, or names the machine: two runs differ.
    **more
        Further facts, such as `source`; those that are None are left out.
    """
    number = value if not isinstance(value, float) or math.isfinite(value) else None
    return {
        "id": f"{artifact}:{row}:{column}",
        "value": number,
        "text": text,
        "unit": unit,
        "format": format,
        "label": label,
        "row": row,
        "column": column,
        "file": file,
        "origin": origin,
        "measured": measured,
        "artifact": artifact,
        **{name: fact for name, fact in more.items() if fact is not None},
    }


def write_sidecar(
    path: Path,
    *,
    artifact: str,
    caption: str,
    data_label: str,
    values: Sequence[Entry],
    columns: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[str] = (),
) -> None:
    """Write what an artifact publishes: its values, and what must be known to set them in a table again.

    Parameters
    ----------
    path : Path
        Where to.
    artifact, caption, data_label : str
        Its name, caption, and which Earth it speaks of.
    values : sequence of Entry
        In the order of the artifact; ids are unique.
    columns : sequence of mapping
        Of a table: `key`, `heading`, `group`, `unit`, `text`, `spread`, `visible`.
    notes : sequence of str
        What is printed below.
    """
    ids = [one["id"] for one in values]
    if len(set(ids)) < len(ids):
        twice = sorted({name for name in ids if ids.count(name) > 1})
        msg = f"{artifact}: some values have the same id: {', '.join(twice)}."
        raise ValueError(msg)
    content = {
        "artifact": artifact,
        "caption": caption,
        "data_label": data_label,
        "columns": list(columns),
        "rows": list(dict.fromkeys(one["row"] for one in values)),
        "notes": list(notes),
        "values": list(values),
    }
    write_json(path, content)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON that people can read and compare: one line a value, no NaN."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
