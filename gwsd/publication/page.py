"""Audit page: one HTML file with the tables, figures, numbers and claims of a run, each with its lineage."""

import html
import re
import shlex
import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gwsd.errors import DataError
from gwsd.provenance.lineage import Lineage, Node, read_lineage, walk
from gwsd.provenance.record import Record, read_json
from gwsd.publication.audit import NAMES
from gwsd.publication.numbers import Entry, read_document

TEMPLATES = Path(__file__).parent / "templates"

TONES = {
    "reproduced": "good",
    "not_reproduced": "bad",
    "contradicts": "bad",
    "cannot_hold": "bad",
    "not_checkable": "odd",
    "reported_by_others": "calm",
}
"""CSS class of each verdict; the page also prints the verdict's name."""

MAX_ALT = 400  # Characters of a picture's alternative text; the caption below it is complete

_FIELDS = ("text", "value", "unit", "label", "origin", "measured", "file", "row", "column")
_NUMERIC = re.compile(r"[<>~+−-]?\d\S*")


def build_page(
    *,
    numbers: Path,
    lineage: Path,
    claims: Path,
    faces: Iterable[Path],
    pictures: Sequence[Path],
    data: Sequence[Path],
    artifacts: Sequence[Mapping[str, str]],
    results: str,
    title: str,
    templates: Path = TEMPLATES,
) -> str:
    """Build the audit page as HTML with styles and scripts included.

    `faces` are the JSON files of the artifacts; `pictures` (PNG) and `data` (CSV) are named after their artifact, and
    the page links to their copies in `pictures/` and `data/` in its folder. `artifacts` have `name`, `kind`, `heading`,
    `caption` and `data_path`, in the order of the page; `results` is the results folder as in the records.
    """
    document = read_document(numbers)
    entries = {entry["id"]: entry for entry in document["values"]}
    audit = read_json(claims)
    face_of = {path.stem: read_document(path) for path in faces}
    images, tables = {path.stem: path for path in pictures}, {path.stem for path in data}
    records = read_lineage(lineage)
    try:
        shown = [
            _artifact(item, face_of[item["name"]], images.get(item["name"]), item["name"] in tables)
            for item in artifacts
        ]
        counted = [entries[value["id"]] for value in audit["values"] if value["row"] == "count"]
        anchors = {name: name for name in entries} | {claim["id"]: f"claim-{claim['id']}" for claim in audit["claims"]}
        weighed = [_claim(claim, anchors) for claim in audit["claims"]]
    except (KeyError, TypeError) as error:
        raise DataError(f"{claims} or the JSON file of an artifact lacks {error}; make them again") from error
    in_sections = {value["id"] for values in (counted, *(item["values"] for item in shown)) for value in values}
    sources = (source["file"] for entry in entries.values() for source in entry.get("source") or ())
    wanted = [*(entry["file"] for entry in entries.values()), *sources, *(item["file"] for item in shown)]
    view = lineage_view(records, wanted, document["data_label"])
    counts = Counter(claim["slug"] for claim in weighed)
    page = {
        "title": f"{title or document['scenario']}: audit of the {document['scenario']} results",
        "scenario": document["scenario"],
        "folder": results,
        "root": records.root,
        "data_label": document["data_label"],
        "artifacts": shown,
        "facts": [entry for name, entry in entries.items() if name not in in_sections],
        "claims": weighed,
        "verdicts": [(slug, name, counts[slug], TONES[slug]) for slug, name in NAMES.items() if counts[slug]],
        "findings": {
            "Contradictions and impossible values": audit.get("contradictions", []),
            "Oddities": audit.get("oddities", []),
        },
        "claim_counts": counted,
        "files": [{"path": path, **file} for path, file in sorted(view["files"].items())],
    }
    script_data = {
        **view,
        "numbers": {
            name: {field: entry.get(field) for field in _FIELDS} | {"source": entry.get("source") or []}
            for name, entry in entries.items()
        },
        "artifacts": {item["name"]: {"title": item["heading"], "file": item["file"]} for item in shown},
    }
    return _render(page, script_data, templates)


def lineage_view(lineage: Lineage, paths: Iterable[str], data_label: str) -> dict[str, Any]:
    """Return as JSON types the `files` (by path) behind some outputs, their `jobs` (by record) and `code` (path, hash).

    `data_label` is the origin of raw files that the synthetic Earth wrote.
    """
    nodes: dict[str, Node] = {}
    for path in dict.fromkeys(paths):
        made = lineage.producer_of_path(path)
        for node in walk(lineage.tree(made[0])) if made and path not in nodes else ():
            nodes.setdefault(node.file.path, node)
    records = {node.record.path: node.record for node in nodes.values() if node.record}
    code = list(dict.fromkeys((file["path"], file["sha256"]) for record in records.values() for file in record.code))
    index = {file: position for position, file in enumerate(code)}
    return {
        "files": {
            path: {
                "sha256": node.file.sha256,
                "bytes": node.file.bytes,
                "job": node.record.path if node.record else None,
                "raw": node.raw,
                "origin": origin_of(node, data_label),
            }
            for path, node in nodes.items()
        },
        "jobs": {path: _job(record, index) for path, record in records.items()},
        "code": code,
    }


def origin_of(node: Node, data_label: str) -> str:
    """Return where a file without inputs comes from; empty for a file that a job made from others."""
    if node.doi or node.url:
        doi = node.doi if not node.doi or node.doi.startswith("http") else f"https://doi.org/{node.doi}"
        return ", ".join(filter(None, (doi, node.url)))
    if node.synthetic:
        return data_label
    if node.raw and node.record is None:
        return "supplied by the user, no record of its origin"
    return "source code of the workflow" if node.source else ""


def _job(record: Record, code: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    return {
        "job": record.job,
        "key": record.key,
        "inputs": {name: [file.path for file in files] for name, files in record.inputs.items() if files},
        "settings": record.settings,
        "seed": record.seed,
        "code": [code[file["path"], file["sha256"]] for file in record.code],
        "command": shlex.join(record.command),
        "started": record.started,
        "ended": record.ended,
        "device": record.device,
        "remarks": record.remarks,
        "commit": record.environment.get("commit"),
        "dirty": bool(record.environment.get("dirty")),
    }


def _artifact(item: Mapping[str, str], face: Mapping[str, Any], image: Path | None, has_data: bool) -> dict[str, Any]:
    values = {(entry["row"], entry["column"]): entry for entry in face["values"]}
    columns = [column for column in face.get("columns", ()) if column.get("visible", True)]
    grid = [[_cell(values, row, column) for column in columns] for row in face.get("rows", ())] if columns else []
    in_grid = {entry["id"] for cells in grid for cell in cells for entry in cell}
    groups = [(name, len(list(same))) for name, same in groupby(column.get("group") or "" for column in columns)]
    alt = f"{item['heading']}. {item['caption']}".replace("`", "")
    folder = Path(item["data_path"]).parent.as_posix()
    return {
        **item,
        "data_label": face["data_label"],
        "file": f"{folder}/{image.name}" if image else item["data_path"],
        "picture": f"pictures/{image.name}" if image else None,
        "size": struct.unpack(">II", image.read_bytes()[16:24]) if image else None,  # of a PNG, pixels
        "alt": alt if len(alt) <= MAX_ALT else f"{alt[: MAX_ALT - 1]}…",
        "data": f"data/{item['name']}.csv" if has_data else None,
        "columns": columns,
        "groups": groups if any(name for name, _ in groups) else [],
        "grid": grid,
        "notes": face.get("notes", ()),
        "others": [entry for entry in face["values"] if entry["id"] not in in_grid],
        "values": face["values"],
    }


def _cell(values: Mapping[tuple[str, Any], Entry], row: str, column: Mapping[str, Any]) -> list[Entry]:
    """Return the entries of a cell: a value, a value and its spread, or none."""
    return [values[row, key] for key in (column["key"], column.get("spread")) if (row, key) in values]


def _claim(claim: Mapping[str, Any], anchors: Mapping[str, str]) -> dict[str, Any]:
    compared = filter(None, claim["compared_with"].split("; "))
    return {**claim, "tone": TONES[claim["slug"]], "links": [(name, anchors.get(name)) for name in compared]}


def _render(page: Mapping[str, Any], script_data: Mapping[str, Any], templates: Path) -> str:
    environment = Environment(loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined)
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    environment.filters.update(prose=prose, capitalized=lambda text: text[:1].upper() + text[1:])
    environment.globals.update(number=number)
    names = ("style.css", "graph.js", "page.js")
    parts = {name: Markup((templates / name).read_text(encoding="utf-8")) for name in names}
    return environment.get_template("page.html").render(page=page, data=script_data, parts=parts)


def number(entry: Entry) -> Markup:
    """Return a published value as HTML; a number is a link to its lineage."""
    is_number = entry["value"] is not None and (
        not isinstance(entry["value"], str) or _NUMERIC.fullmatch(entry["value"])
    )
    link = '<a class="number" id="{0}" href="#{0}">{1}</a>'
    return Markup(link if is_number else '<span id="{0}">{1}</span>').format(entry["id"], prose(entry["text"]))


def prose(text: str) -> Markup:
    """Escape text; what is between backticks becomes code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(str(text))))
