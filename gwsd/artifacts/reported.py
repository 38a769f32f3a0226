"""Numbers that the paper reports; tables and figures print them marked as `REPORTED`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

REPORTED = "reported by the paper"
"""Mark of these numbers wherever they are printed."""

STEPS_IN_PAPER = 15_000
"""8,000 training patches in batches of 16, 30 times over (section 3.4)."""

Value = float | int | str | bool


@dataclass(frozen=True)
class Reported:
    """One number of the paper.

    `table` is `table3`, `figure7` …, or `text` for running text; rows are named as in the workflow (`full`, `memory_3`
    …) where it has the same. Value, unit and `spread` (after ±) are as printed in `place`.
    """

    table: str
    row: str
    column: str
    value: Value
    unit: str
    place: str
    spread: float | None = None


def _rows(number: int, columns: Mapping[str, str], rows: Mapping[str, tuple[Value | None, ...]]) -> Iterator[Reported]:
    """Yield the cells of a printed table (columns with their units); None marks an empty cell."""
    for row, cells in rows.items():
        for (column, unit), value in zip(columns.items(), cells, strict=True):
            if value is not None:
                yield Reported(f"table{number}", row, column, value, unit, f"Table {number}")


PAPER: tuple[Reported, ...] = (
    *_rows(
        1,
        {"configuration": ""},
        {
            "conv_lstm": ("2 layers, 64 channels, 3×3 kernel",),
            "encoder": ("3 downsampling levels [64, 128, 256]",),
            "decoder": ("3 upsampling levels [256, 128, 64]",),
            "upsampling": ("Bilinear 4×",),
            "parameters": ("8.2 million",),
            "optimizer": ("AdamW (lr=1e-3, wd=1e-5)",),
            "batch_size": ("16",),
            "epochs": ("30 (early stopping)",),
            "loss_weights": ("phys=0.05, smooth=0.01",),
        },
    ),
    Reported("table1", "memory", "configuration", "6 months", "", "Section 3.1"),
    Reported("table1", "climate", "configuration", "4 variables", "", "Section 3.1"),
    Reported("table1", "heads", "configuration", "Mean and variance, 1×1 kernel, softplus", "", "Section 3.2.3"),
    Reported("table1", "schedule", "configuration", "ReduceLROnPlateau, factor 0.5 after 3 epochs", "", "Section 3.4"),
    Reported("table1", "clip_norm", "configuration", "1.0", "", "Section 3.4"),
    *_rows(
        2,
        {"value": ""},
        {
            "temporal_coverage": ("2002-2023",),
            "months": (225,),
            "valid_cells": (57_503,),
            "train_patches": (8_000,),
            "validation_patches": (2_000,),
            "test_patches": (500,),
            "climate_variables": (4,),
            "target_resolution": ("0.125°",),
            "refinement": (4,),
            "patch_size": ("32×32",),
        },
    ),
    Reported("table3", "nearest", "mae", 2.21, "cm", "Table 3", spread=1.25),
    Reported("table3", "bilinear", "mae", 0.54, "cm", "Table 3", spread=0.60),
    Reported("table3", "full", "mae", 1.64, "cm", "Table 3", spread=0.85),
    Reported("table3", "full", "r2", 0.9983, "", "Table 3"),
    Reported("table3", "full", "physics", 3.4, "", "Table 3"),
    Reported("table3", "full", "rmse", 2.75, "cm", "Section 4.1"),
    *_rows(
        4,
        {"mae": "cm", "physics": "", "temporal": "", "uncertainty": ""},
        {
            "full": (1.64, True, True, True),
            "miro_famiglietti_2018": (2.10, False, False, False),
            "data_assimilation": (1.95, True, True, False),
            "bilinear": (0.54, False, False, False),
            "nearest": (2.21, False, False, False),
        },
    ),
    *_rows(
        5,
        {"sign": "", "magnitude": "", "regional": "", "physics": ""},
        {"1": (1.42, 1.89, 0.83, 4.14), "10": (1.08, 1.52, 0.63, 3.23), "30": (1.02, 1.42, 0.55, 2.99)},
    ),
    *_rows(
        6,
        {"mae": "cm", "change": "%", "physics": ""},
        {
            "full": (1.64, None, 3.4),
            "no_convlstm": (2.15, 31.0, 4.8),
            "no_physics": (2.01, 23.0, None),
            "no_uncertainty": (1.67, 2.0, 3.5),
        },
    ),
    *_rows(
        7,
        {"mae": "cm", "physics": "", "training": "h"},
        {
            "memory_1": (2.10, 4.2, 32.0),
            "memory_3": (1.85, 3.8, 36.0),
            "full": (1.64, 3.4, 40.0),
            "memory_12": (1.66, 3.5, 48.0),
        },
    ),
    *_rows(
        8,
        {"training": "h", "inference": "min", "hardware": ""},
        {
            "full": ("40", "2", "2× Tesla P40"),
            "data_assimilation": ("240+", "60+", "HPC cluster"),
            "geostatistical": ("12", "45", "CPU cluster"),
            "traditional_ml": ("28", "5", "1× Tesla P40"),
        },
    ),
    Reported("text", "full", "inference_per_patch", 0.15, "s", "Section 5.3"),
    Reported("text", "full", "patches_a_globe", 450, "", "Section 5.3"),
    Reported("text", "full", "physics", 3.4, "", "Abstract", spread=0.1),
    Reported("text", "full", "improvement_over_nearest", 26.0, "%", "Abstract"),
    Reported("text", "epoch_30", "physics", 3.39, "", "Section 4.5"),
    Reported("figure1", "depletion", "rates_beyond", 20.0, "mm/yr", "Figure 1, caption"),
    Reported("figure3", "example_1", "mae", 1.67, "cm", "Section 4.2"),
    Reported("figure3", "example_2", "mae", 2.01, "cm", "Section 4.2"),
    Reported("figure3", "example_3", "mae", 1.71, "cm", "Section 4.2"),
    Reported("figure4", "calendar_months", "smallest MAE", 1.5, "cm", "Section 4.3"),
    Reported("figure4", "calendar_months", "largest MAE", 1.7, "cm", "Section 4.3"),
    Reported("figure4", "seasonal_cycle", "swing_above", 15.0, "cm", "Section 4.3"),
    Reported("figure6", "epoch_1", "total", 15.2, "", "Section 4.6"),
    Reported("figure6", "epoch_30", "total", 2.8, "", "Section 4.6"),
    Reported("figure6", "epoch_1", "mae", 4.2, "cm", "Section 4.6"),
    Reported("figure6", "epoch_30", "mae", 1.64, "cm", "Section 4.6"),
    Reported("figure6", "epoch_1", "r2", 0.92, "", "Section 4.6"),
    Reported("figure6", "epoch_30", "r2", 0.998, "", "Section 4.6"),
    Reported("figure7", "pixels", "correlation of sd and error", -0.257, "", "Section 4.8, panel (a)"),
    Reported("figure7", "pixels", "mean predicted sd", 0.724, "", "Section 4.8, panel (b)"),
)

_INDEX = {(entry.table, entry.row, entry.column): entry for entry in PAPER}


def reported(table: str, row: str, column: str) -> Value | None:
    """Return what the paper reports in a cell, or None."""
    entry = _INDEX.get((table, row, column))
    return None if entry is None else entry.value


def reported_spread(table: str, row: str, column: str) -> float | None:
    """Return what the paper reports after the ± in a cell, or None."""
    entry = _INDEX.get((table, row, column))
    return None if entry is None else entry.spread


def figure_note(figure: str) -> str:
    """Return one line with the paper's numbers for a figure, or an empty string."""
    found = (entry for entry in PAPER if entry.table == figure)
    text = "; ".join(f"{entry.row}: {entry.column} {entry.value} {entry.unit}".strip() for entry in found)
    return text.replace("_", " ").replace(" mae ", " MAE ").replace(" r2 ", " R² ")
