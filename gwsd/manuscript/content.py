"""What the article is given: numbers, tables, figures and claims as one JSON document for Typst."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwsd.claims.verdicts import NAMES
from gwsd.errors import DataError
from gwsd.tables.formatting import DASH
from gwsd.tables.reported import STEPS_IN_PAPER

TITLE = "Securing the Silent Reserve: a reproduction and an audit, from raw files to every number"
AUTHORS = "The gwsd developers"
SYNTHETIC = re.compile(r"\b(?:synthetic|twin)\b", re.IGNORECASE)
"""Labels of data that are not, or not all, observed: the article then says so on each page."""

COUNT = "claims:count:"
"""Ids of the numbers of claims begin so."""

Json = dict[str, Any]


def read_json(path: Path) -> Any:
    """Read a JSON file that the workflow made.

    Raises
    ------
    DataError
        Where it is missing or no JSON.
    """
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise DataError(f"{path}: no such file, but the article needs it; make it with snakemake {path}") from None
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); delete it and make it again") from None


def article_content(
    *,
    numbers: Json,
    tables: Sequence[Json],
    figures: Sequence[Json],
    images: Mapping[str, str],
    claims: Json,
    settings: Json,
    root: str,
) -> Json:
    """Gather all that the article may print.

    Parameters
    ----------
    numbers : dict
        `numbers.json`.
    tables, figures : sequence of dict
        The sidecars, in the order of their numbers.
    images : mapping of str to str
        Path of each figure's picture, below the folder of the sources.
    claims : dict
        `audit/claims.json`.
    settings : dict
        The scenario's settings that the article speaks of.
    root : str
        Root hash of the records.

    Returns
    -------
    dict
        Of plain JSON types; no NaN.
    """
    entries = {entry["id"]: _plain_entry(entry) for entry in numbers["values"]}
    label = numbers["data_label"]
    return {
        "title": TITLE,
        "authors": AUTHORS,
        "header": "A reproduction and an audit of a groundwater storage downscaling",
        "scenario": numbers["scenario"],
        "data_label": label,
        "synthetic": SYNTHETIC.search(label) is not None,
        "all_synthetic": {settings["sources"]["storage"], settings["sources"]["climate"]} == {"twin"},
        "root": root,
        "settings": settings,
        "one_seed": len(settings["seeds"]) < 2,
        "short": _value(entries, "table3:full:steps", STEPS_IN_PAPER) < STEPS_IN_PAPER,
        "built_to_size": _built_to_size(entries, settings),
        "numbers": entries,
        "tables": {table["artifact"]: table_content(table, entries) for table in tables},
        "figures": {
            figure["artifact"]: {
                "caption": figure["caption"],
                "image": images[figure["artifact"]],
                "rows": figure["rows"],
            }
            for figure in figures
        },
        "claims": claims_content(claims, entries),
    }


def table_content(table: Json, entries: Mapping[str, Json]) -> Json:
    """Lay a table out as rows of cells; each number in them keeps its id.

    Parameters
    ----------
    table : dict
        Its sidecar.
    entries : mapping
        All numbers by id.
    """
    columns = [column for column in table["columns"] if column.get("visible", True)]
    return {
        "caption": table["caption"],
        "notes": table.get("notes", []),
        "columns": [
            {"heading": column["heading"], "group": column.get("group", ""), "text": bool(column.get("text"))}
            for column in columns
        ],
        "rows": [
            {"key": row, "cells": [{"parts": _parts(table["artifact"], row, column, entries)} for column in columns]}
            for row in table["rows"]
        ],
    }


def claims_content(claims: Json, entries: Mapping[str, Json]) -> Json:
    """Lay the audit out: how many claims have each verdict, the contradictions, the oddities, and all claims.

    Parameters
    ----------
    claims : dict
        `audit/claims.json`.
    entries : mapping
        All numbers by id.
    """
    counts = [
        {"id": f"{COUNT}{slug}", "verdict": verdict} for slug, verdict in NAMES.items() if f"{COUNT}{slug}" in entries
    ]
    return {
        "any": bool(counts),
        "counts": counts,
        "contradictions": [_finding(one) for one in claims.get("contradictions", [])],
        "oddities": [_finding(one) for one in claims.get("oddities", [])],
        "rows": [_claim(one) for one in claims.get("claims", [])],
    }


def _parts(artifact: str, row: str, column: Json, entries: Mapping[str, Json]) -> list[Json]:
    """Split a cell into pieces: numbers with an id, and what stands between them without."""
    number = _part(f"{artifact}:{row}:{column['key']}", entries)
    spread = _part(f"{artifact}:{row}:{column['spread']}", entries) if column.get("spread") else None
    if spread is None or DASH in (number["text"], spread["text"]):
        return [number]
    return [number, {"id": None, "text": " ± "}, spread]


def _part(name: str, entries: Mapping[str, Json]) -> Json:
    if name not in entries or entries[name]["text"] in ("", DASH):
        return {"id": None, "text": DASH}
    return {"id": name, "text": entries[name]["text"]}


def _plain_entry(entry: Json) -> Json:
    value = entry["value"]
    if isinstance(value, float) and not math.isfinite(value):
        value = None
    return {"text": entry["text"], "value": value, "unit": entry["unit"]}


def _value(entries: Mapping[str, Json], name: str, otherwise: float) -> float:
    value = entries.get(name, {}).get("value")
    return float(value) if isinstance(value, int | float) else otherwise


def _built_to_size(entries: Mapping[str, Json], settings: Json) -> bool:
    """Whether the twin Earth was asked for as many valid cells as were counted."""
    if settings["sources"]["storage"] != "twin":
        return False
    asked = settings["twin"]["valid_cells"]
    return asked is not None and _value(entries, "table2:valid_cells:value", -1) == asked


def _claim(claim: Json) -> Json:
    return {
        "id": claim["id"],
        "place": claim["place"],
        "says": f"{claim['claim']}: {claim['printed']}" if claim["printed"] else claim["claim"],
        "found": claim["found"],
        "verdict": claim["verdict"],
        "why": claim["reason"],
    }


def _finding(one: Json) -> Json:
    return {"heading": one["heading"], "evidence": one["evidence"], "claims": ", ".join(one["claims"])}
