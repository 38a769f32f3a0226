"""Ids of numbers in the article's sources: each must be one of `numbers.json`, before Typst is called."""

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gwsd.errors import DataError

_STRING = re.compile(r'"([^"\n]*)"')
_ID = re.compile(r"(?:table\d|figure\d|claims|facts):[^:\s]+:[^\s]+")
_ARTIFACT = re.compile(r"(?:table|figure)\d")
_KNOWN = re.compile(r"\bknown\(([^()]*)\)")


@dataclass(frozen=True)
class Mention:
    """An id as a source names it.

    Attributes
    ----------
    name : str
        The id, or an artifact such as table3.
    file : str
        Which source.
    line : int
        Counted from 1.
    """

    name: str
    file: str
    line: int


def mentions(sources: Mapping[str, str]) -> list[Mention]:
    """List the ids and artifacts that sources name, in order.

    Parameters
    ----------
    sources : mapping
        Text by file name.
    """
    return [
        Mention(text, file, line)
        for file, source in sources.items()
        for line, content in enumerate(source.splitlines(), start=1)
        for text in _STRING.findall(content)
        if is_id(text) or is_artifact(text)
    ]


def is_id(text: str) -> bool:
    """Tell whether a string is the id of a number, such as table3:full:mae_cm."""
    return _ID.fullmatch(text) is not None


def is_artifact(text: str) -> bool:
    """Tell whether a string names a table or figure."""
    return _ARTIFACT.fullmatch(text) is not None


def optional(sources: Mapping[str, str]) -> set[str]:
    """Return the ids that sources ask for with `known(...)`: a scenario may lack them."""
    return {
        text
        for source in sources.values()
        for arguments in _KNOWN.findall(source)
        for text in _STRING.findall(arguments)
        if is_id(text)
    }


def check_identifiers(sources: Mapping[str, str], numbers: Collection[str], artifacts: Collection[str]) -> None:
    """Refuse sources that name a number which does not exist.

    Parameters
    ----------
    sources : mapping
        Text by file name.
    numbers : collection of str
        Ids that exist.
    artifacts : collection of str
        Names of tables and figures that exist.

    Raises
    ------
    DataError
        All unknown ids in one message, each with its place and the nearest that exist.
    """
    spared = optional(sources)
    wrong = []
    for one in mentions(sources):
        existing = artifacts if is_artifact(one.name) else numbers
        if one.name in existing or one.name in spared:
            continue
        near = difflib.get_close_matches(one.name, existing, n=3, cutoff=0.5)
        wrong.append(f"paper/{one.file}, line {one.line}: {one.name!r}; near: {', '.join(near) or 'none'}")
    if wrong:
        raise DataError(
            "The article names numbers that numbers.json does not hold; mend the ids, or guard what a scenario may "
            "lack with known(...):\n  " + "\n  ".join(wrong)
        )
