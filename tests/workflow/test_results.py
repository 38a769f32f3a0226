"""Results of a whole run of the toy scenario that was killed twice on the way."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

from gwsd import cli
from gwsd.artifacts.registry import ARTIFACTS
from gwsd.provenance.hashing import sha256_of
from tests.workflow.conftest import TOY, Project, edit

pytestmark = pytest.mark.workflow


def test_every_artifact_exists_and_states_that_it_is_synthetic(finished: Project) -> None:
    for artifact in ARTIFACTS:
        for name in [*artifact.paths("toy"), artifact.data_path("toy")]:
            assert (finished.root / name).stat().st_size > 0, name
        if artifact.kind == "table":
            assert "synthetic" in (finished.root / artifact.path("toy", "md")).read_text().lower(), artifact.name


def test_quality_control_finds_the_faults_of_the_twin(finished: Project) -> None:
    check = pd.read_csv(finished.root / "results/toy/twin/quality_check.csv").set_index("count")["value"]
    assert check["whole cells left out"] == 0
    assert check["faulty cells let in"] == 0
    assert check["valid cells known to the twin"] == check["valid cells found by quality control"] > 1000


def test_every_file_and_number_is_verified(finished: Project, capsys: pytest.CaptureFixture[str]) -> None:
    results = finished.root / "results/toy"
    root = (results / "root.txt").read_text().strip()
    assert cli.main(["verify", str(results)]) == 0, capsys.readouterr().out
    assert cli.main(["verify", str(results), "--root", root]) == 0
    assert cli.main(["verify", str(results), "--root", "0" * 64]) == 1
    assert root in (results / "audit/index.html").read_text()


def test_a_cell_of_table_6_is_traced_to_the_raw_files(finished: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["trace", "table6:full:mae", "--results", str(finished.root / "results/toy")]) == 0
    output = capsys.readouterr().out
    raw = sorted((finished.root / "results/toy/raw").rglob("*.nc"))
    assert len(raw) > 1
    for path in raw:
        assert sha256_of(path) in output, path.name
    assert "synthetic" in output.lower()


def comparable(path: Path) -> bytes:
    """Read a file without measured times."""
    if path.parent.name == "tables" and path.suffix == ".json":
        table = json.loads(path.read_text())
        table["values"] = [value for value in table["values"] if not value["measured"]]
        return json.dumps(table).encode()
    return path.read_bytes()


TIMED_TABLES = ("table7", "table8")


def test_an_undisturbed_run_gives_the_same_bytes(finished: Project, tmp_path: Path) -> None:
    project = Project.copy(tmp_path / "again")
    result = project.snakemake("tables", "figures")
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    compared = 0
    for folder in ("raw", "twin", "inputs", "patches", "models", "evaluation", "tables", "figures"):
        for path in sorted((finished.root / "results/toy" / folder).rglob("*")):
            timed = path.stem in TIMED_TABLES and path.suffix != ".json"
            if not path.is_file() or path.name == "timing.json" or path.name.endswith(".record.json") or timed:
                continue
            other = project.root / path.relative_to(finished.root)
            if not other.exists() and folder == "twin":
                continue
            assert comparable(path) == comparable(other), path.relative_to(finished.root)
            compared += 1
    assert compared > 100
    assert len(set(finished.killed)) >= 1


def test_table_1_of_the_paper_needs_no_data(clone: Project) -> None:
    result = clone.snakemake("results/paper/tables/table1.csv")
    assert result.returncode == 0, result.stderr
    assert "8190850" in (clone.root / "results/paper/tables/table1.csv").read_text()


def test_the_report_is_one_page(clone: Project) -> None:
    result = clone.snakemake("all", "--report", "results/report.html")
    assert result.returncode == 0, result.stderr
    page = (clone.root / "results/report.html").read_text()
    assert all(f"figure{number}.png" in page for number in range(1, 8))
    assert all(f"table{number}" in page for number in range(1, 9))


def test_deterministic_stages_agree_on_other_processors(clone: Project, finished: Project) -> None:
    """Inputs, patches and interpolations agree to rounding where the instruction set and the threads differ."""
    arithmetic = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}
    edit(clone, "tests/toy.yaml", "cpu_threads: 1", "cpu_threads: 2")
    for folder in ("inputs", "patches", "evaluation"):
        shutil.rmtree(clone.root / "results/toy" / folder)
    summaries = [f"results/toy/evaluation/{method}/seed0/summary.json" for method in ("nearest", "bilinear", "bicubic")]
    result = clone.run("snakemake", "--cores", "2", *summaries, *TOY, environment=arithmetic)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    for name in summaries:
        made, expected = (json.loads((project.root / name).read_text()) for project in (clone, finished))
        numbers = {key: value for key, value in expected.items() if isinstance(value, float)}
        assert {key: made.pop(key) for key in numbers} == pytest.approx(numbers, rel=1e-6, abs=1e-6)
        assert made == {key: value for key, value in expected.items() if key not in numbers}
    for name in ("storage", "climate", "mask"):
        made, expected = (xr.open_dataset(p.root / f"results/toy/inputs/{name}.nc") for p in (clone, finished))
        xr.testing.assert_allclose(made, expected, rtol=1e-6)
    for name in ("train", "validation", "test"):
        made, expected = (pd.read_csv(p.root / f"results/toy/patches/{name}.csv") for p in (clone, finished))
        pd.testing.assert_frame_equal(made, expected)
