"""`benchmarks/paper_scale.py` on a finished toy scenario: slices, packages that are missing, what comes back."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.workflow.conftest import TOY, Project

pytestmark = pytest.mark.workflow

MANY = 100
"""Epochs that take longer than a program's start: of slices that double, one ends in their midst."""

ENDLESS = 1_000_000
"""Epochs that no slice gets through."""

FROZEN = "plan.json"
"""The toy scenario's plan, frozen."""

BARE = {"torch", "numpy", "scipy", "xarray", "pandas", "matplotlib", "safetensors", "h5py"}
"""What a bare GPU image has."""

CARRIED = {"netCDF4", "cftime", "dask", "xarray_regrid", "global_land_mask", "tqdm"}
"""What is brought along besides; what draws is not."""

BLOCKED = {
    "snakemake", "pydantic", "pydantic_core", "distributed", "h5netcdf", "seaborn", "cmocean", "cartopy", "shapely",
    "pyproj", "multiurl", "ecmwf", "rasterio", "geopandas", "pyogrio", "exactextract", "typst", "pypdf", "rocrate",
}  # fmt: skip
"""What is neither: to import it fails."""

BLOCKER = f"""
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in {sorted(BLOCKED)!r} else super().find_spec(name, path, target)

sys.meta_path[:] = [Finder if one is PathFinder else one for one in sys.meta_path]
"""


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project, with its plan."""
    copy = Project.copy(tmp_path / "project")
    shutil.copytree(finished.root / "results/toy", copy.root / "results/toy")
    result = paper_scale(copy, "--freeze", "--config", TOY[1], plan=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return copy


def paper_scale(
    project: Project, *options: str, plan: bool = True, places: tuple[Path, ...] = ()
) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([*map(str, places), project.environment["PYTHONPATH"]])
    frozen = ["--plan", FROZEN] if plan else []
    return subprocess.run(
        [sys.executable, "benchmarks/paper_scale.py", "--scenario", "toy", "--device", "cpu", *frozen, *options],
        cwd=project.root,
        env={**project.environment, "PYTHONPATH": path, "OUT": str(project.root / "out")},
        capture_output=True,
        text=True,
    )


def never_stop_early(project: Project) -> None:
    """Change the plan so that a training has all of its epochs."""
    plan = json.loads((project.root / FROZEN).read_text())
    for job in plan["jobs"]:
        if "training" in job["settings"]:
            job["settings"]["training"]["early_stopping_patience"] = ENDLESS
    (project.root / FROZEN).write_text(json.dumps(plan))


def test_what_snakemake_made_is_not_made_again(project: Project) -> None:
    before = (project.root / "results/toy/tables/table8.csv").stat().st_mtime_ns
    result = paper_scale(project)
    assert result.returncode == 0, result.stdout + result.stderr
    total = len(json.loads((project.root / FROZEN).read_text())["jobs"])
    assert f"{total} of {total} jobs are made already" in result.stdout
    assert (project.root / "results/toy/tables/table8.csv").stat().st_mtime_ns == before


def test_slices_stop_and_go_on_to_the_bytes_of_an_undisturbed_training(project: Project, tmp_path: Path) -> None:
    never_stop_early(project)
    job = ["--only", "training", "--variants", "full", "--epochs", str(MANY), "--curve", str(tmp_path / "curve")]
    shutil.copytree(project.root, tmp_path / "undisturbed")
    whole = paper_scale(Project(tmp_path / "undisturbed"), *job)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert "resuming after epoch" not in whole.stdout

    said = ""
    for minutes in (0.1 * 2**k for k in range(9)):  # however slow the machine
        slice_ = paper_scale(project, *job, "--minutes", str(minutes))
        said += slice_.stdout
        assert slice_.returncode in (0, 3), slice_.stdout + slice_.stderr
        if slice_.returncode == 0:
            break
        assert "1 jobs are left; the same command goes on: train full/seed0" in slice_.stdout
    assert slice_.returncode == 0
    assert "resuming after epoch" in said
    for name in ("weights.safetensors", "history.csv"):
        made = [root / "results/toy/models/full/seed0" / name for root in (project.root, tmp_path / "undisturbed")]
        assert made[0].read_bytes() == made[1].read_bytes(), name
    record = json.loads((tmp_path / "curve/history_full.json").read_text())
    made_record = json.loads(
        (project.root / "results/toy/models/full/seed0/weights.safetensors.record.json").read_text()
    )
    assert record["job_key"] == made_record["key"]
    assert (record["partial"], record["epochs"]) == (False, MANY)


def test_a_training_that_is_not_finished_leaves_its_curve(project: Project, tmp_path: Path) -> None:
    never_stop_early(project)
    job = ["--only", "training", "--variants", "full", "--epochs", str(ENDLESS), "--curve", str(tmp_path / "curve")]
    for minutes in (0.1 * 2**k for k in range(9)):  # however slow the machine
        result = paper_scale(project, *job, "--minutes", str(minutes))
        assert result.returncode == 3, result.stdout + result.stderr
        if (tmp_path / "curve/history_full_partial.json").is_file():
            record = json.loads((tmp_path / "curve/history_full_partial.json").read_text())
            if record["epochs"] > 0:
                break
    assert record["partial"]
    assert 0 < record["epochs"] < record["epochs_of_the_setting"] == ENDLESS
    assert record["validation_mae_mm"]["bilinear"] < record["validation_mae_mm"]["nearest"]
    assert len((tmp_path / "curve/history_full_partial.csv").read_text().splitlines()) == record["epochs"] + 2
    for suffix in ("pdf", "png"):
        assert 1_000 < (tmp_path / f"curve/history_full_partial.{suffix}").stat().st_size < 200_000


def test_a_bare_image_makes_all_but_the_drawings_and_packs_their_data(project: Project, tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    (tmp_path / "place/sitecustomize.py").write_text(BLOCKER)
    results = project.root / "results/toy"
    for folder in ("inputs", "twin", "raw", "patches", "evaluation/nearest", "evaluation/full", "figures", "tables"):
        shutil.rmtree(results / folder)
    result = paper_scale(project, places=(tmp_path / "place",))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "left for a machine with seaborn, cmocean, cartopy: draw_figure figure2" in result.stdout
    assert not list((results / "figures").glob("*.pdf"))
    with tarfile.open(project.root / "out/paper_scale.tar.gz") as tar:
        packed = {name.removeprefix("results/toy/") for name in tar.getnames()}
    assert {
        "figures/figure4.nc",
        "figures/figure6.csv",
        "tables/table3.csv",
        "tables/table3.csv.record.json",
        "models/full/seed0/history.csv",
        "models/full/seed0/timing.json",
        "models/full/seed0/weights.safetensors.record.json",
        "paper_scale.json",
    } <= packed
    assert not [name for name in packed if name.endswith(".safetensors") or name.startswith(("raw/", "checkpoints/"))]


def test_a_package_that_cannot_wait_is_asked_for_before_anything_runs(project: Project, tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    (tmp_path / "place/sitecustomize.py").write_text(BLOCKER.replace("'cartopy'", "'netCDF4'"))
    shutil.rmtree(project.root / "results/toy/evaluation")
    result = paper_scale(project, places=(tmp_path / "place",))
    assert result.returncode == 1
    assert "lacks netCDF4" in result.stderr
    assert "--prepare wheels" in result.stderr
    assert "Traceback" not in result.stderr
