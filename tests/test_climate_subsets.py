"""From climate that lacks variables to weights, scores, tables and figures, on a toy Earth."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from gwsd.artifacts import figure6, table3, table5, table6
from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.evaluation.evaluate import evaluate
from gwsd.losses import TERMS
from gwsd.methods.interpolation import Interpolation
from gwsd.methods.network import Network
from gwsd.model.downscaler import Downscaler
from gwsd.physics import constraints_of
from gwsd.resample import Kernel
from gwsd.training.loop import TrainingResult
from tests.training.toy_earth import LOSS, MODEL, SIZE, VARIABLES, change, toy_cube, toy_table, toy_training

CLIMATES = {
    "all": VARIABLES,
    "sign": ["precipitation", "temperature"],
    "none": ["precipitation", "soil_moisture"],
    "dry": ["temperature"],
}
PHYSICS = ("sign_as_written", "sign", "magnitude", "regional", "physics")
COMPONENTS = ("full", "no_convlstm", "no_physics", "no_uncertainty")


def trained(climate: list[str], folder: Path, *, epochs: int = 2, physics_weight: float = 0.05) -> TrainingResult:
    loss = change(LOSS, physics_weight=physics_weight)
    return toy_training(folder, cube=toy_cube(climate), loss=loss, epochs=epochs)


@pytest.mark.parametrize("climate", [CLIMATES["all"], CLIMATES["sign"], CLIMATES["dry"]], ids=str)
def test_climate_is_trained_on_scored_and_tabulated_with_what_it_has(climate: list[str], tmp_path: Path) -> None:
    result = trained(climate, tmp_path / "checkpoints")
    result.history.to_csv(tmp_path / "history.csv", index=False)
    history = pd.read_csv(tmp_path / "history.csv")
    terms = set(constraints_of(climate))
    defined = {*terms, "sign_as_written", "physics"} if terms else set()
    for term in TERMS:
        is_defined = term not in PHYSICS or term in defined
        assert np.isfinite(history[f"val_{term}"]).all() == is_defined, term
        assert history[f"train_{term}"].iloc[1:].notna().all() == is_defined, term

    network = Downscaler(MODEL, climate)
    network.load_state_dict(result.state_dict)
    cube = toy_cube(climate)
    table = toy_table(7, seed=9).assign(patch=range(7), lat=0.0, lon=1.0)
    methods: list[Any] = [Interpolation(kernel) for kernel in (Kernel.NEAREST, Kernel.BILINEAR, Kernel.BICUBIC)]
    files: dict[str, list[Path]] = {"summaries": [], "histories": []}
    for method in (*methods, Network("full", network, cube.storage_scale)):
        found = evaluate(method, cube, table, size=SIZE, history_months=2, physics=LOSS, batch_size=3)
        assert {name for name in PHYSICS if found.summary[name] is not None} == defined, method.name
        assert {name for name in PHYSICS if found.scores[name].notna().any()} == defined, method.name
        for name in COMPONENTS if method.name == "full" else [method.name]:
            folder = tmp_path / name / "seed0"
            folder.mkdir(parents=True)
            (folder / "summary.json").write_text(json.dumps(found.summary))
            history.to_csv(folder / "history.csv", index=False)
            files["summaries"].append(folder / "summary.json")
            files["histories"] += [folder / "history.csv"] if method.name == "full" else []

    settings = {"climate_variables": climate, "variants": {name: {"group": "component"} for name in COMPONENTS}}
    inputs = ArtifactInputs(files, settings, "Toy")
    only = {kind: [path for path in paths if path.parts[-3] in COMPONENTS] for kind, paths in files.items()}
    components = ArtifactInputs(only, settings, "Toy")
    tables = [table3.build(inputs), table5.build(components), table6.build(components)]
    for built in tables:
        left_out = any("constraints are left out" in note for note in built.notes)
        assert left_out == (len(terms) < 3)
        assert "nan" not in built.csv() + built.markdown("C") + built.latex("C", "l")
    data = figure6.compute(ArtifactInputs(only, {**settings, "loss": LOSS.model_dump()}, "Toy"))
    assert ("note" in data) == (len(terms) < 3)


def test_without_constraints_full_and_no_physics_are_identical(tmp_path: Path) -> None:
    weights = {}
    for name, climate in CLIMATES.items():
        full, free = (
            trained(climate, tmp_path / f"{name}{weight}", epochs=1, physics_weight=weight) for weight in (0.05, 0.0)
        )
        weights[name] = full.state_dict
        same = all(torch.equal(free.state_dict[key], value) for key, value in full.state_dict.items())
        assert same == (not constraints_of(climate)), name
        if same:
            pd.testing.assert_frame_equal(full.history, free.history, check_exact=True)
    channels = {name: state["encoder.layers.0.gates.weight"].shape[1] - 4 for name, state in weights.items()}
    assert channels == {"all": 4, "sign": 2, "none": 2, "dry": 1}
