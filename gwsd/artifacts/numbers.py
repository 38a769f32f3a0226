"""Numbers of tables and figures: statistics over seeds, and text with a true minus sign."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DASH = "–"
"""Text of a cell without a value."""


def format_number(value: float | int | None, form: str) -> str:
    """Format a number by a specification such as `+,.2f`, with a true minus sign; None and NaN give a dash."""
    if value is None or math.isnan(value):
        return DASH
    return format(value, form).replace("-", "−")


@dataclass(frozen=True)
class Statistic:
    """Mean over seeds, its standard deviation, and the numbers that it can be recomputed from.

    `mean` is None where there is no value, `sd` for a single seed. `source` has one entry per seed: `file`, `key`
    (JSON key or CSV column), `where` (row of a CSV file) and `factor`.
    """

    mean: float | int | None
    sd: float | None = None
    seeds: int = 0
    source: tuple[Mapping[str, Any], ...] = ()
