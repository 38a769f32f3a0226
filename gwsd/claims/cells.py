"""The published values of a run, read from what lies beside its tables and figures."""

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gwsd.errors import DataError

OF_THE_FIELD = (
    "examples",
    "regions",
    "months",
    "largest_loss_cm",
    "largest_gain_cm",
    "month_of_minimum_north",
    "month_of_maximum_north",
    "change_july_august_cm",
    "change_other_months_cm",
)
"""Columns of values computed from figures in which no network has a part."""


@dataclass(frozen=True)
class Cells:
    """Published values by their ids.

    Attributes
    ----------
    entries : dict of str to dict
        Each value with its text, unit and file.
    columns : dict of str to set of str
        The columns of each artifact that the run has, those without a value too.
    label : str
        What the run's data are.
    """

    entries: dict[str, dict[str, Any]]
    columns: dict[str, set[str]] = field(default_factory=dict)
    label: str = ""

    @property
    def on_twin(self) -> bool:
        """Whether the data are synthetic."""
        return self.label.startswith("synthetic")

    def find(self, name: str) -> dict[str, Any] | None:
        """Return a value, or None where the run has no such artifact or row.

        Raises
        ------
        DataError
            Where the artifact is there but has no such column: the ledger then names what is nobody's.
        """
        if name in self.entries:
            return self.entries[name]
        artifact, _, rest = name.partition(":")
        column = rest.rpartition(":")[2]
        if artifact in self.columns and column not in self.columns[artifact]:
            known = [one for one in self.entries if one.startswith(f"{artifact}:")]
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known[:5]
            raise DataError(
                f"paper/claims.yaml: {name}: {artifact} of this run has no column {column!r}; near ones: "
                f"{', '.join(near)}; correct the claim"
            )
        return None


def read_cells(paths: Iterable[Path], computed: Iterable[dict[str, Any]] = (), label: str = "") -> Cells:
    """Read the values that lie beside tables and figures.

    Parameters
    ----------
    paths : iterable of Path
        `tables/tableN.json` and `figures/figureN.json`.
    computed : iterable of dict
        Further values, which no artifact publishes.
    label : str
        What the run's data are; that of the first file unless given.

    Returns
    -------
    Cells

    Raises
    ------
    DataError
        Where a file is not what a table or figure leaves beside it.
    """
    entries: dict[str, dict[str, Any]] = {}
    columns: dict[str, set[str]] = {}
    for path in paths:
        try:
            document = json.loads(path.read_text())
            values, artifact = document["values"], document["artifact"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path}: not the values of a table or figure ({type(error).__name__}: {error}); expected the JSON "
                "file that the table's or figure's job writes; make it again"
            ) from error
        label = label or document.get("data_label", "")
        entries.update({one["id"]: one for one in values})
        columns[artifact] = {one["key"] for one in document.get("columns", [])} | {
            str(one["id"]).rpartition(":")[2] for one in values
        }
    for one in computed:
        entries[one["id"]] = one
        columns.setdefault(one["artifact"], set()).add(one["column"])
    return Cells(entries, columns, label)
