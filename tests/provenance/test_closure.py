"""The import closure against what Python really imports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gwsd.provenance.closure import CANNOT_CHANGE_A_NUMBER, ROOT, import_closure
from gwsd.sources.products import CLIMATE, STORAGE, labels

SCRIPTS = sorted((ROOT / "workflow_scripts").glob("*.py"))
BY_NAME = [
    *sorted((ROOT / "gwsd/tables").glob("table?.py")),
    *sorted((ROOT / "gwsd/figures").glob("figure*.py")),
    *sorted((ROOT / "gwsd/figures").glob("quality_map*.py")),
    *(ROOT / f"gwsd/sources/{name}.py" for name in sorted({*labels(STORAGE), *labels(CLIMATE)})),
]
"""Modules that scripts import by a name from their command line; rules list their closures too."""
PROBE = """
import ast, importlib, json, sys
tree = ast.parse(open(sys.argv[1]).read())
for node in ast.walk(tree):
    if isinstance(node, ast.ImportFrom):
        module = importlib.import_module(node.module)
        for alias in node.names:
            if not hasattr(module, alias.name):
                importlib.import_module(f"{node.module}.{alias.name}")
    elif isinstance(node, ast.Import):
        for alias in node.names:
            importlib.import_module(alias.name)
print(json.dumps(sorted(m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "gwsd" and m.__file__)))
"""


@pytest.mark.parametrize("script", [*SCRIPTS, *BY_NAME], ids=lambda path: path.stem)
def test_nothing_that_a_script_imports_is_missing(script: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROBE, str(script)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    imported = {Path(path).relative_to(ROOT) for path in json.loads(result.stdout)}
    exempt = tuple(room.replace(".", "/") for room in CANNOT_CHANGE_A_NUMBER)
    expected = {path for path in imported if not path.as_posix().startswith(exempt)}
    assert expected <= set(import_closure(script))


def test_a_script_s_closure_leaves_out_settings_registry_and_records() -> None:
    for script in [*SCRIPTS, *BY_NAME]:
        closure = {path.as_posix() for path in import_closure(script)}
        assert not closure & {"gwsd/config.py", "gwsd/artifacts.py", "gwsd/cli.py"}, script.name
        assert not any(path.startswith("gwsd/provenance/") for path in closure), script.name


def test_imports_inside_functions_relative_and_of_submodules_count(tmp_path: Path) -> None:
    package = tmp_path / "gwsd" / "room"
    package.mkdir(parents=True)
    (tmp_path / "gwsd" / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("def f():\n    from . import two\n    return two\n")
    (package / "two.py").write_text("from ..three import x\n")
    (tmp_path / "gwsd" / "three.py").write_text("x = 1\n")
    (tmp_path / "gwsd" / "unused.py").write_text("")
    script = tmp_path / "script.py"
    script.write_text("def main():\n    from gwsd.room import one\n    return one\n")
    found = {path.as_posix() for path in import_closure(script, tmp_path)}
    assert found == {
        "gwsd/__init__.py",
        "gwsd/room/__init__.py",
        "gwsd/room/one.py",
        "gwsd/room/two.py",
        "gwsd/three.py",
    }
