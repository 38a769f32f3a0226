"""Results made by real jobs, and the count of mutations that were caught."""

import shutil
from pathlib import Path

import pytest

from tests.provenance.workshop import TOY, build

MUTATION = "mutation caught"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's folder, to read only."""
    project = tmp_path_factory.mktemp("made")
    build(project)
    return project


@pytest.fixture
def results(made: Path, tmp_path: Path) -> Path:
    """A copy of the results, in a project without raw data from elsewhere."""
    shutil.copytree(made / TOY, tmp_path / TOY)
    return tmp_path / TOY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.stats.get(kind, ())]
    caught = [value for one in reports for name, value in getattr(one, "user_properties", ()) if name == MUTATION]
    if caught:
        terminalreporter.write_line(f"mutations caught/tried: {sum(caught)}/{len(caught)}")
