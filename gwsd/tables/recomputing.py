"""Where the value of a cell can be recomputed: the mean over seeds of a number in some files, times a factor."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A number of the results behind a cell.

    Parameters
    ----------
    files : {'summaries', 'histories', 'timings', 'inference'}
        Which input of the table's job.
    method : str
        Of which method or variant; every seed of it has a file.
    key : str
        Key of a JSON file, column of a CSV file.
    factor : float
        What the mean over seeds is multiplied with, such as 0.1 from mm to cm.
    epoch : int or None
        Which row of a history; None for a JSON file.
    """

    files: str
    method: str
    key: str
    factor: float = 1.0
    epoch: int | None = None


Sources = Mapping[tuple[str, str], Source]
"""By row key and column."""

SCORES = {
    "mae_cm": ("mae_mm", 0.1),
    "mae_sd_cm": ("mae_sd_mm", 0.1),
    "rmse_cm": ("rmse_mm", 0.1),
    "r2": ("r2", 1.0),
    "physics": ("physics", 1.0),
}
"""Columns of tables that are numbers of an evaluation's summary, and their factor."""


def scores(methods: Iterable[str], columns: Iterable[str]) -> dict[tuple[str, str], Source]:
    """Return the sources of columns of scores, for rows whose key is the method.

    Parameters
    ----------
    methods : iterable of str
        The rows.
    columns : iterable of str
        Of `SCORES`.
    """
    wanted = list(columns)
    return {
        (method, column): Source("summaries", method, key, factor)
        for method in methods
        for column, (key, factor) in SCORES.items()
        if column in wanted
    }
