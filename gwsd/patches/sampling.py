"""Sampling of patches: random months and windows, in random or blocked splits."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwsd.data.calendar import format_months, has_previous
from gwsd.errors import ConfigError, DataError
from gwsd.patches.blocks import draw_blocked
from gwsd.patches.settings import Patches
from gwsd.patches.windows import Drawn, Mask, Months, admissible, cover, valid_share

SPLITS = ("train", "validation", "test")

STEP = 8
"""Patch sizes are multiples of it: the network halves them three times."""


def sample(
    valid: Mask,
    months: Months,
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    patches: Patches,
    rng: np.random.Generator,
) -> dict[str, pd.DataFrame]:
    """Draw the patches of all splits.

    Every admissible (month, window) is equally likely and drawn at most once, so that no two splits share one. In
    the split `random` patches may overlap otherwise (the paper, section 3.4), and where fewer exist than are asked
    for, all splits shrink in proportion (see `note_shortage`). In `blocked`, validation and test patches come from
    blocks of space and time, with buffers to the other splits. Windows do not wrap at the date line.

    Parameters
    ----------
    valid : ndarray, shape (H, W), bool
        Cells that passed quality control, latitude and longitude increasing.
    months : ndarray, shape (M,), datetime64
        Months of the storage.
    lat, lon : ndarray, shape (H,) and (W,), degrees
        Centres of the cells.

    Returns
    -------
    dict of str to DataFrame
        `train`, `validation`, `test`; one row per patch: its number, month (YYYY-MM), row and column of the lower
        corner, latitude and longitude of the centre, valid share, and 1 where the storage has the previous month too.

    Raises
    ------
    ConfigError
        If no window of this size is admissible but a smaller one is; with `blocked`, if there are too few blocks.
    DataError
        If no size fits, or there are too few patches to split.
    """
    size = patches.size
    share = valid_share(valid, size) if size <= min(valid.shape) else np.zeros((1, 1))
    allowed = admissible(share, patches.min_valid_share)
    if not allowed.any():
        raise _explain(valid, size, patches.min_valid_share, len(months))
    wanted = {name: getattr(patches, name) for name in SPLITS}
    if patches.split == "random":
        drawn = _draw_random(allowed, len(months), wanted, rng)
    else:
        drawn = draw_blocked(allowed, months, wanted, rng, patches)
    preceded = has_previous(months)
    names = np.array(format_months(months))
    return {
        name: pd.DataFrame(
            {
                "patch": np.arange(len(month)),
                "month": names[month],
                "row": row,
                "col": column,
                "lat": (lat[row] + lat[row + size - 1]) / 2.0,
                "lon": (lon[column] + lon[column + size - 1]) / 2.0,
                "valid_share": np.round(share[row, column], 6),
                "has_previous": preceded[month].astype(int),
            }
        )
        for name, (month, row, column) in drawn.items()
    }


def largest_size_that_fits(valid: Mask, min_valid_share: float, most: int) -> tuple[int, int] | None:
    """Return the largest admissible patch size up to `most` and its number of windows; None if no size fits."""
    for size in range(min(most, *valid.shape) // STEP * STEP, 0, -STEP):
        if windows := int(admissible(valid_share(valid, size), min_valid_share).sum()):
            return size, windows
    return None


def note_shortage(tables: dict[str, pd.DataFrame], patches: Patches) -> str | None:
    """Return a note if fewer patches were drawn than asked for, None otherwise."""
    asked, drawn = sum(getattr(patches, name) for name in SPLITS), sum(map(len, tables.values()))
    if drawn == asked:
        return None
    parts = ", ".join(f"{name} {len(table):,}" for name, table in tables.items())
    return (
        f"patches: {asked:,} were asked for, and there are only {drawn:,} distinct ones, drawn in the same proportions "
        f"({parts}). Nearby ones overlap: see overlap.csv. A larger region or a smaller patches.size gives more."
    )


def overlap(train: pd.DataFrame, other: pd.DataFrame, *, size: int, valid: Mask) -> dict[str, int | float]:
    """Count how many valid cells of some patches also occur in training patches.

    `cell_months` are the distinct (month, cell) of `other`, `shared_cell_months` those that training patches contain
    too, `shared_share` is their ratio; `cells`, `shared_cells` and `shared_cells_share` are the same in any month.
    """
    cell_months = shared_months = 0
    for month, patches in other.groupby("month", sort=True):
        here = (cover(patches, size, valid.shape) > 0) & valid
        seen = cover(train[train["month"] == month], size, valid.shape) > 0
        cell_months += int(here.sum())
        shared_months += int((here & seen).sum())
    here = (cover(other, size, valid.shape) > 0) & valid
    shared = int((here & (cover(train, size, valid.shape) > 0)).sum())
    cells = int(here.sum())
    return {
        "patches": len(other),
        "cell_months": cell_months,
        "shared_cell_months": shared_months,
        "shared_share": round(shared_months / max(cell_months, 1), 6),
        "cells": cells,
        "shared_cells": shared,
        "shared_cells_share": round(shared / max(cells, 1), 6),
    }


def tabulate_overlap(tables: dict[str, pd.DataFrame], *, size: int, valid: Mask) -> pd.DataFrame:
    """Table of `overlap` with the training patches: one row for validation and one for test."""
    rows = [{"split": name, **overlap(tables["train"], tables[name], size=size, valid=valid)} for name in SPLITS[1:]]
    return pd.DataFrame(rows)


def _explain(valid: Mask, size: int, min_valid_share: float, n_months: int) -> ConfigError | DataError:
    """Return the error for a size that does not fit, with the largest size that does."""
    rows, columns = valid.shape
    if size > min(rows, columns):
        why = f"the grid has {rows} by {columns} cells, too few for a patch of {size} by {size}"
        other = "or choose a larger region"
    else:
        why = (
            f"no patch of {size} by {size} cells has {min_valid_share:.0%} of them valid; the best has "
            f"{valid_share(valid, size).max():.1%}, and the grid of {rows} by {columns} cells has "
            f"{int(valid.sum()):,} valid ones"
        )
        other = "or lower patches.min_valid_share"
    fitting = largest_size_that_fits(valid, min_valid_share, size - 1)
    if fitting is None:
        return DataError(
            f"patches.size: {why}. No smaller size fits either, down to {STEP}. Lower patches.min_valid_share, "
            "choose a larger region, or see inputs/quality.csv for why so few cells are valid."
        )
    smaller, windows = fitting
    return ConfigError(
        f"patches.size: {why}. The largest size that fits is {smaller} ({windows:,} window{'s' * (windows > 1)} in "
        f"each of {n_months} months): set patches.size: {smaller} in your scenario, {other}."
    )


def _draw_random(allowed: Mask, n_months: int, wanted: dict[str, int], rng: np.random.Generator) -> Drawn:
    windows = np.flatnonzero(allowed)
    total, available = sum(wanted.values()), n_months * len(windows)
    if total > available:
        if available < len(wanted):
            raise DataError(
                f"There are only {available} patches ({n_months} months x {len(windows):,} windows), too few for "
                "training, validation and test. Choose a smaller patches.size, a larger region or a longer period."
            )
        wanted = _shrink(wanted, available)
        total = sum(wanted.values())
    chosen = rng.choice(available, size=total, replace=False)
    drawn: Drawn = {}
    start = 0
    for name, number in wanted.items():
        part = chosen[start : start + number]
        start += number
        row, column = np.divmod(windows[part % len(windows)], allowed.shape[1])
        drawn[name] = (part // len(windows), row, column)
    return drawn


def _shrink(wanted: dict[str, int], available: int) -> dict[str, int]:
    """Share out what is available in the proportions asked for, at least one each; the largest takes the rest."""
    total = sum(wanted.values())
    shares = {name: max(1, available * number // total) for name, number in wanted.items()}
    largest = max(shares, key=lambda name: shares[name])
    shares[largest] += available - sum(shares.values())
    return shares
