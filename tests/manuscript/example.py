"""A small results folder in the shape of the real one: sidecars, numbers.json, claims, pictures."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "paper").glob("*.typ"), ROOT / "paper" / "references.bib"])
TWIN = "synthetic: twin Earth, not observations"
OBSERVED = "observed: G3P v1.12 and ERA5-Land"
HASH = "0123456789abcdef" * 4

SETTINGS = {
    "sources": {"storage": "twin", "climate": "twin"},
    "twin": {"valid_cells": 57503, "smoothing_km": 250.0, "noise_mm": 8.0},
    "period": {"start": "2002-04", "end": "2023-09"},
    "patches": {"split": "random", "min_valid_share": 0.5},
    "loss": {"physics_weight": 0.05, "smoothness_weight": 0.01},
    "evapotranspiration": {"formula": "thornthwaite", "limit": "budyko"},
    "training": {"epochs": 8, "batch_size": 16},
    "seeds": [0],
    "data_label": TWIN,
}

PAPER = "reported by the paper"


def column(key: str, heading: str, *, digits: int | None = None, group: str = "", **more: Any) -> dict[str, Any]:
    return {"key": key, "heading": heading, "group": group, "text": False, "unit": "", "digits": digits, **more}


def words(key: str, heading: str, group: str = "") -> dict[str, Any]:
    return column(key, heading, group=group, text=True)


TABLES: dict[str, tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]] = {
    "table1": (
        [words("label", "Component"), words("configuration", "Configuration"), column("parameters", "Parameters")],
        {"conv_lstm": {"label": "ConvLSTM", "configuration": "2 layers, 8 channels, 3×3 kernel", "parameters": 8128}},
    ),
    "table2": (
        [words("label", "Parameter"), column("value", "Value"), column("paper_value", "Value", group=PAPER)],
        {
            "months": {"label": "Months", "value": 225, "paper_value": 225},
            "valid_cells": {"label": "Valid cells", "value": 57503, "paper_value": 57503},
            "overlap": {"label": "Test cells also in training (%)", "value": 6.2527, "paper_value": None},
            "patch_size": {"label": "Patch size", "value": "32×32", "paper_value": "32×32"},
            "target_resolution": {"label": "Target resolution", "value": "0.125°", "paper_value": "0.125°"},
        },
    ),
    "table3": (
        [
            words("label", "Method"),
            column("mae_cm", "MAE (cm)", digits=3, spread="mae_sd_cm", unit="cm"),
            column("rmse_cm", "RMSE (cm)", digits=3, unit="cm"),
            column("r2", "R²", digits=5),
            column("physics", "Physics loss", digits=3),
            column("ratio_to_bilinear", "MAE / bilinear's", digits=2),
            column("steps", "Steps"),
            column("paper_mae_cm", "MAE (cm)", digits=2, group=PAPER, unit="cm"),
        ],
        {
            "nearest": {
                "label": "Nearest neighbour",
                "mae_cm": 0.1975,
                "mae_sd_cm": 0.1038,
                "physics": 6.469,
                "paper_mae_cm": 2.21,
            },
            "bilinear": {"label": "Bilinear", "mae_cm": 0.035, "mae_sd_cm": 0.018, "r2": 0.99996, "paper_mae_cm": 0.54},
            "bicubic": {"label": "Bicubic (control)", "mae_cm": 0.0, "mae_sd_cm": 0.0, "physics": 6.561},
            "full": {
                "label": "Full model",
                "mae_cm": 1.2381,
                "mae_sd_cm": 0.9243,
                "rmse_cm": 1.8122,
                "r2": 0.94956,
                "physics": 4.408,
                "ratio_to_bilinear": 35.376,
                "steps": 384,
                "paper_mae_cm": 1.64,
            },
            "residual": {
                "label": "`residual` (ours, not the paper's)",
                "mae_cm": 0.0282,
                "mae_sd_cm": 0.0143,
                "steps": 384,
            },
        },
    ),
    "table4": (
        [words("label", "Method"), words("physics", "Physics")],
        {"full": {"label": "Full model", "physics": "Yes"}},
    ),
    "table5": (
        [
            column("epoch", "Epoch"),
            *(
                column(f"validation_{term}", term.capitalize(), digits=3)
                for term in ("sign", "magnitude", "regional", "physics")
            ),
            column("paper_sign", "Sign", digits=2, group=PAPER),
        ],
        {
            "0": {
                "epoch": 0,
                "validation_sign": 0.303,
                "validation_magnitude": 4.218,
                "validation_regional": 4.878,
                "validation_physics": 9.399,
            },
            "8-30": {
                "epoch": 8,
                "validation_sign": 0.179,
                "validation_magnitude": 2.873,
                "validation_regional": 1.463,
                "validation_physics": 4.515,
                "paper_sign": 1.02,
            },
        },
    ),
    "table6": (
        [
            words("label", "Variant"),
            column("mae_cm", "MAE (cm)", digits=3, unit="cm"),
            column("change_percent", "against full (%)", digits=1, signed=True),
            column("paper_change_percent", "against full (%)", group=PAPER, signed=True),
        ],
        {
            "full": {"label": "Full model", "mae_cm": 1.2381},
            "no_convlstm": {
                "label": "Without ConvLSTM",
                "mae_cm": 0.9832,
                "change_percent": -20.593,
                "paper_change_percent": 31.0,
            },
        },
    ),
    "table7": (
        [
            column("memory_months", "Memory (months)"),
            column("mae_cm", "MAE (cm)", digits=3, unit="cm"),
            column("paper_mae_cm", "MAE (cm)", digits=2, group=PAPER, unit="cm"),
        ],
        {
            "memory_1": {"memory_months": 1, "mae_cm": 1.201, "paper_mae_cm": 2.10},
            "full": {"memory_months": 6, "mae_cm": 1.2381, "paper_mae_cm": 1.64},
        },
    ),
    "table8": (
        [words("label", "Method"), column("measured_training_hours", "Measured training (h)", digits=3, unit="h")],
        {"full": {"label": "Full model", "measured_training_hours": 0.02869}},
    ),
}

FIGURES: dict[str, dict[str, dict[str, Any]]] = {
    "figure1": {"trend": {"significance": 0.05, "losing": 14, "gaining": 3, "mean": -0.8}},
    "figure2": {},
    "figure3": {"example_1": {"mae": 0.41, "rank": 14}, "example_2": {"mae": 1.9, "rank": 78}},
    "figure4": {"southern": {"fewest_patches": 3}},
    "figure5": {"region_1": {"name": "Horn of Africa", "mae": 1.1}},
    "figure6": {},
    "figure7": {
        "correlation": {"pearson": 0.7, "spearman": 0.77},
        "cells": {"count": 200_000},
        "sd": {"mean": 2.95},
        "error": {"rmse": 1.81},
        "crps": {"mean": 0.97},
    },
    "facts": {"trainings": {"count": 8, "measured_thread_hours": 0.22, "device": "cpu"}},
}

COUNTS = {"total": 5, "reproduced": 1, "not_reproduced": 2, "cannot_hold": 2, "contradictions": 1}

CLAIMS = {
    "claims": [
        {
            "id": "abstract-mae",
            "place": "Abstract",
            "claim": "Mean absolute error",
            "printed": "1.64 ± 0.85 cm",
            "found": "1.238 cm",
            "verdict": "not reproduced",
            "reason": "`full` had 384 of 15,000 steps.",
        }
    ],
    "contradictions": [
        {"heading": "Physics loss", "claims": ["a", "b"], "evidence": ["Table 5 totals 2.99; the text says 3.39."]}
    ],
}


def printed(value: Any, of: dict[str, Any]) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    sign = "+" if of.get("signed") else ""
    if of["digits"] is None:
        return f"{value:{sign},}".replace("-", "−") if isinstance(value, int) else f"{value:{sign}g}".replace("-", "−")
    return f"{value:{sign},.{of['digits']}f}".replace("-", "−")


def entry(artifact: str, row: str, of: dict[str, Any], value: Any) -> dict[str, Any]:
    return {
        "id": f"{artifact}:{row}:{of['key']}",
        "value": value,
        "text": printed(value, of),
        "unit": of["unit"],
        "format": "",
        "label": f"Claims: {of['heading']}" if artifact == "claims" else row,
        "row": row,
        "column": of["key"],
        "file": f"results/demo/tables/{artifact}.csv",
        "origin": "reported by the paper" if of["group"] else "computed",
        "measured": of["key"].startswith("measured_"),
        "artifact": artifact,
    }


def table(name: str, label: str, changes: dict[str, Any]) -> dict[str, Any]:
    columns, rows = TABLES[name]
    described = [*columns, *({**one, "key": one["spread"]} for one in columns if "spread" in one)]
    values = []
    for row, cells in rows.items():
        for one in described:
            value = changes.get(f"{name}:{row}:{one['key']}", cells.get(one["key"]))
            if value is not None:
                values.append(entry(name, row, one, value))
    return {
        "artifact": name,
        "caption": f"What {name} shows; `full` is the paper's.",
        "data_label": label,
        "columns": columns,
        "rows": list(rows),
        "notes": ["A note about `full`."],
        "values": values,
    }


def loose(name: str, changes: dict[str, Any]) -> list[dict[str, Any]]:
    """The values of a figure, or facts."""
    return [
        entry(name, row, column(key, key), changes.get(f"{name}:{row}:{key}", value))
        for row, cells in FIGURES[name].items()
        for key, value in cells.items()
    ]


def write_example(
    folder: Path, *, label: str = TWIN, changes: dict[str, Any] | None = None, without: tuple[str, ...] = ()
) -> Path:
    """Write the results folder; `changes` replaces values by id, `without` drops ids that begin so."""
    tables = [table(name, label, changes or {}) for name in TABLES]
    figures = [
        {
            "artifact": name,
            "caption": f"What {name} shows.",
            "data_label": label,
            "rows": list(FIGURES[name]),
            "values": loose(name, changes or {}),
        }
        for name in FIGURES
        if name != "facts"
    ]
    claim_values = [
        entry("claims", "count", column(verdict, verdict.replace("_", " ")), count) for verdict, count in COUNTS.items()
    ]
    values = [one for group in (*tables, *figures) for one in group["values"]]
    values += [*claim_values, *loose("facts", changes or {})]
    values = [one for one in values if not one["id"].startswith(without)]
    for kind, group in (("tables", tables), ("figures", figures)):
        (folder / kind).mkdir(parents=True)
        for one in group:
            (folder / kind / f"{one['artifact']}.json").write_text(json.dumps(one))
    for figure in figures:
        picture = '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="30"><rect width="60" height="30"/></svg>'
        (folder / "figures" / f"{figure['artifact']}.svg").write_text(picture)
    (folder / "audit").mkdir()
    (folder / "audit" / "claims.json").write_text(json.dumps({**CLAIMS, "values": claim_values}))
    numbers = {"schema": 1, "scenario": "demo", "data_label": label, "values": values}
    (folder / "numbers.json").write_text(json.dumps(numbers))
    return folder


def files(folder: Path) -> dict[str, Any]:
    """Return the arguments of `build_article` for a results folder."""
    return {
        "numbers": folder / "numbers.json",
        "tables": [folder / "tables" / f"{name}.json" for name in TABLES],
        "figures": [folder / "figures" / f"figure{number}.json" for number in range(1, 8)],
        "images": [folder / "figures" / f"figure{number}.svg" for number in range(1, 8)],
        "claims": folder / "audit" / "claims.json",
        "sources": SOURCES,
        "settings": SETTINGS,
        "root": HASH,
    }
