"""Properties of the reference list, computed from its entries and from the citations in the text."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from gwsd.claims.equations import Property

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_PLACEHOLDER = re.compile(r"X{3,}")


class Reference(BaseModel):
    """An entry of the reference list.

    Attributes
    ----------
    number : int
        In the list.
    key : str
        As the text cites it.
    about : str
        Its subject, in a few words.
    journal : str
        As printed.
    year : int
        As printed.
    volume, issue : int or None
        As printed.
    first_page, last_page : int or None
        As printed, where they are numbers.
    article : str
        Article number, where there is one.
    doi : str
        As printed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    number: int
    key: str
    about: str
    journal: str
    year: int
    volume: int | None = None
    issue: int | None = None
    first_page: int | None = None
    last_page: int | None = None
    article: str = ""
    doi: str = ""


class Citation(BaseModel):
    """A citation in the text.

    Attributes
    ----------
    key : str
        As the text cites it.
    place : str
        Where.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    key: str
    place: str


@dataclass(frozen=True)
class Bibliography:
    """What the properties are computed from."""

    references: tuple[Reference, ...]
    citations: tuple[Citation, ...]

    def reference(self, key: int | str | None) -> Reference:
        """Return the entry of a key."""
        return next(one for one in self.references if one.key == key)


def listed(bibliography: Bibliography, of: int | str | None) -> Property:
    """Check that what the text cites stands in the list."""
    number = next((one.number for one in bibliography.references if one.key == of), None)
    places = ", ".join(one.place for one in bibliography.citations if one.key == of)
    found = f"[{number}] of the list" if number else f"not among the {len(bibliography.references)} entries"
    return Property(number is not None, f"cited in {places or 'no place'}; {found}")


def cited(bibliography: Bibliography, of: int | str | None) -> Property:
    """Check that what stands in the list is cited."""
    places = [one.place for one in bibliography.citations if one.key == of]
    return Property(bool(places), f"cited in {', '.join(places) or 'no place of the text'}")


def all_cited(bibliography: Bibliography, of: int | str | None) -> Property:
    """Check that every entry of the list is cited."""
    keys = {one.key for one in bibliography.citations}
    missing = [one.key for one in bibliography.references if one.key not in keys]
    count = len(bibliography.references)
    return Property(not missing, f"{count - len(missing)} of {count} entries are cited {'; '.join(missing)}".strip())


def unique(bibliography: Bibliography, of: int | str | None) -> Property:
    """Check that no other entry is the same work."""
    one = bibliography.reference(of)
    same = [
        other.key
        for other in bibliography.references
        if other.key != of
        and (other.journal, other.volume, other.issue, other.article, other.first_page)
        == (one.journal, one.volume, one.issue, one.article, one.first_page)
    ]
    issue = f"({one.issue})" if one.issue else ""
    what = f"{one.journal} {one.volume}{issue}, {one.article or one.first_page}"
    return Property(not same, f"{what} is also {', '.join(same)}" if same else f"{what} stands once")


def whole_doi(bibliography: Bibliography, of: int | str | None) -> Property:
    """Check that a DOI, where one is printed, has a registrant and a suffix without placeholder."""
    one = bibliography.reference(of)
    if not one.doi:
        return Property(True, "no DOI is printed")
    if not _DOI.fullmatch(one.doi):
        return Property(False, f"{one.doi} has not the form 10.…/…")
    if _PLACEHOLDER.search(one.doi):
        return Property(False, f"{one.doi} ends in a placeholder")
    return Property(True, f"{one.doi} has the form of a DOI")


def apart(bibliography: Bibliography, of: int | str | None) -> Property:
    """Check that no other article of the issue has the same pages."""
    one = bibliography.reference(of)
    if one.first_page is None or one.last_page is None:
        return Property(True, "no pages are printed")
    clashes = [
        f"{other.key} on pages {other.first_page}–{other.last_page}"
        for other in bibliography.references
        if other.key != of
        and (other.journal, other.volume, other.issue) == (one.journal, one.volume, one.issue)
        and other.first_page is not None
        and other.last_page is not None
        and other.first_page <= one.last_page
        and one.first_page <= other.last_page
    ]
    here = f"{one.journal} {one.volume}({one.issue}), pages {one.first_page}–{one.last_page}"
    return Property(not clashes, f"{here}; the same issue holds {', '.join(clashes)}" if clashes else here)


PROPERTIES: dict[str, Callable[[Bibliography, int | str | None], Property]] = {
    one.__name__: one for one in (listed, cited, all_cited, unique, whole_doi, apart)
}
"""What the rule `reference` may name."""
