"""Land cells of the twin Earth, half-degree points of its large scales, node grid of its climate product."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt

from gwsd.data.land import is_ice_sheet
from gwsd.errors import ConfigError
from gwsd.grid import COARSE_SPACING, FINE_SPACING, REFINEMENT, Grid, cell_area
from gwsd.twin.noise import Field
from gwsd.twin.settings import Twin

LEAST_LAND = 0.5
"""Smallest land share of a fine cell with a water balance, and of a node with climate (as in ERA5-Land)."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class LandCells:
    """The N land cells of the fine grid, row by row from the south.

    Parameters
    ----------
    fine, coarse : Grid
    row, column : ndarray, shape (N,)
        Position on the fine grid.
    area : ndarray, shape (N,), km²
    ice : ndarray of bool, shape (fine rows, fine columns)
        Land of Greenland and Antarctica, which is not part of the N cells.
    covered : ndarray of bool, shape (rows, columns)
        Half-degree cells of the storage product, damaged ones included.
    """

    fine: Grid
    coarse: Grid
    row: NDArray[np.int32]
    column: NDArray[np.int32]
    area: Floats
    ice: Mask
    covered: Mask

    @property
    def count(self) -> int:
        """Number of land cells N."""
        return len(self.row)

    @property
    def flat(self) -> NDArray[np.int64]:
        """Flat index on the fine grid, shape (N,)."""
        return self.row.astype(np.int64) * self.fine.shape[1] + self.column

    @cached_property
    def lat(self) -> Floats:
        """Latitude, shape (N,), degrees north."""
        return self.fine.lat[self.row]

    @cached_property
    def lon(self) -> Floats:
        """Longitude, shape (N,), degrees east."""
        return self.fine.lon[self.column]

    @cached_property
    def coarse_index(self) -> NDArray[np.int64]:
        """Flat index of the half-degree cell that holds each land cell, shape (N,)."""
        return (self.row // REFINEMENT).astype(np.int64) * self.coarse.shape[1] + self.column // REFINEMENT

    def _coarse_sum(self, values: Floats) -> Floats:
        size = self.coarse.shape[0] * self.coarse.shape[1]
        total = np.bincount(self.coarse_index, weights=values, minlength=size)
        return total.reshape(self.coarse.shape).astype(np.float64)

    @cached_property
    def coarse_area(self) -> Floats:
        """Land area of each half-degree cell, shape (rows, columns), km²."""
        return self._coarse_sum(self.area)

    def coarse_mean(self, values: Field) -> Floats:
        """Average values of the land cells, shape (N,), over half-degree cells, shape (rows, columns); 0 on water."""
        total, area = self._coarse_sum(values * self.area), self.coarse_area
        return np.divide(total, area, out=np.zeros_like(total), where=area > 0)

    @cached_property
    def solid(self) -> Mask:
        """Half-degree cells with land or ice, shape (rows, columns)."""
        rows, columns = self.coarse.shape
        return (self.coarse_area > 0) | self.ice.reshape(rows, REFINEMENT, columns, REFINEMENT).any(axis=(1, 3))


def find_land(land: xr.DataArray, settings: Twin) -> LandCells:
    """Select the land cells, and for the storage product the half-degree cells with the largest land fraction.

    `land`, dims (lat, lon), is the land share on the fine grid: latitude increasing, whole half-degree cells.
    """
    half = FINE_SPACING / 2
    lat, lon = land["lat"].to_numpy(), land["lon"].to_numpy()
    region = (float(lat_lon) for lat_lon in (lon[0] - half, lat[0] - half, lon[-1] + half, lat[-1] + half))
    coarse = Grid(COARSE_SPACING, tuple(region))  # type: ignore[arg-type]
    fine = coarse.refined()
    share = land.transpose("lat", "lon").to_numpy().astype(np.float64)
    sheet = is_ice_sheet(fine.lat[:, None], fine.lon[None, :])
    active = (share >= LEAST_LAND) & ~sheet
    if not active.any():
        raise ConfigError(
            f"region {list(coarse.region)} has no land outside Greenland and Antarctica: choose a region (west, south, "
            "east, north) with land."
        )
    row, column = np.nonzero(active)
    area = np.broadcast_to(cell_area(fine.lat, FINE_SPACING)[:, None], share.shape)

    def by_coarse(values: Floats) -> Floats:
        rows, columns = coarse.shape
        return values.reshape(rows, REFINEMENT, columns, REFINEMENT).sum(axis=(1, 3))

    fraction = by_coarse(np.where(sheet, 0.0, share) * area) / by_coarse(np.asarray(area))
    fraction[by_coarse(active.astype(np.float64)) == 0] = 0.0
    faults = sum(settings.faults.model_dump().values())
    if settings.valid_cells is None:
        covered = fraction >= LEAST_LAND
        if covered.sum() <= faults:
            raise ConfigError(
                f"twin.faults damages {faults} cells, but the region has only {int(covered.sum())} half-degree land "
                "cells: lower the numbers or enlarge the region."
            )
    else:
        wanted = settings.valid_cells + faults
        if np.count_nonzero(fraction) < wanted:
            raise ConfigError(
                f"twin.valid_cells = {settings.valid_cells} and {faults} faults need {wanted} half-degree land cells, "
                f"but the region has {np.count_nonzero(fraction)}: lower it, or set it to null."
            )
        # rounding keeps the order of equal fractions independent of the last bits of the sums
        order = np.argsort(-fraction.round(9).ravel(), kind="stable")
        covered = np.zeros(fraction.shape, dtype=bool)
        covered.ravel()[order[:wanted]] = True
    ice = (share >= LEAST_LAND) & sheet
    return LandCells(fine, coarse, row.astype(np.int32), column.astype(np.int32), area[row, column], ice, covered)


@dataclass(frozen=True)
class Points:
    """The Q half-degree points of the large scales: cells that contain or touch land or ice.

    Parameters
    ----------
    lat, lon : ndarray, shape (Q,), degrees
    index : ndarray, shape (rows, columns)
        Number of the point in each half-degree cell, else -1.
    to_cells : csr_array, shape (N, Q)
        Bilinear interpolation to the land cells.
    """

    lat: Floats
    lon: Floats
    index: NDArray[np.int32]
    to_cells: scipy.sparse.csr_array


def place_points(cells: LandCells) -> Points:
    """Choose the half-degree points, and the weights that interpolate from them to the land cells."""
    rows, columns = cells.coarse.shape
    wraps = cells.coarse.is_global
    padded = np.pad(cells.solid, ((0, 0), (1, 1)), mode="wrap" if wraps else "constant")
    near = binary_dilation(padded, np.ones((3, 3)))[:, 1:-1]
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
        x = (low_column + j) % columns if wraps else np.clip(low_column + j, 0, columns - 1)
        numbers[:, k] = index[y, x]
        weights[:, k] = (up if i else 1 - up) * (right if j else 1 - right)
    matrix = scipy.sparse.csr_array(
        (weights.ravel(), numbers.ravel(), np.arange(0, 4 * cells.count + 1, 4, dtype=np.int32)),
        shape=(cells.count, len(row)),
    )
    return Points(cells.coarse.lat[row], cells.coarse.lon[column], index, matrix)


@dataclass(frozen=True)
class Nodes:
    """Nodes of a regular grid, on the poles and meridians; a node is the centre of its cell.

    Parameters
    ----------
    lat, lon : ndarray, shapes (rows,) and (columns,)
        Increasing, degrees; longitude from -180 (on the globe the last node is one step short of 180).
    land, ice : ndarray of bool, shape (rows * columns,)
        Nodes with values from land cells; nodes on ice sheets.
    from_cells : csr_array, shape (land nodes, N)
        Area-weighted mean of the land cells of each node; a node added without land takes its nearest neighbour's.
    ice_point : ndarray, shape (ice nodes,)
        Half-degree point whose climate each ice node takes.
    """

    lat: Floats
    lon: Floats
    land: Mask
    ice: Mask
    from_cells: scipy.sparse.csr_array
    ice_point: NDArray[np.int32]


def place_nodes(cells: LandCells, points: Points, step: float) -> Nodes:
    """Place nodes every `step` degrees; they have values where at least half of their cell is land or ice.

    Further nodes ensure that climate covers at least half of each half-degree cell of the storage product.
    """
    west, south, east, north = cells.fine.region
    lat = np.round(south + step * np.arange(round((north - south) / step) + 1), 6)
    lon = np.round(west + step * np.arange(round((east - west) / step) + (0 if cells.fine.is_global else 1)), 6)
    shape, size = (len(lat), len(lon)), len(lat) * len(lon)
    full = _node_areas(lat, lon, step, cells.fine)
    node, cell, weight = _overlaps(cells.row, cells.column, cells.fine, step, shape)
    land_share = np.bincount(node, weights=weight, minlength=size).reshape(shape) / full
    ice_row, ice_column = np.nonzero(cells.ice)
    ice_node, _, ice_weight = _overlaps(ice_row, ice_column, cells.fine, step, shape)
    ice_share = np.bincount(ice_node, weights=ice_weight, minlength=size).reshape(shape) / full

    enough = land_share + ice_share >= LEAST_LAND
    ice = enough & (ice_share > land_share)
    land = enough & ~ice
    land |= _needed(cells, lat, lon, step, land)
    ice &= ~land
    own = (land_share > 0) & land
    number = np.full(size, -1, dtype=np.int64)
    number[own.ravel()] = np.arange(own.sum())
    keep = own.ravel()[node]
    matrix = scipy.sparse.csr_array(
        (weight[keep].astype(np.float32), (number[node[keep]], cell[keep])), shape=(int(own.sum()), cells.count)
    )
    matrix.data /= np.repeat(np.asarray(matrix.sum(axis=1), dtype=np.float32), np.diff(matrix.indptr))
    nearest = distance_transform_edt(~own, return_distances=False, return_indices=True)
    donor = number[np.ravel_multi_index(tuple(nearest), shape)[land]]

    rows, columns = cells.coarse.shape
    y, x = np.nonzero(ice)
    gap = distance_transform_edt(points.index < 0, return_distances=False, return_indices=True)
    coarse_row = np.clip(((lat[y] - south) / COARSE_SPACING).astype(np.int64), 0, rows - 1)
    coarse_column = np.clip(((lon[x] - west) / COARSE_SPACING).astype(np.int64), 0, columns - 1)
    ice_point = points.index[gap[0], gap[1]][coarse_row, coarse_column]
    return Nodes(lat, lon, land.ravel(), ice.ravel(), matrix[donor], ice_point)


def _node_areas(lat: Floats, lon: Floats, step: float, fine: Grid) -> Floats:
    """Relative area of each node's cell inside the region, shape (rows, columns)."""
    west, south, east, north = fine.region
    top, bottom = np.minimum(lat + step / 2, north), np.maximum(lat - step / 2, south)
    height = np.sin(np.deg2rad(top)) - np.sin(np.deg2rad(bottom))
    right, left = lon + step / 2, lon - step / 2
    width = right - left if fine.is_global else np.minimum(right, east) - np.maximum(left, west)
    return np.outer(height, width)


def _overlaps(
    row: NDArray[np.integer], column: NDArray[np.integer], fine: Grid, step: float, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats]:
    """Intersect fine cells with node cells: node, number of the fine cell, and relative area of each intersection."""
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


def _needed(cells: LandCells, lat: Floats, lon: Floats, step: float, land: Mask) -> Mask:
    """Mark all nodes that touch a half-degree cell of the product less than half of which has climate."""
    by_row = _axis_overlap(cells.coarse.lat, lat, step, wraps=False)
    by_column = _axis_overlap(cells.coarse.lon, lon, step, wraps=cells.coarse.is_global)
    share = by_row @ (by_column @ land.T.astype(np.float64)).T / COARSE_SPACING**2
    poor = cells.covered & (share < 0.5 + 1e-9)
    touched = (by_row.T > 0) @ ((by_column.T > 0) @ poor.T.astype(np.float64)).T
    return np.asarray(touched > 0)


def _axis_overlap(centres: Floats, nodes: Floats, step: float, *, wraps: bool) -> scipy.sparse.csr_array:
    """Length, degrees, that each half-degree cell shares with each node cell along one axis."""
    distance = np.abs(centres[:, None] - nodes[None, :])
    if wraps:
        distance = np.minimum(distance, 360.0 - distance)
    overlap = np.clip((COARSE_SPACING + step) / 2 - distance, 0.0, min(COARSE_SPACING, step))
    overlap[overlap < 1e-9] = 0.0
    return scipy.sparse.csr_array(overlap)
