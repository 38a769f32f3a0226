"""The frozen plan and what is done with it, without running a job."""

import argparse
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import carried_packages
import packing
import paper_scale
import pytest
from frozen_plan import PlannedJob, ask_snakemake, in_order, read_plan, write_plan
from job_state import State

from gwsd.provenance.hashing import sha256_of

PLAN = read_plan(paper_scale.PLAN)


def options(**changes: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"variants": None, "epochs": None, "only": None, **changes})


def named(jobs: list[PlannedJob], name: str) -> PlannedJob:
    (job,) = (job for job in jobs if job.name == name)
    return job


def test_the_frozen_plan_is_what_snakemake_would_run() -> None:
    asked = ask_snakemake(paper_scale.ROOT, "twin")
    assert asked == PLAN, "python benchmarks/paper_scale.py --freeze writes it anew"


def test_the_plan_has_the_papers_scale() -> None:
    patches = named(PLAN, "patches").settings["patches"]
    assert [patches[split] for split in ("train", "validation", "test")] == [8000, 2000, 500]
    training = named(PLAN, "train full/seed0").settings
    assert training["training"]["epochs"] == 30
    assert training["model"]["lstm_channels"] == 64
    twin = next(job for job in PLAN if job.kind == "twin_earth")
    assert twin.settings["twin"]["climate_step"] == 0.25


def test_every_job_comes_after_those_that_it_needs() -> None:
    seen: set[str] = set()
    for job in PLAN:
        assert set(job.inputs) <= seen
        seen |= set(job.outputs)


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_plan(tmp_path / "plan.json", "twin", PLAN)
    assert read_plan(tmp_path / "plan.json") == PLAN


def test_a_commands_words_are_the_rules() -> None:
    command = "OMP_NUM_THREADS=2 python workflow_scripts/x.py --out results/a/y.csv --settings '{\"b\": 1}'"
    (job,) = in_order([command], "a")
    assert job.threads == 2
    assert job.outputs == ("results/a/y.csv",)
    assert job.words == ["workflow_scripts/x.py", "--out", "results/a/y.csv", "--settings", '{"b": 1}']


def test_fewer_variants_leave_out_what_cannot_do_without_them() -> None:
    jobs = paper_scale.limited(PLAN, options(variants=["full"]), sharing=1)
    names = {job.name for job in jobs}
    assert {"train full/seed0", "evaluate nearest/seed0", "table table3", "figure_data figure3"} <= names
    assert not {"train memory_12/seed0", "evaluate memory_12/seed0", "table table6", "table table7"} & names
    assert named(jobs, "table table3").option("--histories") == ["results/twin/models/full/seed0/history.csv"]
    without_full = {job.name for job in paper_scale.limited(PLAN, options(variants=["residual"]), sharing=1)}
    assert not {"table table5", "figure_data figure7", "draw_figure figure7"} & without_full


def test_an_unknown_variant_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SystemExit, match="ful: no such variant; there are full, memory_1"):
        paper_scale.limited(PLAN, options(variants=["ful"]), sharing=1)


def test_only_a_stage_keeps_what_it_needs() -> None:
    kinds = {job.kind for job in paper_scale.limited(PLAN, options(only="training", epochs=2), sharing=3)}
    assert kinds == {"land_fraction", "twin_earth", "climate", "quality_control", "patches", "train"}


def test_epochs_and_sharing_are_settings_of_the_trainings() -> None:
    jobs = paper_scale.limited(PLAN, options(epochs=2), sharing=3)
    training = named(jobs, "train residual/seed0").settings["training"]
    assert training["epochs"] == 2
    assert training["engine"]["cuda"]["trainings_at_once"] == 3
    assert paper_scale.limited(PLAN, options(), sharing=1) == PLAN


# Two jobs of a project, the second reading what the first made.


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "x.py").write_text("# a program\n")
    for name in ("first", "second"):
        (tmp_path / f"{name}.csv").write_text(f"{name}\n")
    write_record(tmp_path, JOBS[0], [])
    write_record(tmp_path, JOBS[1], ["first.csv"])
    return tmp_path


JOBS = [
    PlannedJob("x.py", ("--out", "first.csv", "--seed", "7"), {"a": 1}, None, (), ("first.csv",)),
    PlannedJob("x.py", ("--in", "first.csv", "--out", "second.csv"), {"b": 2}, None, ("first.csv",), ("second.csv",)),
]


def write_record(root: Path, job: PlannedJob, inputs: list[str]) -> None:
    def described(name: str) -> dict[str, Any]:
        return {"path": name, "sha256": sha256_of(root / name), "bytes": (root / name).stat().st_size}

    record = {
        "inputs": {"in": [described(name) for name in inputs]},
        "code": [{"path": "x.py", "sha256": sha256_of(root / "x.py")}],
        "settings": job.settings,
        "seed": int(*job.option("--seed") or [0]),
        "outputs": [described(name) for name in job.outputs],
        "environment": {"processor": "a processor"},
        "started": "2026-01-01T00:00:00+00:00",
        "ended": "2026-01-01T00:00:09+00:00",
    }
    (root / f"{job.outputs[0]}.record.json").write_text(json.dumps(record))


def test_what_the_records_vouch_for_is_made(project: Path) -> None:
    assert State(project).made(JOBS) == {"first.csv", "second.csv"}


def test_another_setting_or_seed_makes_a_job_and_those_behind_it_again(project: Path) -> None:
    for changed in (replace(JOBS[0], settings={"a": 2}), replace(JOBS[0], arguments=("--out", "first.csv"))):
        assert State(project).made([changed, JOBS[1]]) == set()


def test_an_input_that_was_made_anew_makes_the_job_again(project: Path) -> None:
    (project / "first.csv").write_text("other\n")
    write_record(project, JOBS[0], [])
    assert State(project).made(JOBS) == {"first.csv"}


@pytest.mark.parametrize("damage", ["cut.csv", "record", "code"])
def test_what_is_damaged_or_changed_is_not_made(project: Path, damage: str) -> None:
    if damage == "cut.csv":
        (project / "second.csv").write_text("")
    elif damage == "record":
        (project / "second.csv.record.json").write_text("{")
    else:
        record = json.loads((project / "second.csv.record.json").read_text())
        record["code"][0]["sha256"] = "0" * 64
        (project / "second.csv.record.json").write_text(json.dumps(record))
    assert State(project).made(JOBS) == {"first.csv"}


def test_small_results_are_packed_and_weights_and_large_files_are_not(project: Path, tmp_path: Path) -> None:
    results = tmp_path / "results/twin"
    small = ("tables/table3.csv", "models/full/seed0/history.csv", "models/full/seed0/weights.safetensors.record.json")
    large = ("evaluation/full/seed0/predictions.nc", "figures/figure7.nc")
    for name in (*small, *large, "models/full/seed0/weights.safetensors", "raw/g3p/x.nc", "checkpoints/k/lock"):
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_bytes(bytes(1_500_000) if name in large else b"1")
    archive = tmp_path / "out/paper_scale.tar.gz"
    packing.pack(archive, results, packing.summarise(JOBS, project))
    with tarfile.open(archive) as tar:
        packed = {name.removeprefix("results/twin/") for name in tar.getnames()}
        member = tar.extractfile("results/twin/paper_scale.json")
        assert member is not None
        summary = json.load(member)
    assert packed == {*small, "figures/figure7.nc", "paper_scale.json"}
    assert summary["machines"]["machine 1"]["processor"] == "a processor"
    assert summary["jobs"]["x"]["ended"] == "2026-01-01T00:00:09+00:00"


def test_a_missing_package_is_named_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carried_packages, "missing", lambda names: [name for name in names if name == "netCDF4"])
    with pytest.raises(SystemExit, match=r"lacks netCDF4\. With a network: pip install netCDF4 .*--prepare"):
        paper_scale.runnable(PLAN, set())


def test_drawings_wait_where_their_packages_are_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(carried_packages, "missing", lambda names: [name for name in names if name == "cartopy"])
    names = {job.name for job in paper_scale.runnable(PLAN, set())}
    assert not {name for name in names if name.startswith("draw_figure")}
    assert {"figure_data figure1", "figure_data figure4", "table table8"} <= names
    assert "left for a machine with cartopy: draw_figure figure2" in capsys.readouterr().out
    made = {path for job in PLAN for path in job.outputs}
    assert len(paper_scale.runnable(PLAN, made)) == len(PLAN)


def test_what_an_image_has_is_not_installed_again(tmp_path: Path) -> None:
    (tmp_path / "numpy-1.0-py3-none-any.whl").touch()
    assert carried_packages.install(tmp_path, tmp_path / "target") is None
