"""A small results folder with the JSON files, pictures and claims that the article reads."""

import json
from pathlib import Path
from typing import Any

from gwsd.artifacts.formatting import format_number
from gwsd.artifacts.json_face import COMPUTED, entry, write_face
from gwsd.artifacts.reported import REPORTED

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "paper").glob("*.typ"), ROOT / "paper" / "references.bib"])
TWIN = "synthetic: twin Earth, not observations"
HASH = "0123456789abcdef" * 4

SETTINGS = {
    "sources": {"storage": "twin", "climate": "twin"},
    "twin": {"valid_cells": 57503, "smoothing_km": 250.0, "noise_mm": 8.0},
    "period": {"start": "2002-04", "end": "2023-09"},
    "patches": {"split": "random", "min_valid_share": 0.5},
    "loss": {"physics_weight": 0.05, "smoothness_weight": 0.01},
    "evapotranspiration": {"formula": "thornthwaite", "supply_limit": "budyko"},
    "training": {"epochs": 8, "batch_size": 16},
    "seeds": [0],
}

PAPER_MAE = ("paper_mae_cm", "MAE (cm)", ".2f")
COLUMNS = {
    "table1": [("label", "Component", ""), ("configuration", "Configuration", ""), ("parameters", "Parameters", ",d")],
    "table2": [("label", "Parameter", ""), ("value", "Value", ",d"), ("paper_value", "Value", ",d")],
    "table3": [
        ("label", "Method", ""),
        ("mae_cm", "MAE (cm)", ".3f"),
        ("r2", "R²", ".5f"),
        ("physics", "Physics loss", ".3f"),
        ("ratio_to_bilinear", "MAE / bilinear's", ".2f"),
        ("steps", "Steps", ",d"),
        PAPER_MAE,
    ],
    "table4": [("label", "Method", ""), ("physics", "Physics", "")],
    "table5": [
        ("epoch", "Epoch", "d"),
        *((f"validation_{term}", term.capitalize(), ".3f") for term in ("sign", "magnitude", "regional", "physics")),
        ("paper_sign", "Sign", ".2f"),
    ],
    "table6": [
        ("label", "Variant", ""),
        ("change_percent", "Change (%)", "+.1f"),
        ("paper_change_percent", "Change (%)", "+.0f"),
    ],
    "table7": [("memory_months", "Memory (months)", "d"), ("mae_cm", "MAE (cm)", ".3f"), PAPER_MAE],
    "table8": [("label", "Method", ""), ("measured_training_hours", "Training (h)", ".3f")],
}
"""Key, heading and format of the columns; those of the paper begin with `paper_`."""

ROWS: dict[str, dict[str, list[Any]]] = {
    "table1": {"conv_lstm": ["ConvLSTM", "2 layers, 8 channels, 3×3 kernel", 8128]},
    "table2": {
        "months": ["Months", 225, 225],
        "valid_cells": ["Valid cells", 57503, 57503],
        "overlap": ["Test cells also in training (%)", 6, None],
        "patch_size": ["Patch size", "32×32", "32×32"],
        "target_resolution": ["Target resolution", "0.125°", "0.125°"],
    },
    "table3": {
        "nearest": ["Nearest neighbour", 0.1975, None, 6.469, None, None, 2.21],
        "bilinear": ["Bilinear", 0.035, 0.99996, None, None, None, 0.54],
        "bicubic": ["Bicubic (control)", 0.0, None, 6.561, None, None, None],
        "full": ["Full model", 1.2381, 0.94956, 4.408, 35.376, 384, 1.64],
        "residual": ["`residual` (not the paper's)", 0.0282, None, None, None, 384, None],
    },
    "table4": {"full": ["Full model", "Yes"]},
    "table5": {"0": [0, 0.303, 4.218, 4.878, 9.399, None], "8": [8, 0.179, 2.873, 1.463, 4.515, 1.02]},
    "table6": {"full": ["Full model", None, None], "no_convlstm": ["Without ConvLSTM", -20.593, 31.0]},
    "table7": {"memory_1": [1, 1.201, 2.10], "full": [6, 1.2381, 1.64]},
    "table8": {"full": ["Full model", 0.02869]},
}
SPREAD = {"table3:mae_cm": "mae_sd_cm"}

LOOSE: dict[str, dict[str, Any]] = {
    "figure1": {"trend:significance": 0.05, "trend:losing": 14, "trend:gaining": 3, "trend:mean": -0.8},
    "figure2": {},
    "figure3": {"example_1:mae": 0.41, "example_1:rank": 14, "example_2:mae": 1.9, "example_2:rank": 78},
    "figure4": {"southern:fewest_patches": 3},
    "figure5": {"region_1:name": "Horn of Africa", "region_1:mae": 1.1},
    "figure6": {},
    "figure7": {"correlation:pearson": 0.7, "correlation:spearman": 0.77, "cells:count": 200_000}
    | {"sd:mean": 2.95, "error:rmse": 1.81, "crps:mean": 0.97},
    "facts": {"trainings:count": 8, "trainings:measured_thread_hours": 0.22, "trainings:device": "cpu"},
    "claims": {
        f"count:{slug}": n for slug, n in {"total": 5, "reproduced": 1, "cannot_hold": 2, "contradictions": 1}.items()
    },
}
"""Values of figures, facts and claims by row and column."""

CLAIMS = {
    "claims": [
        {
            "id": "abstract.mae",
            "place": "Abstract",
            "claim": "Mean absolute error",
            "printed": "1.64 ± 0.85 cm",
            "found": "1.238 cm",
            "verdict": "not reproduced",
            "reason": "`full` had 384 of 15,000 steps.",
        }
    ],
    "contradictions": [{"heading": "Physics loss", "claims": ["a", "b"], "evidence": ["2.99 is not 3.39."]}],
}


def number(artifact: str, row: str, column: str, value: Any, form: str = "g") -> dict[str, Any]:
    text = value if isinstance(value, str) else format_number(value, form)
    reported = column.startswith("paper_")
    return entry(
        artifact=artifact,
        row=row,
        column=column,
        value=value,
        text=text,
        unit=next((unit for unit in ("cm", "h") if column.endswith(f"_{unit}")), ""),
        origin=REPORTED if reported else COMPUTED,
        file=f"results/demo/tables/{artifact}.csv",
    )


def table_values(name: str, changes: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for row, cells in ROWS[name].items():
        for (key, _, form), cell in zip(COLUMNS[name], cells, strict=True):
            value = changes.get(f"{name}:{row}:{key}", cell)
            if value is not None:
                found.append(number(name, row, key, value, form))
                if f"{name}:{key}" in SPREAD:
                    found.append(number(name, row, SPREAD[f"{name}:{key}"], 0.1038, ".3f"))
    return found


def write_example(
    folder: Path, *, label: str = TWIN, changes: dict[str, Any] | None = None, without: tuple[str, ...] = ()
) -> Path:
    """Write the folder; `changes` replaces values by id, `without` drops ids that begin so."""
    published: dict[str, list[dict[str, Any]]] = {name: table_values(name, changes or {}) for name in ROWS}
    for name, values in LOOSE.items():
        ids = [(*key.split(":"), (changes or {}).get(f"{name}:{key}", value)) for key, value in values.items()]
        published[name] = [number(name, row, column, value) for row, column, value in ids]
    for kind in ("table", "figure"):
        (folder / f"{kind}s").mkdir(parents=True)
        for name in (name for name in published if name.startswith(kind)):
            columns = [
                {
                    "key": key,
                    "heading": heading,
                    "group": REPORTED if key.startswith("paper_") else "",
                    "text": form == "",
                    "spread": SPREAD.get(f"{name}:{key}"),
                }
                for key, heading, form in COLUMNS.get(name, [])
            ]
            write_face(
                folder / f"{kind}s" / f"{name}.json",
                artifact=name,
                caption=f"Caption of {name}; `full` is the paper's.",
                data_label=label,
                values=published[name],
                columns=columns,
                notes=["A note about `full`."],
            )
    picture = '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="30"><rect width="60" height="30"/></svg>'
    for position in range(1, 8):
        (folder / "figures" / f"figure{position}.svg").write_text(picture)
    (folder / "claims.json").write_text(json.dumps(CLAIMS))
    values = [value for group in published.values() for value in group if not value["id"].startswith(without)]
    document = {"schema": 1, "scenario": "demo", "data_label": label, "values": values}
    (folder / "numbers.json").write_text(json.dumps(document))
    return folder


def files(folder: Path) -> dict[str, Any]:
    """Return the arguments of `build_article` for a results folder."""
    return {
        "numbers": folder / "numbers.json",
        "tables": [folder / "tables" / f"{name}.json" for name in ROWS],
        "figures": [folder / "figures" / f"figure{position}.json" for position in range(1, 8)],
        "images": [folder / "figures" / f"figure{position}.svg" for position in range(1, 8)],
        "claims": folder / "claims.json",
        "sources": SOURCES,
        "settings": SETTINGS,
        "root": HASH,
    }
