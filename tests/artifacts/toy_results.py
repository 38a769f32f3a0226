"""Made-up results in the layout of results/<scenario>/, small enough to check by hand."""

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
import yaml

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.formatting import Table, plain
from gwsd.artifacts.registry import INPUTS, INTERPOLATIONS, RESULTS, artifact
from gwsd.config import Settings, read_config

DATA_LABEL = "synthetic: made up"
ROOT = Path(__file__).parents[2]
MAE = {
    "nearest": 2.5,
    "bilinear": 0.5,
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
"""mm."""

TERMS = ("sign_as_written", "sign", "magnitude", "regional", "physics")


def settings_of(scenario="demo", variants=None, climate=None) -> Settings:
    """Read config.yaml with further variants or other climate variables."""
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    document["settings"]["variants"] |= variants or {}
    if climate is not None:
        document["settings"]["climate_variables"] = climate
    return read_config(document).settings(scenario)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pd.DataFrame):
        content.to_csv(path, index=False)
    elif isinstance(content, xr.Dataset):
        content.to_netcdf(path)
    else:
        path.write_text(json.dumps(content))


def history(epochs=8, steps=48, start=24.0, factor=1.0):
    rows = []
    for epoch in range(epochs + 1):
        row = {"epoch": epoch, "steps": steps * epoch, "val_mae_mm": start / (epoch + 1), "val_bilinear_mae_mm": 0.48}
        for number, term in enumerate(TERMS):
            row[f"val_{term}"] = factor * (number + 1) / (epoch + 1)
            row[f"train_{term}"] = float("nan") if epoch == 0 else factor * (number + 2) / epoch
        rows.append(row)
    return pd.DataFrame(rows)


def write_method(root, method, seed=0, factor=1.0, slower=1.0, mae=None, **changes):
    """Write the results of a method; `changes` are arguments of `history`."""
    error = MAE[method] if mae is None else mae
    summary = {"mae_mm": error * factor, "mae_sd_mm": error / 2, "rmse_mm": 1.5 * error, "r2": 1.0 - error / 1000}
    clock = {"device": "cpu", "threads": 1, "machine": "A processor"}
    here = {name: root / path.format(method=method, seed=seed) for name, path in RESULTS.items()}
    write(here["summaries"], summary | {"physics": 3.0 + error / 100})
    write(here["inference"], {"seconds_per_patch": 0.02 * slower, **clock})
    if method not in INTERPOLATIONS:
        start = 0.48 if method == "residual" else 24.0
        write(here["histories"], history(**{"start": start, "factor": factor, **changes}))
        timing = {
            "seconds": 60.0 * slower,
            "seconds_per_step": 60.0 * slower / 384,
            "steps": 384,
            "parameters": 520_000,
        }
        write(here["timings"], timing | clock)


def write_results(root, seeds=1):
    """Write the inputs, patches and results of all methods."""
    for method in MAE:
        for seed in range(1 if method in INTERPOLATIONS else seeds):
            write_method(root, method, seed, factor=1.0 + 0.1 * seed)
    valid = np.zeros((6, 8), dtype=np.int8)
    valid[1:5, 2:7] = 1
    grid = {"lat": 0.25 + 0.5 * np.arange(6), "lon": 0.25 + 0.5 * np.arange(8)}
    months = np.array(["2002-04", "2002-05", "2002-08", "2003-01"], dtype="datetime64[ns]")
    patches = pd.DataFrame({"patch": range(5), "has_previous": [1, 0, 1, 1, 0]})
    overlap = {"split": "test", "cell_months": 80, "shared_cell_months": 20, "shared_share": 0.25}
    write(root / INPUTS["storage"], xr.Dataset(coords={"time": months, **grid}))
    write(root / INPUTS["mask"], xr.Dataset({"valid": (("lat", "lon"), valid)}, coords=grid))
    write(root / INPUTS["overlap"], pd.DataFrame([overlap | {"shared_cells_share": 0.9}]))
    for split, count in {"train": 5, "validation": 4, "test": 2}.items():
        write(root / INPUTS[split], patches.iloc[:count])


def inputs_of(name, root, settings) -> ArtifactInputs:
    """Open the files that the registry declares, as the rule does."""
    entry = artifact(name)
    files = {file: [root / INPUTS[file]] for file in entry.files}
    for result, groups in entry.results.items():
        trained = result in ("histories", "timings")
        methods = [m for m in settings.select_methods(*groups) if not (trained and m in INTERPOLATIONS)]
        files[result] = [
            path for m in methods for path in sorted(root.glob(RESULTS[result].format(method=m, seed="*")))
        ]
    whole = settings.for_jobs()
    return ArtifactInputs(files, {section: whole[section] for section in entry.settings}, DATA_LABEL)


def build(name, root, settings) -> Table:
    return import_module(f"gwsd.artifacts.{name}").build(inputs_of(name, root, settings))


def rows(table):
    """Rows by their key, with plain values."""
    return {str(next(iter(row.values()))): {key: plain(value) for key, value in row.items()} for row in table.rows}
