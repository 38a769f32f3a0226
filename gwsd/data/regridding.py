"""Conservative regridding from nodes or cells to the cells of a grid, ignoring missing values.

Weights on a regular grid factorise into one sparse matrix per axis, so a global field takes milliseconds.
"""

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.grid import Grid

MIN_SHARE = 1e-5  # a smaller covered share of a cell is rounding
ROUNDED_DEGREES = 0.0102  # tolerance for steps between coordinates that are rounded to two decimals

Fields = NDArray[np.float32]


class Regridder:
    """Average values over the cells of a grid, weighted by area.

    Parameters
    ----------
    lat, lon : ndarray, degrees
        Nodes or cell centres, each of which represents the box half a step around it; increasing, longitude -180..180.
        Evenly spaced, except for gaps. The outer halves of nodes at the poles are cut off.
    grid : Grid
        Cells to average over.
    source : str
        Name of the data in error messages.
    """

    def __init__(self, lat: NDArray[np.float64], lon: NDArray[np.float64], grid: Grid, source: str = "Climate") -> None:
        self._lat, self._lon = lat, lon
        rows = np.clip(find_boxes(lat, f"{source}: its latitudes"), -90.0, 90.0)
        columns = find_boxes(lon, f"{source}: its longitudes")
        half = np.array([[-grid.spacing], [grid.spacing]]) / 2.0
        self._by_row = _overlap(np.sin(np.deg2rad(rows)), np.sin(np.deg2rad(grid.lat + half)))
        # A box may be on either side of the date line.
        self._by_column = sum(_overlap(columns + turn, grid.lon + half) for turn in (-360.0, 0.0, 360.0))
        self._last: tuple[NDArray[np.bool_], NDArray[np.int32], Fields] | None = None

    def fits(self, lat: NDArray[np.float64], lon: NDArray[np.float64]) -> bool:
        """Return whether the weights are for these nodes."""
        return np.array_equal(lat, self._lat) and np.array_equal(lon, self._lon)

    def share(self, known: NDArray[np.bool_]) -> Fields:
        """Return the share, 0 to 1, of each cell's area that nodes with a value cover, shape (H, W)."""
        return np.clip(self._apply(known.astype(np.float32)), 0.0, 1.0)

    def __call__(self, field: Fields, min_share: float = MIN_SHARE) -> Fields:
        """Average a field, shape (nodes, nodes) to (H, W); NaN where less than `min_share` of a cell has values."""
        known = np.isfinite(field)
        # The weights of a month are those of the previous one unless water has moved. Threads share a regridder,
        # so the cache is one tuple that is replaced whole.
        last = self._last
        if last is None or not np.array_equal(known, last[0]):
            last = self._last = (known, -known.astype(np.int32), self.share(known))
        _, keep, share = last
        # All bits of a value or none: 0 where nothing is known, four times as fast as choosing by a mask.
        values = np.ascontiguousarray(field, dtype=np.float32).view(np.int32) & keep
        enough: Fields = np.where(share >= min_share, share, np.float32(np.nan))
        return self._apply(values.view(np.float32)) / enough

    def months(self, fields: Fields) -> Fields:
        """Average fields, shape (T, nodes, nodes) to (T, H, W)."""
        return np.stack([self(field) for field in fields])

    def _apply(self, field: Fields) -> Fields:
        rows = self._by_row @ field
        return np.ascontiguousarray((self._by_column @ np.ascontiguousarray(rows.T)).T)


def find_boxes(axis: NDArray[np.float64], what: str) -> NDArray[np.float64]:
    """Return the lower and upper edges, shape (2, N), of boxes around evenly spaced coordinates, gaps allowed."""
    steps = np.diff(axis)
    typical = float(np.median(steps)) if len(steps) else np.nan
    adjacent = steps < 1.5 * typical
    tolerance = min(max(ROUNDED_DEGREES, typical / 200.0), typical / 4.0)
    if not len(steps) or typical <= 0.0 or np.abs(steps[adjacent] - typical).max() > tolerance:
        raise DataError(
            f"{what} are not evenly spaced"
            + (f" (steps from {steps.min():.5g} to {steps.max():.5g} degrees)" if len(steps) else "")
            + ". Expected a regular latitude-longitude grid: regrid it conservatively first (cdo remapcon,GRID IN OUT)."
        )
    step = float(steps[adjacent].mean())
    boxes = np.array([axis - step / 2.0, axis + step / 2.0])
    middles = (axis[1:] + axis[:-1]) / 2.0
    boxes[0, 1:][adjacent] = boxes[1, :-1][adjacent] = middles[adjacent]
    return boxes


def _overlap(boxes: NDArray[np.float64], cells: NDArray[np.float64]) -> scipy.sparse.csr_array:
    """Return the share of each cell that each box covers, from lower and upper edges (2, N): shape (cells, boxes)."""
    (low, high), (bottom, top) = boxes, cells[..., None]
    shares = (np.minimum(high, top) - np.maximum(low, bottom)) / (top - bottom)
    shares[shares < 1e-9] = 0.0
    return scipy.sparse.csr_array(shares.astype(np.float32))
