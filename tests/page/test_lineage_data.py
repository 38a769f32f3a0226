"""Files and jobs behind the page: each once, down to raw files with their origin."""

import json
from pathlib import Path

from gwsd.page.lineage_data import LineageData, as_script_data, command_line, grouped
from gwsd.provenance.records import read_records
from tests.page.folder import LABEL, YEARS, ResultsFolder, twin


def test_a_score_leads_down_to_every_raw_file(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    twin(folder)
    lineage = LineageData(read_records(folder.path), LABEL)
    assert lineage.find("results/demo/evaluation/full/seed0/summary.json") is not None
    raw = {file["path"]: file for file in lineage.files if file["raw"]}
    assert set(raw) == {
        "results/demo/raw/g3p/storage.nc",
        *(f"results/demo/raw/era5_land/era5_land_{year}.nc" for year in YEARS),
    }
    assert all(file["sha256"] == folder.sha256(path.removeprefix("results/demo/")) for path, file in raw.items())
    assert {file["origin"] for file in raw.values()} == {LABEL}


def test_every_file_and_job_occurs_once(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    twin(folder)
    lineage = LineageData(read_records(folder.path), LABEL)
    for _ in range(2):
        for variant in ("full", "residual"):
            lineage.find(f"results/demo/evaluation/{variant}/seed0/summary.json")
    assert len({file["path"] for file in lineage.files}) == len(lineage.files)
    assert len({file["anchor"] for file in lineage.files}) == len(lineage.files)
    assert sorted(job["job"] for job in lineage.jobs) == sorted(
        ["land_fraction", "twin_earth", "climate", "quality_control", "train", "train", "evaluate", "evaluate"]
    )


def test_two_files_with_the_same_content_have_their_own_anchors(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    folder.job("one", {"a.csv": "same", "b.csv": "same"})
    lineage = LineageData(read_records(folder.path), LABEL)
    lineage.find("results/demo/a.csv")
    lineage.find("results/demo/b.csv")
    assert len({file["anchor"] for file in lineage.files}) == 2


def test_a_download_says_its_doi_and_url(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    folder.job("download", {"raw/g3p/x.zip": "zip"}, raw={"url": "https://example.org/x.zip", "doi": "10.5880/x"})
    lineage = LineageData(read_records(folder.path), "G3P observations")
    lineage.find("results/demo/raw/g3p/x.zip")
    assert lineage.files[0]["origin"] == "https://doi.org/10.5880/x, https://example.org/x.zip"


def test_a_file_given_by_the_user_says_that_no_record_tells_its_origin(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    folder.write("raw/own.nc", "own")
    folder.job("quality_control", {"inputs/storage.nc": "storage"}, {"raw_storage": ["raw/own.nc"]})
    lineage = LineageData(read_records(folder.path), LABEL)
    lineage.find("results/demo/inputs/storage.nc")
    (raw,) = [file for file in lineage.files if file["raw"]]
    assert "given by the user" in raw["origin"]
    assert raw["job"] is None


def test_content_that_no_record_names_is_not_found(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    folder.job("one", {"a.csv": "a"})
    lineage = LineageData(read_records(folder.path), LABEL)
    assert lineage.find("results/demo/a.csv", "0" * 64) is None
    assert lineage.find("results/demo/z.csv") is None
    assert lineage.find("results/elsewhere/a.csv", folder.sha256("a.csv")) == 0


def test_code_named_as_an_input_stands_among_the_code_only(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    folder.job("table", {"t.csv": "t"})
    record = json.loads((folder.path / "t.csv.record.json").read_text())
    record["inputs"] = {"builder": [{**record["code"][0], "bytes": 5}]}
    folder.write("t.csv.record.json", json.dumps(record))
    lineage = LineageData(read_records(folder.path), LABEL)
    lineage.find("results/demo/t.csv")
    assert lineage.jobs[0]["inputs"] == []
    assert lineage.code == [["workflow_scripts/table.py", record["code"][0]["sha256"]]]


def test_nothing_in_the_data_can_end_the_script_that_holds_it() -> None:
    document = {"note": "</script><!-- <b> \u2028", "path": "a/b"}
    text = as_script_data(document)
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text) == document


def test_a_command_shows_its_settings_elsewhere() -> None:
    words = ("python", "x.py", "--settings", '{"a": 1}', "--log", "x.log")
    assert command_line(words) == "python x.py --settings … --log x.log"


def test_raw_files_come_first() -> None:
    files = [{"path": "b", "raw": False}, {"path": "z", "raw": True}, {"path": "a", "raw": True}]
    groups = grouped(files)
    assert [[file["path"] for file in group["files"]] for group in groups] == [["a", "z"], ["b"]]
    assert [group["name"] for group in grouped(files[:1])] == ["All other files of the lineage"]
