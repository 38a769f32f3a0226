"""Every command that README and docs show, run: Snakemake's as a dry run, the others for real."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.loopback.climate_data_store import KEY
from tests.workflow.conftest import ROOT, Project

pytestmark = pytest.mark.workflow

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
COMMANDS = sorted(
    {
        line.split("#")[0].strip()
        for page in PAGES
        for block in BLOCK.findall(page.read_text())
        for line in block.splitlines()
        if line.strip()
    }
)
BENCHMARKS = {
    "training.py": (
        "--narrow --batch 2 --seconds 0.01 --patience 0 --rounds 1 --without compile --device cpu --out training.json"
    ),
    "precision.py": "--results results/toy --config tests/toy.yaml --variants full --seeds 0 --epochs 1 --out p.json",
    "product.py": "--narrow --rounds 1 --device cpu --out product.json",
    "below_nearest.py": "--results results/toy --config tests/toy.yaml --only paper residual --epochs 1 --out b.json",
    "paper_scale.py": "--device cpu --config tests/toy.yaml --scenario toy --minutes 10",
    "climate_alignment.py": "--months 1 --only reading,ours1 --no-growth --json a.json",
}
"""What a test runs of a program that measures: little, and all of its parts."""


@pytest.fixture(scope="module")
def project(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished project whose toy results stand where the pages speak of the demo's."""
    copy = Project.copy(tmp_path_factory.mktemp("docs"))
    shutil.copytree(finished.root / "results/toy", copy.root / "results/demo")
    (copy.root / "results/toy").symlink_to("demo")
    shutil.copy(next(finished.root.glob("results/toy/raw/g3p/GWSA/*.nc")), copy.root / "FILE.nc")
    for name in ("CLIMATE/era5_land_2003.nc", "STORAGE/gwsa_2003.nc"):
        (copy.root / name).parent.mkdir()
        (copy.root / name).touch()
    return copy


def test_the_pages_show_commands() -> None:
    assert {"make reproduce", "make test", "snakemake --cores all figure4"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_pages_works(project: Project, command: str) -> None:
    words = shlex.split(command)
    if words[0] in ("snakemake", "make"):
        words.insert(1, "-n")
    elif words[0] == "python":
        words = [*words[:2], *BENCHMARKS[Path(words[1]).name].split()]
    else:
        assert words[0] == "gwsd", f"no test knows how to run {command!r}"
        words += ["--offline"] if words[1] == "doctor" else []
    key = {"ECMWF_DATASTORES_URL": "http://127.0.0.1:9/api", "ECMWF_DATASTORES_KEY": KEY}
    result = subprocess.run(words, cwd=project.root, env={**project.environment, **key}, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_no_page_names_a_path_of_one_machine() -> None:
    for page in PAGES:
        assert str(ROOT) not in page.read_text()
        assert str(Path.home()) + "/" not in page.read_text()
