"""The node grid of the ERA5-Land-like climate, and how the truth is brought to it."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from gwsd.grid import COARSE_SPACING, FINE_SPACING, Grid
from gwsd.sources.twin.cells import LandCells
from gwsd.sources.twin.points import Points

LEAST_LAND = 0.5
"""Share of land from which on a node has values, as in ERA5-Land."""


@dataclass(frozen=True)
class Nodes:
    """Nodes of a regular grid with poles and meridians on it; each stands for the cell centred on it.

    Parameters
    ----------
    lat, lon : ndarray, shapes (rows,) and (columns,)
        Increasing, degrees; longitude from -180 (global: the last node is one step short of 180).
    land : ndarray, shape (rows * columns,), bool
        Nodes whose values come from land cells.
    from_cells : csr_array, shape (land nodes, N), float32
        Area-weighted mean of the land cells around each land node.
    donor : ndarray, shape (land nodes,), int64
        Which land node lends its values (itself, save where a node had to be added without land below).
    ice : ndarray, shape (rows * columns,), bool
        Nodes on ice sheets.
    ice_point : ndarray, shape (ice nodes,), int32
        Half-degree point whose climate each ice node takes.
    """

    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    land: NDArray[np.bool_]
    from_cells: scipy.sparse.csr_array
    donor: NDArray[np.int64]
    ice: NDArray[np.bool_]
    ice_point: NDArray[np.int32]


def place_nodes(cells: LandCells, points: Points, step: float) -> Nodes:
    """Lay the node grid over the region.

    A node has values where at least half of its cell is land (ice sheets are land). Beyond that, each
    half-degree cell of the storage product gets enough nodes to cover half of it: a cell with storage but
    without climate would be the fault of the grid, not of the data.

    Parameters
    ----------
    cells : LandCells
        The truth's cells.
    points : Points
        Half-degree points, for the ice sheets.
    step : float
        Spacing, degrees.

    Returns
    -------
    Nodes
        The grid and its weights.
    """
    west, south, east, north = cells.fine.region
    wraps = cells.fine.is_global
    lat = np.round(south + step * np.arange(round((north - south) / step) + 1), 6)
    lon = np.round(west + step * np.arange(round((east - west) / step) + (0 if wraps else 1)), 6)
    shape = (len(lat), len(lon))
    node, cell, weight = _overlaps(cells.row, cells.column, cells.fine, step, shape)
    size = shape[0] * shape[1]
    full = _node_areas(lat, lon, step, cells.fine)
    land_share = np.bincount(node, weights=weight, minlength=size).reshape(shape) / full
    ice_rows, ice_columns = np.nonzero(cells.ice)
    ice_node, _, ice_weight = _overlaps(ice_rows, ice_columns, cells.fine, step, shape)
    ice_share = np.bincount(ice_node, weights=ice_weight, minlength=size).reshape(shape) / full

    enough = land_share + ice_share >= LEAST_LAND
    ice = enough & (ice_share > land_share)
    land = enough & ~ice
    land |= _needed(cells, lat, lon, step, covered=land)
    ice &= ~land
    own = (land_share > 0) & land
    lender = np.full(size, -1, dtype=np.int64)
    lender[own.ravel()] = np.arange(own.sum())
    nearest = distance_transform_edt(~own, return_distances=False, return_indices=True)
    flat = np.ravel_multi_index(tuple(nearest), shape)[land]

    keep = own.ravel()[node]
    matrix = scipy.sparse.csr_array(
        (weight[keep].astype(np.float32), (lender[node[keep]], cell[keep])),
        shape=(int(own.sum()), cells.count),
    )
    totals = np.asarray(matrix.sum(axis=1), dtype=np.float32)
    matrix.data /= np.repeat(totals, np.diff(matrix.indptr))

    rows, columns = cells.coarse.shape
    y, x = np.nonzero(ice)
    gap = distance_transform_edt(points.index < 0, return_distances=False, return_indices=True)
    coarse_row = np.clip(((lat[y] - south) / COARSE_SPACING).astype(np.int64), 0, rows - 1)
    coarse_column = np.clip(((lon[x] - west) / COARSE_SPACING).astype(np.int64), 0, columns - 1)
    ice_point = points.index[gap[0], gap[1]][coarse_row, coarse_column]
    return Nodes(lat, lon, land.ravel(), matrix, lender[flat], ice.ravel(), ice_point)


def _node_areas(lat: NDArray[np.float64], lon: NDArray[np.float64], step: float, fine: Grid) -> NDArray[np.float64]:
    """Area of each node's cell inside the region, shape (rows, columns), relative (half at its edges)."""
    west, south, east, north = fine.region
    top, bottom = np.minimum(lat + step / 2, north), np.maximum(lat - step / 2, south)
    height = np.sin(np.deg2rad(top)) - np.sin(np.deg2rad(bottom))
    right, left = lon + step / 2, lon - step / 2
    width = right - left if fine.is_global else np.minimum(right, east) - np.maximum(left, west)
    return np.outer(height, width)


def _overlaps(
    row: NDArray[np.int64] | NDArray[np.int32],
    column: NDArray[np.int64] | NDArray[np.int32],
    fine: Grid,
    step: float,
    shape: tuple[int, int],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Find which fine cells lie in which node cells, and how much of them (relative area)."""
    south = fine.region[1]
    bottom = south + FINE_SPACING * row
    left = FINE_SPACING * column  # from the western edge
    first_row = np.floor((bottom - south) / step + 0.5 + 1e-9).astype(np.int64)
    first_column = np.floor(left / step + 0.5 + 1e-9).astype(np.int64)
    span = int(np.ceil(FINE_SPACING / step)) + 1
    nodes, numbers, weights = [], [], []
    for i in range(span):
        y = first_row + i
        low = np.maximum(bottom, south + (y - 0.5) * step)
        high = np.minimum(bottom + FINE_SPACING, south + (y + 0.5) * step)
        height = np.where(high - low > 1e-9, np.sin(np.deg2rad(high)) - np.sin(np.deg2rad(low)), 0.0)
        for j in range(span):
            x = first_column + j
            width = np.minimum(left + FINE_SPACING, (x + 0.5) * step) - np.maximum(left, (x - 0.5) * step)
            weight = height * np.where(width > 1e-9, width, 0.0)
            kept = (weight > 0) & (y < shape[0]) & ((x < shape[1]) | fine.is_global)
            nodes.append(y[kept] * shape[1] + x[kept] % shape[1])
            numbers.append(np.flatnonzero(kept).astype(np.int32))
            weights.append(weight[kept])
    return np.concatenate(nodes), np.concatenate(numbers), np.concatenate(weights)


def _needed(
    cells: LandCells,
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    step: float,
    *,
    covered: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Mark all nodes that touch a half-degree cell of the product of which less than half has climate."""
    row_overlap = _axis_overlap(cells.coarse.lat, lat, step, wraps=False)
    column_overlap = _axis_overlap(cells.coarse.lon, lon, step, wraps=cells.coarse.is_global)
    share = row_overlap @ (column_overlap @ covered.T.astype(np.float64)).T / COARSE_SPACING**2
    poor = cells.chosen & (share < 0.5 + 1e-9)
    touched = (row_overlap.T > 0) @ ((column_overlap.T > 0) @ poor.T.astype(np.float64)).T
    return np.asarray(touched > 0)


def _axis_overlap(
    centres: NDArray[np.float64], nodes: NDArray[np.float64], step: float, *, wraps: bool
) -> scipy.sparse.csr_array:
    """Length, degrees, that each half-degree cell shares with each node cell along one axis."""
    distance = np.abs(centres[:, None] - nodes[None, :])
    if wraps:
        distance = np.minimum(distance, 360.0 - distance)
    overlap = np.clip((COARSE_SPACING + step) / 2 - distance, 0.0, min(COARSE_SPACING, step))
    overlap[overlap < 1e-9] = 0.0
    return scipy.sparse.csr_array(overlap)
