"""Units of a depth of water: what an attribute says, and whether the values can be in it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwsd.errors import DataError

SMALLEST_SPREAD_MM = 0.5
"""Below it, values said to be mm are plainly metres."""

LARGEST_SPREAD_MM = 20_000.0
"""Above it, values said to be m or cm are plainly in a smaller unit."""

SETTING = "sources.storage_units"
"""The setting that says the unit where a file does not."""

ATTRIBUTE = "the attribute"
DOCUMENTATION = "the product's documentation"

_MM = {
    r"mm|milli ?met(er|re)s?|kg(/| |\.|\*)?m(\*\*|\^)?-?2": 1.0,
    r"cm|centi ?met(er|re)s?": 10.0,
    r"m|met(er|re)s?": 1000.0,
}
_NOTHING = ("", "1", "-", "--", "none", "null", "nan", "n/a", "na", "unknown", "undefined", "dimensionless")


@dataclass(frozen=True)
class Unit:
    """A unit of a depth of water.

    Parameters
    ----------
    text : str
        As it is written.
    origin : str
        Who says so: `ATTRIBUTE`, `SETTING` or `DOCUMENTATION`.
    factor : float
        Millimetres in one of it.
    """

    text: str
    origin: str
    factor: float


@dataclass
class Spread:
    """Number, sum and sum of squares of values, added up file by file."""

    number: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, values: NDArray[np.float32]) -> None:
        """Take in fields of shape (T, H, W); NaN is left out."""
        for field in values:
            known = field[np.isfinite(field)].astype(np.float64)
            self.number += known.size
            self.total += float(known.sum())
            self.squares += float(known @ known)

    @classmethod
    def of(cls, parts: Iterable["Spread"]) -> "Spread":
        """Add up several."""
        parts = list(parts)
        return cls(sum(p.number for p in parts), sum(p.total for p in parts), sum(p.squares for p in parts))

    @property
    def standard_deviation(self) -> float:
        """Over cells and months, in the unit of the values."""
        mean = self.total / self.number
        return float(np.sqrt(max(0.0, self.squares / self.number - mean**2)))


def is_stated(unit: object) -> bool:
    """Whether an attribute `units` says anything."""
    return unit is not None and str(unit).strip().lower() not in _NOTHING


def millimetres(unit: str) -> float | None:
    """Return how many mm of water one of a unit is.

    Parameters
    ----------
    unit : str
        "mm", "cm", "m" or "kg m-2", written out or not, with or without what it is a depth of: "mm EWH",
        "m w.e.", "cm equivalent water height".

    Returns
    -------
    float or None
        None where it is no depth of water, as rates are none.
    """
    text = re.sub(r"[\s_]+", " ", re.sub(r"^[(\[]|[)\]]$", "", unit.strip().lower().replace("−", "-"))).strip()
    for pattern, factor in _MM.items():
        # The length comes first; a rate or another power of it goes on with a digit, a sign or "per".
        if (match := re.match(rf"({pattern})(?![a-z0-9*^/-])", text)) is None:
            continue
        rest = text[match.end() :]
        return None if re.search(r"[/^*]|(?<!\d)-\s?\d|\bper\b", rest) else factor
    return None


def choose_unit(stated: object, given: str | None, default: str | None, *, name: str, label: str) -> Unit | None:
    """Decide which unit holds: that of the file, else that of the settings, else that of the documentation.

    Parameters
    ----------
    stated : object
        Attribute `units` of the variable, or None.
    given : str or None
        What the setting says: it speaks only where the file is silent.
    default : str or None
        What the product's documentation says.
    name, label : str
        Variable and file, for the message.

    Returns
    -------
    Unit or None
        None where none of them says anything.

    Raises
    ------
    DataError
        If the unit is no depth of water, or the file's is not the given one.
    """
    if is_stated(stated):
        text, origin = str(stated).strip(), ATTRIBUTE
    elif given is not None:
        text, origin = given, SETTING
    elif default is not None:
        text, origin = default, DOCUMENTATION
    else:
        return None
    factor = millimetres(text)
    if factor is None:
        said = f"has the units '{text}'" if origin == ATTRIBUTE else f"has no units, and {origin} says '{text}'"
        raise DataError(
            f"{label}: variable '{name}' {said}. Expected mm, cm, m or kg m-2: convert it, or correct the attribute "
            f"(ncatted -a units,{name},o,c,mm FILE)."
        )
    if given is not None and millimetres(given) != factor:
        raise DataError(
            f"{label}: variable '{name}' says '{text}', but {SETTING} says '{given}'. The setting is for files that "
            "state no unit: remove it or, if the file is wrong, correct its attribute (ncatted -a "
            f"units,{name},o,c,{given} FILE)."
        )
    return Unit(text, origin, factor)


def check_spread(spread: Spread, unit: Unit | None, *, name: str, label: str) -> None:
    """Refuse values that cannot be in their unit.

    Parameters
    ----------
    spread : Spread
        Of all values in that unit.
    unit : Unit or None
        As `choose_unit` returns it.
    name, label : str
        Variable and file, for the message.

    Raises
    ------
    DataError
        If there is no unit, or the values are far too small or too large for it.
    """
    size = spread.standard_deviation
    if unit is None:
        likely = "m" if size < SMALLEST_SPREAD_MM else "mm or cm"
        raise DataError(
            f"{label}: variable '{name}' has no units. Expected an attribute 'units' that says mm, cm or m (the values "
            f"have a standard deviation of {size:.3g}, which looks like {likely}): set {SETTING} in the config, or the "
            f"attribute (ncatted -a units,{name},o,c,mm FILE)."
        )
    if SMALLEST_SPREAD_MM <= size * unit.factor <= LARGEST_SPREAD_MM:
        return
    small = size * unit.factor < SMALLEST_SPREAD_MM
    if unit.origin == ATTRIBUTE:
        claim = f"variable '{name}' says '{unit.text}'"
        advice = (
            f"Multiply them by 1000, or set units to m (ncatted -a units,{name},o,c,m FILE)."
            if small
            else f"Correct the attribute (ncatted -a units,{name},o,c,mm FILE)."
        )
    else:
        claim = f"variable '{name}' has no units and is in {unit.text} as {unit.origin} says"
        advice = f"Set {SETTING} to {'m' if small else 'mm or cm'}."
    raise DataError(
        f"{label}: {claim}, but its standard deviation, {size:.3g}, is far too {'small' if small else 'large'} for a "
        f"storage anomaly in it: the values are plainly {'metres' if small else 'mm or cm'}. {advice}"
    )
