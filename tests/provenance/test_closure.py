"""Code that a job depends on."""

import subprocess
import sys
from pathlib import Path

import pytest

from gwsd.provenance.closure import ROOT, code_files, syntax_hash

SCRIPTS = sorted(path.stem for path in (ROOT / "workflow_scripts").glob("[!_]*.py"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_depends_on_itself_and_not_on_settings_or_records(script: str) -> None:
    files = {path.as_posix() for path in code_files(script)}
    assert f"workflow_scripts/{script}.py" in files
    assert not files & {"gwsd/config.py", "gwsd/cli.py"}
    assert not any(path.startswith("gwsd/provenance/") for path in files)


def test_locking_and_wording_are_outside_of_every_training() -> None:
    files = {path.as_posix() for path in code_files("train")}
    assert {"gwsd/losses.py", "gwsd/model/downscaler.py", "gwsd/training/loop.py"} <= files
    assert not files & {"gwsd/devices.py", "gwsd/constraints.py"}


def test_every_imported_module_is_in_the_closure_or_marked() -> None:
    """Import a module and compare with what Python has loaded."""
    program = (
        "import sys, gwsd.data.inputs\n"
        "for name, module in sys.modules.items():\n"
        "    if name.split('.')[0] == 'gwsd' and getattr(module, 'AFFECTS_RESULTS', True): print(module.__file__)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {Path(line).relative_to(ROOT) for line in done.stdout.splitlines()}
    assert len(loaded) > 10
    assert loaded <= set(code_files("climate", "gwsd.data.inputs"))


CODE = (
    '"""Module."""\n\ndef area(a):\n    """Area."""\n    if a < 0:\n        raise ValueError("no")\n    return a * a\n'
)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("Area.", "Area of a square.", True),
        ('"no"', '"not allowed"', True),
        ("a * a", "(a  *  a)  # squared", True),
        ("    return", "    job.report('squared')\n    return", True),
        ("a * a", "a * a * a", False),
        ("ValueError", "TypeError", False),
        ("a < 0", "a < 1", False),
    ],
)
def test_only_a_change_of_behaviour_changes_the_hash(old: str, new: str, same: bool, tmp_path: Path) -> None:
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text(CODE)
    second.write_text(CODE.replace(old, new))
    assert (syntax_hash(first) == syntax_hash(second)) is same
