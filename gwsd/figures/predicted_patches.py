"""The test patches as the evaluation leaves them (`predictions.nc`): checks, errors, and where they lie."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.figures.data_file import need
from gwsd.grid import REFINEMENT

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class PredictedPatches:
    """Predictions, targets and places of the test patches; P patches of Y rows and X columns.

    Parameters
    ----------
    mean, target : ndarray, shape (P, Y, X)
        Predicted mean and target storage on the fine grid, mm.
    sd : ndarray, shape (P, Y, X), or None
        Predicted standard deviation, mm; None for a method without one.
    valid : ndarray of bool, shape (P, Y, X)
        Where errors count.
    storage : ndarray, shape (P, Y / 4, X / 4)
        Coarse storage, mm.
    number : ndarray, shape (P,)
        The patches' numbers.
    month : DatetimeIndex, length P
        First day of each patch's month.
    row, col : ndarray, shape (P,)
        Lower corner of each patch, cells of the fine grid.
    method : str
        Whose predictions they are.
    """

    mean: Array
    target: Array
    sd: Array | None
    valid: NDArray[np.bool_]
    storage: Array
    number: NDArray[np.int64]
    month: pd.DatetimeIndex
    row: NDArray[np.int64]
    col: NDArray[np.int64]
    method: str

    @property
    def absolute_error(self) -> Array:
        """|prediction − target|, shape (P, Y, X), mm; NaN where errors do not count."""
        return np.where(self.valid, np.abs(self.mean - self.target), np.float32(np.nan))

    @property
    def patch_mae(self) -> NDArray[np.float64]:
        """Mean absolute error of each patch over its valid cells, shape (P,), mm."""
        total = np.nansum(self.absolute_error, axis=(1, 2), dtype=np.float64)
        counted = self.valid.sum(axis=(1, 2))
        return np.where(counted > 0, total / np.maximum(counted, 1), np.nan)

    @property
    def valid_share(self) -> NDArray[np.float64]:
        """Share of each patch's cells where errors count, shape (P,)."""
        return np.asarray(self.valid.mean(axis=(1, 2)), dtype=np.float64)

    def window(self, patch: int) -> tuple[slice, slice]:
        """Rows and columns of the fine grid that a patch covers."""
        rows, columns = self.mean.shape[1:]
        row, col = int(self.row[patch]), int(self.col[patch])
        return slice(row, row + rows), slice(col, col + columns)


def read_patches(predictions: xr.Dataset, land: xr.Dataset | None) -> PredictedPatches:
    """Take the test patches out of a predictions file.

    Parameters
    ----------
    predictions : xr.Dataset
        `mean`, `target`, `valid` and, where the method has one, `sd` (patch, y, x); `storage` (patch, cy, cx);
        `month`, `row`, `col` (patch); the attribute `method`. mm; rows and columns increase with latitude and
        longitude.
    land : xr.Dataset or None
        `land_fraction` (lat, lon) on the fine grid whose rows and columns the patches count (in coarse cells);
        None where the places do not matter.

    Raises
    ------
    DataError
        If something is missing, has another shape, or a patch lies outside the grid.
    """
    fine = ("patch", "y", "x")
    shapes = {"mean": fine, "target": fine, "valid": fine, "storage": ("patch", "cy", "cx")}
    places = dict.fromkeys(("month", "row", "col"), ("patch",))
    need(predictions, {**shapes, **places}, "predictions.nc")
    if predictions.sizes["patch"] == 0:
        raise DataError("predictions.nc: holds no test patch; ask for at least one with patches.test.")
    row = REFINEMENT * predictions["row"].values.astype(np.int64)
    col = REFINEMENT * predictions["col"].values.astype(np.int64)
    if land is not None:
        need(land, {"land_fraction": ("lat", "lon")}, "land.nc")
        rows, columns = land.sizes["lat"], land.sizes["lon"]
        beyond = (row < 0) | (col < 0)
        beyond |= (row + predictions.sizes["y"] > rows) | (col + predictions.sizes["x"] > columns)
        if beyond.any():
            raise DataError(
                f"predictions.nc: {int(beyond.sum())} patches lie outside the grid of land.nc "
                f"({rows} × {columns} cells); both must belong to one scenario."
            )
    return PredictedPatches(
        mean=predictions["mean"].values,
        target=predictions["target"].values,
        sd=predictions["sd"].values if "sd" in predictions else None,
        valid=predictions["valid"].values == 1,
        storage=predictions["storage"].values,
        number=(predictions["patch"].values if "patch" in predictions.coords else np.arange(len(row))).astype(np.int64),
        month=pd.DatetimeIndex(pd.to_datetime([str(value)[:7] for value in predictions["month"].values])),
        row=row,
        col=col,
        method=str(predictions.attrs.get("method", "prediction")),
    )


def world_land(land: xr.Dataset, spacing: float) -> xr.DataArray:
    """Average the land fraction over boxes of a wider spacing, degrees, for small maps and coasts."""
    fine = float(land["lon"].values[1] - land["lon"].values[0])
    factor = max(1, round(spacing / fine))
    fraction: xr.DataArray = land["land_fraction"].coarsen(lat=factor, lon=factor, boundary="trim").mean()
    return fraction.astype(np.float32)
