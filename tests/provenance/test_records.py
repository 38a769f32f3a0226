"""Records: what a job writes of itself, and how the records of a folder lead to each other."""

import json
from pathlib import Path

import pytest

from gwsd.errors import DataError
from gwsd.provenance.lineage import Lineage, is_raw, is_source, walk
from gwsd.provenance.records import read_records, seal_of
from gwsd.provenance.root import behind_the_numbers, root_hash
from tests.provenance.forging import edit, record_of
from tests.provenance.workshop import TOY, run_job


def document(results: Path, name: str) -> dict:
    return json.loads(record_of(results / name).read_text())


def test_a_record_carries_a_seal_over_all_that_it_says(results: Path) -> None:
    one = document(results, "models/full/seed0/weights.safetensors")
    assert one["seal"] == seal_of(one)
    assert seal_of({**one, "started": "never"}) != one["seal"]


def test_inputs_name_the_job_that_made_them_and_downloads_their_address(results: Path) -> None:
    trained = document(results, "models/full/seed0/weights.safetensors")
    maker = document(results, "inputs/storage.nc")
    assert trained["inputs"]["mask"][0]["made_by"] == {
        "record": f"{TOY}/inputs/storage.nc.record.json",
        "key": maker["key"],
    }
    downloaded, twin = maker["inputs"]["raw_storage"]
    assert downloaded["url"] == "https://example.org/g3p.zip"
    assert downloaded["doi"] == "10.5880/G3P.2024.001"
    assert "url" not in twin


def test_a_record_says_in_words_what_was_missing_and_that_it_resumed(results: Path) -> None:
    first, second = (document(results, f"models/full/seed{seed}/history.csv")["remarks"] for seed in (0, 1))
    assert first == [
        "A GPU was asked for (device: auto), none was there: computed on the CPU, whose rounding differs from a GPU's."
    ]
    assert second[1:] == ["No compiler was found.", "Stopped on the way and resumed from its last checkpoint."]
    assert document(results, "inputs/storage.nc")["remarks"] == []


def test_the_record_of_raw_data_lies_with_what_else_their_job_made(results: Path) -> None:
    assert (results / "twin/truth.nc.record.json").is_file()
    assert not list((results / "raw").rglob("*.record.json"))


def test_a_record_at_its_older_place_goes_when_the_job_runs_again(tmp_path: Path) -> None:
    older = tmp_path / TOY / "raw/g3p/storage.nc.record.json"
    older.parent.mkdir(parents=True)
    older.write_text("{}")
    run_job(tmp_path, "twin_earth", f"--storage {TOY}/raw/g3p/storage.nc --truth {TOY}/twin/truth.nc")
    assert not older.exists()


def test_a_damaged_record_is_named(results: Path) -> None:
    path = record_of(results / "numbers.json")
    path.write_text("{")
    with pytest.raises(DataError, match=r"numbers\.json\.record\.json: no readable record"):
        read_records(results)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder; expected a scenario's results"):
        read_records(tmp_path / "none")


def test_a_number_leads_back_to_the_raw_files(results: Path) -> None:
    node = Lineage(read_records(results)).tree(f"{TOY}/tables/table3.csv")
    raw = {one.file.path: one for one in walk(node) if one.raw}
    assert set(raw) == {"raw/g3p/g3p.zip", f"{TOY}/raw/g3p/storage.nc"}
    downloaded, twin = raw["raw/g3p/g3p.zip"], raw[f"{TOY}/raw/g3p/storage.nc"]
    assert (downloaded.url, downloaded.doi) == ("https://example.org/g3p.zip", "10.5880/G3P.2024.001")
    assert not downloaded.synthetic
    assert twin.synthetic
    assert twin.record is not None
    assert twin.record.seed == 5


def test_content_tells_who_made_a_file_and_its_path_which_of_several(results: Path) -> None:
    lineage = Lineage(read_records(results))
    history = [lineage.entry(f"models/full/seed{seed}/history.csv") for seed in (0, 1)]
    assert history[0].sha256 == history[1].sha256
    for seed, file in enumerate(history):
        record = lineage.producer(file)
        assert record is not None
        assert record.seed == seed


def test_a_file_that_no_record_names_is_told_with_the_nearest(results: Path) -> None:
    with pytest.raises(DataError, match=r"table4\.csv: no record names this file; near ones: .*table3\.csv"):
        Lineage(read_records(results)).tree(f"{TOY}/tables/table4.csv")
    with pytest.raises(DataError, match="several files end so"):
        Lineage(read_records(results)).tree("history.csv")


def test_a_record_that_leads_back_to_itself_does_not_hang(results: Path) -> None:
    def circle(record: dict) -> None:
        record["inputs"]["storage"] = [dict(record["outputs"][0])]

    edit(record_of(results / "models/full/seed0/weights.safetensors"), circle)
    assert len(walk(Lineage(read_records(results)).tree(f"{TOY}/tables/table3.csv"))) > 1


def test_the_root_depends_on_content_and_settings_and_not_on_machine_or_time(results: Path) -> None:
    root = root_hash(read_records(results))
    record = record_of(results / "models/full/seed0/weights.safetensors")

    def elsewhere(one: dict) -> None:
        one.update(started="1999-01-01T00:00:00+00:00", command=["python", "other"], remarks=["other"])
        one["environment"]["host"] = "another"

    edit(record, elsewhere)
    assert root_hash(read_records(results)) == root
    edit(record, lambda one: one.update(seed=9))
    assert root_hash(read_records(results)) != root


def test_the_root_covers_what_leads_to_the_numbers_and_nothing_else(results: Path) -> None:
    jobs = {record.job for record in behind_the_numbers(read_records(results))}
    assert jobs == {"twin_earth", "quality_control", "train", "evaluate", "table", "numbers"}


def test_before_there_are_numbers_the_root_covers_all_records(results: Path) -> None:
    record_of(results / "numbers.json").unlink()
    assert {"paper", "page", "draw_figure"} <= {record.job for record in behind_the_numbers(read_records(results))}


@pytest.mark.parametrize(
    ("path", "raw", "source"),
    [
        ("raw/g3p/G3P_v1.12.zip", True, False),
        ("results/toy/raw/g3p/a.nc", True, False),
        ("results/toy/inputs/raw.nc", False, False),
        ("gwsd/tables/table3.py", False, True),
        ("config.yaml", False, True),
        ("/data/storage.nc", False, False),
    ],
)
def test_raw_data_sources_and_results_are_told_apart(path: str, raw: bool, source: bool) -> None:
    assert (is_raw(path), is_source(path)) == (raw, source)
