"""Tables 1, 2, 7 and 8."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.model.downscaler import Downscaler
from gwsd.tables import table1, table2, table7, table8
from gwsd.tables.formatting import without_measured

SYNTHETIC = "Synthetic: computed on the twin Earth"
VARIABLES = ("precipitation", "soil_moisture", "temperature", "surface_pressure")
MODEL = {
    "temporal_encoder": "conv_lstm",
    "memory": 6,
    "climate_variables": VARIABLES,
    "lstm_channels": 64,
    "lstm_layers": 2,
    "unet_channels": [64, 128, 256],
    "bottleneck_channels": 512,
    "normalisation": "batch",
    "residual": False,
    "variance_head": True,
    "variance_floor": 1e-4,
}
LOSS = {"physics_weight": 0.05, "smoothness_weight": 0.01}
TRAINING = {
    "batch_size": 16,
    "epochs": 30,
    "learning_rate": 1e-3,
    "weight_decay": 1e-5,
    "schedule": "plateau",
    "plateau_factor": 0.5,
    "plateau_patience": 3,
    "early_stopping_patience": 10,
    "clip_norm": 1.0,
}


def by(table, key):
    return {row[key]: row for row in table.rows}


def build1(**changes):
    model = Downscaler(**{**MODEL, **changes})
    return table1.build(network=model, size=32, loss=LOSS, training=TRAINING, provenance_note="")


def test_table_1_at_the_papers_settings_is_the_papers():
    rows = by(build1(), "component")
    assert rows["conv_lstm"]["parameters"] == 452_096
    assert sum(rows[part]["parameters"] for part in ("encoder", "bottleneck", "decoder")) == 7_738_624
    assert rows["heads"]["parameters"] == 130
    assert rows["parameters"]["parameters"] == 8_190_850
    same = ("conv_lstm", "encoder", "decoder", "upsampling", "parameters", "optimizer", "batch_size", "loss_weights")
    for component in (*same, "memory", "clip_norm", "schedule", "heads"):
        assert rows[component]["configuration"] == rows[component]["paper_configuration"], component
    assert rows["bottleneck"]["configuration"] == "512 channels"
    assert rows["bottleneck"]["paper_configuration"] is None


def test_table_1_follows_the_model_object():
    rows = by(
        build1(temporal_encoder="none", unet_channels=[8, 16], bottleneck_channels=32, variance_head=False, memory=1),
        "component",
    )
    assert rows["conv_lstm"]["configuration"] == "none"
    assert rows["conv_lstm"]["parameters"] == 0
    assert rows["encoder"]["configuration"] == "2 downsampling levels [8, 16]"
    assert rows["decoder"]["configuration"] == "2 upsampling levels [16, 8]"
    assert rows["heads"]["configuration"] == "Mean, 1×1 kernel"
    assert rows["memory"]["configuration"] == "1 month"
    parts = ("conv_lstm", "encoder", "bottleneck", "decoder", "heads")
    assert sum(rows[part]["parameters"] for part in parts) == rows["parameters"]["parameters"]


@pytest.mark.parametrize(
    ("climate", "counted", "weights"),
    [
        (["temperature"], "1 variable: temperature", "no physics, smooth=0.01"),
        (
            ["precipitation", "temperature"],
            "2 variables: precipitation, temperature",
            "phys=0.05 (sign only), smooth=0.01",
        ),
    ],
)
def test_table_1_describes_the_climate_and_the_loss_of_its_scenario(climate, counted, weights):
    table = build1(climate_variables=climate)
    rows = by(table, "component")
    assert rows["climate"]["configuration"] == counted
    assert rows["climate"]["paper_configuration"] == "4 variables"
    assert rows["loss_weights"]["configuration"] == weights
    assert rows["conv_lstm"]["parameters"] == 452_096 - (4 - len(climate)) * 4 * 64 * 9
    assert "constraints are left out" in table.notes[0]


def inputs():
    months = np.array(["2002-04", "2002-05", "2002-08", "2003-01"], dtype="datetime64[ns]")
    valid = np.zeros((6, 8), dtype=np.int8)
    valid[1:5, 2:7] = 1
    grid = {"lat": 0.25 + 0.5 * np.arange(6), "lon": 0.25 + 0.5 * np.arange(8)}
    storage = xr.Dataset(coords={"time": months, **grid})
    mask = xr.Dataset({"valid": (("lat", "lon"), valid)}, coords=grid)
    table = pd.DataFrame({"patch": range(5), "has_previous": [1, 0, 1, 1, 0]})
    overlap = pd.DataFrame(
        {
            "split": ["validation", "test"],
            "patches": [5, 5],
            "cell_months": [40, 80],
            "shared_cell_months": [3, 20],
            "shared_share": [0.075, 0.25],
            "cells": [20, 20],
            "shared_cells": [10, 18],
            "shared_cells_share": [0.5, 0.9],
        }
    )
    patches = {"train": table, "validation": table.iloc[:4], "test": table.iloc[:2]}
    return {"storage": storage, "mask": mask, "patches": patches, "overlap": overlap}


def build2(climate=VARIABLES, **changes):
    return table2.build(**{**inputs(), **changes}, size=4, climate_variables=climate, provenance_note=SYNTHETIC)


def test_table_2_counts_what_the_files_hold():
    rows = by(build2(), "parameter")
    assert rows["temporal_coverage"]["value"] == "2002-2003"
    assert rows["months"]["value"] == 4
    assert rows["months"]["description"] == "of 10 calendar months; 6 are absent"
    assert rows["valid_cells"]["value"] == 20
    assert (rows["valid_cells"]["paper_value"], rows["months"]["paper_value"]) == (57_503, 225)
    assert [rows[f"{split}_patches"]["value"] for split in ("train", "validation", "test")] == [5, 4, 2]
    assert rows["train_patches"]["description"] == "4×4 coarse cells; 3 enter constraints on ΔG"
    assert rows["overlap"]["value"] == pytest.approx(25.0)
    assert rows["overlap"]["description"].startswith("20 of 80 cells and months")
    assert rows["target_resolution"]["value"] == "0.125°"


def test_table_2_of_a_poorer_climate_counts_it_and_what_enters_constraints():
    table = build2(["temperature", "precipitation"])
    rows = by(table, "parameter")
    assert (rows["climate_variables"]["value"], rows["climate_variables"]["paper_value"]) == (2, 4)
    assert rows["climate_variables"]["description"] == "temperature, precipitation"
    assert rows["train_patches"]["description"] == "4×4 coarse cells; 3 enter constraints on ΔG"
    rows = by(build2(["temperature"]), "parameter")
    assert rows["train_patches"]["description"] == "4×4 coarse cells; 0 enter constraints on ΔG"
    assert "precipitation and soil moisture are not among the climate" in build2(["temperature"]).notes[0]
    assert not any("left out, in training" in note for note in build2().notes)


def test_table_2_names_what_is_missing():
    patches = inputs()["patches"]
    del patches["test"]
    with pytest.raises(DataError, match="patch table 'test'; there are: train, validation"):
        build2(patches=patches)
    with pytest.raises(DataError, match=r"overlap\.csv has no row for 'test'"):
        build2(overlap=inputs()["overlap"].iloc[:1])


def build7(summaries, histories, timings, climate=VARIABLES):
    return table7.build(
        summaries=summaries,
        histories=histories,
        timings=timings,
        climate_variables=climate,
        provenance_note=SYNTHETIC,
    )


def test_table_7_takes_full_for_six_months_and_names_its_clock(summaries, histories, timings):
    table = build7(summaries, histories, timings)
    assert [(row["memory_months"], row["variant"]) for row in table.rows] == [
        (1, "memory_1"),
        (3, "memory_3"),
        (6, "full"),
        (12, "memory_12"),
    ]
    six = table.rows[2]
    assert six["measured_training_minutes"] == pytest.approx(1.0)
    assert six["measured_training_hours"] == pytest.approx(1.0 / 60.0)
    assert six["paper_training_hours"] == 40.0
    assert table.notes[0].startswith("One seed, 384 of 15,000 steps")
    assert any("Trained on cpu, 1 thread;" in note for note in table.notes)


def test_tables_7_and_8_say_what_a_poorer_climate_leaves_out(summaries, histories, timings, inference):
    climate = ["temperature", "precipitation"]
    for table in (build7(summaries, histories, timings, climate), build8(timings, inference, climate)):
        assert table.notes[0].startswith("Because soil moisture is not among the climate variables")
    for table in (build7(summaries, histories, timings), build8(timings, inference)):
        assert not any("left out, in training" in note for note in table.notes)


def written(table):
    return {"csv": table.csv(), "md": table.markdown("C"), "tex": table.latex("C", "l")}


@pytest.mark.parametrize("suffix", ["csv", "md", "tex"])
def test_tables_7_and_8_of_a_slower_run_are_equal_without_the_clock(summaries, histories, timings, inference, suffix):
    def slower(clock, keys):
        return {
            method: {seed: {**one, **{key: 3.7 * one[key] for key in keys}} for seed, one in seeds.items()}
            for method, seeds in clock.items()
        }

    training = slower(timings, ("seconds", "seconds_per_step"))
    predicting = slower(inference, ("seconds", "seconds_per_patch"))
    pairs = [
        (build7(summaries, histories, timings), build7(summaries, histories, training)),
        (build8(timings, inference), build8(training, predicting)),
    ]
    for quick, slow in pairs:
        assert written(quick)[suffix] != written(slow)[suffix]
        assert without_measured(written(quick)[suffix], suffix) == without_measured(written(slow)[suffix], suffix)


def build8(training, inference, climate=VARIABLES):
    return table8.build(
        timings=training,
        inference=inference,
        hardware="A processor",
        climate_variables=climate,
        provenance_note=SYNTHETIC,
    )


def test_table_8_extrapolates_openly_and_marks_the_papers_rows(timings, inference):
    table = build8(timings, inference)
    rows = by(table, "method")
    full = rows["full"]
    assert full["measured_training_hours"] == pytest.approx(60.0 / 3600.0)
    assert full["measured_hours_for_paper_steps"] == pytest.approx(60.0 / 384 * 15_000 / 3600.0)
    assert full["measured_inference_minutes"] == pytest.approx(0.02 * 450 / 60.0)
    assert full["hardware"] == "A processor; cpu, 1 thread"
    assert rows["bilinear"]["measured_training_hours"] is None
    assert rows["bilinear"]["hardware"] == "A processor; cpu, 1 thread"
    assert any("extrapolation" in note for note in table.notes)
    papers = [row for row in table.rows if row["source"] == "reported by the paper"]
    assert [row["paper_training_hours"] for row in papers] == ["40", "240+", "12", "28"]
    assert all(row["data"] == "reported by the paper" and row["measured_training_hours"] is None for row in papers)


def test_table_8_asks_for_the_training_of_full(inference):
    with pytest.raises(DataError, match="timing of the training of 'full'"):
        build8({}, inference)
