"""The claims of the paper: read and validate `paper/claims.yaml`."""

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gwsd.errors import DataError

NUMERIC = ("number", "percentage", "count", "setting", "date")
IN_WORDS = ("words", "configuration")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Finding(_Strict):
    """A statement on a claim that is the same for every run: from the paper itself, arithmetic or an outside source."""

    verdict: Literal["consistent", "contradicts", "cannot hold", "reported by others", "not checkable"]
    established: Literal["comparison", "arithmetic", "equation", "outside fact", "reference list", "reading", "source"]
    evidence: str
    of: str = ""
    """The claim that is contradicted, or why nothing can be checked."""
    compared: str = ""
    """Claims or sources it was compared with, separated by `; `."""
    subject: str = ""
    """Heading in the list of contradictions; of a consistent finding, in the list of oddities."""


class ClaimCheck(_Strict):
    """A comparison with a run: `value` with the printed value, or a `relation` between values; ids are in braces."""

    value: str | None = None
    relation: str | None = None
    because: str = ""

    @model_validator(mode="after")
    def _one_kind(self) -> "ClaimCheck":
        if (self.value is None) == (self.relation is None):
            raise ValueError("expected either value or relation")
        return self


class Claim(_Strict):
    """One number or statement of the paper; keys as in docs/publication.md."""

    id: str = Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")
    place: str
    claim: str
    value: str | None = None
    unit: str = ""
    kind: Literal[
        "number", "percentage", "count", "setting", "date", "words", "configuration", "statement", "equation",
        "caption", "reference",
    ]  # fmt: skip
    approximate: bool = False
    bound: Literal["above", "below"] | None = None
    reported: str | None = None
    on_twin: str | None = None
    findings: tuple[Finding, ...] = ()
    run: tuple[ClaimCheck, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> "Claim":
        if (self.kind in (*NUMERIC, *IN_WORDS)) != (self.value is not None):
            raise ValueError(f"kind {self.kind} has {'no' if self.value else 'a'} value")
        if not self.findings and not self.run:
            raise ValueError("expected findings or run")
        return self

    @property
    def printed(self) -> str:
        """The value as the paper prints it, with its unit."""
        if self.value is None:
            return ""
        word = {"above": "over ", "below": "under "}.get(self.bound or "", "about " if self.approximate else "")
        return f"{word}{self.value}{'' if self.unit in ('%', '°') else ' '}{self.unit}".strip()

    @property
    def interval(self) -> tuple[float, float]:
        """Smallest and largest value that is printed so: 1.635 to 1.645 for 1.64; a count or a setting is exact."""
        exact = self.kind in ("count", "setting", "date") and not self.approximate
        return read_printed(self.value or "", exact=exact, approximate=self.approximate, bound=self.bound)


def read_printed(
    text: str, *, exact: bool = False, approximate: bool = False, bound: str | None = None
) -> tuple[float, float]:
    """Return the smallest and largest value that are printed as a text such as `8.2 million`, `-0.257` or `240+`."""
    match = re.fullmatch(r"([-−]?[\d,]*\.?\d+)(\+?)(?: (thousand|million|billion))?", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no number")
    digits = match[1].replace(",", "").replace("−", "-")
    scale = {"thousand": 1e3, "million": 1e6, "billion": 1e9}.get(match[3] or "", 1.0)
    value = float(digits) * scale
    if match[2] or bound == "above":
        return value, math.inf
    if bound == "below":
        return -math.inf, value
    if exact:
        return value, value
    exponent = -len(digits.partition(".")[2])
    if approximate and value:  # the last digit that is not zero is uncertain
        exponent += len(digits.replace(".", "")) - len(digits.replace(".", "").rstrip("0"))
    half = 0.5 * 10.0**exponent * scale
    return value - half, value + half


def read_claims(path: Path) -> tuple[Claim, ...]:
    """Read and check `paper/claims.yaml`: the form of each claim, unique ids, and that contradicted claims exist."""
    try:
        document = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        entries = [dict(entry) for entry in document["claims"]]
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not a list of claims ({error}); see docs/publication.md") from error
    claims = tuple(_validated(entry, path) for entry in entries)
    counts = Counter(claim.id for claim in claims)
    faults = [f"{name}: id given {count} times" for name, count in counts.items() if count > 1]
    faults += [
        f"{claim.id}: contradicts {finding.of}, which is no claim"
        for claim in claims
        for finding in claim.findings
        if finding.verdict == "contradicts" and finding.of not in counts
    ]
    if faults:
        raise DataError(f"{path}: {'; '.join(faults)}")
    return claims


def _validated(entry: dict[str, Any], path: Path) -> Claim:
    try:
        return Claim.model_validate(entry)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}".lstrip(": ") for detail in error.errors()]
        raise DataError(f"{path}: {entry.get('id')}: {'; '.join(faults)}; see docs/publication.md") from None
