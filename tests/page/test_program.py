"""The program of the rule `page_files`, from its command line to a folder that verifies."""

import json
import os
import subprocess
import sys
from pathlib import Path

from gwsd.provenance.closure import ROOT
from gwsd.provenance.verifying import verify
from tests.page.folder import CAPTIONS, ResultsFolder, make_results


def run_program(folder: ResultsFolder) -> subprocess.CompletedProcess[str]:
    artifacts = [
        {
            "name": "table3",
            "kind": "table",
            "heading": "Table 3: Methods",
            "data_path": "results/demo/tables/table3.csv",
        },
        {"name": "figure7", "kind": "figure", "heading": "Figure 7", "data_path": "results/demo/figures/figure7.nc"},
    ]
    settings = {
        "artifacts": [{**one, "caption": CAPTIONS[one["name"]]} for one in artifacts],
        "results": "results/demo",
        "title": "a small Earth",
    }
    options = {
        "numbers": ["numbers.json"],
        "sidecars": ["tables/table3.json", "figures/figure7.json"],
        "claims": ["audit/claims.json"],
        "pictures": ["figures/figure7.png"],
        "data": ["tables/table3.csv"],
        "page": ["audit/index.html"],
        "copied-pictures": ["audit/pictures/figure7.png"],
        "copied-data": ["audit/data/table3.csv"],
    }
    words = [
        word for name, files in options.items() for word in (f"--{name}", *(f"results/demo/{one}" for one in files))
    ]
    templates = sorted(str(path) for path in (ROOT / "gwsd/page/templates").iterdir())
    program = [sys.executable, str(ROOT / "workflow_scripts/page.py"), *words, "--settings", json.dumps(settings)]
    return subprocess.run(
        [*program, "--templates", *templates],
        cwd=folder.path.parents[1],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_program_leaves_a_folder_that_verifies(tmp_path: Path) -> None:
    folder = make_results(tmp_path)
    ended = run_program(folder)
    assert ended.returncode == 0, ended.stderr
    assert (folder.path / "audit/data/table3.csv").read_bytes() == (folder.path / "tables/table3.csv").read_bytes()
    report = verify(folder.path)
    assert report.ok, (report.records, report.numbers, [file for file in report.files if file.status != "intact"])
    assert report.checked["results/demo/audit/index.html"] == 11
    record = json.loads((folder.path / "audit/index.html.record.json").read_text())
    assert len(record["outputs"]) == 3
    assert "gwsd/page/building.py" in {one["path"] for one in record["code"]}


def test_a_person_s_mistake_is_one_message_and_leaves_no_page(tmp_path: Path) -> None:
    folder = make_results(tmp_path)
    folder.write("numbers.json", "{}")
    ended = run_program(folder)
    assert ended.returncode == 1
    assert "numbers.json: it has no values, scenario, data_label" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (folder.path / "audit/index.html").exists()
