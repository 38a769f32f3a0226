"""What a crate says of a run."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gwsd.errors import DataError
from gwsd.provenance.records import record_text
from gwsd.standards import crate_files
from gwsd.standards.crate import build_crate, crate_text
from gwsd.standards.run import Run, Step
from tests.standards.conftest import SYNTHETIC, Folder

STEPS = (
    Step("train", "results/{scenario}/models/{variant}/seed{seed}/weights.safetensors"),
    Step("any_table", "results/{scenario}/tables/{table}.csv"),
    Step("table3_files", "results/{scenario}/tables/table3.csv"),
)


def build(folder: Folder, steps: tuple[Step, ...] = STEPS) -> dict[str, Any]:
    return build_crate(folder.results, Run("small", "twin Earth", SYNTHETIC, steps), folder.workflow)[0]


def entities(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entity["@id"]: entity for entity in document["@graph"]}


def references(value: Any) -> list[str]:
    return [one["@id"] for one in (value if isinstance(value, list) else [value])]


def test_the_same_records_give_the_same_bytes_wherever_the_folder_lies(folder: Folder, tmp_path: Path) -> None:
    first = crate_text(build(folder))
    elsewhere = tmp_path / "of-a-reviewer"
    shutil.copytree(folder.results, elsewhere)
    assert crate_text(build(folder)) == first
    assert crate_text(build(Folder(tmp_path, elsewhere))) == first


def test_every_reference_leads_to_an_entity_of_the_crate_or_to_the_web(folder: Folder) -> None:
    known = entities(build(folder))
    for entity in known.values():
        for value in entity.values():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    assert one["@id"] in known or one["@id"].startswith("https://"), (entity["@id"], one)


def test_each_job_is_an_action_with_program_files_and_times(folder: Folder) -> None:
    known = entities(build(folder))
    job = known["#job/tables/table3.csv"]
    assert job["@type"] == "CreateAction"
    assert job["instrument"] == {"@id": "workflow/workflow_scripts/table.py"}
    assert "models/full/seed0/history.csv" in references(job["object"])
    assert references(job["result"]) == ["tables/table3.csv", "tables/table3.md"]
    assert (job["startTime"], job["endTime"]) == ("2026-11-22T15:16:13+00:00", "2026-11-22T15:17:13+00:00")
    assert job["subjectOf"] == {"@id": "tables/table3.csv.record.json"}
    assert "on cpu" in known["#job/models/full/seed0/weights.safetensors"]["description"]


def test_steps_are_the_rules_and_a_rule_of_its_own_comes_before_a_general_one(folder: Folder) -> None:
    known = entities(build(folder))
    assert known["#step-run/tables/table3.csv"]["instrument"] == {"@id": "#step/table3_files"}
    assert known["#step-run/models/full/seed0/weights.safetensors"]["instrument"] == {"@id": "#step/train"}
    assert known["#step/table3_files"]["position"] == "3"
    assert known["#step/twin_earth"]["workExample"] == {"@id": "workflow/workflow_scripts/twin_earth.py"}
    assert "#step/any_table" not in known


def test_data_of_the_twin_are_called_synthetic(folder: Folder) -> None:
    known = entities(build(folder))
    assert SYNTHETIC in known["./"]["name"]
    assert SYNTHETIC in known["./"]["description"]
    for name in ("tables/table3.csv", "#raw/storage.nc", "models/full/seed0/history.csv"):
        assert SYNTHETIC in known[name]["description"]


def test_raw_and_large_files_are_kept_by_reference_and_hash(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = "models/full/seed0/weights.safetensors"
    assert weights in entities(build(folder))
    monkeypatch.setattr(crate_files, "LARGE_BYTES", 60)
    assert (folder.results / weights).stat().st_size > 60
    known = entities(build(folder))
    for name in ("raw/storage.nc", weights):
        entry = folder.entry(f"results/small/{name}")
        assert name not in known
        assert known[f"#{name}"]["sha256"] == entry["sha256"]
        assert known[f"#{name}"]["contentSize"] == str(entry["bytes"])
        assert f"#{name}" not in references(known["./"]["hasPart"])


def test_a_folder_without_its_raw_data_gives_the_same_crate(folder: Folder) -> None:
    before = build(folder)
    (folder.results / "raw/storage.nc").unlink()
    assert build(folder) == before


def test_settings_are_values_of_formal_parameters(folder: Folder) -> None:
    known = entities(build(folder))
    values = [one for one in known.values() if one["@type"] == "PropertyValue" and one["name"] == "loss.sign_weight"]
    assert {one["value"] for one in values} == {0.1}
    parameter = known[references(values[0]["exampleOfWork"])[0]]
    assert (parameter["@type"], parameter["additionalType"]) == ("FormalParameter", "Float")
    windows = [one for one in known.values() if one.get("name") == "loss.windows" and "value" in one]
    assert json.loads(windows[0]["value"]) == [32, 64]


def test_content_that_was_read_but_is_no_longer_there_is_another_file(folder: Folder) -> None:
    read = {"storage": ["results/small/models/full/seed0/history.csv"]}
    folder.job("table", read, {"csv": "results/small/tables/table4.csv"})
    weights = "results/small/models/full/seed0/weights.safetensors"
    history = "results/small/models/full/seed0/history.csv"
    folder.job("train", {}, {"weights": weights, "history": history}, text="once more")
    known = entities(build(folder))
    read_by_table = [name for name in references(known["#job/tables/table4.csv"]["object"]) if "history" in name]
    assert read_by_table[0].startswith("#models/full/seed0/history.csv@")
    assert known[read_by_table[0]]["sha256"] != known["models/full/seed0/history.csv"]["sha256"]


def test_files_from_elsewhere_are_told_apart_and_their_folders_are_not_named(folder: Folder, tmp_path: Path) -> None:
    mine = [tmp_path / name / "storage.nc" for name in ("a", "b")]
    for path in mine:
        folder.write(str(path), f"content of {path}")
    folder.job("table", {"storage": [str(path) for path in mine]}, {"csv": "results/small/tables/table5.csv"})
    document = build(folder)
    read = [name for name in references(entities(document)["#job/tables/table5.csv"]["object"]) if ".nc" in name]
    assert len(set(read)) == 2
    assert all(name.startswith("#storage.nc@") for name in read)
    assert str(tmp_path) not in crate_text(document)


def test_the_makers_are_those_of_the_citation_and_nobody_is_invented(folder: Folder) -> None:
    known = entities(build(folder))
    assert known["#developers"]["name"] == "The gwsd developers"
    assert all(entity["@type"] != "Person" for entity in known.values())
    assert known["./"]["license"] == {"@id": "https://spdx.org/licenses/MIT"}


def test_a_downloaded_file_says_where_it_came_from(folder: Folder) -> None:
    folder.write("raw/g3p.zip", "zip")
    record = folder.results / "tables/table3.csv.record.json"
    document = json.loads(record.read_text())
    document["inputs"]["storage"] = [
        {**folder.entry("raw/g3p.zip"), "url": "https://example.org/g3p.zip", "doi": "10/1"}
    ]
    record.write_text(record_text(document))
    downloaded = entities(build(folder))["#raw/g3p.zip"]
    assert (downloaded["url"], downloaded["identifier"]) == ("https://example.org/g3p.zip", "10/1")


def test_the_root_hash_is_that_of_the_records(folder: Folder) -> None:
    from gwsd.provenance.records import read_records
    from gwsd.provenance.root import root_hash

    document, readme = build_crate(folder.results, Run("small", "twin Earth", SYNTHETIC), folder.workflow)
    root = root_hash(read_records(folder.results))
    assert entities(document)["#root-hash"]["value"] == root
    assert f"--root {root}" in readme


def test_a_crate_describes_no_file_that_was_changed_since(folder: Folder) -> None:
    (folder.results / "tables/table3.csv").write_text("better numbers\n")
    with pytest.raises(DataError, match=r"tables/table3\.csv: changed since the job that made it"):
        build(folder)


def test_a_folder_without_records_is_refused(folder: Folder) -> None:
    for path in folder.results.rglob("*.record.json"):
        path.unlink()
    with pytest.raises(DataError, match="no record of a job; expected files made by the workflow"):
        build(folder)


def test_a_program_that_is_not_among_the_workflows_files_is_named(folder: Folder) -> None:
    workflow = {name: path for name, path in folder.workflow.items() if not name.endswith("train.py")}
    with pytest.raises(DataError, match=r"workflow_scripts/train\.py: not among the files of the workflow"):
        build_crate(folder.results, Run("small", "twin Earth", SYNTHETIC), workflow)
