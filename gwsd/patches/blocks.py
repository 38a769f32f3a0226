"""Splits by blocks of space and time that are held out whole, with buffers around them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwsd.errors import ConfigError
from gwsd.patches.windows import Drawn, Mask, Months, Windows, count_windows


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


def draw_blocked(
    windows: Windows,
    months: Months,
    size: int,
    wanted: dict[str, int],
    rng: np.random.Generator,
    blocks: Blocks,
) -> Drawn:
    """Draw patches of all splits, none within the buffer of another's held-out block.

    Parameters
    ----------
    windows : Windows
        Where patches may lie.
    months : ndarray, shape (M,), datetime64
        Months that the storage has.
    size : int
        Side of a patch, cells.
    wanted : dict of str to int
        Patches of each split: that which takes what is left, then those that are held out.
    rng : numpy.random.Generator
        Assigns the blocks and draws.
    blocks : Blocks
        How large they are and how far apart.

    Returns
    -------
    dict of str to tuple of ndarray
        Index of the month, row and column of each patch.

    Raises
    ------
    ConfigError
        If there are too few blocks or places.
    """
    shape = (windows.share.shape[0] + size - 1, windows.share.shape[1] + size - 1)
    labels, row_of, column_of, block_of = _label_blocks(windows, shape, months, size, rng, blocks)
    whole = months.astype("datetime64[M]").astype(np.int64)
    first = int(whole[0])
    drawn: Drawn = {}
    for number, name in enumerate(wanted):
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
    windows: Windows, shape: tuple[int, int], months: Months, size: int, rng: np.random.Generator, blocks: Blocks
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
    clear = count_windows(padded, size + 2 * buffer) == 0
    own = count_windows(labels[now][cells] == number, size) == size * size
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
