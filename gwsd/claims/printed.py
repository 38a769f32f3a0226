"""Printed numbers: the interval of the values that would be printed so."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_NUMBER = re.compile(r"[-−]?\d[\d,]*(\.\d+)?")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
"""Words that multiply the number before them."""


@dataclass(frozen=True)
class Interval:
    """All values from `low` to `high`; a value known exactly has both the same.

    Attributes
    ----------
    low, high : float
        The bounds; either may be infinite.
    """

    low: float
    high: float

    @property
    def middle(self) -> float:
        """The value in the middle, or the finite bound."""
        if math.isinf(self.low) or math.isinf(self.high):
            return self.high if math.isinf(self.low) else self.low
        return (self.low + self.high) / 2

    @property
    def exact(self) -> bool:
        """Whether there is one value only."""
        return self.low == self.high

    def meets(self, other: "Interval") -> bool:
        """Return whether some value lies in both."""
        slack = 1e-9 * max(1.0, *(abs(x) for x in (self.low, self.high, other.low, other.high) if math.isfinite(x)))
        return self.low <= other.high + slack and other.low <= self.high + slack

    def __str__(self) -> str:
        if self.exact:
            return number_text(self.low)
        if math.isinf(self.high):
            return f"above {number_text(self.low)}"
        if math.isinf(self.low):
            return f"below {number_text(self.high)}"
        return f"{number_text(self.middle)} ({number_text(self.low)} to {number_text(self.high)})"


def number_text(value: float) -> str:
    """Write a number with at most four significant digits, and integers in full; a year has no comma."""
    if math.isfinite(value) and abs(value) < 1e15 and (value == int(value) or abs(value) >= 1e5):
        rounded = float(f"{value:.4g}") if value != int(value) else value
        return f"{int(rounded):,}" if abs(rounded) >= 1e4 else f"{int(rounded)}"
    return f"{value:.4g}"


def exactly(value: float) -> Interval:
    """Return the interval of one value."""
    return Interval(float(value), float(value))


def read_printed(text: str, *, exact: bool = False, approximate: bool = False, bound: str | None = None) -> Interval:
    """Return the values that would be printed as a text.

    Parameters
    ----------
    text : str
        Such as `1.64`, `8,000`, `8.2 million`, `-0.257`, `240+` or `2002-04` (a month, counted from year 0).
    exact : bool
        The number is a count or a setting: it stands for itself alone.
    approximate : bool
        The text says "about": the last digit that is not zero is uncertain by half a unit.
    bound : {'above', 'below'} or None
        The text says "over" or "under".

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        Where the text holds no number.
    """
    stripped = text.strip()
    month = _MONTH.fullmatch(stripped)
    if month:
        return exactly(int(month[1]) * 12 + int(month[2]) - 1)
    number, _, word = stripped.partition(" ")
    open_end = number.endswith("+")
    number = number.removesuffix("+")
    if not _NUMBER.fullmatch(number) or (word and word not in SCALES):
        raise ValueError(f"{text!r} is no number")
    try:
        decimal = Decimal(number.replace(",", "").replace("−", "-"))
    except InvalidOperation as error:  # pragma: no cover - the pattern lets no other text through
        raise ValueError(f"{text!r} is no number") from error
    scale = SCALES.get(word, 1.0)
    value = float(decimal) * scale
    if open_end or bound == "above":
        return Interval(value, math.inf)
    if bound == "below":
        return Interval(-math.inf, value)
    if exact and not approximate:
        return exactly(value)
    half = _half_unit(decimal, approximate) * scale
    return Interval(value - half, value + half)


def _half_unit(decimal: Decimal, approximate: bool) -> float:
    digits = decimal.as_tuple()
    exponent = int(digits.exponent)
    if approximate and decimal != 0:
        trailing = len(digits.digits) - len("".join(map(str, digits.digits)).rstrip("0"))
        exponent += trailing
    return 0.5 * 10.0**exponent
