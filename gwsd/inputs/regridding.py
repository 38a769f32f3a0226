"""Conservative regridding from nodes to cells, ignoring what has no value.

The weights are xarray-regrid's. On a regular grid they factorise into one small matrix an axis with a few
entries a row: applied as sparse matrices, a global field takes milliseconds and no copies of the source.
"""

import numpy as np
import scipy.sparse
import xarray as xr
from numpy.typing import NDArray
from xarray_regrid.methods.conservative import apply_spherical_correction, get_weights

from gwsd.errors import DataError
from gwsd.grid import Grid

SMALLEST_SHARE = 1e-5
"""Share of a cell below which a value is rounding."""


class Regridder:
    """Average nodes over the cells of a grid, weighted by area.

    Parameters
    ----------
    lat, lon : ndarray, degrees
        Of the nodes, each of which stands for the box half a step around it; evenly spaced, increasing,
        longitude -180..180. They wrap where they go round the Earth.
    grid : Grid
        Cells to average over.

    Raises
    ------
    DataError
        If the nodes are not evenly spaced.
    """

    def __init__(self, lat: NDArray[np.float64], lon: NDArray[np.float64], grid: Grid) -> None:
        self._lat, self._lon = lat, lon
        self._by_row = _weigh_rows(lat, grid.lat)
        self._by_column = _weigh_columns(lon, grid.lon)
        self._last: tuple[NDArray[np.bool_], NDArray[np.int32], NDArray[np.float32]] | None = None

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_last": None}

    def fits(self, lat: NDArray[np.float64], lon: NDArray[np.float64]) -> bool:
        """Whether these are the nodes that the weights were made for."""
        return np.array_equal(lat, self._lat) and np.array_equal(lon, self._lon)

    def share(self, known: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Share, 0 to 1, of each cell's area that nodes with a value cover, shape (H, W)."""
        return np.clip(self._apply(known.astype(np.float32)), 0.0, 1.0)

    def share_of_first(self, fields: NDArray[np.float32]) -> NDArray[np.float32]:
        """Share of each cell's area that has a value in the first of some fields, (T, nodes, nodes) to (H, W)."""
        return self.share(np.isfinite(fields[0]))

    def __call__(self, field: NDArray[np.float32]) -> NDArray[np.float32]:
        """Average one field.

        Parameters
        ----------
        field : ndarray, shape (nodes, nodes)
            NaN where there is no value.

        Returns
        -------
        ndarray, shape (H, W), float32
            NaN where no part of a cell has a value.
        """
        known = np.isfinite(field)
        # Water lies where it lay the month before: weigh it anew only where it does not. Threads share one
        # regridder, so what is kept is one tuple, replaced whole.
        last = self._last
        if last is None or not np.array_equal(known, last[0]):
            weight = self.share(known)
            weight = np.where(weight > SMALLEST_SHARE, weight, np.float32(np.nan))
            last = self._last = (known, -known.astype(np.int32), weight)
        _, keep, weight = last
        # All bits of a value, or none: 0 where nothing is known, four times as fast as choosing by a mask.
        values = np.ascontiguousarray(field, dtype=np.float32).view(np.int32) & keep
        return self._apply(values.view(np.float32)) / weight

    def months(self, fields: NDArray[np.float32]) -> NDArray[np.float32]:
        """Average each of some fields, shape (T, nodes, nodes) to (T, H, W)."""
        return np.stack([self(field) for field in fields])

    def _apply(self, field: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = self._by_row @ field
        return np.ascontiguousarray((self._by_column @ np.ascontiguousarray(rows.T)).T)


def _weigh_rows(lat: NDArray[np.float64], target: NDArray[np.float64]) -> scipy.sparse.csr_array:
    """Weights of each node's row in each cell's row, shape (H, nodes).

    xarray-regrid weighs a row by the area of the box around its centre and splits rows that straddle two
    cells by degrees. The box around a pole's node lies half beyond the pole and would weigh nothing.
    Boxes are therefore cut along their parallel: the half within the globe weighs what it should, the other
    meets no cell, and halves of 0.1°, 0.25° and 0.5° nodes straddle no half-degree cell.
    """
    step = _find_step(lat, "latitudes")
    halves = (lat[:, None] + step * np.array([-0.25, 0.25])).ravel()
    table = xr.DataArray(
        _normalised(get_weights(halves, target)),
        dims=("lat", "target_lat"),
        coords={"lat": halves, "target_lat": target},
    )
    weights = np.nan_to_num(apply_spherical_correction(table, "lat").values)
    return scipy.sparse.csr_array((weights[0::2] + weights[1::2]).T.astype(np.float32))


def _weigh_columns(lon: NDArray[np.float64], target: NDArray[np.float64]) -> scipy.sparse.csr_array:
    """Weights of each node's column in each cell's column, shape (W, nodes)."""
    step = _find_step(lon, "longitudes")
    if not np.isclose(lon[-1] - lon[0] + step, 360.0, atol=step / 2.0):
        return scipy.sparse.csr_array(_normalised(get_weights(lon, target)).T.astype(np.float32))
    # Round the Earth: the last node once more before the first, and the first after the last.
    around = np.concatenate([[lon[-1] - 360.0], lon, [lon[0] + 360.0]])
    weights = _normalised(get_weights(around, target))
    folded = weights[1:-1].copy()
    folded[-1] += weights[0]
    folded[0] += weights[-1]
    return scipy.sparse.csr_array(folded.T.astype(np.float32))


def _normalised(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Zero the weights of cells that no node meets, which the library leaves as 0/0."""
    return np.asarray(np.nan_to_num(weights), dtype=np.float64)


def _find_step(axis: NDArray[np.float64], name: str) -> float:
    steps = np.diff(axis)
    if not steps.size or not np.allclose(steps, steps.mean(), atol=1e-4):
        raise DataError(
            f"The climate's {name} are not evenly spaced. Expected ERA5-Land's regular grid, whole: download the "
            "area again without gaps."
        )
    return float(steps.mean())
