"""Where and when patches lie: random places and months, in splits that overlap or do not."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwsd.errors import ConfigError, DataError
from gwsd.inputs.calendar import format_months, has_previous

Mask = NDArray[np.bool_]
Months = NDArray[np.datetime64]

COLUMNS = ["patch", "month", "row", "col", "lat", "lon", "valid_share", "has_previous"]
SPLITS = ("train", "validation", "test")


class Split(StrEnum):
    """How training, validation and test patches are kept apart."""

    RANDOM = "random"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Blocks:
    """Blocks of space and time that are held out whole.

    Parameters
    ----------
    sides : float
        Side of a block in sides of a patch; above 1, so that patches have several places within one.
    months : int
        Length of a block, months.
    buffer_cells : int
        Cells around a held-out block that no patch of another split touches.
    buffer_months : int
        Months before and after one that no patch of another split is of.
    held_out : float
        Share of the blocks with land that go to validation, and as many to test.
    """

    sides: float
    months: int
    buffer_cells: int
    buffer_months: int
    held_out: float


BLOCKS = Blocks(sides=1.5, months=12, buffer_cells=5, buffer_months=3, held_out=0.1)
"""Five half-degree cells are the 250 km over which the product is smoothed; three months outlast the month
that a storage change reaches back, and the quick part of the storage's memory."""


@dataclass(frozen=True)
class _Windows:
    """Places of patches: flat indices into the (H - size + 1, W - size + 1) array of lower corners."""

    share: NDArray[np.float64]
    admissible: Mask


def valid_share(valid: Mask, size: int) -> NDArray[np.float64]:
    """Share of valid cells in every window, by its lower corner.

    Parameters
    ----------
    valid : ndarray, shape (H, W), bool
    size : int
        Side of a window, cells.

    Returns
    -------
    ndarray, shape (H - size + 1, W - size + 1)
        0 to 1.
    """
    return _count(valid, size) / float(size * size)


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
    blocks: Blocks = BLOCKS,
) -> dict[str, pd.DataFrame]:
    """Draw the patches of all splits.

    Every (month, place) that is admissible is equally likely and drawn at most once, so that no two splits
    share one; with the split `random`, patches may overlap in all else (the paper, section 3.4). With
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
        If a patch is larger than the grid, or more patches are asked for than there are.
    DataError
        If no patch has enough valid cells.
    """
    windows = _find_windows(valid, size, min_valid_share)
    wanted = dict(zip(SPLITS, (train, validation, test), strict=True))
    if Split(split) is Split.RANDOM:
        drawn = _draw_random(windows, len(months), wanted, rng)
    else:
        drawn = _draw_blocked(windows, valid, months, size, wanted, rng, blocks)
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


def cover(patches: pd.DataFrame, size: int, shape: tuple[int, int]) -> Mask:
    """Cells that lie in at least one of the patches, shape (H, W)."""
    return count_cover(patches, size, shape) > 0


def count_cover(patches: pd.DataFrame, size: int, shape: tuple[int, int]) -> NDArray[np.int64]:
    """How many of the patches each cell lies in, shape (H, W)."""
    corners = np.zeros((shape[0] + 1, shape[1] + 1), dtype=np.int64)
    row, column = patches["row"].to_numpy(), patches["col"].to_numpy()
    np.add.at(corners, (row, column), 1)
    np.add.at(corners, (row + size, column), -1)
    np.add.at(corners, (row, column + size), -1)
    np.add.at(corners, (row + size, column + size), 1)
    return np.asarray(corners.cumsum(axis=0).cumsum(axis=1)[:-1, :-1])


def _count(cells: Mask, size: int) -> NDArray[np.int64]:
    """Count of true cells in every window of a side, by an integral image."""
    table = np.zeros((cells.shape[0] + 1, cells.shape[1] + 1), dtype=np.int64)
    table[1:, 1:] = cells.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    return table[size:, size:] - table[:-size, size:] - table[size:, :-size] + table[:-size, :-size]


def _find_windows(valid: Mask, size: int, min_valid_share: float) -> _Windows:
    rows, columns = valid.shape
    if size > min(rows, columns):
        raise ConfigError(
            f"patches.size is {size}, larger than the grid of {rows} rows and {columns} columns. Choose at "
            f"most {min(rows, columns)}, or a larger region."
        )
    share = valid_share(valid, size)
    admissible = share >= min_valid_share - 1e-12
    # With a share of 0 asked for, a patch of ocean alone would still teach nothing.
    admissible &= share > 0.0
    if not admissible.any():
        raise DataError(
            f"No patch can be sampled: of {size} x {size} cells at least {min_valid_share:.0%} must be "
            f"valid, and the best place has {share.max():.1%}. Lower patches.min_valid_share or "
            "patches.size, or look at inputs/quality.csv for why so few cells are valid."
        )
    return _Windows(share, admissible)


Drawn = dict[str, tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]


def _draw_random(windows: _Windows, n_months: int, wanted: dict[str, int], rng: np.random.Generator) -> Drawn:
    places = np.flatnonzero(windows.admissible)
    total, available = sum(wanted.values()), n_months * len(places)
    if total > available:
        raise ConfigError(
            f"patches.train, validation and test ask for {total:,} patches, but there are only {available:,} "
            f"({n_months} months x {len(places):,} places). Ask for fewer, or lower patches.min_valid_share."
        )
    chosen = rng.choice(available, size=total, replace=False)
    drawn: Drawn = {}
    start = 0
    for name, number in wanted.items():
        part = chosen[start : start + number]
        start += number
        row, column = np.divmod(places[part % len(places)], windows.admissible.shape[1])
        drawn[name] = (part // len(places), row, column)
    return drawn


def _draw_blocked(
    windows: _Windows,
    valid: Mask,
    months: Months,
    size: int,
    wanted: dict[str, int],
    rng: np.random.Generator,
    blocks: Blocks,
) -> Drawn:
    labels, row_of, column_of, block_of = _label_blocks(windows, valid.shape, months, size, rng, blocks)
    whole = months.astype("datetime64[M]").astype(np.int64)
    first = int(whole[0])
    drawn: Drawn = {}
    for number, name in enumerate(SPLITS):
        places, maps = [], {}
        for month in whole:
            # Which blocks of time lie within the buffer of this month; the map depends on nothing else.
            reach = np.arange(month - blocks.buffer_months, month + blocks.buffer_months + 1) - first
            near = np.unique(np.clip(reach // blocks.months, 0, labels.shape[0] - 1))
            key = (int(block_of[month - first]), *map(int, near))
            if key not in maps:
                allowed = _allow(number, labels, key[0], near, row_of, column_of, size, blocks.buffer_cells)
                maps[key] = np.flatnonzero(windows.admissible & allowed)
            places.append(maps[key])
        drawn[name] = _draw_places(name, places, wanted[name], windows.admissible.shape[1], rng)
    return drawn


def _label_blocks(
    windows: _Windows, shape: tuple[int, int], months: Months, size: int, rng: np.random.Generator, blocks: Blocks
) -> tuple[NDArray[np.int8], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Assign blocks to splits: labels (time, row, column) with the split's number, and each axis' blocks."""
    side = int(np.ceil(blocks.sides * size))
    row_of = _divide(shape[0], side)
    column_of = _divide(shape[1], side)
    whole = months.astype("datetime64[M]").astype(np.int64)
    block_of = _divide(int(whole[-1] - whole[0]) + 1, blocks.months)
    labels = np.zeros((block_of[-1] + 1, row_of[-1] + 1, column_of[-1] + 1), dtype=np.int8)
    # Only blocks that can hold a patch are worth holding out.
    row, column = np.nonzero(windows.admissible)
    inside = (row_of[row] == row_of[row + size - 1]) & (column_of[column] == column_of[column + size - 1])
    useful = np.zeros(labels.shape[1:], dtype=bool)
    useful[row_of[row[inside]], column_of[column[inside]]] = True
    held_times = np.unique(block_of[whole - whole[0]])
    candidates = np.array([(t, i, j) for t in held_times for i, j in np.argwhere(useful)]).reshape(-1, 3)
    number = max(1, round(blocks.held_out * len(candidates)))
    if len(candidates) < 3:
        raise ConfigError(
            f"patches.split is 'blocked', but only {len(candidates)} blocks of {side} x {side} cells and "
            f"{blocks.months} months can hold a patch; at least 3 are needed. Choose 'random', a smaller "
            "patches.size, or a larger region or period."
        )
    order = rng.permutation(len(candidates))
    for label in (1, 2):
        t, i, j = candidates[order[(label - 1) * number : label * number]].T
        labels[t, i, j] = label
    return labels, row_of, column_of, block_of


def _divide(length: int, side: int) -> NDArray[np.int64]:
    """Block of each place along an axis; what is left over at the end joins the last block."""
    return np.minimum(np.arange(length) // side, max(length // side, 1) - 1)


def _allow(
    number: int,
    labels: NDArray[np.int8],
    now: int,
    near: NDArray[np.int64],
    row_of: NDArray[np.int64],
    column_of: NDArray[np.int64],
    size: int,
    buffer: int,
) -> Mask:
    """Windows that a split may use in a month: within its own blocks, and clear of the others' buffers."""
    cells = np.ix_(row_of, column_of)
    others = np.zeros((len(row_of), len(column_of)), dtype=bool)
    for t in near:
        label = labels[t][cells]
        others |= (label != number) & (label > 0)
    padded = np.pad(others, buffer)
    clear = _count(padded, size + 2 * buffer) == 0
    own = _count(labels[now][cells] == number, size) == size * size
    return clear & own


def _draw_places(
    name: str, places: list[NDArray[np.intp]], number: int, columns: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    ends = np.cumsum([len(place) for place in places])
    if number > ends[-1]:
        raise ConfigError(
            f"patches.{name} asks for {number:,} patches, but with blocks and buffers only {ends[-1]:,} are "
            "left. Ask for fewer, choose patches.split: random, lower patches.min_valid_share, or a smaller "
            "patches.size."
        )
    chosen = rng.choice(int(ends[-1]), size=number, replace=False)
    month = np.searchsorted(ends, chosen, side="right")
    begin = np.concatenate([[0], ends[:-1]])
    flat = np.array([places[m][k - begin[m]] for m, k in zip(month, chosen, strict=True)], dtype=np.int64)
    row, column = np.divmod(flat, columns)
    return month.astype(np.int64), row, column
