"""Blocked splits: blocks of space and time held out whole, with buffers around them."""

import numpy as np
from numpy.typing import NDArray

from gwsd.errors import ConfigError
from gwsd.patches.settings import Patches
from gwsd.patches.windows import Drawn, Indices, Mask, Months, count_windows


def draw_blocked(
    allowed: Mask, months: Months, wanted: dict[str, int], rng: np.random.Generator, patches: Patches
) -> Drawn:
    """Draw patches of all splits, none within the buffer of another split's held-out block.

    `allowed`, shape (H - size + 1, W - size + 1), marks the windows that may become patches, `months` are those of the
    storage, and `wanted` has the patches of each split: first the one that gets the remaining blocks.
    """
    size, blocks = patches.size, patches.blocks
    whole = months.astype("datetime64[M]").astype(np.int64)
    first = int(whole[0])
    labels, block_of = _label_blocks(allowed, whole, rng, patches)
    drawn: Drawn = {}
    for number, name in enumerate(wanted):
        windows, cached = [], {}
        for month in whole:
            # Blocks of time within the buffer of this month; the map depends on nothing else.
            reach = np.arange(month - blocks.buffer_months, month + blocks.buffer_months + 1) - first
            near = np.unique(np.clip(reach // blocks.length_months, 0, len(labels) - 1))
            now = int(block_of[month - first])
            key = (now, *map(int, near))
            if key not in cached:
                others = ((labels[near] != number) & (labels[near] > 0)).any(axis=0)
                buffered = count_windows(np.pad(others, blocks.buffer_cells), size + 2 * blocks.buffer_cells)
                own = count_windows(labels[now] == number, size)
                cached[key] = np.flatnonzero(allowed & (buffered == 0) & (own == size * size))
            windows.append(cached[key])
        drawn[name] = _draw(name, windows, wanted[name], allowed.shape[1], rng)
    return drawn


def _label_blocks(
    allowed: Mask, whole: Indices, rng: np.random.Generator, patches: Patches
) -> tuple[NDArray[np.int8], Indices]:
    """Return the split's number by block of time and cell, shape (blocks, H, W), and the block of each month."""
    size, blocks = patches.size, patches.blocks
    side = int(np.ceil(blocks.size_in_patches * size))
    row_of, column_of = (_divide(length + size - 1, side) for length in allowed.shape)
    block_of = _divide(int(whole[-1] - whole[0]) + 1, blocks.length_months)
    labels = np.zeros((block_of[-1] + 1, row_of[-1] + 1, column_of[-1] + 1), dtype=np.int8)
    # Only blocks that can hold a patch are worth holding out.
    row, column = np.nonzero(allowed)
    inside = (row_of[row] == row_of[row + size - 1]) & (column_of[column] == column_of[column + size - 1])
    useful = np.zeros(labels.shape[1:], dtype=bool)
    useful[row_of[row[inside]], column_of[column[inside]]] = True
    held_times = np.unique(block_of[whole - whole[0]])
    candidates = np.array([(t, i, j) for t in held_times for i, j in np.argwhere(useful)]).reshape(-1, 3)
    if len(candidates) < 3:
        raise ConfigError(
            f"patches.split is 'blocked', but only {len(candidates)} blocks of {side} x {side} cells and "
            f"{blocks.length_months} months can hold a patch; at least 3 are needed. Choose 'random', a smaller "
            "patches.size, or a larger region or period."
        )
    number = max(1, round(blocks.holdout_fraction * len(candidates)))
    order = rng.permutation(len(candidates))
    for label in (1, 2):
        t, i, j = candidates[order[(label - 1) * number : label * number]].T
        labels[t, i, j] = label
    return labels[:, row_of[:, None], column_of], block_of


def _divide(length: int, side: int) -> Indices:
    """Block of each index along an axis; the remainder at the end joins the last block."""
    return np.minimum(np.arange(length) // side, max(length // side, 1) - 1)


def _draw(
    name: str, windows: list[NDArray[np.intp]], number: int, columns: int, rng: np.random.Generator
) -> tuple[Indices, Indices, Indices]:
    ends = np.cumsum([len(places) for places in windows])
    if number > ends[-1]:
        raise ConfigError(
            f"patches.{name} asks for {number:,} patches, but with blocks and buffers only {ends[-1]:,} are "
            "left. Ask for fewer, choose patches.split: random, lower patches.min_valid_share, or a smaller "
            "patches.size."
        )
    chosen = rng.choice(int(ends[-1]), size=number, replace=False)
    month = np.searchsorted(ends, chosen, side="right")
    begin = np.concatenate([[0], ends[:-1]])
    # One by one: joined, the windows of all months would take hundreds of megabytes.
    flat = np.array([windows[m][k - begin[m]] for m, k in zip(month, chosen, strict=True)], dtype=np.int64)
    row, column = np.divmod(flat, columns)
    return month.astype(np.int64), row, column
