"""A copy of the project in a temporary folder, in which the toy scenario runs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
TOY = ("--configfile", "tests/toy.yaml")


@dataclass(frozen=True)
class Project:
    """A copy of the project's files.

    Attributes
    ----------
    root : Path
        Its folder.
    killed : list of str
        Folders of the trainings that were killed, such as `full/seed0`.
    """

    root: Path
    killed: list[str] = field(default_factory=list)

    @classmethod
    def copy(cls, root: Path) -> "Project":
        """Copy what git tracks or would track."""
        listed = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\0")
        for name in filter(None, listed):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, root / name)
        return cls(root)

    def clone(self, root: Path) -> "Project":
        """Copy the project with its results and Snakemake's metadata; every time stamp is new."""
        project = Project.copy(root)
        for folder in ("results", ".snakemake"):
            shutil.copytree(self.root / folder, root / folder, copy_function=shutil.copyfile)
        return project

    @property
    def environment(self) -> dict[str, str]:
        """This interpreter's programs first; the copy's own package; no credentials of whoever runs the tests."""
        folder = str(Path(sys.executable).parent)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ECMWF_", "CDSAPI_"))}
        absent = str(self.root / "no-key")
        places = {"ECMWF_DATASTORES_RC_FILE": absent, "CDSAPI_RC": absent}
        return {**kept, **places, "PATH": os.pathsep.join([folder, os.environ["PATH"]]), "PYTHONPATH": str(self.root)}

    def run(self, *words: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess:
        """Run a command in the copy."""
        return subprocess.run(
            words, cwd=self.root, env={**self.environment, **(environment or {})}, capture_output=True, text=True
        )

    def snakemake(self, *arguments: str, toy: bool = True) -> subprocess.CompletedProcess:
        """Run Snakemake in the copy."""
        return self.run("snakemake", "--cores", "2", *arguments, *(TOY if toy else ()))

    def planned(self, *arguments: str) -> dict[str, int]:
        """Count the jobs of each rule that a dry run plans."""
        result = self.snakemake("-n", *arguments)
        output = result.stdout + result.stderr
        assert result.returncode == 0, output
        if "Nothing to be done" in output:
            return {}
        table = output.split("Job stats:")[1].split("total")[0].splitlines()[3:]
        return {line.split()[0]: int(line.split()[1]) for line in table if line.strip()}

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start Snakemake in a process group of its own."""
        return subprocess.Popen(
            ["snakemake", "--cores", "2", *arguments, *TOY],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_for_training(self) -> psutil.Process:
        """Wait until a training has written a checkpoint and still runs."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            if list((self.root / "results/toy/checkpoints").glob("*/epoch-*.ckpt")):
                for process in psutil.process_iter(["cmdline", "cwd"]):
                    words = process.info["cmdline"] or []
                    if "workflow_scripts.train" in words and process.info["cwd"] == str(self.root.resolve()):
                        variant, seed = Path(words[words.index("--weights") + 1]).parts[-3:-1]
                        self.killed.append(f"{variant}/{seed}")
                        return process
            time.sleep(0.05)
        raise AssertionError("no training was seen")


def edit(project: Project, name: str, old: str, new: str) -> None:
    """Replace a text in a file of the copy."""
    path = project.root / name
    text = path.read_text()
    assert old in text, f"{name} does not contain {old!r}"
    path.write_text(text.replace(old, new, 1))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose toy scenario ran to the end after a training and Snakemake itself had been killed.

    The workers of pytest-xdist share it: tests read it, plan in it, or run in a `clone`.
    """
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    root, done = shared / "finished", shared / "finished.json"
    with FileLock(shared / "finished.lock"):
        if not done.is_file():
            project = Project.copy(root)
            run_interrupted(project)
            done.write_text(json.dumps(project.killed))
    return Project(root, json.loads(done.read_text()))


def run_interrupted(project: Project) -> None:
    """Run the toy scenario to the end, with a killed training and a killed Snakemake on the way."""
    workflow = project.start("models")
    project.wait_for_training().send_signal(signal.SIGKILL)
    assert workflow.wait(timeout=600) != 0
    # Snakemake is killed during a training: a lock and an orphaned job remain.
    for path in project.root.glob("results/toy/models/*/seed0/*"):
        path.unlink()
    workflow = project.start("models")
    project.wait_for_training()
    os.killpg(workflow.pid, signal.SIGKILL)
    workflow.wait(timeout=60)
    project.snakemake("--unlock")
    result = project.snakemake()
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-8000:]


@pytest.fixture
def clone(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project."""
    return finished.clone(tmp_path / "clone")
