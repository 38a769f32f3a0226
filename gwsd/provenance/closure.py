"""Which source files of the project a script depends on, read from the syntax tree."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Root of the project."""

PACKAGE = "gwsd"

CANNOT_CHANGE_A_NUMBER = ("gwsd.provenance", "gwsd.errors")
"""Rooms that a job may import without depending on them: they record and report, and touch no value."""


def import_closure(script: Path, root: Path = ROOT) -> list[Path]:
    """List the project's modules that a script imports, directly or not.

    Parameters
    ----------
    script : Path
        A Python file.
    root : Path
        The folder that holds the package.

    Returns
    -------
    list of Path
        Sorted paths relative to `root`, without the script itself and without the rooms of
        `CANNOT_CHANGE_A_NUMBER`. Imports inside functions count too.
    """
    found: set[str] = set()
    waiting = list(_imported_modules(script, root, None))
    while waiting:
        module = waiting.pop()
        if module in found or _is_exempt(module):
            continue
        found.add(module)
        path = _path_of(module, root)
        if path is not None:
            waiting.extend(_imported_modules(path, root, module))
    paths = {path for module in found if (path := _path_of(module, root)) is not None}
    return sorted(path.relative_to(root) for path in paths)


def _is_exempt(module: str) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in CANNOT_CHANGE_A_NUMBER)


@cache
def _imported_modules(path: Path, root: Path, module: str | None) -> frozenset[str]:
    package = [] if module is None else module.split(".")
    if module is not None and path.name != "__init__.py":
        package = package[:-1]
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(), filename=str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            names.add(source)
            names.update(f"{source}.{alias.name}" for alias in node.names)
    ours = {name for name in names if name.split(".")[0] == PACKAGE}
    parents = {".".join(name.split(".")[:depth]) for name in ours for depth in range(1, name.count(".") + 1)}
    return frozenset(name for name in ours | parents if _path_of(name, root) is not None)


@cache
def _path_of(module: str, root: Path) -> Path | None:
    base = root.joinpath(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None
