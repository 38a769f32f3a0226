"""The ledger of claims: what `paper/claims.yaml` may hold."""

from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gwsd.claims import bibliography, equations
from gwsd.claims.arithmetic import names_in
from gwsd.claims.printed import Interval, exactly, read_printed

NUMERIC = ("number", "percentage", "count", "setting", "date")
IN_WORDS = ("words", "configuration")
Kind = Literal[
    "number",
    "percentage",
    "count",
    "setting",
    "date",
    "words",
    "configuration",
    "statement",
    "equation",
    "caption",
    "reference",
]
WHY_UNCHECKED = {
    "no observations": "no observations of groundwater exist at that resolution",
    "the paper's own run": "only the paper's own data, code or weights could tell",
    "picture only": "the paper gives a picture, not its data",
    "priority": "a claim to be the first; a search of the literature could tell",
    "opinion": "a judgement, not a measurement",
    "future work": "what is to be done, not what was done",
    "bibliography": "needs a database of literature",
}
"""Reasons for which a claim may be left unchecked."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Within(_Strict):
    """A declared tolerance: how far, and why so far."""

    absolute: float | None = Field(None, ge=0)
    percent: float | None = Field(None, ge=0)
    because: str


class Check(_Strict):
    """One comparison of one claim; exactly one of the rules is set.

    Attributes
    ----------
    same : tuple of str
        Claims that print the same quantity: their roundings must meet.
    cell : str
        A published value of the run, such as `table3:full:mae_cm`; `factor` brings it to the claim's unit.
    holds : str
        A relation; `where` says what its names are: a claim, a fact, a number of the reference list
        (`list:<key>:year`), or a cell of the run. `self` is the claim.
    equation, reference : str
        A property that code computes from the equations or the reference list, of `of`.
    contradicts : str
        With `holds`: the claim that this one contradicts where the relation cannot hold.
    others : str
        Who reports it.
    against : str
        A claim that says otherwise in words; `because` says how. Read, not computed.
    unchecked : str
        Why it cannot be checked here (`WHY_UNCHECKED`); `would_tell` says what could.
    finding : str
        Under which heading of the list of contradictions a failure stands; the claim's id unless given.
    odd : str
        What holds is possible but odd: the heading under which it is listed. The verdict is not touched.
    """

    same: tuple[str, ...] = ()
    cell: str | None = None
    factor: float = 1.0
    within: Within | None = None
    holds: str | None = None
    where: dict[str, str] = {}
    equation: str | None = None
    reference: str | None = None
    of: str | int | None = None
    others: str | None = None
    against: str | None = None
    contradicts: str | None = None
    unchecked: str | None = None
    would_tell: str | None = None
    because: str = ""
    finding: str | None = None
    odd: str | None = None

    @property
    def rule(self) -> str:
        """Which rule it is."""
        return next(name for name in RULES if getattr(self, name))

    @model_validator(mode="after")
    def _one_rule(self) -> "Check":
        chosen = [name for name in RULES if getattr(self, name)]
        if len(chosen) != 1:
            raise ValueError(f"one rule a check, of {', '.join(RULES)}; here: {', '.join(chosen) or 'none'}")
        if self.unchecked:
            if self.unchecked not in WHY_UNCHECKED:
                raise ValueError(f"unchecked: {self.unchecked!r} is no reason; known: {', '.join(WHY_UNCHECKED)}")
            if not self.would_tell:
                raise ValueError("unchecked: say in `would_tell` what could tell")
        if self.contradicts and not self.holds:
            raise ValueError("contradicts: only beside `holds`; `against` is for words")
        if self.against and not self.because:
            raise ValueError("against: say in `because` how the two differ")
        if self.holds:
            missing = names_in(self.holds) - set(self.where) - {"self"}
            if missing:
                raise ValueError(f"holds: `where` does not say what {', '.join(sorted(missing))} is")
        return self


RULES = ("same", "cell", "holds", "equation", "reference", "others", "against", "unchecked")
"""The rules of comparison."""
LISTED = "list:"
"""How a number of the reference list is named in `where`: `list:Long et al. 2021:year`."""


class Claim(_Strict):
    """One number or statement of the paper.

    Attributes
    ----------
    id : str
        Unique; dots part it.
    place : str
        Where in the paper it stands.
    claim : str
        What it says, in a few words.
    value : str or None
        As printed.
    unit : str
        As printed.
    kind : str
        What sort of claim it is.
    approximate : bool
        The paper says "about".
    bound : {'above', 'below'} or None
        The paper says "over" or "under".
    reported : str or None
        Its entry in `gwsd.tables.reported`, as table:row:column; `± ` before it means the spread.
    on_twin : str or None
        What the twin Earth is made to have, where it is made to have this.
    checks : tuple of Check
        How it is compared.
    """

    id: str = Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")
    place: str
    claim: str
    value: str | None = None
    unit: str = ""
    kind: Kind
    approximate: bool = False
    bound: Literal["above", "below"] | None = None
    reported: str | None = None
    on_twin: str | None = None
    checks: tuple[Check, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _value_fits_kind(self) -> "Claim":
        if (self.kind in (*NUMERIC, *IN_WORDS)) != (self.value is not None):
            raise ValueError(f"{self.id}: kind {self.kind} has {'no' if self.value else 'a'} value")
        if self.kind in NUMERIC:
            _ = self.interval
        return self

    @cached_property
    def interval(self) -> Interval:
        """The values that its print stands for."""
        exact = self.kind in ("count", "setting", "date")
        return read_printed(self.value or "", exact=exact, approximate=self.approximate, bound=self.bound)


class Fact(_Strict):
    """Something from outside the paper, with its source.

    Attributes
    ----------
    value : float or None
        A number; None where `items` are counted.
    items : tuple of str
        Things whose number is the value.
    """

    id: str = Field(pattern=r"^fact(\.[a-z0-9_]+)+$")
    fact: str
    value: float | None = None
    items: tuple[str, ...] = ()
    unit: str = ""
    source: str

    @property
    def interval(self) -> Interval:
        """Its one value."""
        return exactly(len(self.items) if self.value is None else self.value)


class Ledger(_Strict):
    """All claims, the facts they are held against, the equations and the reference list."""

    facts: tuple[Fact, ...]
    symbols: tuple[equations.Symbol, ...]
    equations: tuple[equations.Equation, ...]
    references: tuple[bibliography.Reference, ...]
    citations: tuple[bibliography.Citation, ...]
    claims: tuple[Claim, ...]

    @cached_property
    def by_id(self) -> dict[str, Claim]:
        """The claims by their ids."""
        return {claim.id: claim for claim in self.claims}

    @cached_property
    def facts_by_id(self) -> dict[str, Fact]:
        """The facts by their ids."""
        return {fact.id: fact for fact in self.facts}
