"""What Snakemake plans after an edit, a deletion or a killed job."""

import json
import shutil
import signal
from pathlib import Path

import pandas as pd
import pytest

from tests.workflow.conftest import TOY, Project, edit

pytestmark = pytest.mark.workflow

UPSTREAM = {"twin_earth", "climate", "quality_control", "patches", "train", "evaluate"}


def test_nothing_is_planned_after_a_full_run(finished: Project) -> None:
    assert finished.planned() == {}


def test_comments_docstrings_and_messages_rerun_nothing(clone: Project) -> None:
    for path in clone.root.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            path.touch()
    for name in ("gwsd/losses.py", "gwsd/artifacts/figure4.py", "gwsd/data/quality.py"):
        path = clone.root / name
        path.write_text(path.read_text().replace('"""', '"""Changed. ', 1) + "\n# A comment.\n")
    with (clone.root / "gwsd/devices.py").open("a") as file:  # locking: in no code hash
        file.write("\nCHANGED = True\n")
    assert clone.planned() == {}


@pytest.mark.parametrize(
    ("name", "old", "new", "figures"),
    [
        ("gwsd/artifacts/registry.py", "Linear trend of", "Trend of", 1),
        ("config.yaml", "font_size: 8.0", "font_size: 9.0", 8),
    ],
)
def test_captions_and_plot_settings_only_redraw(clone: Project, name: str, old: str, new: str, figures: int) -> None:
    edit(clone, name, old, new)
    planned = clone.planned()
    assert planned["draw_figure"] == figures
    assert not UPSTREAM & set(planned)
    assert "figure_data" not in planned


def test_a_changed_formula_of_the_losses_retrains(clone: Project) -> None:
    with (clone.root / "gwsd/losses.py").open("a") as file:
        file.write("\nCHANGED = 1\n")
    planned = clone.planned()
    assert planned["train"] == 8
    assert {"evaluate", "table", "figure_data", "draw_figure"} <= set(planned)
    assert not {"twin_earth", "climate", "quality_control", "patches"} & set(planned)


def test_a_loss_weight_retrains_and_rescores_only_the_variants_that_use_it(clone: Project) -> None:
    edit(clone, "config.yaml", "physics_weight: 0.05", "physics_weight: 0.06")
    result = clone.snakemake("-n")
    plan = result.stdout + result.stderr
    assert "Training full" in plan
    assert "Training no_physics" not in plan
    for method in ("nearest", "bilinear", "bicubic", "no_physics"):
        assert f"Scoring {method}" not in plan


def test_several_seeds_train_each_variant_as_often(clone: Project) -> None:
    edit(clone, "tests/toy.yaml", "training: {epochs: 2", "seeds: [0, 1]\n    training: {epochs: 2")
    assert clone.planned()["train"] == 8  # those of the second seed


def test_a_deleted_intermediate_is_made_again(clone: Project) -> None:
    (clone.root / "results/toy/models/full/seed0/history.csv").unlink()
    (clone.root / "results/toy/evaluation/nearest/seed0/predictions.nc").unlink()
    planned = clone.planned()
    assert planned["train"] == 1
    assert planned["evaluate"] >= 1
    assert clone.planned("table5")["train"] == 1


def test_a_job_killed_in_a_finished_folder_runs_again(clone: Project) -> None:
    shutil.rmtree(clone.root / "results/toy/checkpoints", ignore_errors=True)
    edit(clone, "config.yaml", "model: {history_months: 1}}", "model: {history_months: 1}, training: {epochs: 3}}")
    workflow = clone.start("table7")
    clone.wait_for_training().send_signal(signal.SIGKILL)
    assert workflow.wait(timeout=300) != 0
    assert clone.snakemake("table7").returncode == 0
    assert len(pd.read_csv(clone.root / "results/toy/models/memory_1/seed0/history.csv").query("epoch > 0")) == 3


def test_hostile_file_names_reach_no_shell(clone: Project, finished: Project) -> None:
    """A name with blanks, quotes, brackets and a command substitution is only a name."""
    folder = clone.root / "my data"
    folder.mkdir()
    storage = next(finished.root.glob("results/toy/raw/g3p/**/*.nc"))
    name = folder / 'it\'s (1) [a] "c" $(touch PWNED).nc'
    shutil.copy(storage, name)
    local = {"storage_path": str(name), "scenarios": {"toy": {"sources": {"storage": "local", "climate": "twin"}}}}
    (clone.root / "hostile.json").write_text(json.dumps(local))
    target = "results/toy/inputs/quality.csv"
    result = clone.run("snakemake", "--cores", "2", target, *TOY, "hostile.json")
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    assert not list(clone.root.rglob("PWNED"))


def test_the_workflow_is_importable_as_a_module(finished: Project, tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(
        f'module gwsd:\n    snakefile: "{finished.root / "Snakefile"}"\n\nuse rule * from gwsd\n'
    )
    project = Project(tmp_path)
    result = project.run("snakemake", "--cores", "1", "results/paper/tables/table1.csv")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "results/paper/tables/table1.csv").is_file()
    assert project.run("snakemake", "-n", "results/demo/figures/figure4.pdf").returncode == 0


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("results/toi/tables/table3.csv", "scenario 'toi': not in config.yaml; did you mean 'toy'?"),
        ("results/toy/models/ful/seed0/history.csv", "variant 'ful': not in config.yaml; did you mean 'full'?"),
        ("results/paper/tables/table3.csv", "key"),
        ("results/observed/tables/table3.csv", "storage_path"),
        ("figur4", "figur4"),
    ],
)
def test_an_impossible_target_is_one_message(finished: Project, target: str, words: str) -> None:
    result = finished.snakemake("-n", target)
    assert result.returncode != 0
    assert words in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        (
            "tests/toy.yaml",
            "scenario: toy",
            "scenario: tyo",
            "config: scenario 'tyo': not in config.yaml; did you mean",
        ),
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
        (
            "config.yaml",
            "{group: memory, model: {history_months: 1}}",
            "{model: {history_months: 1}}",
            "memory_1.group",
        ),
    ],
)
def test_a_wrong_setting_is_one_message(tmp_path: Path, name: str, old: str, new: str, words: str) -> None:
    project = Project.copy(tmp_path)
    edit(project, name, old, new)
    result = project.snakemake("-n")
    assert result.returncode != 0
    assert words in result.stderr
    assert "Traceback" not in result.stderr
