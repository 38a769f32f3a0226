"""A results folder, built once and copied for each test."""

import shutil
from pathlib import Path

import pytest

from tests.provenance.results_folder import Folder, build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("built")).root


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Folder:
    """A copy in a project folder of its own."""
    shutil.copytree(built, tmp_path / "project")
    return Folder(tmp_path / "project")
