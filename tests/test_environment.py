"""Pins in envs/: complete, consistent and free of machine-specific tags."""

import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / "envs" / name).read_text().splitlines()
    found = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(package): version for package, version in found}


def test_the_conda_environment_has_the_pins_of_the_lock() -> None:
    (pip,) = (
        entry["pip"]
        for entry in yaml.safe_load((ROOT / "envs/gwsd.yaml").read_text())["dependencies"]
        if isinstance(entry, dict)
    )
    listed = {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in pip}
    assert listed == pins("requirements.txt")


@pytest.mark.parametrize(
    ("name", "requirements"),
    [
        ("requirements.txt", PROJECT["project"]["dependencies"]),
        ("requirements-test.txt", PROJECT["dependency-groups"]["test"]),
        ("requirements-lint.txt", PROJECT["dependency-groups"]["lint"]),
    ],
)
def test_every_dependency_is_pinned_within_its_bounds(name: str, requirements: list[str]) -> None:
    found = {**pins("requirements.txt"), **pins(name)}
    for requirement in map(Requirement, requirements):
        version = found[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement
    assert not any("+" in version for version in found.values())


def test_every_lower_bound_has_a_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text().split("dependencies = [")[1].split("]\n")[0].splitlines()
    assert all(" # " in line for line in lines if line.strip())
