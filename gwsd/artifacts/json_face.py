"""JSON files of tables and figures: every printed value with its id, format, unit, origin and source files."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gwsd.artifacts.formatting import CLOCK, DATA, UNIT, Column, Row, Statistic, Table, plain
from gwsd.artifacts.reported import REPORTED

Entry = dict[str, Any]
"""One published value, see `entry`."""

COMPUTED = "computed"
"""Origin of a value that the workflow computed; the other origin is `REPORTED`."""


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
    """Make an entry with the id `artifact:row:column`, such as table3:full:mae_cm.

    `value` has full precision in the printed unit, `text` is printed without the unit; `format` is a format
    specification, empty for words. `file` is the data file that holds the value. `measured` marks clock readings and
    machine names, which differ between runs. Of further facts, such as `source`, those that are None are left out.
    """
    number = value if not isinstance(value, float) or math.isfinite(value) else None
    words = {"text": text, "unit": unit, "format": format, "label": label}
    place = {"row": row, "column": column, "file": file, "origin": origin, "measured": measured, "artifact": artifact}
    facts = {name: fact for name, fact in more.items() if fact is not None}
    return {"id": f"{artifact}:{row}:{column}", "value": number, **words, **place, **facts}


def write_face(
    path: Path,
    *,
    artifact: str,
    caption: str,
    data_label: str,
    values: Sequence[Entry],
    columns: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[str] = (),
) -> None:
    """Write the JSON file of an artifact: its values in order, and what is needed to typeset it again."""
    twice = sorted(name for name, count in Counter(value["id"] for value in values).items() if count > 1)
    if twice:
        raise ValueError(f"{artifact}: some values have the same id: {', '.join(twice)}")
    content = {
        "artifact": artifact,
        "caption": caption,
        "data_label": data_label,
        "columns": list(columns),
        "rows": list(dict.fromkeys(value["row"] for value in values)),
        "notes": list(notes),
        "values": list(values),
    }
    write_json(path, content)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write indented JSON without NaN."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def write_table(path: Path, table: Table, *, artifact: str, caption: str, file: str) -> None:
    """Write the JSON file of a table; `file` is its CSV file."""
    described = ("key", "heading", "group", "unit", "text", "spread", "visible")
    columns = [{name: getattr(column, name) for name in described} for column in table.columns]
    values = list(table_entries(table, artifact=artifact, file=file))
    facts: dict[str, Any] = {
        "artifact": artifact,
        "caption": caption,
        "data_label": table.data_label,
        "notes": table.notes,
    }
    write_face(path, **facts, values=values, columns=columns)


def write_figure(path: Path, values: Iterable[Any], *, artifact: str, file: str, **more: Any) -> None:
    """Write the JSON file of a figure: `file` is its data file, `values` are what its module's `values` returns."""
    entries = [entry(artifact=artifact, file=file, **printed._asdict()) for printed in values]
    write_face(path, artifact=artifact, values=entries, **more)


def table_entries(table: Table, *, artifact: str, file: str) -> Iterator[Entry]:
    """Yield the cells of a table row by row, each spread after its value; the first value of a row is its key."""
    for row in table.rows:
        for column in table.columns:
            yield _cell(table, row, column, column.key, artifact, file)
            if column.spread is not None and plain(row[column.spread]) is not None:
                yield _cell(table, row, column, column.spread, artifact, file)


def _cell(table: Table, row: Row, column: Column, key: str, artifact: str, file: str) -> Entry:
    value, is_spread = plain(row[key]), key != column.key
    text = column.printed(value)
    shown = column.cell(row) if column.visible and not is_spread else text
    reported = REPORTED in (column.group, row.get(DATA))
    heading = column.heading.removesuffix(f" ({column.unit})")
    source = row[key].source if isinstance(row[key], Statistic) and value is not None else ()  # type: ignore[union-attr]
    words = isinstance(value, str | bool)
    return entry(
        artifact=artifact,
        row=str(plain(next(iter(row.values())))),
        column=key,
        value=("yes" if value else "no") if isinstance(value, bool) else value,
        text=text.lstrip("+") if is_spread else text,
        file=file,
        unit="" if words else str(row.get(UNIT, column.unit)),
        format=column.format_of(value).lstrip("+") if is_spread else column.format_of(value),
        label=f"{_row_label(table, row)}: {'± of ' * is_spread}{heading}{f' ({REPORTED})' * reported}",
        origin=REPORTED if reported else COMPUTED,
        measured=key.startswith(CLOCK) and not reported,
        shown=shown if shown != text else None,
        source=list(source) or None,
    )


def _row_label(table: Table, row: Row) -> str:
    if "label" in row:
        return str(row["label"]).replace("`", "")
    return f"{table.columns[0].heading} {table.columns[0].cell(row)}"
