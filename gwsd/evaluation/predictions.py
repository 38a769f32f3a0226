"""Predictions of a method on the test patches, as a dataset that figures read without torch."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gwsd.methods.method import Prediction
from gwsd.metrics import INDEX_COLUMNS
from gwsd.patches.gathering import Batch

_FINE = ("patch", "y", "x")
_COARSE = ("patch", "cy", "cx")


class PredictionStack:
    """Collects batches of predictions in order."""

    def __init__(self) -> None:
        self._parts: dict[str, list[NDArray[np.generic]]] = {}

    def add(self, prediction: Prediction, batch: Batch) -> None:
        """Add a batch: prediction, target, mask and coarse storage."""
        fields = {
            "mean": prediction.mean,
            "sd": prediction.sd,
            "target": batch.target_mm,
            "valid": batch.valid,
            "storage": batch.storage_mm,
        }
        for name, field in fields.items():
            if field is not None:
                dtype = np.int8 if name == "valid" else np.float32
                self._parts.setdefault(name, []).append(field[:, 0].cpu().numpy().astype(dtype))

    def dataset(self, patches: pd.DataFrame, method: str) -> xr.Dataset:
        """Join the batches; `patches` is the patch table, one row per patch added, in the same order.

        Fields are `mean`, `target`, `valid` and, where the method has one, `sd`, all (patch, y, x), and `storage`
        (patch, cy, cx). y and x increase with latitude and longitude; row and col are the lower corner on the coarse
        grid, lat and lon the centre.
        """
        storage = "groundwater storage anomaly"
        attributes = {
            "mean": {"long_name": f"predicted {storage}", "units": "mm", "cell_methods": "area: mean"},
            "sd": {"long_name": f"standard deviation of the predicted {storage}", "units": "mm"},
            "target": {"long_name": f"bicubic interpolation of the coarse {storage}", "units": "mm"},
            "valid": {"long_name": "1 where errors count", "units": "1"},
            "storage": {"long_name": f"coarse {storage}", "units": "mm"},
        }
        variables = {
            name: (_COARSE if name == "storage" else _FINE, np.concatenate(parts), attributes[name])
            for name, parts in self._parts.items()
        }
        coordinates = {name: ("patch", patches[name].to_numpy()) for name in INDEX_COLUMNS}
        return xr.Dataset(variables, coords=coordinates, attrs={"method": method})


def write_predictions(predictions: xr.Dataset, path: Path) -> None:
    """Write predictions as netCDF, compressed without loss; the same predictions give the same bytes."""
    # Level 1: higher ones are slow on noise-like fractions and gain next to nothing.
    packed = {str(name): {"zlib": True, "complevel": 1, "shuffle": True} for name in predictions.data_vars}
    predictions.to_netcdf(path, engine="netcdf4", encoding=packed)
