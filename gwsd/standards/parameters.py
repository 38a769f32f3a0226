"""What a program takes and gives, and the settings that it was told, as an RO-Crate has them."""

import json
from collections.abc import Iterator
from typing import Any

from gwsd.provenance.records import Record

KINDS = {bool: "Boolean", int: "Integer", float: "Float", str: "Text"}


def flat(settings: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """List settings by dotted names, such as `loss.sign_weight`; lists and nothing become JSON text.

    Parameters
    ----------
    settings : dict
        As a job has them.
    above : str
        Dotted name of what they lie in, with its dot.

    Yields
    ------
    str, object
        Name and value: a truth value, a number or text.
    """
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value if type(value) in KINDS else json.dumps(value, ensure_ascii=False)


def kind_of(values: list[Any]) -> str:
    """Return the type that values of one setting have in common, in schema.org's words."""
    kinds = {KINDS[type(value)] for value in values}
    if kinds == {"Integer", "Float"}:
        return "Number"
    return kinds.pop() if len(kinds) == 1 else "Text"


def options_of_outputs(record: Record) -> dict[str, str]:
    """Return the option by which the command names each output.

    Returns
    -------
    dict of str to str
        By path; `output` for one that the command does not name.
    """
    option, options = "output", {}
    for word in record.command:
        if word.startswith("--"):
            option = word.removeprefix("--").replace("-", "_")
        else:
            options[word] = option
    return {file.path: options.get(file.path, "output") for file in record.outputs}
