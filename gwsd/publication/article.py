"""The article: check the sources in `paper/`, gather all that they may print, and typeset them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwsd.artifacts.numbers import DASH
from gwsd.artifacts.reported import STEPS_IN_PAPER
from gwsd.errors import DataError
from gwsd.publication.audit import NAMES
from gwsd.publication.latex import numbers_tex, tables_tex
from gwsd.publication.typesetting import typeset

TITLE = "Securing the Silent Reserve: a reproduction and an audit, from raw files to every number"

Json = dict[str, Any]

_LAYOUT = ("layout.typ", "numbers.typ", "paper.typ")
"""Sources without prose: their digits are lengths and indices."""

_QUOTING = ("introduction.typ", "methods.typ")
"""Sources that may quote numbers of the paper: `said("8,000", by: "Table 2")`."""

_SAID = r'\bsaid\("[^"\n]*",\s*by:\s*"[^"\n]+"\)'
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
    """Build the article of a results folder.

    Parameters
    ----------
    numbers, claims : Path
        `numbers.json` and `audit/claims.json`.
    tables, figures : sequence of Path
        JSON files of tables and figures, in the order of their numbers.
    images : sequence of Path
        Pictures of the figures, in the same order.
    sources : sequence of Path
        `paper/*.typ` and the bibliography.
    settings : dict
        Settings of the scenario that the article mentions.
    root : str
        Root hash of the records.

    Raises
    ------
    DataError
        If a source contains a number typed by hand or does not typeset.
    """
    check_typed_numbers({path.name: path.read_text() for path in sources if path.suffix == ".typ"})
    published = read_json(numbers)
    table_faces, figure_faces = [read_json(path) for path in tables], [read_json(path) for path in figures]
    pictures = {
        face["artifact"]: (f"figures/{face['artifact']}{image.suffix}", image)
        for face, image in zip(figure_faces, images, strict=True)
    }
    content = article_content(
        published, table_faces, figure_faces, {name: target for name, (target, _) in pictures.items()},
        read_json(claims), settings, root,
    )  # fmt: skip
    pdf, placed, warnings = typeset(sources, content, dict(pictures.values()))
    captions = {face["artifact"]: face["caption"] for face in figure_faces}
    return BuiltArticle(
        pdf=pdf,
        placed=placed,
        numbers_tex=numbers_tex(published, root),
        tables_tex=tables_tex(
            [face["artifact"] for face in table_faces], captions, published["scenario"], published["data_label"]
        ),
        warnings=warnings,
    )


def read_json(path: Path) -> Any:
    """Read a JSON file of the workflow."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not readable as JSON ({error}); make it again with `snakemake {path}`") from None


def check_typed_numbers(sources: Mapping[str, str]) -> None:
    """Refuse numbers typed by hand: sources by file name must inject them by id or by setting.

    Raises
    ------
    DataError
        With the file and line of each number.
    """
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
    """List the numerals of a source that stand for no id, with their lines."""
    text = source
    for pattern in (_NOT_TYPED, *([re.compile(_SAID)] if name in _QUOTING else [])):
        text = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    return [
        (text.count("\n", 0, match.start()) + 1, match[0]) for match in re.finditer(r"(?<!\w)\d(?:[\d.,]*\d)?", text)
    ]


def article_content(
    numbers: Json,
    tables: Sequence[Json],
    figures: Sequence[Json],
    images: Mapping[str, str],
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
            figure["artifact"]: {
                **{name: figure[name] for name in ("caption", "rows")},
                "image": images[figure["artifact"]],
            }
            for figure in figures
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
