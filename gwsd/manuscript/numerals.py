"""Numerals typed by hand in the article's sources: in sections that report results there must be none.

Not counted: ids and names of artifacts in quotes, labels and citations, comments, the keys of settings, places in the
paper given by `of-paper("equation (12)")`, and names that contain a digit. `said("8,000", by: "Table 2")` quotes a
source with its place; it is for the sections that say what was done, not for those that report what came out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gwsd.errors import DataError
from gwsd.manuscript.identifiers import is_artifact, is_id

QUOTING = ("introduction.typ", "methods.typ")
"""Sources that may quote numbers of the paper with `said`."""

LAYOUT = ("layout.typ", "numbers.typ", "paper.typ")
"""Sources that hold no prose: their digits are lengths and indices."""

NAMES = ("ERA5-Land", "G3P v1.12", "G3P", "SHA-256")
"""Names that contain a digit."""

WORDS = (
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|million|billion|half|thirds|quarter|twice|thrice"
    r"|double|(?:two|three|four|ten)fold)"
)
"""Numbers that are spelled out; "one" is also a pronoun and "third" an ordinal."""

_COMMENT = re.compile(r"(?<!:)//[^\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r'"([^"\n]*)"')
_LABEL = re.compile(r"(?<![\w.])@[A-Za-z][\w:.-]*\w|<[A-Za-z][\w:.-]*>")
_SETTING = re.compile(r'\bsetting(?:-value)?\("[^"\n]*"\)|\bdata\.settings[\w.-]*(?:\s*==\s*"[^"\n]*")?')
_PLACE = re.compile(
    r'\bof-paper\("(?:(?:sections?|equations?|tables?|figures?) )?\(?[\d.,()–\- ]+(?: and [\d.()]+)?"\)', re.I
)
_SAID = re.compile(r'\bsaid\("[^"\n]*",\s*by:\s*"[^"\n]+"\)')
_NUMERAL = re.compile(r"\d(?:[\d.,]*\d)?")
_WORD = re.compile(rf"\b{WORDS}\b", re.IGNORECASE)


@dataclass(frozen=True)
class Numeral:
    """A number in a source that no id stands for.

    Attributes
    ----------
    text : str
        As typed.
    file : str
        Which source.
    line : int
        Counted from 1.
    """

    text: str
    file: str
    line: int


def typed_numerals(file: str, source: str) -> list[Numeral]:
    """List the numerals that a person typed, quotations included where the source may not quote.

    Parameters
    ----------
    file : str
        Name of the source.
    source : str
        Its text.
    """
    if file in LAYOUT:
        return []
    text = _blanked(source, _COMMENT)
    text = _STRING.sub(_without_ids, text)
    patterns = [_LABEL, _SETTING, _PLACE, *([_SAID] if file in QUOTING else [])]
    for pattern in patterns:
        text = _blanked(text, pattern)
    for name in NAMES:
        text = text.replace(name, " " * len(name))
    found = [(match.start(), match.group()) for match in _NUMERAL.finditer(text)]
    if file not in QUOTING:
        found += [(match.start(), match.group()) for match in _WORD.finditer(text)]
    return [Numeral(numeral, file, source.count("\n", 0, start) + 1) for start, numeral in sorted(found)]


def quoted_numerals(file: str, source: str) -> list[Numeral]:
    """List the quotations that `said` marks in a source that may quote."""
    if file not in QUOTING:
        return []
    text = _blanked(source, _COMMENT)
    return [Numeral(match.group(), file, text.count("\n", 0, match.start()) + 1) for match in _SAID.finditer(text)]


def check_numerals(sources: Mapping[str, str]) -> None:
    """Refuse sources with a number typed by hand.

    Parameters
    ----------
    sources : mapping
        Text by file name.

    Raises
    ------
    DataError
        All of them in one message, each with its place.
    """
    wrong = [one for file, source in sources.items() for one in typed_numerals(file, source)]
    if wrong:
        places = "\n  ".join(f"paper/{one.file}, line {one.line}: {one.text}" for one in wrong)
        raise DataError(
            'Numbers typed by hand stand in the article; inject each by its id, num("table3:full:mae_cm"), or by its '
            f"setting, or name the place in the paper with of-paper(...):\n  {places}"
        )


def _blanked(text: str, pattern: re.Pattern[str]) -> str:
    """Put spaces in place of what matches, so that places stay the same."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def _without_ids(match: re.Match[str]) -> str:
    inner = match.group(1)
    is_name = is_id(inner) or is_artifact(inner) or re.fullmatch(r"(?:table|figure)\d:", inner)
    return " " * len(match.group()) if is_name else match.group()
