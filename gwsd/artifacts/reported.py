"""Numbers that the paper reports; tables and figures print them marked as `REPORTED`."""

REPORTED = "reported by the paper"
"""Mark of these numbers wherever they are printed."""

STEPS_IN_PAPER = 15_000
"""8,000 training patches in batches of 16, 30 times over (section 3.4)."""

Value = float | int | str | bool

_TABLES: dict[str, tuple[str, dict[str, tuple[Value | None, ...]]]] = {
    "table1": (
        "configuration",
        {
            "memory": ("6 months",),  # section 3.1, as the climate
            "climate": ("4 variables",),
            "conv_lstm": ("2 layers, 64 channels, 3×3 kernel",),
            "encoder": ("3 downsampling levels [64, 128, 256]",),
            "decoder": ("3 upsampling levels [256, 128, 64]",),
            "heads": ("Mean and variance, 1×1 kernel, softplus",),  # section 3.2.3
            "upsampling": ("Bilinear 4×",),
            "parameters": ("8.2 million",),
            "optimizer": ("AdamW (lr=1e-3, wd=1e-5)",),
            "schedule": ("ReduceLROnPlateau, factor 0.5 after 3 epochs",),  # section 3.4, as the clipping
            "clip_norm": ("1.0",),
            "batch_size": ("16",),
            "epochs": ("30 (early stopping)",),
            "loss_weights": ("phys=0.05, smooth=0.01",),
        },
    ),
    "table2": (
        "value",
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
    "table3": (
        "mae r2 physics rmse",
        {
            "nearest": (2.21, None, None, None),
            "bilinear": (0.54, None, None, None),
            "full": (1.64, 0.9983, 3.4, 2.75),  # RMSE: section 4.1
        },
    ),
    "table4": (
        "mae physics temporal uncertainty",
        {
            "full": (1.64, True, True, True),
            "miro_famiglietti_2018": (2.10, False, False, False),
            "data_assimilation": (1.95, True, True, False),
            "bilinear": (0.54, False, False, False),
            "nearest": (2.21, False, False, False),
        },
    ),
    "table5": (
        "sign magnitude regional physics",
        {"1": (1.42, 1.89, 0.83, 4.14), "10": (1.08, 1.52, 0.63, 3.23), "30": (1.02, 1.42, 0.55, 2.99)},
    ),
    "table6": (
        "mae change physics",
        {
            "full": (1.64, None, 3.4),
            "no_convlstm": (2.15, 31.0, 4.8),
            "no_physics": (2.01, 23.0, None),
            "no_uncertainty": (1.67, 2.0, 3.5),
        },
    ),
    "table7": (
        "mae physics training",
        {
            "memory_1": (2.10, 4.2, 32.0),
            "memory_3": (1.85, 3.8, 36.0),
            "full": (1.64, 3.4, 40.0),
            "memory_12": (1.66, 3.5, 48.0),
        },
    ),
    "table8": (
        "training inference hardware",
        {
            "full": ("40", "2", "2× Tesla P40"),
            "data_assimilation": ("240+", "60+", "HPC cluster"),
            "geostatistical": ("12", "45", "CPU cluster"),
            "traditional_ml": ("28", "5", "1× Tesla P40"),
        },
    ),
}
"""Columns, and rows with their cells (None where empty), in cm, %, and hours; inference in minutes."""

PAPER: dict[str, Value] = {
    f"{table}:{row}:{column}": value
    for table, (columns, rows) in _TABLES.items()
    for row, cells in rows.items()
    for column, value in zip(columns.split(), cells, strict=True)
    if value is not None
} | {
    "text:full:inference_per_patch": 0.15,  # s, section 5.3
    "text:full:patches_a_globe": 450,  # section 5.3
    "text:full:physics": 3.4,  # abstract
    "text:full:improvement_over_nearest": 26.0,  # %, abstract
    "text:epoch_30:physics": 3.39,  # section 4.5
    "figure1:depletion:rates_beyond": 20.0,  # caption
    "figure3:example_1:mae": 1.67,  # section 4.2
    "figure3:example_2:mae": 2.01,
    "figure3:example_3:mae": 1.71,
    "figure4:calendar_months:smallest MAE": 1.5,  # section 4.3
    "figure4:calendar_months:largest MAE": 1.7,
    "figure4:seasonal_cycle:swing_above": 15.0,
    "figure6:epoch_1:total": 15.2,  # section 4.6
    "figure6:epoch_30:total": 2.8,
    "figure6:epoch_1:mae": 4.2,
    "figure6:epoch_30:mae": 1.64,
    "figure6:epoch_1:r2": 0.92,
    "figure6:epoch_30:r2": 0.998,
    "figure7:pixels:correlation of sd and error": -0.257,  # section 4.8, panel (a)
    "figure7:pixels:mean predicted sd": 0.724,  # section 4.8, panel (b)
}
"""Numbers of the paper by `artifact:row:column`; rows have the workflow's names where it has the same."""

SPREADS = {"table3:nearest:mae": 1.25, "table3:bilinear:mae": 0.60, "table3:full:mae": 0.85, "text:full:physics": 0.1}
"""What the paper prints after ±."""

_UNITS = {"rates_beyond": "mm/yr", **dict.fromkeys(("mae", "smallest MAE", "largest MAE", "swing_above"), "cm")}
"""Units of the figures' columns."""


def reported(table: str, row: str, column: str) -> Value | None:
    """Return what the paper reports in a cell, or None."""
    return PAPER.get(f"{table}:{row}:{column}")


def paper_cells(table: str, row: str, **columns: str) -> dict[str, Value | None]:
    """Return cells of a row as `paper_<key>`, from the paper's columns by key."""
    return {f"paper_{key}": reported(table, row, column) for key, column in columns.items()}


def figure_note(figure: str) -> str:
    """Return one line with the paper's numbers for a figure, or an empty string."""
    found = [(name.split(":"), value) for name, value in PAPER.items() if name.startswith(f"{figure}:")]
    text = "; ".join(f"{row}: {column} {value} {_UNITS.get(column, '')}".strip() for (_, row, column), value in found)
    return text.replace("_", " ").replace(" mae ", " MAE ").replace(" r2 ", " R² ")
