"""Windows of the coarse grid: which may be patches, and what patches cover."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwsd.errors import ConfigError, DataError

Mask = NDArray[np.bool_]
Months = NDArray[np.datetime64]

Drawn = dict[str, tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]
"""For each split the index of the month, the row and the column of each patch."""


@dataclass(frozen=True)
class Windows:
    """Windows by their lower corner, each of shape (H - size + 1, W - size + 1).

    Parameters
    ----------
    share : ndarray
        Share of valid cells.
    admissible : ndarray, bool
        Whether a patch may lie there.
    """

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
    return count_windows(valid, size) / float(size * size)


def count_windows(cells: Mask, size: int) -> NDArray[np.int64]:
    """Count true cells in every window of a side, by an integral image; (H - size + 1, W - size + 1)."""
    table = np.zeros((cells.shape[0] + 1, cells.shape[1] + 1), dtype=np.int64)
    table[1:, 1:] = cells.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    return table[size:, size:] - table[:-size, size:] - table[size:, :-size] + table[:-size, :-size]


def find_windows(valid: Mask, size: int, min_valid_share: float) -> Windows:
    """Find the windows with enough valid cells.

    Raises
    ------
    ConfigError
        If a window is larger than the grid.
    DataError
        If none has enough valid cells.
    """
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
    return Windows(share, admissible)


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
