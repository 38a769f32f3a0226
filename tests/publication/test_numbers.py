"""numbers.json: collection, kinds, look-up by id, and the facts of a scenario."""

import json
from pathlib import Path

import pytest

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.json_face import entry
from gwsd.errors import DataError
from gwsd.publication.facts import scenario_facts
from gwsd.publication.numbers import collect, find, kind_of, read_document, read_numbers

RESULTS = "results/toy"
TABLE = f"{RESULTS}/tables/table3.csv"


def value(row, column, number, form=",.3f", source=None, **more):
    text = format(number, form).replace("-", "−") if form else str(number)
    sources = None if source is None else [{"file": f"{RESULTS}/{source}", "key": "x", "factor": 1.0}]
    place = {"artifact": "table3", "row": row, "column": column, "file": TABLE}
    return entry(**place, value=number, text=text, format=form, source=sources, **more)


VALUES = [
    value("full", "label", "Full model", ""),
    value("full", "mae_cm", 1.25, unit="cm", source="evaluation/full/seed0/summary.json"),
    value("full", "mae_sd_cm", 0.5, unit="cm"),
    value("full", "steps", 384, ",d", source="models/full/seed0/history.csv"),
    value("full", "parameters", 9000, ",d"),
    value("full", "paper_mae_cm", 1.64, origin="reported by the paper"),
    value("full", "measured_hours", 2.0, unit="h", measured=True),
    value("bilinear", "mae_cm", 0.035, unit="cm", source="evaluation/bilinear/seed0/summary.json"),
    value("bilinear", "ratio", 1.0),
]


def write(path, values, **more):
    path.write_text(json.dumps({"schema": 1, "artifact": "table3", "values": values, **more}))
    return path


def collected(tmp_path, values, trained=("models/", "evaluation/full/", "tables/table3.csv"), sha256=None):
    paths = [f"{RESULTS}/{path}" for path in trained]
    lists = [write(tmp_path / "table3.json", values)]
    return collect(lists, scenario="toy", data_label="synthetic", sha256=sha256 or {TABLE: "ab"}, trained=paths)


def test_each_value_is_collected_with_its_hash_record_and_kind(tmp_path):
    document = collected(tmp_path, VALUES)
    assert (document["schema"], document["scenario"]) == (1, "toy")
    entries = {number["id"]: number for number in document["values"]}
    assert {(number["sha256"], number["record"]) for number in entries.values()} == {("ab", f"{TABLE}.record.json")}
    kinds = {name.removeprefix("table3:"): number["kind"] for name, number in entries.items()}
    assert kinds == {
        "full:label": "deterministic",
        "full:mae_cm": "trained",
        "full:mae_sd_cm": "trained",  # as the other values of its row
        "full:steps": "trained",
        "full:parameters": "deterministic",
        "full:paper_mae_cm": "deterministic",
        "full:measured_hours": "clock",
        "bilinear:mae_cm": "deterministic",
        "bilinear:ratio": "deterministic",
    }


@pytest.mark.parametrize(("trained", "kind"), [(("tables/table3.csv",), "trained"), (("models/",), "deterministic")])
def test_a_value_without_source_is_of_the_kind_of_its_file(tmp_path, trained, kind):
    (only,) = collected(tmp_path, [value("all", "mean", 1.0)], trained)["values"]
    assert only["kind"] == kind
    assert kind_of(value("all", "mean", 1.0, kind="deterministic"), trained=True) == "deterministic"


def test_ids_and_files_are_checked(tmp_path):
    with pytest.raises(DataError, match="ids given twice: table3:all:mean"):
        collected(tmp_path, [value("all", "mean", 1.0)] * 2)
    with pytest.raises(DataError, match=r"add it to the inputs"):
        collected(tmp_path, VALUES, sha256={"other": "ab"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a list of published values"),
        ("{}", "not a list of published values"),
        ('{"schema": 9, "values": []}', "schema 9"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, text, message):
    (tmp_path / "numbers.json").write_text(text)
    with pytest.raises(DataError, match=message):
        read_document(tmp_path / "numbers.json")
    with pytest.raises(DataError, match="no such file"):
        read_document(tmp_path / "absent.json")


@pytest.mark.parametrize("name", ["table3:full:mae_cm", "table3:full:mae", "table3:full:label", "table3:full:step"])
def test_an_id_may_be_cut_short_where_it_is_unique(tmp_path, name):
    numbers = read_numbers(write(tmp_path / "numbers.json", VALUES))
    assert find(numbers, name)["id"].startswith(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("table3:full:p", "several published values begin so: table3:full:parameters"),
        ("table3:full", "no such published value; similar: table3:full:label"),
        ("table3:ful:mae_cm", "similar: table3:full:mae_cm"),
        ("zzz", "an id reads artifact:row:column"),
    ],
)
def test_an_unknown_id_names_similar_ones(tmp_path, name, message):
    with pytest.raises(DataError, match=message):
        find(read_numbers(write(tmp_path / "numbers.json", VALUES)), name)


FILES = {
    "inputs/months.csv": "month,present\n2003-01,1\n2003-02,0\n2003-03,1\n",
    "inputs/quality.csv": "reason,cells,meaning\nvalid,30,fine\nocean,70,water\n",
    "patches/test.csv": "patch,has_previous\n0,1\n1,0\n2,1\n",
    "patches/overlap.csv": "split,shared_share,shared_cells_share\ntest,0.0625,0.997\n",
    "evaluation/nearest/seed0/summary.json": '{"mae_pooled_mm": 2.0, "valid_cells": 1000, "target_sd_mm": 80.0}',
    "evaluation/full/seed0/summary.json": '{"mae_pooled_mm": 10.0, "coverage_90": 0.9, "valid_cells": 1000}',
    "evaluation/full/seed1/summary.json": '{"mae_pooled_mm": 14.0, "coverage_90": 0.95, "valid_cells": 1000}',
    **{f"models/full/seed{seed}/history.csv": "epoch,steps\n0,0\n1,48\n2,96\n" for seed in (0, 1)},
    **{f"models/full/seed{seed}/timing.json": '{"seconds": 1800.0, "threads": 2, "device": "cpu"}' for seed in (0, 1)},
}


def test_facts_are_counted_and_averaged_over_seeds(tmp_path):
    paths = {name: tmp_path / name for name in FILES}
    for name, text in FILES.items():
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        paths[name].write_text(text)
    files = {Path(name).stem: [paths[name]] for name in FILES if "seed" not in name}
    for kind, ending in (("summaries", "summary.json"), ("histories", "history.csv"), ("timings", "timing.json")):
        files[kind] = [path for name, path in paths.items() if name.endswith(ending)]
    entries = scenario_facts(ArtifactInputs(files, {}, "synthetic"), f"{RESULTS}/facts.json")
    found = {number["id"].removeprefix("facts:"): number["value"] for number in entries}
    expected = """months:calendar 3, months:absent 1, grid:cells 100, test_patches:with_previous 2, full:epochs 2,
        test_patches:shared_percent 6.25, test_patches:shared_any_month_percent 99.7, trainings:count 2,
        trainings:variants 1, trainings:seeds 2, trainings:measured_thread_hours 2, test:cells 1000,
        test:target_sd_cm 8, full:mae_pooled_cm 1.2, full:coverage_90_percent 92.5"""
    values = {name: float(value) for name, value in (pair.split() for pair in expected.split(","))}
    assert {name: found[name] for name in values} == pytest.approx(values)
    assert "nearest:coverage_90_percent" not in found
    assert all(format(n["value"], n["format"]).replace("-", "−") == n["text"] for n in entries if n["format"])
    assert {number["column"] for number in entries if number["measured"]} == {"device", "measured_thread_hours"}
    (mae,) = (number for number in entries if number["id"] == "facts:full:mae_pooled_cm")
    assert [source["file"] for source in mae["source"]] == [
        str(paths[f"evaluation/full/seed{seed}/summary.json"]) for seed in (0, 1)
    ]
