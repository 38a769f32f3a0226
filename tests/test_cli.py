"""The command line, in process."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import netCDF4
import pytest

from gwsd.cli import main
from gwsd.config import settings_reference
from tests.provenance.conftest import built as built
from tests.provenance.conftest import folder as folder
from tests.provenance.results_folder import NUMBER, ROOT, TABLE, TOY, Folder

Output = pytest.CaptureFixture[str]


def test_trace_draws_a_number_s_lineage(folder: Folder, capsys: Output) -> None:
    assert main(["trace", "table3:full:mae", "--results", str(folder.results)]) == 0
    text = capsys.readouterr().out
    for words in (
        "table3:full:mae_cm = 1.23 cm",
        "computed from results/toy/evaluation/full/seed0/summary.json: mae_mm × 0.1",
        "made by job [2] table: seed 0",
        "url https://e.org/g3p.zip",
        "doi https://doi.org/10/g3p",
        "SYNTHETIC, not observed: computed by twin_earth, seed 5",
        "note: Resumed.",
        "2 raw files, 1 of them synthetic",
        "1 inputs of other values in the file",
        folder.entry("raw/g3p/g3p.zip")["sha256"],
    ):
        assert words in text
    assert text.count(f"] storage: {TOY}/inputs/storage.nc  sha256") == 1


def test_trace_takes_files_and_artifacts(folder: Folder, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.results.rename(folder.root / "results/demo")
    monkeypatch.chdir(folder.root)
    for name in ("results/demo/tables/table3.csv", "table3"):
        assert main(["trace", name]) == 0
        assert capsys.readouterr().out.startswith(f"[1] {TABLE}  sha256 ")
    assert main(["trace", "results/demo/paper.pdf"]) == 0
    assert "job [2] paper" in capsys.readouterr().out


def test_trace_as_json_and_mermaid(folder: Folder, capsys: Output) -> None:
    assert main(["trace", "table3:full:mae_cm", "--results", str(folder.results), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["number"] == NUMBER
    assert document["files"][0]["path"] == TABLE
    assert document["jobs"][0]["job"] == "table"
    assert [document["files"][index]["job"] for index in document["jobs"][0]["inputs"]] != [None, None]
    assert main(["trace", "table3", "--results", str(folder.results), "--mermaid"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "flowchart LR"
    assert "  j0 --> f0" in lines


def test_verify_ends_with_a_verdict_and_the_root(folder: Folder, capsys: Output) -> None:
    root = (folder.results / "root.txt").read_text().strip()
    assert main(["verify", str(folder.results), "--root", root.upper()]) == 0
    assert capsys.readouterr().out.endswith(f"results/toy: everything agrees\nroot {root}\n")
    (folder.root / TABLE).write_text("changed")
    assert main(["verify", str(folder.results), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert not report["ok"]
    assert {"path": TABLE, "status": "changed", "reason": "not the content made by table"} in report["files"]


def test_compare_checks_deterministic_numbers_alone(folder: Folder, tmp_path: Path, capsys: Output) -> None:
    for kind, status in (("trained", 0), ("deterministic", 1)):
        for name, value in (("a", 1.0), ("b", 2.0)):
            (tmp_path / name).mkdir(exist_ok=True)
            numbers = {"values": [{**NUMBER, "value": value, "kind": kind}]}
            (tmp_path / name / "numbers.json").write_text(json.dumps(numbers))
        runs = [str(tmp_path / "a"), str(tmp_path / "b")]
        assert main(["compare", *runs]) == 0
        assert re.search(r"1 +2 +–  table3:full:mae_cm \(cm\)", capsys.readouterr().out)
        assert main(["compare", *runs, "--check", "--json"]) == status
        assert json.loads(capsys.readouterr().out)[0]["kind"] == kind
    assert main(["compare", "--make-reference", *runs, "--out", str(tmp_path / "c")]) == 0
    assert json.loads((tmp_path / "c/spread.json").read_text())["runs"] == 2
    capsys.readouterr()
    demo = ROOT / "reference/demo"
    numbers = json.loads((demo / "numbers.json").read_text())
    for entry in numbers["values"]:  # all numbers differ: the output still fits a terminal
        entry["value"] = -1.0
    (tmp_path / "a/numbers.json").write_text(json.dumps(numbers))
    assert main(["compare", str(tmp_path / "a"), str(demo)]) == 0
    assert len(capsys.readouterr().out.splitlines()) <= 40
    assert main(["compare", str(tmp_path / "a"), str(demo), "--all"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 700


def test_info_prints_attributes_and_the_record(folder: Folder, capsys: Output) -> None:
    path = folder.results / "inputs/storage.nc"
    with netCDF4.Dataset(path, "w") as data:
        data.title = "Storage of the toy"
        data.createDimension("lat", 2)
        data.createVariable("storage", "f4", ("lat",)).units = "mm"
    assert main(["info", str(path), str(folder.root / TABLE)]) == 0
    text = capsys.readouterr().out
    for words in ("(lat) mm", "Storage of the toy", "quality_control, seed 0", "setting loss.weight", "table, seed 0"):
        assert words in text


def test_settings_prints_the_reference(capsys: Output) -> None:
    assert main(["settings"]) == 0
    assert capsys.readouterr().out == settings_reference()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["verify", "FOLDER", "--root", "1234"], 2, "1234: expected a SHA-256, 64 hexadecimal digits"),
        (["verify", "FOLDER/logs"], 1, "no provenance records"),
        (["verify", "FOLDER/none"], 1, "none: no such folder"),
        (["trace", "table3:full:mea", "--results", "FOLDER"], 1, "table3:full:mae_cm"),
        (["trace", "tables/table4.csv", "--results", "FOLDER"], 1, "in no provenance record; did you mean"),
        (["trace", "table3", "--results", "FOLDER/none"], 1, "no such folder"),
        (["compare", "FOLDER"], 1, "takes two folders"),
        (["compare", "FOLDER", "FOLDER/none"], 1, "none: not readable as JSON"),
        (["compare", "--make-reference", "FOLDER"], 1, "needs --out FOLDER"),
        (["info", "FOLDER/none.nc"], 1, "none.nc: no such file"),
        (["info", "FOLDER/inputs/storage.nc"], 1, "storage.nc: cannot be read"),
        (["info", "FOLDER/models/full/seed0/weights.safetensors"], 1, "weights.safetensors: cannot be read"),
        (["draw", "figure4", "--data", "none.nc", "--out", "a.pdf"], 1, "none.nc"),
        (["draw", "figure4", "--data", "a.nc", "--out", "a.pdf", "--set", "width_mm=5"], 1, "--set plot.width_mm: "),
        (["draw", "figure4", "--data", "a.nc", "--out", "a.pdf", "--set", "widht=5"], 1, "--set plot.widht: "),
        (["other"], 2, "invalid choice: 'other'"),
    ],
)
def test_a_mistake_is_one_message(
    arguments: list[str], status: int, words: str, folder: Folder, capsys: Output
) -> None:
    assert main([word.replace("FOLDER", str(folder.results)) for word in arguments]) == status
    *_, message = capsys.readouterr().err.splitlines()
    assert words in message


def test_trace_and_verify_need_no_science(folder: Folder) -> None:
    """One process in which the large libraries cannot be imported."""
    shutil.rmtree(folder.results / "raw")
    absent = ("torch", "xarray", "numpy", "pandas", "scipy", "netCDF4", "matplotlib", "dask", "snakemake")
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({absent}))\n"
        "from gwsd.cli import main\n"
        f"assert main(['trace', 'table3:full:mae', '--results', {str(folder.results)!r}]) == 0\n"
        f"sys.exit(main(['verify', {str(folder.results)!r}]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
