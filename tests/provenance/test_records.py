"""Records and lineage."""

import json
from pathlib import Path

import pytest

from gwsd.errors import DataError
from gwsd.provenance.lineage import Lineage, open_lineage, read_lineage, root_hash, walk
from gwsd.provenance.record import find_producer, read_record, read_records, record_text
from tests.provenance.results_folder import TABLE, TOY, WEIGHTS, Folder, edit


def test_a_record_read_and_printed_again_is_the_same_text(folder: Folder) -> None:
    for path in folder.records():
        text = (folder.root / path).read_text()
        assert record_text(json.loads(text)) == text


def test_the_producer_is_found_in_the_file_s_own_folder(folder: Folder) -> None:
    record = read_record(folder.record(f"{TOY}/inputs/storage.nc"))
    made = find_producer(folder.results / "inputs/mask.nc")
    assert made["made_by"] == {"record": str(folder.record(f"{TOY}/inputs/storage.nc")), "key": record.key}
    assert find_producer(folder.results / "raw/g3p/storage.nc") == {}
    assert {file.url for file in record.read} == {None, "https://e.org/g3p.zip"}


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, '{"job": "train"}', "\udcff"])
def test_a_damaged_record_is_named(folder: Folder, text: str) -> None:
    folder.record(TABLE).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(DataError, match=r"table3\.csv\.record\.json: not "):
        read_records(folder.results)


def test_a_folder_without_records_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder; expected the results of a scenario"):
        read_records(tmp_path / "none")
    with pytest.raises(DataError, match="no provenance records"):
        read_records(tmp_path)


def test_a_file_leads_back_to_raw_data(folder: Folder) -> None:
    for lineage in (Lineage(read_records(folder.results)), read_lineage(folder.results / "lineage.json")):
        raw = {node.file.path: node for node in walk(lineage.tree(TABLE)) if node.raw}
        assert set(raw) == {"raw/g3p/g3p.zip", f"{TOY}/raw/g3p/storage.nc"}
        downloaded, twin = raw["raw/g3p/g3p.zip"], raw[f"{TOY}/raw/g3p/storage.nc"]
        assert (downloaded.url, downloaded.doi, downloaded.synthetic) == ("https://e.org/g3p.zip", "10/g3p", False)
        assert twin.synthetic
        assert twin.record is not None
        assert twin.record.seed == 5


def test_files_with_the_same_content_are_told_apart_by_path(folder: Folder) -> None:
    lineage = open_lineage(folder.results)
    for seed in (0, 1):
        record = lineage.producer(lineage.entry(f"models/full/seed{seed}/history.csv"))
        assert record is not None
        assert record.seed == seed


def test_an_unknown_file_is_answered_with_near_ones(folder: Folder) -> None:
    lineage = open_lineage(folder.results)
    with pytest.raises(DataError, match=r"table4\.csv: in no provenance record; did you mean .*table3\.csv"):
        lineage.tree(f"{TOY}/tables/table4.csv")
    with pytest.raises(DataError, match="several files end so"):
        lineage.tree("history.csv")


def test_a_record_that_leads_back_to_itself_does_not_hang(folder: Folder) -> None:
    edit(folder.record(WEIGHTS), lambda record: record["inputs"].update(storage=[dict(record["outputs"][0])]))
    assert len(walk(Lineage(read_records(folder.results)).tree(TABLE))) > 1


def test_the_root_depends_on_content_and_not_on_machine_or_time(folder: Folder) -> None:
    root = root_hash(read_records(folder.results))
    record = folder.record(WEIGHTS)
    edit(record, lambda item: item.update(started="1999", command=["other"], remarks=["x"], environment={}))
    assert root_hash(read_records(folder.results)) == root
    for member, value in (("seed", 9), ("raw", {"url": "https://e.org"}), ("settings", {})):
        edit(record, lambda item, member=member, value=value: item.update({member: value}))
        changed = root_hash(read_records(folder.results))
        assert changed != root
        root = changed
