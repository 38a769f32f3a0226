"""Which products there are: each is one module of this folder, named in the settings and loaded by that name.

A product of storage defines `LABEL` and `open_storage(paths, *, variable=None, units=None)`, a product of climate
`LABEL` and `open_climate(paths, climate_start, end, variables)`; `docs/your-own-data.md` shows how to add one.
Modules are read as text here: naming a product imports nothing.
"""

import ast
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
STORAGE = "open_storage"
CLIMATE = "open_climate"


@cache
def labels(function: str) -> dict[str, str]:
    """Products that define a function, and what each calls itself.

    Parameters
    ----------
    function : str
        `STORAGE` or `CLIMATE`.

    Returns
    -------
    dict of str to str
        Name of the module to its `LABEL`, in the order of the names.
    """
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        names, label = _outline(ast.parse(path.read_text()))
        if function in names and label is not None:
            found[path.stem] = label
    return found


def _outline(module: ast.Module) -> tuple[set[str], str | None]:
    """Names of a module's functions, own or imported, and the text of its `LABEL`."""
    names: set[str] = set()
    label = None
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
        elif (
            isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == "LABEL" for target in node.targets)
            and isinstance(node.value, ast.Constant)
        ):
            label = str(node.value.value)
    return names, label
