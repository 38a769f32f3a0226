"""The same bytes again in another folder, although a training and Snakemake itself were killed on the way."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from gwsd.tables.formatting import without_measured
from tests.workflow.conftest import Project

pytestmark = pytest.mark.workflow


def processes_in(folder: Path, program: str) -> list[int]:
    """Process numbers of a program that runs in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if (entry / "cwd").resolve() == folder.resolve() and words[1:] and words[1].decode().endswith(program):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def wait_for_a_training_under_way(project: Project) -> int:
    """Wait until a training has left a checkpoint and still runs; return its process number."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        trainings = processes_in(project.root, "workflow_scripts/train.py")
        if trainings and list((project.root / "results/toy/checkpoints").glob("*/epoch-*.ckpt")):
            return trainings[0]
        time.sleep(0.05)
    raise AssertionError("no training was seen")


def without_seconds(path: Path) -> bytes:
    """Read a file, its measured seconds left out."""
    if path.suffix in (".csv", ".md", ".tex", ".html") and path.parent.name == "tables":
        return without_measured(path.read_text(), path.suffix[1:]).encode()
    if path.suffix == ".json" and path.parent.name == "tables":
        table = json.loads(path.read_text())
        table["values"] = [one for one in table["values"] if not one["measured"]]
        return json.dumps(table).encode()
    return path.read_bytes()


def test_killed_twice_and_run_again_gives_the_same_bytes(finished: Project, tmp_path: Path) -> None:
    project = Project.copy(tmp_path / "again")
    # A training is killed: its job fails, Snakemake ends with an error.
    workflow = project.start("models")
    os.kill(wait_for_a_training_under_way(project), signal.SIGKILL)
    assert workflow.wait(timeout=600) != 0
    # Snakemake itself is killed in the middle of a training: a lock and an orphan remain.
    for path in project.root.glob("results/toy/models/*/seed0/*"):
        path.unlink()
    workflow = project.start("models")
    wait_for_a_training_under_way(project)
    os.killpg(workflow.pid, signal.SIGSTOP)
    os.kill(workflow.pid, signal.SIGKILL)
    os.killpg(workflow.pid, signal.SIGCONT)
    workflow.wait(timeout=60)
    # The same command again, at once, with nothing cleared by hand.
    result = project.snakemake()
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    folders = ("raw", "twin", "inputs", "patches", "models", "evaluation", "tables", "figures")
    compared = 0
    for folder in folders:
        for path in sorted((finished.root / "results/toy" / folder).rglob("*")):
            if not path.is_file() or path.name == "timing.json" or path.name.endswith(".record.json"):
                continue
            other = project.root / path.relative_to(finished.root)
            assert without_seconds(path) == without_seconds(other), path.relative_to(finished.root)
            compared += 1
    assert compared > 100
    # Number by number: all the same but the readings of clocks.
    folders = [str(one.root / "results/toy") for one in (finished, project)]
    said = project.gwsd("compare", *folders, "--brief")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "0 outside" in said.stdout
    assert "clock readings left out" in said.stdout
    assert subprocess.run(["pgrep", "-f", str(project.root)], capture_output=True).returncode != 0
