"""Table 5: the terms of the physics loss by epoch of the training of `full`."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gwsd.constraints import CONSTRAINTS, constraints_of, left_out_note
from gwsd.errors import DataError
from gwsd.tables.formatting import Column, Table, Value
from gwsd.tables.recomputing import Source
from gwsd.tables.replicates import Histories, over_seeds, training_note
from gwsd.tables.reported import REPORTED, reported_value

PAPER_EPOCHS = (1, 10, 30)
"""Rows of the paper's Table 5."""

TERMS = ("sign_as_written", "sign", "magnitude", "regional", "physics")
"""As the history names them."""

SPLITS = {"validation": "val", "training": "train"}
"""The parts of the patches, and how the columns of the history begin."""

_PAPER_TERMS = ("sign", "magnitude", "regional", "physics")

_COLUMNS = (
    Column("Epoch", "epoch"),
    Column("Sign, as written", "validation_sign_as_written", digits=3),
    Column("Sign, smooth", "validation_sign", digits=3),
    Column("Magnitude", "validation_magnitude", digits=3),
    Column("Regional", "validation_regional", digits=3),
    Column("Total", "validation_physics", digits=3),
    Column("Epoch", "paper_epoch", group=REPORTED),
    Column("Sign", "paper_sign", digits=2, group=REPORTED),
    Column("Magnitude", "paper_magnitude", digits=2, group=REPORTED),
    Column("Regional", "paper_regional", digits=2, group=REPORTED),
    Column("Total", "paper_physics", digits=2, group=REPORTED),
)

_HEADINGS = {column.key.removeprefix("validation_"): column.heading for column in _COLUMNS[1:6]}

_CSV_ONLY = (
    Column("Seeds", "seeds"),
    *(Column(f"sd over seeds of {_HEADINGS[term]}", f"validation_{term}_seed_sd", digits=3) for term in TERMS),
    *(
        Column(f"{_HEADINGS[term]}, training patches", f"training_{term}", digits=3, spread=f"training_{term}_seed_sd")
        for term in TERMS
    ),
)

_SPLITS = (
    "On the validation patches at the end of each epoch; epoch 0 is before any training. The csv also holds the "
    "means over the training patches during the epoch. The paper does not say which of the two it lists."
)

_SIGNS = (
    "Sign, as written: equation (12) with the sign function, which has no gradient and cannot exceed 1. "
    "Sign, smooth: the surrogate that is trained on."
)

_TOTAL = " The total adds the smooth sign, the magnitude and the regional term."

_THE_PAPER = (
    "The paper's sign term of 1.42 to 1.02 cannot come from its equation (12), whose every summand is 0 or 1.",
    "The paper's total at epoch 30 is 2.99 in its Table 5, the sum of its terms; its text (section 4.5) says 3.39, its "
    "Tables 3 and 6 say 3.4.",
)


def build(*, histories: Histories, climate_variables: Sequence[str], provenance_note: str) -> Table:
    """Read the terms at the paper's epochs, or those nearest to them, from the history of `full`.

    Parameters
    ----------
    histories : mapping
        Of `full`, by seed.
    climate_variables : sequence of str
        The scenario's: constraints that lack one of them are left out, and the table says so.
    provenance_note : str
        Which Earth the numbers speak of.

    Returns
    -------
    Table
        Means over seeds; in the csv also their standard deviations.

    Raises
    ------
    DataError
        Where the history of `full` is missing or has no epoch.
    """
    if not histories.get("full"):
        raise DataError("Table 5 needs the history of 'full', and there is none. Train 'full' first.")
    of_seeds = [history.set_index("epoch") for _, history in sorted(histories["full"].items())]
    # Early stopping may end seeds at different epochs: a row needs all of them.
    common = sorted(set.intersection(*(set(history.index) for history in of_seeds)))
    trained = [epoch for epoch in common if epoch > 0]
    if not trained:
        raise DataError("Table 5: the history of 'full' has no epoch after epoch 0; expected at least one.")
    rows = [_row(0, None, of_seeds)] if 0 in common else []
    nearest = {wanted: min(trained, key=lambda epoch: (abs(epoch - wanted), epoch)) for wanted in PAPER_EPOCHS}
    rows += [_row(epoch, wanted, of_seeds) for wanted, epoch in nearest.items()]
    total = _TOTAL if len(constraints_of(climate_variables)) == len(CONSTRAINTS) else ""
    notes = [*left_out_note(climate_variables), _SPLITS, _SIGNS + total, *_THE_PAPER]
    if any(wanted != epoch for wanted, epoch in nearest.items()):
        notes.append(
            f"The training ran for {trained[-1]} epochs; beside each epoch of the paper stands the nearest there is, "
            "so a row may stand twice."
        )
    notes += training_note(histories, ["full"])
    return Table(tuple(rows), _COLUMNS, tuple(notes), provenance_note, _CSV_ONLY, _sources(rows))


def _sources(rows: Sequence[Mapping[str, Value]]) -> dict[tuple[str, str], Source]:
    return {
        (str(row["row"]), f"{split}_{term}"): Source(
            "histories", "full", f"{prefix}_{term}", epoch=int(str(row["epoch"]))
        )
        for row in rows
        for split, prefix in SPLITS.items()
        for term in TERMS
    }


def _row(epoch: int, paper_epoch: int | None, of_seeds: list[pd.DataFrame]) -> Mapping[str, Value]:
    row: dict[str, Value] = {
        # A key that does not move with the epoch at which a training stops.
        "row": "before_training" if paper_epoch is None else f"epoch_{paper_epoch}",
        "epoch": int(epoch),
        "paper_epoch": paper_epoch,
        "seeds": len(of_seeds),
    }
    for split, prefix in SPLITS.items():
        for term in TERMS:
            values = [float(history[f"{prefix}_{term}"].loc[epoch]) for history in of_seeds]
            spread = over_seeds([None if np.isnan(value) else value for value in values])
            row[f"{split}_{term}"] = spread.mean
            row[f"{split}_{term}_seed_sd"] = spread.sd
    for term in _PAPER_TERMS:
        row[f"paper_{term}"] = None if paper_epoch is None else reported_value("table5", str(paper_epoch), term)
    return row
