"""Results of a made-up workflow, small enough to check by hand."""

import pandas as pd
import pytest

BILINEAR = 0.5
MAE = {
    "nearest": 2.5,
    "bilinear": BILINEAR,
    "bicubic": 0.0,
    "full": 12.0,
    "residual": 0.45,
    "no_convlstm": 15.0,
    "no_physics": 11.0,
    "no_uncertainty": 12.6,
    "memory_1": 14.0,
    "memory_3": 13.0,
    "memory_12": 12.5,
}
TRAINED = tuple(MAE)[3:]
TERMS = ("sign_as_written", "sign", "magnitude", "regional", "physics")


def summary_of(method, factor=1.0):
    return {
        "method": method,
        "mae_mm": MAE[method] * factor,
        "mae_sd_mm": MAE[method] / 2,
        "rmse_mm": 1.5 * MAE[method] * factor,
        "r2": 1.0 - MAE[method] / 1000,
        "physics": 3.0 + MAE[method] / 100,
    }


def history_of(epochs=8, steps=48, start=24.0, factor=1.0):
    rows = []
    for epoch in range(epochs + 1):
        row = {"epoch": epoch, "steps": steps * epoch, "val_mae_mm": start / (epoch + 1), "val_bilinear_mae_mm": 0.48}
        for number, term in enumerate(TERMS):
            row[f"val_{term}"] = factor * (number + 1) / (epoch + 1)
            row[f"train_{term}"] = float("nan") if epoch == 0 else factor * (number + 2) / epoch
        rows.append(row)
    return pd.DataFrame(rows)


def a_timing(seconds):
    return {
        "seconds": seconds,
        "seconds_per_step": seconds / 384,
        "steps": 384,
        "epochs": 8,
        "device": "cpu",
        "threads": 1,
        "parameters": 520_000,
    }


@pytest.fixture
def a_summary():
    return summary_of


@pytest.fixture
def a_history():
    return history_of


@pytest.fixture
def summaries():
    return {method: {0: summary_of(method)} for method in MAE}


@pytest.fixture
def histories():
    starts = {"residual": 0.48}
    return {variant: {0: history_of(start=starts.get(variant, 24.0))} for variant in TRAINED}


@pytest.fixture
def timings():
    return {variant: {0: a_timing(60.0 * (number + 1))} for number, variant in enumerate(TRAINED)}


@pytest.fixture
def inference():
    return {
        method: {0: {"seconds": 4.0, "patches": 200, "seconds_per_patch": 0.02, "device": "cpu", "threads": 1}}
        for method in ("full", "residual", "nearest", "bilinear", "bicubic")
    }
