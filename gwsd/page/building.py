"""The page as one HTML file, from what was published, the records behind it and the templates."""

import html
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gwsd.page.checking import summarised
from gwsd.page.lineage_data import LineageData, as_script_data, grouped
from gwsd.page.material import Entry, Material, columns_of, grid_of, groups_of, others_of
from gwsd.page.verdicts import counted, shown_claims
from gwsd.provenance.records import read_records
from gwsd.provenance.verifying import verify

TEMPLATES = Path(__file__).parent / "templates"
"""Where the templates lie."""

SCRIPTS = ("walking.js", "drawing.js", "panel.js", "finding.js")
"""In the order in which the page runs them."""

READS_AS_NUMBER = re.compile(r"[<>~+−-]?\d\S*")
"""A value that is kept as words but reads as a number, such as 240+."""

LONGEST_ALT = 400
"""Characters of a picture's text; the caption below it says all."""


@dataclass(frozen=True)
class Shown:
    """A table or figure as the rule names it.

    Parameters
    ----------
    name : str
        Such as table3.
    kind : {'table', 'figure', 'map'}
        What it is.
    heading : str
        Such as "Table 3: Methods".
    caption : str
        What a reader sees with it.
    data_path : str
        Of the data that it shows, from the project's root.
    picture, data : str or None
        Copies beside the page, as links.
    image : Path or None
        The picture itself.
    """

    name: str
    kind: str
    heading: str
    caption: str
    data_path: str
    picture: str | None = None
    data: str | None = None
    image: Path | None = None


def build_page(
    material: Material,
    results: Path,
    artifacts: Sequence[Shown],
    *,
    title: str,
    templates: Path = TEMPLATES,
    claims_file: str | None = None,
) -> str:
    """Build the page.

    Parameters
    ----------
    material : Material
        What was published.
    results : Path
        Folder of the scenario, with the records.
    artifacts : sequence of Shown
        In the order of the page.
    title : str
        Of the scenario.
    templates : Path
        Folder of the templates.
    claims_file : str or None
        The claims as a file beside the page, as a link.

    Returns
    -------
    str
        HTML, complete in itself but for the copied pictures and tables.
    """
    lineage = LineageData(read_records(results), material.data_label)
    folder = f"results/{material.scenario}"
    numbers = {name: _number(entry, lineage) for name, entry in material.numbers.items()}
    claims = shown_claims(material.claims, material.numbers)
    document = {
        "numbers": numbers,
        "artifacts": {one.name: {"title": one.heading, "files": _files_of(one, folder, lineage)} for one in artifacts},
        "claims": [index for index in [lineage.find(f"{folder}/audit/claims.json")] if index is not None],
    }
    report = verify(results)
    lineage.mark({file.path: file.status for file in report.files})
    shown = [_artifact(one, material) for one in artifacts]
    in_place = {part["id"] for one in shown for part in one["values"]} | {one["id"] for one in material.claim_values}
    page = {
        "title": title,
        "scenario": material.scenario,
        "folder": folder,
        "data_label": material.data_label,
        "synthetic": "synthetic" in material.data_label.lower(),
        "check": summarised(report, lineage.paths()),
        "artifacts": shown,
        "facts": [entry for name, entry in material.numbers.items() if name not in in_place],
        "number_count": len(material.numbers),
        "claims": claims,
        "findings": [
            {"name": "Contradictions and impossible values", "found": material.contradictions},
            {"name": "Oddities", "found": material.oddities},
        ],
        "claim_counts": [one for one in material.claim_values if one["row"] == "count"],
        "claim_values": [one for one in material.claim_values if one["row"] != "count"],
        "claims_file": claims_file,
        "verdicts": counted(claims),
        "file_groups": grouped(lineage.files),
    }
    return _render(page, as_script_data({**document, **lineage.document()}), templates)


def _render(page: Mapping[str, Any], lineage: str, templates: Path) -> str:
    environment = Environment(
        loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    environment.filters.update(prose=prose, capitalized=capitalized)
    environment.globals.update(number=number)
    return environment.get_template("page.html").render(
        page=page,
        lineage=lineage,
        style=(templates / "style.css").read_text(encoding="utf-8"),
        scripts="\n".join((templates / name).read_text(encoding="utf-8") for name in SCRIPTS),
    )


def number(entry: Entry) -> Markup:
    """Print a published value; its text is exactly the published one.

    Parameters
    ----------
    entry : mapping
        The value; a number leads to its lineage, while words and empty cells are no links.
    """
    if entry["value"] is None or (isinstance(entry["value"], str) and not READS_AS_NUMBER.fullmatch(entry["value"])):
        element = Markup('<span id="{0}" data-id="{0}">{1}</span>')
    else:
        element = Markup('<a class="number" id="{0}" href="#{0}" data-id="{0}">{1}</a>')
    # Backticks are part of the text that `gwsd verify` compares; a reader sees code instead.
    tick = '<span class="tick">`</span>'
    return element.format(entry["id"], prose(entry["text"], rf"{tick}<code>\1</code>{tick}"))


def prose(text: str, code: str = r"<code>\1</code>") -> Markup:
    """Escape text; what stands between backticks becomes an element."""
    return Markup(re.sub(r"`([^`]+)`", code, html.escape(str(text))))


def capitalized(text: str) -> str:
    """Return a text with its first letter large and the others as they are."""
    return text[:1].upper() + text[1:]


def png_size(path: Path) -> tuple[int, int] | None:
    """Read the width and height of a PNG from its header, pixels; None where it is none."""
    head = path.read_bytes()[:24]
    if head[:8] != b"\x89PNG\r\n\x1a\n" or len(head) < 24:
        return None
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def _number(entry: Entry, lineage: LineageData) -> dict[str, Any]:
    return {
        "text": entry["text"],
        "value": entry["value"],
        "unit": entry.get("unit", ""),
        "label": entry.get("label", entry["id"]),
        "origin": entry.get("origin", ""),
        "measured": bool(entry.get("measured")),
        "path": entry.get("file", ""),
        "row": entry.get("row", ""),
        "column": entry.get("column", ""),
        "file": lineage.find(entry["file"], entry.get("sha256")) if entry.get("file") else None,
        "source": [
            {
                "path": one["file"],
                "key": one.get("key", ""),
                "factor": one.get("factor", 1),
                "where": ", ".join(f"{name} {value}" for name, value in one.get("where", {}).items()),
                "file": lineage.find(one["file"]),
            }
            for one in entry.get("source") or ()
        ],
    }


def _files_of(one: Shown, folder: str, lineage: LineageData) -> list[int]:
    path = f"{folder}/{Path(one.data_path).parent.name}/{one.image.name}" if one.image else one.data_path
    index = lineage.find(path)
    return [] if index is None else [index]


def _artifact(one: Shown, material: Material) -> dict[str, Any]:
    sidecar = material.sidecars.get(one.name, {"values": []})
    columns = columns_of(sidecar) if one.kind == "table" else []
    grid = grid_of(sidecar) if columns else []
    alt = f"{one.heading}. {one.caption}".replace("`", "")
    return {
        "name": one.name,
        "kind": one.kind,
        "heading": one.heading,
        "heading_short": one.heading.split(":")[0],
        "caption": one.caption,
        "data_label": sidecar.get("data_label", material.data_label),
        "picture": one.picture,
        "size": None if one.image is None else png_size(one.image),
        "alt": alt if len(alt) <= LONGEST_ALT else f"{alt[: LONGEST_ALT - 1]}…",
        "data": one.data,
        "data_path": one.data_path,
        "columns": columns,
        "groups": groups_of(columns),
        "grid": grid,
        "notes": sidecar.get("notes", ()),
        "others": others_of(sidecar, grid),
        "values": sidecar["values"],
    }
