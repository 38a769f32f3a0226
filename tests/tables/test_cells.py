"""What tables publish: every cell that people see, once, as it is printed, and where it can be recomputed."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gwsd.model.downscaler import Downscaler
from gwsd.numbers.of_table import write_table
from gwsd.tables import table1, table2, table3, table4, table5, table6, table7, table8
from gwsd.tables.cells import cells, row_keys
from gwsd.tables.formatting import DASH, DATA, Column, Table
from gwsd.tables.replicates import MM_A_CM

CLIMATE = ("precipitation", "soil_moisture", "temperature", "surface_pressure")
EARTH = {"climate_variables": CLIMATE, "provenance_note": "Synthetic: made up"}
MODEL = {
    "temporal_encoder": "conv_lstm",
    "memory": 6,
    "climate_variables": CLIMATE,
    "lstm_channels": 2,
    "lstm_layers": 1,
    "unet_channels": [2, 4],
    "bottleneck_channels": 8,
    "normalisation": "batch",
    "residual": False,
    "variance_head": True,
    "variance_floor": 1e-4,
}
LOSS = {"physics_weight": 0.05, "smoothness_weight": 0.01}
TRAINING = {
    "batch_size": 16, "epochs": 30, "learning_rate": 1e-3, "weight_decay": 1e-5, "schedule": "plateau",
    "plateau_factor": 0.5, "plateau_patience": 3, "early_stopping_patience": 10, "clip_norm": 1.0,
}  # fmt: skip
NAMES = tuple(f"table{number}" for number in range(1, 9))


def dataset_table():
    months = pd.date_range("2003-01", "2004-12", freq="MS")[[*range(5), *range(7, 24)]]
    lat, lon = np.arange(0.25, 8, 0.5), np.arange(0.25, 8, 0.5)
    storage = xr.Dataset({"storage": (("time", "lat", "lon"), np.zeros((len(months), 16, 16)))}, {"time": months})
    mask = xr.Dataset({"valid": (("lat", "lon"), np.ones((16, 16), dtype=np.int8))}, {"lat": lat, "lon": lon})
    patches = {split: pd.DataFrame({"has_previous": [True, False]}) for split in table2.SPLITS}
    overlap = pd.DataFrame(
        {"split": ["test"], "shared_share": 0.1, "shared_cell_months": 10, "cell_months": 100, "shared_cells_share": 1}
    )
    return table2.build(storage=storage, mask=mask, patches=patches, overlap=overlap, size=16, **EARTH)


@pytest.fixture(params=[1, 3], ids=["one seed", "three seeds"])
def tables(request, a_summary, a_history, summaries, histories, timings, inference):
    seeds = range(request.param)
    summaries = {name: {seed: a_summary(name, 1.0 + 0.1 * seed) for seed in seeds} for name in summaries}
    histories = {name: {seed: a_history(factor=1.0 + 0.1 * seed) for seed in seeds} for name in histories}
    timings = {
        name: {seed: {**of[0], "seconds": of[0]["seconds"] + seed} for seed in seeds} for name, of in timings.items()
    }
    read = {"summaries": summaries, "histories": histories, "timings": timings, "inference": inference}
    made = {
        "table1": table1.build(
            network=Downscaler(**MODEL), size=16, loss=LOSS, training=TRAINING, provenance_note="Synthetic: made up"
        ),
        "table2": dataset_table(),
        "table3": table3.build(
            summaries={name: summaries[name] for name in table3.ORDER}, histories=histories, **EARTH
        ),
        "table4": table4.build(
            summaries=summaries, histories=histories, model=MODEL, loss=LOSS, provenance_note="Synthetic: made up"
        ),
        "table5": table5.build(histories=histories, **EARTH),
        "table6": table6.build(summaries=summaries, histories=histories, **EARTH),
        "table7": table7.build(summaries=summaries, histories=histories, timings=timings, **EARTH),
        "table8": table8.build(timings=timings, inference=inference, hardware="a machine", **EARTH),
    }
    assert tuple(made) == NAMES
    return made, read


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_that_people_see_is_published_as_it_is_printed(tables, name):
    table = tables[0][name]
    shown = {(cell.row, cell.column): cell.shown for cell in cells(table)}
    lines = [line for line in table.markdown("A caption.").split("\n") if line.startswith("| ")][2:]
    assert len(lines) == len(table.rows)
    for key, line in zip(row_keys(table), lines, strict=True):
        expected = [cell.strip() for cell in line.strip("|").split(" | ")]
        assert [shown[key, column.key] for column in table.columns] == expected


@pytest.mark.parametrize("name", NAMES)
def test_every_value_of_the_csv_is_published_with_every_digit_and_once(tables, name):
    table = tables[0][name]
    found = {(cell.row, cell.column): cell for cell in cells(table)}
    assert len(found) == len(cells(table))
    reader = csv.reader(io.StringIO(table.csv()))
    _, *columns = next(reader)
    for line in reader:
        for column, text in zip(columns, line[1:], strict=True):
            cell = found.get((line[0], column))
            if column == DATA or cell is None:
                assert column == DATA or text == "", f"{line[0]}:{column} is not published"
            elif cell.value is None:
                assert text == ""
                assert cell.text == DASH
            else:
                assert text == (repr(float(cell.value)) if isinstance(cell.value, float) else str(cell.value))


def test_texts_follow_their_format_and_units_their_heading(tables):
    made, _ = tables
    for name, table in made.items():
        for cell in cells(table):
            if cell.format:
                assert format(cell.value, cell.format).replace("-", "−") == cell.text, (
                    f"{name}:{cell.row}:{cell.column}"
                )
    by_name = {(name, cell.row, cell.column): cell for name, table in made.items() for cell in cells(table)}
    assert by_name["table3", "full", "mae_cm"].unit == by_name["table3", "full", "mae_sd_cm"].unit == "cm"
    assert by_name["table3", "full", "mae_cm"].label == "Full model: MAE"
    assert by_name["table6", "no_physics", "change_percent"].unit == "%"
    assert by_name["table2", "overlap", "value"].unit == "%"
    assert by_name["table2", "valid_cells", "value"].unit == ""
    assert by_name["table7", "memory_3", "measured_training_minutes"].unit == "min"


def test_the_papers_numbers_and_clock_readings_are_told_apart(tables):
    made, _ = tables
    for name, table in made.items():
        for cell in cells(table):
            of_paper = cell.column.startswith("paper_") or (
                name in ("table4", "table8")
                and cell.row
                in ("miro_famiglietti_2018", "data_assimilation", "paper_method", "geostatistical", "traditional_ml")
            )
            assert cell.reported == of_paper, f"{name}:{cell.row}:{cell.column}"
            clock = cell.column.startswith("measured_") or cell.column == "hardware"
            assert cell.measured == (clock and not of_paper), f"{name}:{cell.row}:{cell.column}"
            assert ("reported by the paper" in cell.label) == of_paper


def test_a_source_gives_the_value_again(tables):
    made, read = tables
    count = dict.fromkeys(made, 0)
    for name, table in made.items():
        for cell in cells(table):
            if cell.source is None:
                continue
            count[name] += 1
            of_seeds = read[cell.source.files][cell.source.method].values()
            if cell.source.epoch is None:
                values = [one[cell.source.key] for one in of_seeds]
            else:
                values = [one.set_index("epoch").loc[cell.source.epoch, cell.source.key] for one in of_seeds]
            assert np.mean(values) * cell.source.factor == pytest.approx(cell.value, rel=1e-12), f"{name}:{cell}"
    assert count["table1"] == count["table2"] == 0
    assert all(count[name] >= 3 for name in NAMES[2:]), count
    scores = [cell for cell in cells(made["table6"]) if cell.column == "mae_cm"]
    assert all(cell.source is not None and cell.source.factor == 1 / MM_A_CM for cell in scores)


def test_rows_of_table_5_keep_their_names_whatever_the_last_epoch(a_history):
    keys = {row_keys(table5.build(histories={"full": {0: a_history(epochs=epochs)}}, **EARTH)) for epochs in (1, 8, 30)}
    assert keys == {("before_training", "epoch_1", "epoch_10", "epoch_30")}


def test_rows_of_one_name_are_refused():
    table = Table(({"a": "x"}, {"a": "x"}), (Column("A", "a"),), (), "")
    with pytest.raises(ValueError, match="some are the same: x, x"):
        row_keys(table)


def test_the_file_of_a_table_names_files_of_all_seeds(tables, tmp_path):
    made, read = tables
    seeds = sorted(read["summaries"]["full"])
    paths = {seed: Path(f"results/toy/evaluation/full/seed{seed}/summary.json") for seed in seeds}
    write_table(
        tmp_path / "table3.json",
        made["table3"],
        file="results/toy/tables/table3.csv",
        caption="Methods.",
        files={"summaries": {"full": paths}},
    )
    document = json.loads((tmp_path / "table3.json").read_text())
    values = {one["id"]: one for one in document["values"]}
    assert len(values) == len(document["values"])
    one = values["table3:full:mae_cm"]
    assert one["source"] == [{"file": str(paths[seed]), "key": "mae_mm", "factor": 0.1} for seed in seeds]
    assert one["shown"] == f"{one['text']} ± {values['table3:full:mae_sd_cm']['text']}"
    assert (one["file"], one["artifact"], one["origin"]) == ("results/toy/tables/table3.csv", "table3", "computed")
    assert values["table3:full:paper_mae_cm"]["origin"] == "reported by the paper"
    assert "source" not in values["table3:bilinear:mae_cm"]
    assert document["rows"] == list(table3.ORDER)
    visible = [column["key"] for column in document["columns"] if column["visible"]]
    assert visible == [column.key for column in made["table3"].columns]
    assert document["data_label"] == "Synthetic: made up"
    assert document["notes"] == list(made["table3"].notes)
