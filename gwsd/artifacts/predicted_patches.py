"""Test patches as the evaluation writes them (`predictions.nc`): checks, errors and positions."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gwsd.artifacts.style import Array
from gwsd.errors import DataError
from gwsd.grid import REFINEMENT

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)  # Of errors: whiskers, box and median of `style.box_plot`


@dataclass(frozen=True)
class PredictedPatches:
    """Test patches: shapes (P, Y, X), of `storage` (P, Y / 4, X / 4), else (P,); mm.

    `row` and `col` are the lower corner of each patch on the fine grid; `sd` is None for a method without one.
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

    def window(self, patch: int) -> tuple[slice, slice]:
        """Rows and columns of the fine grid that a patch covers."""
        rows, columns = self.mean.shape[1:]
        row, col = int(self.row[patch]), int(self.col[patch])
        return slice(row, row + rows), slice(col, col + columns)


def read_patches(predictions: xr.Dataset) -> PredictedPatches:
    """Read the test patches from a predictions file; one without a valid cell is a DataError."""
    valid = predictions["valid"].values == 1
    if not valid.any():
        raise DataError("predictions.nc: no test patch has a valid cell.")
    row, col = (REFINEMENT * predictions[name].values.astype(np.int64) for name in ("row", "col"))
    months = [str(value)[:7] for value in predictions["month"].values]
    return PredictedPatches(
        **{name: predictions[name].values for name in ("mean", "target", "storage")},
        sd=predictions["sd"].values if "sd" in predictions else None,
        valid=valid,
        number=predictions["patch"].values.astype(np.int64),
        month=pd.DatetimeIndex(pd.to_datetime(months)),
        row=row,
        col=col,
        method=str(predictions.attrs["method"]),
    )
