"""`gwsd trace` and `gwsd verify` as a reviewer runs them: without torch, xarray, pandas or numpy."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gwsd.cli import main
from gwsd.provenance.closure import ROOT
from gwsd.provenance.records import read_records
from gwsd.provenance.root import root_hash
from tests.provenance.forging import flip
from tests.provenance.workshop import TOY

ABSENT = ("torch", "xarray", "numpy", "pandas", "scipy", "netCDF4", "matplotlib", "dask", "snakemake", "pydantic")
BLOCKER = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ImportError(name + " is not installed here")
sys.meta_path.insert(0, Absent())
"""


def refused(*arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    return str(caught.value)


def test_both_commands_need_no_science_no_raw_data_and_no_state_of_the_workflow(results: Path, tmp_path: Path) -> None:
    """One process that runs both, through the command line itself, in an environment without the libraries."""
    shutil.rmtree(results / "raw")
    (tmp_path / "sitecustomize.py").write_text(BLOCKER)
    program = (
        "from gwsd.cli import main\n"
        "try:\n    import torch\nexcept ImportError as error:\n    print(error)\n"
        f"main(['trace', 'table3:full:mae', '--results', '{TOY}'])\n"
        f"main(['verify', '{TOY}'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("torch is not installed here\ntable3:full:mae_cm = 1.239 cm\n")
    assert "doi https://doi.org/10.5880/G3P.2024.001" in done.stdout
    assert "not present here" in done.stdout
    assert done.stdout.endswith(f"everything agrees\nroot {root_hash(read_records(results))}\n")


def test_verify_lists_faults_first_and_counts_at_the_end(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(results / "tables/table3.tex")
    assert refused("verify", str(results)) == "1"
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"changed   {TOY}/tables/table3.tex: not the content made by table"
    assert any(re.fullmatch(r"changed +1 files", line) for line in lines)
    assert lines[-2] == f"{TOY}: 1 problem"
    assert lines[-1].startswith("root ")


def test_verify_writes_nothing(results: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    main(["verify", str(results)])
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == before


def test_verify_as_json_lists_every_file(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["verify", str(results), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["ok"]
    assert {"path": f"{TOY}/paper.pdf", "status": "intact", "reason": "made by paper"} in report["files"]
    assert report["checked"]["numbers.json"] == 4


def test_verify_asks_for_the_root_hash(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = root_hash(read_records(results))
    main(["verify", str(results), "--root", root.upper()])
    assert refused("verify", str(results), "--root", "0" * 64) == "1"
    assert f"root      {root} is not the {'0' * 64} that was asked for" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--root", "1234"], "error: --root 1234: expected a SHA-256, 64 hexadecimal digits"),
        ([], "no records (*.record.json) in it; expected a scenario's results"),
    ],
)
def test_verify_says_one_message_to_nonsense(arguments: list[str], words: str, tmp_path: Path) -> None:
    message = refused("verify", str(tmp_path), *arguments)
    assert words in message
    assert len(message.splitlines()) == 1


def test_verify_says_that_a_folder_is_not_there(tmp_path: Path) -> None:
    assert "none: no such folder" in refused("verify", str(tmp_path / "none"))


def test_without_pypdf_verify_says_that_the_article_is_not_checked(
    results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    main(["verify", str(results)])
    assert f"note      {TOY}/paper.pdf: its text is not checked here" in capsys.readouterr().out


def test_trace_draws_the_way_from_a_number_to_raw_files(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["trace", "table3:full:mae", "--results", str(results)])
    text = capsys.readouterr().out
    for words in (
        "table3:full:mae_cm = 1.239 cm",
        f"recomputed from {TOY}/evaluation/full/seed0/summary.json: mae_mm × 0.1",
        "made by job [2] table: seed 0",
        "settings rate=0.001",
        "url https://example.org/g3p.zip",
        "doi https://doi.org/10.5880/G3P.2024.001",
        "SYNTHETIC, not observed: written by the job twin_earth, seed 5",
        "resumed from its last checkpoint",
        "2 raw files, 1 of them synthetic",
        f"for other cells of the file, not drawn here: {TOY}/evaluation/bilinear/seed0/summary.json",
    ):
        assert words in text
    assert text.count(f"] storage: {TOY}/inputs/storage.nc  sha256") == 1
    assert f"storage: {TOY}/inputs/storage.nc  [see " in text
    digest = next(
        one["sha256"]
        for one in json.loads((results / "inputs/storage.nc.record.json").read_text())["inputs"]["raw_storage"]
    )
    assert digest in text


def test_trace_takes_a_file_by_its_place_now_or_its_name_in_the_records(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "results" / "demo"
    results.rename(elsewhere)
    monkeypatch.chdir(tmp_path)
    for name in ("results/demo/figures/figure6.png", "figures/figure6.png", f"{TOY}/figures/figure6.png"):
        main(["trace", name, "--results", "results/demo"])
        assert capsys.readouterr().out.startswith(f"[1] {TOY}/figures/figure6.png  sha256 ")
    main(["trace", "results/demo/figures/figure6.png"])
    assert "job [2] draw_figure" in capsys.readouterr().out


def test_trace_finds_the_results_folder(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["trace", "table3:full:mae_cm"])
    shutil.copytree(results, tmp_path / "results" / "other")
    assert "which results folder? found results/other, results/toy" in refused("trace", "table3:full:mae_cm")
    (tmp_path / "config.yaml").write_text("# a comment\nscenario: toy # this one\n")
    main(["trace", "table3:full:mae_cm"])
    assert capsys.readouterr().out.count("table3:full:mae_cm = 1.239 cm") == 2


def test_trace_as_json_and_as_graphs(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def shown(form: str) -> str:
        main(["trace", "table3:full:mae_cm", "--results", str(results), form])
        return capsys.readouterr().out

    document = json.loads(shown("--json"))
    assert document["number"]["text"] == "1.239"
    assert document["files"][0]["path"] == f"{TOY}/tables/table3.csv"
    table = document["jobs"][document["files"][0]["job"]]
    assert {document["files"][index]["path"] for index in table["inputs"]} == {
        f"{TOY}/evaluation/{method}/seed{seed}/summary.json" for method in ("full", "bilinear") for seed in (0, 1)
    }
    raw = [one for one in document["files"] if one["raw"]]
    assert sorted(one["synthetic"] for one in raw) == [False, True]
    dot, mermaid = shown("--dot"), shown("--mermaid")
    assert dot.startswith("digraph lineage {")
    assert dot.count(" -> ") == mermaid.count(" --> ") > 10
    assert mermaid.startswith("flowchart LR")
    assert "f0 --> n" in mermaid


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("table3:fulll:mae_cm", "near ones: table3:full:mae_cm"),
        ("tables/table9.csv", "no record names this file; near ones: results/toy/tables/table3"),
    ],
)
def test_trace_says_one_message_to_a_misspelt_name(name: str, words: str, results: Path) -> None:
    message = refused("trace", name, "--results", str(results))
    assert words in message
    assert len(message.splitlines()) == 1
