"""Values that a figure prints on itself: their text is written once, for the drawing and for the list of numbers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

NARROW_SPACE = "\u202f"
"""What most figures set between thousands."""


@dataclass(frozen=True)
class Printed:
    """A value and its text on the figure.

    Parameters
    ----------
    row, column : str
        What it is a number of, and which quantity; together they name it.
    value : float, int or str
        In the unit in which it is printed.
    text : str
        As it is printed, without the unit.
    unit : str
        As printed; empty where it has none.
    format : str
        As Python's `format` reads it; empty for words.
    label : str
        What people call it.
    """

    row: str
    column: str
    value: float | int | str
    text: str
    unit: str = ""
    format: str = ""
    label: str = ""


class PrintedValues:
    """The values of a figure, in order; `values.text(row, column)` is what the drawing writes.

    Parameters
    ----------
    values : iterable of Printed
        All with different names.
    """

    def __init__(self, values: Iterable[Printed]) -> None:
        self._values = {(one.row, one.column): one for one in values}

    def __iter__(self) -> Iterator[Printed]:
        """Go through them in order."""
        return iter(self._values.values())

    def text(self, row: str, column: str) -> str:
        """Return the text of one."""
        return self._values[row, column].text


def number(
    row: str, column: str, value: float, form: str, unit: str = "", label: str = "", *, thousands: str = NARROW_SPACE
) -> Printed:
    """Write a number with a true minus sign.

    Parameters
    ----------
    row, column : str
        Its name.
    value : float or int
        In the unit in which it is printed.
    form : str
        As Python's `format` reads it.
    unit, label : str
        See `Printed`.
    thousands : str
        What stands between thousands, where the format separates them.
    """
    text = format(value, form).replace("-", "−").replace(",", thousands)
    return Printed(row, column, value, text, unit, form, label)


def words(row: str, column: str, text: str, label: str = "") -> Printed:
    """Keep words as they are."""
    return Printed(row, column, text, text, label=label)


def significant(value: float, digits: int = 2) -> str:
    """Return the format with so many significant digits and no exponent: 0.40, −1.3, 12."""
    if value == 0.0 or value != value:
        return "g"
    return f".{max(0, digits - 1 - int(f'{abs(value):e}'.split('e')[1]))}f"
