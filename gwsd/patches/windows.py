"""Windows of the coarse grid: valid shares, and how often patches cover each cell."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Months = NDArray[np.datetime64]
Indices = NDArray[np.int64]

Drawn = dict[str, tuple[Indices, Indices, Indices]]
"""For each split the index of the month, the row and the column of each patch."""


def count_windows(cells: Mask, size: int) -> Indices:
    """Count true cells in every `size` by `size` window, by its lower corner; (H - size + 1, W - size + 1)."""
    table = np.zeros((cells.shape[0] + 1, cells.shape[1] + 1), dtype=np.int64)
    table[1:, 1:] = cells.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    return table[size:, size:] - table[:-size, size:] - table[size:, :-size] + table[:-size, :-size]


def valid_share(valid: Mask, size: int) -> NDArray[np.float64]:
    """Share of valid cells, 0 to 1, in every `size` by `size` window; (H - size + 1, W - size + 1)."""
    return count_windows(valid, size) / float(size * size)


def admissible(share: NDArray[np.float64], min_valid_share: float) -> Mask:
    """Windows with enough valid cells; never one without any."""
    return np.asarray((share >= min_valid_share - 1e-12) & (share > 0.0))


def cover(patches: pd.DataFrame, size: int, shape: tuple[int, int]) -> Indices:
    """Count the patches that contain each cell, shape (H, W)."""
    corners = np.zeros((shape[0] + 1, shape[1] + 1), dtype=np.int64)
    row, column = patches["row"].to_numpy(), patches["col"].to_numpy()
    for rows, columns, step in ((0, 0, 1), (size, 0, -1), (0, size, -1), (size, size, 1)):
        np.add.at(corners, (row + rows, column + columns), step)
    return np.asarray(corners.cumsum(axis=0).cumsum(axis=1)[:-1, :-1])
