"""Code that a job depends on: the modules it imports, and a hash of their syntax trees.

The hash ignores comments, formatting, docstrings, the texts of raised errors and calls of `report`, so that only a
change of behaviour makes a job run again. Modules that set `AFFECTS_RESULTS = False` at top level (locking,
progress, wording) are left out with all that only they import; in the `__init__.py` of a package the mark covers the
whole package.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import grimp

from gwsd.provenance.hashing import key_of

ROOT = Path(__file__).resolve().parents[2]
"""Root of the project."""

LIBRARY = __name__.partition(".")[0]
SCRIPTS = "workflow_scripts"
MARK = "\nAFFECTS_RESULTS = False"


def code_files(script: str, *modules: str) -> list[Path]:
    """List the source files that a script depends on, sorted and relative to `ROOT`.

    `script` is a module of `workflow_scripts`, such as `train`; `modules` are imported by name at run time. Imports
    inside functions count too.
    """
    graph = _graph()
    names = {f"{SCRIPTS}.{script}", *modules}
    names |= {name for start in tuple(names) for name in graph.find_upstream_modules(start)}
    # Importing a module runs the __init__ of each package above it.
    names |= {".".join(name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 1)}
    return sorted(_path_of(name).relative_to(ROOT) for name in names)


def code_hash(script: str, *modules: str) -> str:
    """Hash the code that a script depends on."""
    return key_of({path.as_posix(): syntax_hash(ROOT / path) for path in code_files(script, *modules)})


def syntax_hash(path: Path) -> str:
    """Hash the syntax tree of a Python file without docstrings, error texts and calls of `report`.

    The same on every version of Python that parses the file.
    """
    tree = _WithoutText().visit(ast.parse(path.read_text(encoding="utf-8"), filename=str(path)))
    return hashlib.sha256(repr(_plain(tree)).encode()).hexdigest()


class _WithoutText(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        value = node.value
        is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
        called = getattr(value.func, "attr", getattr(value.func, "id", "")) if isinstance(value, ast.Call) else ""
        return None if is_text or called == "report" else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        if isinstance(node.exc, ast.Call):
            node.exc = node.exc.func
        return node


def _plain(node: Any) -> Any:
    if isinstance(node, ast.AST):
        fields = [(name, _plain(value)) for name, value in ast.iter_fields(node) if value is not None and value != []]
        return (type(node).__name__, *fields)
    return [_plain(item) for item in node] if isinstance(node, list) else node


@cache
def _graph() -> grimp.ImportGraph:
    graph = grimp.build_graph(LIBRARY, SCRIPTS, cache_dir=None)
    marked = {name for name in graph.modules if MARK in _path_of(name).read_text(encoding="utf-8")}
    for name in graph.modules:
        if any(name == mark or name.startswith(f"{mark}.") for mark in marked):
            graph.remove_module(name)
    return graph


def _path_of(module: str) -> Path:
    base = ROOT.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
