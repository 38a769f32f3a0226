"""Where and when patches lie: random places and months, in splits that overlap or do not."""

from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwsd.errors import ConfigError, DataError
from gwsd.inputs.calendar import format_months, has_previous
from gwsd.patches.blocks import Blocks, draw_blocked
from gwsd.patches.windows import Drawn, Mask, Months, Windows, cover, find_windows, valid_share

COLUMNS = ["patch", "month", "row", "col", "lat", "lon", "valid_share", "has_previous"]
SPLITS = ("train", "validation", "test")

SIZES = 8
"""Sides of patches are multiples of it: the network halves them three times."""


class Split(StrEnum):
    """How training, validation and test patches are kept apart."""

    RANDOM = "random"
    BLOCKED = "blocked"


def sample(
    valid: Mask,
    months: Months,
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    *,
    size: int,
    train: int,
    validation: int,
    test: int,
    split: str,
    min_valid_share: float,
    rng: np.random.Generator,
    blocks: Blocks,
) -> dict[str, pd.DataFrame]:
    """Draw the patches of all splits.

    Every (month, place) that is admissible is equally likely and drawn at most once, so that no two splits
    share one; with the split `random`, patches may overlap in all else (the paper, section 3.4), and where
    fewer exist than are asked for, all splits shrink in proportion (`note_shortage` says so). With
    `blocked`, validation and test patches lie within blocks of space and time, and no patch of another split
    lies within their buffers. Windows do not wrap round the date line.

    Parameters
    ----------
    valid : ndarray, shape (H, W), bool
        Cells that passed quality control, latitude and longitude increasing.
    months : ndarray, shape (M,), datetime64
        Months that the storage has.
    lat, lon : ndarray, shape (H,) and (W,), degrees
        Centres of the cells.
    size, train, validation, test, split, min_valid_share
        Section `patches` of the settings.
    rng : numpy.random.Generator
        Decides all; the same generator state gives the same tables.
    blocks : Blocks
        For the split `blocked`.

    Returns
    -------
    dict of str to DataFrame
        `train`, `validation`, `test`; one row a patch, columns `COLUMNS`: number, month (YYYY-MM), row and
        column of the lower corner, latitude and longitude of the centre, valid share, and 1 where the
        storage has the month before too.

    Raises
    ------
    ConfigError
        If patches of this size have no place, but smaller ones have; says which. With `blocked`, if there are
        too few blocks or places.
    DataError
        If patches of no size have enough valid cells, or there are too few to split.
    """
    try:
        windows = find_windows(valid, size, min_valid_share)
    except (ConfigError, DataError):
        raise _explain(valid, size, min_valid_share, len(months)) from None
    wanted = dict(zip(SPLITS, (train, validation, test), strict=True))
    if Split(split) is Split.RANDOM:
        drawn = _draw_random(windows, len(months), wanted, rng)
    else:
        drawn = draw_blocked(windows, months, size, wanted, rng, blocks)
    preceded = has_previous(months)
    names = np.array(format_months(months))
    tables = {}
    for name, (month, row, column) in drawn.items():
        tables[name] = pd.DataFrame(
            {
                "patch": np.arange(len(month)),
                "month": names[month],
                "row": row,
                "col": column,
                "lat": (lat[row] + lat[row + size - 1]) / 2.0,
                "lon": (lon[column] + lon[column + size - 1]) / 2.0,
                "valid_share": np.round(windows.share[row, column], 6),
                "has_previous": preceded[month].astype(int),
            },
            columns=COLUMNS,
        )
    return tables


def largest_size_that_fits(valid: Mask, min_valid_share: float, most: int) -> tuple[int, int] | None:
    """Find the largest side of patches, a multiple of `SIZES`, that has a place.

    Parameters
    ----------
    valid : ndarray, shape (H, W), bool
        Cells that passed quality control.
    min_valid_share : float
        Least share of valid cells in a patch.
    most : int
        Largest side to try, cells.

    Returns
    -------
    tuple of int or None
        The side, cells, and the number of places; None where no size has any.
    """
    for size in range(min(most, *valid.shape) // SIZES * SIZES, 0, -SIZES):
        share = valid_share(valid, size)
        places = int(((share >= min_valid_share - 1e-12) & (share > 0.0)).sum())
        if places:
            return size, places
    return None


def note_shortage(tables: dict[str, pd.DataFrame], *, train: int, validation: int, test: int) -> list[str]:
    """Say that fewer patches were drawn than asked for; an empty list where that is not so.

    Parameters
    ----------
    tables : dict of str to DataFrame
        As `sample` returns them.
    train, validation, test : int
        Section `patches` of the settings.
    """
    asked, drawn = train + validation + test, sum(len(table) for table in tables.values())
    if drawn == asked:
        return []
    parts = ", ".join(f"{name} {len(table):,}" for name, table in tables.items())
    return [
        f"patches: {asked:,} were asked for, and there are only {drawn:,} distinct ones, drawn in the same proportions "
        f"({parts}). Nearby ones overlap: see overlap.csv. A larger region or a smaller patches.size gives more."
    ]


def overlap(train: pd.DataFrame, other: pd.DataFrame, *, size: int, valid: Mask) -> dict[str, int | float]:
    """Count how many valid cells of some patches also occur in training patches.

    Parameters
    ----------
    train, other : DataFrame
        As `sample` returns them.
    size : int
        Side of a patch, cells.
    valid : ndarray, shape (H, W), bool

    Returns
    -------
    dict
        patches; cell_months: distinct (month, cell) of `other`; shared_cell_months and shared_share: those
        that training patches hold too; cells, shared_cells, shared_cells_share: the same whatever the month.
    """
    cell_months = shared_months = 0
    for month, patches in other.groupby("month", sort=True):
        here = cover(patches, size, valid.shape) & valid
        seen = cover(train[train["month"] == month], size, valid.shape)
        cell_months += int(here.sum())
        shared_months += int((here & seen).sum())
    here = cover(other, size, valid.shape) & valid
    shared = int((here & cover(train, size, valid.shape)).sum())
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
    """Say why no patch of a size has a place, and which size has."""
    rows, columns = valid.shape
    shares = valid_share(valid, size) if size <= min(rows, columns) else None
    if shares is None:
        why = f"the grid has {rows} by {columns} cells, and a patch of {size} by {size} has no place in it"
        other = "or choose a larger region"
    else:
        why = (
            f"no patch of {size} by {size} cells has {min_valid_share:.0%} of them valid; the best place has "
            f"{shares.max():.1%}, and the grid of {rows} by {columns} cells {int(valid.sum()):,} valid ones"
        )
        other = "or lower patches.min_valid_share"
    fitting = largest_size_that_fits(valid, min_valid_share, size - 1)
    if fitting is None:
        return DataError(
            f"patches.size: {why}. Nor has any smaller size, down to {SIZES}. Lower patches.min_valid_share, choose "
            "a larger region, or look at inputs/quality.csv for why so few cells are valid."
        )
    smaller, places = fitting
    return ConfigError(
        f"patches.size: {why}. The largest size that fits is {smaller} ({places:,} place{'s' * (places > 1)} in each "
        f"of {n_months} months): set patches.size: {smaller} in your scenario, {other}."
    )


def _draw_random(windows: Windows, n_months: int, wanted: dict[str, int], rng: np.random.Generator) -> Drawn:
    places = np.flatnonzero(windows.admissible)
    total, available = sum(wanted.values()), n_months * len(places)
    if total > available:
        if available < len(wanted):
            raise DataError(
                f"There are only {available} patches ({n_months} months x {len(places):,} places), too few for "
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
        row, column = np.divmod(places[part % len(places)], windows.admissible.shape[1])
        drawn[name] = (part // len(places), row, column)
    return drawn


def _shrink(wanted: dict[str, int], available: int) -> dict[str, int]:
    """Share out what there is in the proportions asked for, at least one each; the largest takes the rest."""
    total = sum(wanted.values())
    shares = {name: max(1, available * number // total) for name, number in wanted.items()}
    largest = max(shares, key=lambda name: shares[name])
    shares[largest] += available - sum(shares.values())
    return shares
