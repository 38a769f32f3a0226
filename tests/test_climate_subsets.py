"""From a climate that lacks variables to weights, scores, tables and figures, on a toy Earth."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from gwsd.constraints import constraints_of
from gwsd.evaluation.evaluate import evaluate
from gwsd.figures import figure6_data
from gwsd.losses import TERMS
from gwsd.methods.interpolation import Interpolation
from gwsd.methods.network import Network
from gwsd.model.downscaler import Downscaler
from gwsd.resample import Kernel
from gwsd.tables import table3, table5, table6
from gwsd.training.loop import TrainingResult
from tests.training.toy_earth import LOSS, MODEL, SIZE, VARIABLES, toy_cube, toy_table, toy_training

CLIMATES = {
    "all": VARIABLES,
    "sign": ["precipitation", "temperature"],
    "none": ["precipitation", "soil_moisture"],
    "dry": ["temperature"],
}
PHYSICS = ("sign_as_written", "sign", "magnitude", "regional", "physics")


def trained(climate: list[str], folder: Path, *, epochs: int = 2, physics_weight: float = 0.05) -> TrainingResult:
    return toy_training(
        folder,
        model={"climate_variables": climate},
        cube=toy_cube(climate),
        loss=replace(LOSS, physics_weight=physics_weight),
        epochs=epochs,
    )


def numbers_of(climate: list[str]) -> set[str]:
    """Terms that are numbers with a climate."""
    terms = set(constraints_of(climate))
    return {*terms, "sign_as_written", "physics"} if terms else set()


@pytest.mark.parametrize("climate", CLIMATES.values(), ids=CLIMATES)
def test_a_climate_is_trained_on_scored_and_tabulated_with_what_it_has(climate: list[str], tmp_path: Path) -> None:
    result = trained(climate, tmp_path / "checkpoints")
    result.history.to_csv(tmp_path / "history.csv", index=False)
    history = pd.read_csv(tmp_path / "history.csv")
    there = numbers_of(climate)
    for term in TERMS:
        is_number = term not in PHYSICS or term in there
        assert np.isfinite(history[f"val_{term}"]).all() == is_number, term
        assert history[f"train_{term}"].iloc[1:].notna().all() == is_number, term
        assert history[f"val_{term}"].notna().any() == is_number, term
    assert result.best_epoch > 0

    network = Downscaler(**MODEL | {"climate_variables": climate})
    network.load_state_dict(result.state_dict)
    cube = toy_cube(climate)
    table = toy_table(7, seed=9).assign(patch=range(7), lat=0.0, lon=1.0)
    methods: list[Any] = [Interpolation(kernel) for kernel in (Kernel.NEAREST, Kernel.BILINEAR, Kernel.BICUBIC)]
    summaries = {}
    for method in (*methods, Network("full", network, cube.storage_scale)):
        found = evaluate(method, cube, table, size=SIZE, memory=2, loss=LOSS, batch_size=3)
        summaries[method.name] = {0: found.summary}
        assert {name for name in PHYSICS if found.summary[name] is not None} == there, method.name
        assert {name for name in PHYSICS if found.scores[name].notna().any()} == there, method.name
        assert found.summary["patches_with_previous"] == 6
    summaries |= dict.fromkeys(("no_convlstm", "no_physics", "no_uncertainty"), summaries["full"])

    histories = {"full": {0: history}}
    shared: dict[str, Any] = {"climate_variables": climate, "provenance_note": "Toy"}
    tables = [
        table3.build(summaries=summaries, histories=histories, **shared),
        table5.build(histories=histories, **shared),
        table6.build(summaries=summaries, histories=histories, **shared),
    ]
    for one in tables:
        assert any("constraints are left out" in note for note in one.notes) == (len(constraints_of(climate)) < 3)
        assert "nan" not in one.csv() + one.markdown("C") + one.latex("C", "l")
    assert {row["physics"] is None for row in tables[0].rows} == {not there}
    assert [row["validation_magnitude"] is None for row in tables[1].rows] == ["magnitude" not in there] * 4
    data = figure6_data.compute(histories, climate_variables=climate, data_label="toy", source="0")
    assert ("note" in data) == (len(constraints_of(climate)) < 3)


def test_without_any_constraint_full_and_no_physics_are_the_same_to_the_last_bit(tmp_path: Path) -> None:
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


def test_an_interrupted_training_without_constraints_ends_with_the_same_numbers(tmp_path: Path) -> None:
    whole = trained(["temperature"], tmp_path / "whole", epochs=2)
    trained(["temperature"], tmp_path / "cut", epochs=1)
    resumed = trained(["temperature"], tmp_path / "cut", epochs=2)
    assert resumed.resumed
    pd.testing.assert_frame_equal(resumed.history, whole.history, check_exact=True)
