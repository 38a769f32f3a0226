"""The article: check the sources in `paper/`, gather all that they may print, and typeset them."""

import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typst

from gwsd.artifacts.formatting import DASH
from gwsd.artifacts.reported import STEPS_IN_PAPER
from gwsd.errors import DataError
from gwsd.provenance.record import read_json
from gwsd.publication.audit import NAMES
from gwsd.publication.latex import numbers_tex, tables_tex

TITLE = "Securing the Silent Reserve: a reproduction and an audit, from raw files to every number"

Json = dict[str, Any]

_LAYOUT = ("layout.typ", "numbers.typ", "paper.typ")  # Sources whose digits are lengths and indices

_QUOTING = ("introduction.typ", "methods.typ")
"""Sources that may quote numbers of the paper: `quoted("8,000", from: "Table 2")`."""

_QUOTED = re.compile(r'\bquoted\("[^"\n]*",\s*from:\s*"[^"\n]+"\)')
_NOT_TYPED = re.compile(
    r"(?<!:)//[^\n]*|/\*.*?\*/"  # comments
    r'|"(?:table\d|figure\d|claims|facts)[^"\n]*"'  # ids
    r"|(?<![\w.])@[A-Za-z][\w:.-]*\w|<[A-Za-z][\w:.-]*>"  # citations, labels
    r'|\bsetting(?:-value)?\("[^"\n]*"\)|\bdata\.settings[\w.-]*(?:\s*==\s*"[^"\n]*")?'
    r'|\bof-paper\("(?:(?:sections?|equations?|tables?|figures?) )?[\d.,()–\- ]+(?: and [\d.()]+)?"\)'
    r"|ERA5-Land|G3P(?: v1\.12)?|SHA-256",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True)
class BuiltArticle:
    """The article, the numbers in it (id, text, page), and the LaTeX files."""

    pdf: bytes
    placed: list[Json]
    numbers_tex: str
    tables_tex: str
    warnings: list[str]


def build_article(
    *,
    numbers: Path,
    tables: Sequence[Path],
    figures: Sequence[Path],
    images: Sequence[Path],
    claims: Path,
    sources: Sequence[Path],
    settings: Json,
    root: str,
) -> BuiltArticle:
    """Build the article from the JSON files of a results folder.

    `tables` and `figures` are in the order of their numbers, as are `images`, the figures' pictures; `sources` are
    `paper/*.typ` and the bibliography, `settings` those that the article mentions, `root` is the root hash of the
    records. A number typed by hand is a DataError, and so is a source that does not typeset.
    """
    check_typed_numbers({path.name: path.read_text() for path in sources if path.suffix == ".typ"})
    published = read_json(numbers)
    table_faces, figure_faces = [read_json(path) for path in tables], [read_json(path) for path in figures]
    pictures = {f"figures/{image.name}": image for image in images}
    content = article_content(published, table_faces, figure_faces, [*pictures], read_json(claims), settings, root)
    pdf, placed, warnings = typeset(sources, content, pictures)
    captions = {face["artifact"]: face["caption"] for face in figure_faces}
    names = [face["artifact"] for face in table_faces]
    tables_file = tables_tex(names, captions, published["scenario"], published["data_label"])
    return BuiltArticle(pdf, placed, numbers_tex(published, root), tables_file, warnings)


def check_typed_numbers(sources: Mapping[str, str]) -> None:
    """Refuse numbers typed by hand in sources (by file name), with their lines: they are injected by id or setting."""
    typed = [
        f"paper/{name}, line {line}: {number}"
        for name, source in sources.items()
        if name not in _LAYOUT
        for line, number in typed_numbers(name, source)
    ]
    if typed:
        listed = "\n  ".join(typed)
        raise DataError(
            'Numbers typed by hand; inject each by its id, num("table3:full:mae_cm"), by its setting, or name the '
            f"place in the paper with of-paper(...):\n  {listed}"
        )


def typed_numbers(name: str, source: str) -> list[tuple[int, str]]:
    """List the numerals of a source that are typed by hand, with their lines."""
    for pattern in (_NOT_TYPED, _QUOTED) if name in _QUOTING else (_NOT_TYPED,):
        source = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source)
    numerals = re.finditer(r"(?<!\w)\d(?:[\d.,]*\d)?", source)
    return [(source.count("\n", 0, match.start()) + 1, match[0]) for match in numerals]


def article_content(
    numbers: Json,
    tables: Sequence[Json],
    figures: Sequence[Json],
    images: Sequence[str],
    claims: Json,
    settings: Json,
    root: str,
) -> Json:
    """Gather all that the article may print, as plain JSON for Typst."""
    entries = {entry["id"]: {name: entry[name] for name in ("text", "value", "unit")} for entry in numbers["values"]}
    label = numbers["data_label"]

    def value(name: str, otherwise: float) -> float:
        found = entries.get(name, {}).get("value")
        return float(found) if isinstance(found, int | float) else otherwise

    valid_cells = settings["twin"]["valid_cells"] if settings["sources"]["storage"] == "twin" else None
    return {
        "title": TITLE,
        "authors": "The gwsd developers",
        "header": "A reproduction and an audit of a groundwater storage downscaling",
        "scenario": numbers["scenario"],
        "data_label": label,
        "synthetic": re.search(r"\b(?:synthetic|twin)\b", label, re.IGNORECASE) is not None,
        "all_synthetic": {settings["sources"]["storage"], settings["sources"]["climate"]} == {"twin"},
        "root": root,
        "settings": settings,
        "one_seed": len(settings["seeds"]) < 2,
        "short": value("table3:full:steps", STEPS_IN_PAPER) < STEPS_IN_PAPER,
        "built_to_size": valid_cells is not None and value("table2:valid_cells:value", -1) == valid_cells,
        "numbers": entries,
        "tables": {table["artifact"]: _table(table, entries) for table in tables},
        "figures": {
            figure["artifact"]: {"caption": figure["caption"], "rows": figure["rows"], "image": image}
            for figure, image in zip(figures, images, strict=True)
        },
        "claims": _claims(claims, entries),
    }


def _table(table: Json, entries: Mapping[str, Json]) -> Json:
    """Lay a table out as rows of cells; each number in them keeps its id."""
    columns = [column for column in table["columns"] if column.get("visible", True)]

    def part(row: str, key: str) -> Json:
        name = f"{table['artifact']}:{row}:{key}"
        text = entries.get(name, {}).get("text") or DASH
        return {"id": None if text == DASH else name, "text": text}

    def parts(row: str, column: Json) -> list[Json]:
        number = part(row, column["key"])
        spread = part(row, column["spread"]) if column.get("spread") else {"text": DASH}
        return [number] if DASH in (number["text"], spread["text"]) else [number, {"id": None, "text": " ± "}, spread]

    return {
        "caption": table["caption"],
        "notes": table.get("notes", []),
        "columns": [
            {"heading": column["heading"], "group": column.get("group", ""), "text": bool(column.get("text"))}
            for column in columns
        ],
        "rows": [{"key": row, "cells": [{"parts": parts(row, column)} for column in columns]} for row in table["rows"]],
    }


def _claims(claims: Json, entries: Mapping[str, Json]) -> Json:
    counts = {f"claims:count:{slug}": verdict for slug, verdict in NAMES.items()}
    findings = {
        kind: [{**finding, "claims": ", ".join(finding["claims"])} for finding in claims.get(kind, [])]
        for kind in ("contradictions", "oddities")
    }
    return {
        "any": bool(counts.keys() & entries.keys()),
        "counts": [{"id": name, "verdict": verdict} for name, verdict in counts.items() if name in entries],
        **findings,
        "rows": [
            {
                **{name: claim[name] for name in ("id", "place", "found", "verdict")},
                "says": f"{claim['claim']}: {claim['printed']}" if claim["printed"] else claim["claim"],
                "why": claim["reason"],
            }
            for claim in claims["claims"]
        ],
    }


def typeset(
    sources: Sequence[Path], content: Mapping[str, Any], images: Mapping[str, Path]
) -> tuple[bytes, list[dict[str, Any]], list[str]]:
    """Typeset the article: its PDF, the id, text and page of each number in it, and warnings of Typst.

    The Typst `sources` read `content` (see `article_content`) as `data.json`; `images` are by their name in it.
    A source with an error or an unknown number is a DataError.
    """
    with tempfile.TemporaryDirectory(prefix="gwsd-paper-") as name:
        folder = Path(name)
        for target, path in {**{path.name: path for path in sources}, **images}.items():
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / target)
        (folder / "data.json").write_text(json.dumps(content, ensure_ascii=False, allow_nan=False))
        try:
            compiler = typst.Compiler(folder / "paper.typ", root=folder, font_paths=[], ignore_system_fonts=True)
            pdf, warnings = compiler.compile_with_warnings(format="pdf", timestamp=0)
            placed = json.loads(compiler.query("<number>", field="value"))
        except typst.TypstError as error:
            raise DataError(_message(error, content)) from None
    assert isinstance(pdf, bytes)
    return pdf, sorted(placed, key=lambda number: number["page"]), [warning.message for warning in warnings]


def _message(error: typst.TypstError, content: Mapping[str, Any]) -> str:
    places = re.findall(r"┌─ (\S+?):(\d+):\d+", error.diagnostic)
    listed = "; from ".join(f"paper/{Path(name).name}, line {line}" for name, line in places) or "paper/"
    parts = [error.message, *error.hints]
    unknown = re.search(r"no number has the id (\S+)", error.message)
    if unknown is not None:
        near = get_close_matches(unknown[1], content["numbers"], 3, 0.5)
        parts.append(f"similar ids: {', '.join(near) or 'none'}; correct the id, or guard it with known(...)")
    return f"Typst refuses the article ({listed}): {'; '.join(parts)}"
