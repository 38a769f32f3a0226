"""The whole DAG on the toy scenario: what it makes, what it plans afterwards, and what it refuses."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from gwsd.artifacts import ARTIFACTS
from gwsd.provenance.hashing import sha256_of
from tests.workflow.conftest import ROOT, Project

pytestmark = pytest.mark.workflow

AFTERWARDS = dict.fromkeys(("claims_file", "numbers_file", "paper_files", "page_files", "crate_files", "all"), 1)
"""What follows whenever a table or a figure is made again: seconds of work."""


def edit(project: Project, name: str, old: str, new: str) -> None:
    """Change a text in a file of the copy, which must hold it."""
    path = project.root / name
    text = path.read_text()
    assert old in text, f"{name} no longer holds {old!r}"
    path.write_text(text.replace(old, new, 1))


@pytest.fixture
def copy(finished: Project, tmp_path: Path) -> Project:
    """A second folder with the finished results and Snakemake's notes brought along, every time stamp new."""
    project = Project.copy(tmp_path / "copy")
    for folder in ("results", ".snakemake"):
        shutil.copytree(finished.root / folder, project.root / folder, copy_function=shutil.copyfile)
    return project


def test_every_artifact_is_there_and_says_that_it_is_synthetic(finished: Project) -> None:
    for one in ARTIFACTS:
        for name in [*one.paths("toy"), one.data_path("toy")]:
            assert (finished.root / name).stat().st_size > 0, name
        if one.kind == "table":
            assert "synthetic" in (finished.root / f"results/toy/tables/{one.name}.md").read_text().lower(), one.name


def test_quality_control_finds_exactly_what_the_twin_knows(finished: Project) -> None:
    check = pd.read_csv(finished.root / "results/toy/twin/quality_check.csv").set_index("count")["value"]
    assert check["whole cells left out"] == 0
    assert check["faulty cells let in"] == 0
    assert check["valid cells known to the twin"] == check["valid cells found by quality control"] > 1000


def test_every_job_left_a_record(finished: Project) -> None:
    for name in (
        "inputs/climate.nc",
        "models/full/seed0/weights.safetensors",
        "tables/table3.csv",
        "figures/figure4.pdf",
    ):
        assert (finished.root / f"results/toy/{name}.record.json").is_file(), name


def test_every_file_and_every_number_is_verified(finished: Project) -> None:
    said = finished.gwsd("verify", "results/toy")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "results/toy: everything agrees" in said.stdout
    root = said.stdout.split("root ")[1].split()[0]
    assert finished.gwsd("verify", "results/toy", "--root", root).returncode == 0
    assert finished.gwsd("verify", "results/toy", "--root", "0" * 64).returncode == 1
    assert root in (finished.root / "results/toy/audit/index.html").read_text()


def test_a_cell_of_table_6_is_traced_to_the_raw_files(finished: Project) -> None:
    said = finished.gwsd("trace", "table6:full:mae", "--results", "results/toy")
    assert said.returncode == 0, said.stderr
    raw = sorted((finished.root / "results/toy/raw").rglob("*.nc"))
    assert len(raw) > 1
    for path in raw:
        assert sha256_of(path) in said.stdout, path.name
    assert "SYNTHETIC" in said.stdout


def test_nothing_is_planned_after_a_full_run(finished: Project) -> None:
    assert finished.planned() == {}


def test_nothing_is_planned_in_a_second_clone_with_every_file_touched(copy: Project) -> None:
    for path in copy.root.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            path.touch()
    assert copy.planned() == {}


def test_an_edit_of_a_plot_module_redraws_that_figure_alone(copy: Project) -> None:
    with (copy.root / "gwsd/figures/figure4.py").open("a") as file:
        file.write("\n# A comment.\n")
    assert copy.planned() == {"draw_figure": 1, **AFTERWARDS}


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("gwsd/artifacts.py", "Linear trend of", "Trend of", {"draw_figure": 1, **AFTERWARDS}),
        ("config.yaml", "font_size: 8.0", "font_size: 9.0", {"draw_figure": 8, **AFTERWARDS}),
        ("gwsd/provenance/job.py", '"""A job:', '"""One job:', {}),
        ("gwsd/config.py", "The settings: one", "All settings: one", {}),
    ],
)
def test_captions_plot_settings_and_records_train_nothing(
    copy: Project, name: str, old: str, new: str, expected: dict[str, int]
) -> None:
    edit(copy, name, old, new)
    assert copy.planned() == expected


def test_an_edit_of_the_losses_trains_again_and_goes_on_from_there(copy: Project) -> None:
    with (copy.root / "gwsd/losses.py").open("a") as file:
        file.write("\n# A comment.\n")
    planned = set(copy.planned())
    assert {"train", "evaluate", "table3_files", "figure6_data", "draw_figure"} <= planned
    assert not planned & {"twin_earth_toy", "climate", "quality_control", "patches"}


def test_several_seeds_train_each_variant_as_often(copy: Project) -> None:
    edit(copy, "tests/toy.yaml", "training: {epochs: 2", "seeds: [0, 1]\n    training: {epochs: 2")
    assert copy.planned()["train"] == 8  # those of the second seed; the first seed's stand


def test_a_loss_weight_retrains_only_the_variants_that_use_it(copy: Project) -> None:
    edit(copy, "config.yaml", "physics_weight: 0.05", "physics_weight: 0.06")
    result = copy.snakemake("-n")
    plan = result.stdout + result.stderr
    assert "Training full" in plan
    assert "Training no_physics" not in plan


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("figur4", "figur4: no such target; near ones: figure4"),
        ("results/toy/tables/tabel3.csv", "near ones: results/toy/tables/table3.csv"),
        ("results/toi/tables/table3.csv", "scenario 'toi'; did you mean 'toy'?"),
        ("results/toy/models/ful/seed0/history.csv", "no such variant in config.yaml; near ones: full"),
        ("results/paper/tables/table3.csv", "There is no key of the Climate Data Store"),
        ("results/observed/tables/table3.csv", "needs coarse storage: give a file, a folder or a glob"),
    ],
)
def test_what_cannot_be_made_is_one_message(finished: Project, target: str, words: str) -> None:
    result = finished.snakemake("-n", target)
    assert result.returncode != 0
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("tests/toy.yaml", "scenario: toy", "scenario: tyo", "config: scenario 'tyo'; did you mean 'toy'?"),
        (
            "tests/toy.yaml",
            "epochs: 2",
            "batch_size: -4",
            "config: scenarios.toy.training.batch_size: -4 is not allowed, expected greater than or equal to 1",
        ),
        (
            "config.yaml",
            "full: {}",
            "full: {model: {lstm_chanels: 9}}",
            "config: settings.variants.full.model.lstm_chanels: unknown setting; did you mean 'lstm_channels'?",
        ),
    ],
)
def test_a_mistake_in_the_settings_is_one_message(tmp_path: Path, name: str, old: str, new: str, words: str) -> None:
    project = Project.copy(tmp_path)
    edit(project, name, old, new)
    result = project.snakemake("-n")
    assert result.returncode != 0
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_table_1_of_the_paper_needs_no_data(finished: Project) -> None:
    result = finished.snakemake("results/paper/tables/table1.csv")
    assert result.returncode == 0, result.stderr
    assert "8190850" in (finished.root / "results/paper/tables/table1.csv").read_text()


def test_a_figure_is_redrawn_from_its_data_file_alone(finished: Project, tmp_path: Path) -> None:
    """Where neither torch nor the raw data are to be had."""
    block = tmp_path / "torch"
    block.mkdir()
    (block / "__init__.py").write_text("raise ImportError('not here')")
    data = shutil.copy(finished.root / "results/toy/figures/figure4.nc", tmp_path / "figure4.nc")
    for suffix in ("pdf", "png", "svg"):
        result = subprocess.run(
            ["gwsd", "draw", "figure4", "--data", str(data), "--out", f"figure.{suffix}", "--set", "width_mm=120"],
            cwd=tmp_path,
            env={**finished.environment, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        assert (tmp_path / f"figure.{suffix}").stat().st_size > 0


def test_the_report_is_one_page(finished: Project) -> None:
    result = finished.snakemake("all", "--report", "results/report.html")
    assert result.returncode == 0, result.stderr
    page = (finished.root / "results/report.html").read_text()
    assert all(f"figure{number}.png" in page for number in range(1, 8))
    assert all(f"table{number}" in page for number in range(1, 9))
