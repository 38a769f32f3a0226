"""Figure 6, computed: the histories of the trainings, one table."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gwsd.errors import DataError
from gwsd.figures.data_file import labelled_table

TERMS = ("total", "data", "physics", "sign", "magnitude", "regional", "smoothness", "sign_as_written")
"""Loss terms of a history, each for training and validation."""

SCORES = ("val_mae_mm", "val_rmse_mm", "val_r2", "val_bilinear_mae_mm")
"""Validation scores of a history."""

COLUMNS = (
    "epoch",
    "steps",
    *(f"{part}_{term}" for part in ("train", "val") for term in TERMS),
    *SCORES,
)
"""What is taken from a history, in this order."""


def compute(
    histories: Mapping[str, Mapping[int, pd.DataFrame]],
    *,
    climate_variables: Sequence[str],
    data_label: str,
    source: str,
    reported: str = "",
) -> pd.DataFrame:
    """Compute the data of Figure 6.

    Parameters
    ----------
    histories : mapping of str to mapping of int to DataFrame
        For each variant that is shown, its history for each seed. Epoch 0 is before any training.
    climate_variables : sequence of str
        The scenario's: constraints that lack one of them are left out, and the figure says so.
    data_label, source, reported : str
        Where the data come from, the job's key, and what the paper states.

    Returns
    -------
    DataFrame
        `variant`, `seed`, the columns of `COLUMNS` and the labels; losses without unit, errors in mm.

    Raises
    ------
    DataError
        If a history lacks a column or has no epoch.
    """
    tables = []
    for variant, seeds in histories.items():
        for seed, history in sorted(seeds.items()):
            absent = [column for column in COLUMNS if column not in history.columns]
            if absent:
                raise DataError(f"history.csv of {variant}: lacks the columns {', '.join(absent)}.")
            if not np.any(history["epoch"] > 0):
                raise DataError(f"history.csv of {variant}: holds no epoch of training.")
            table = history[list(COLUMNS)].sort_values("epoch")
            table.insert(0, "variant", variant)
            table.insert(1, "seed", seed)
            tables.append(table)
    if not tables:
        raise DataError("Figure 6 needs the history of at least one variant.")
    return labelled_table(
        pd.concat(tables, ignore_index=True),
        climate_variables=climate_variables,
        data_label=data_label,
        source=source,
        reported=reported,
    )
