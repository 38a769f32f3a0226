"""A copy of the project in a temporary folder, in which the toy scenario really runs."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOY = ["--configfile", "tests/toy.yaml"]


@dataclass(frozen=True)
class Project:
    """A copy of the project's files."""

    root: Path

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

    @property
    def environment(self) -> dict[str, str]:
        """This interpreter's programs first; the copy's own package, not the installed one; no person's key."""
        folder = str(Path(sys.executable).parent)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ECMWF_", "CDSAPI_"))}
        absent = str(self.root / "no-key")
        places = {"ECMWF_DATASTORES_RC_FILE": absent, "CDSAPI_RC": absent}
        return {**kept, **places, "PATH": os.pathsep.join([folder, os.environ["PATH"]]), "PYTHONPATH": str(self.root)}

    def snakemake(self, *arguments: str, toy: bool = True) -> subprocess.CompletedProcess:
        """Run Snakemake in the copy."""
        return subprocess.run(
            ["snakemake", "--cores", "2", *arguments, *(TOY if toy else [])],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
        )

    def gwsd(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run a command of `gwsd` in the copy."""
        return subprocess.run(["gwsd", *arguments], cwd=self.root, env=self.environment, capture_output=True, text=True)

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start Snakemake in the copy, in a process group of its own."""
        return subprocess.Popen(
            ["snakemake", "--cores", "2", *arguments, *TOY],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def planned(self, *arguments: str) -> dict[str, int]:
        """How many jobs of each rule a dry run plans."""
        result = self.snakemake("-n", *arguments)
        output = result.stdout + result.stderr
        assert result.returncode == 0, output
        if "Nothing to be done" in output:
            return {}
        table = output.split("Job stats:")[1].split("total")[0].splitlines()[3:]
        return {line.split()[0]: int(line.split()[1]) for line in table if line.strip()}


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose toy scenario has run to the end, undisturbed."""
    project = Project.copy(tmp_path_factory.mktemp("finished"))
    result = project.snakemake()
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-8000:]
    return project
