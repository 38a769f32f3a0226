"""Half-degree points on which large-scale fields live."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from gwsd.grid import REFINEMENT
from gwsd.sources.twin.cells import LandCells
from gwsd.sources.twin.noise import Field


@dataclass(frozen=True)
class Points:
    """Half-degree points on which large scales live: cells that hold or touch land or ice.

    Parameters
    ----------
    lat, lon : ndarray, shape (Q,)
        Degrees.
    index : ndarray, shape (rows, columns), int32
        Number of the point in each half-degree cell, -1 where there is none.
    to_cells : csr_array, shape (N, Q), float32
        Bilinear interpolation to the land cells.
    """

    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    index: NDArray[np.int32]
    to_cells: scipy.sparse.csr_array


def place_points(cells: LandCells) -> Points:
    """Choose the half-degree points and how to interpolate from them to the land cells."""
    rows, columns = cells.coarse.shape
    near = (cells.coarse_area > 0) | cells.ice.reshape(rows, REFINEMENT, columns, REFINEMENT).any(axis=(1, 3))
    if cells.coarse.is_global:  # the neighbour of the last column is the first
        wrapped = np.concatenate([near[:, -1:], near, near[:, :1]], axis=1)
        near = binary_dilation(wrapped, np.ones((3, 3)))[:, 1:-1]
    else:
        near = binary_dilation(near, np.ones((3, 3)))
    index = np.full((rows, columns), -1, dtype=np.int32)
    index[near] = np.arange(near.sum(), dtype=np.int32)
    row, column = np.nonzero(near)

    def corners(place: NDArray[np.int32]) -> tuple[NDArray[np.int64], Field]:
        position = (place + 0.5) / REFINEMENT - 0.5
        low = np.floor(position).astype(np.int64)
        return low, (position - low).astype(np.float32)

    low_row, up = corners(cells.row)
    low_column, right = corners(cells.column)
    numbers = np.empty((cells.count, 4), dtype=np.int32)
    weights = np.empty((cells.count, 4), dtype=np.float32)
    for k, (i, j) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        y = np.clip(low_row + i, 0, rows - 1)
        x = (low_column + j) % columns if cells.coarse.is_global else np.clip(low_column + j, 0, columns - 1)
        numbers[:, k] = index[y, x]
        weights[:, k] = (up if i else 1 - up) * (right if j else 1 - right)
    matrix = scipy.sparse.csr_array(
        (weights.ravel(), numbers.ravel(), np.arange(0, 4 * cells.count + 1, 4, dtype=np.int32)),
        shape=(cells.count, len(row)),
    )
    return Points(cells.coarse.lat[row], cells.coarse.lon[column], index, matrix)
