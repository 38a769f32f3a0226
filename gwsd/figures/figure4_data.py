"""Figure 4, computed: errors by calendar month, and the seasonal cycle of each hemisphere."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.figures.data_file import labelled, need
from gwsd.figures.predicted_patches import PredictedPatches, read_patches

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles over patches that the boxes show."""

HEMISPHERES = ("northern", "southern")

Array = NDArray[np.floating[Any]]


def error_by_month(patches: PredictedPatches) -> xr.Dataset:
    """Spread of the patches' MAE in each calendar month.

    Returns
    -------
    xr.Dataset
        `mae_mean`, `mae_sd`, `patches` (month) and `mae_quantile` (month, quantile); mm, NaN where a month has
        no patch.
    """
    mae = patches.patch_mae
    counted = np.isfinite(mae)
    mean, sd = np.full(12, np.nan), np.full(12, np.nan)
    quantiles = np.full((12, len(QUANTILES)), np.nan)
    number = np.zeros(12, dtype=np.int32)
    for month in range(12):
        here = mae[counted & (patches.month.month == month + 1)]
        number[month] = len(here)
        if len(here):
            mean[month] = here.mean()
            quantiles[month] = np.quantile(here, QUANTILES)
        if len(here) > 1:
            sd[month] = here.std(ddof=1)
    return xr.Dataset(
        {
            "mae_mean": ("month", mean),
            "mae_sd": ("month", sd),
            "mae_quantile": (("month", "quantile"), quantiles),
            "patches": ("month", number),
        }
    )


def seasonal_cycle(patches: PredictedPatches, fine_lat: Array) -> xr.Dataset:
    """Mean storage of the test patches by hemisphere and calendar month, as observed and as predicted.

    Each valid cell counts by its area. The standard error treats patches as independent and is that of a ratio
    of sums (Cochran, 1977, section 6.3).

    Parameters
    ----------
    patches : PredictedPatches
        The test patches.
    fine_lat : ndarray, shape (rows of the fine grid,)
        Latitudes of the rows that the patches count, degrees north.

    Returns
    -------
    xr.Dataset
        `observed`, `predicted`, `observed_se`, `predicted_se` (hemisphere, month), mm; NaN without patches, the
        errors also where there is a single one; `hemisphere_patches` (hemisphere, month).
    """
    rows = patches.mean.shape[1]
    lat = np.stack([fine_lat[start : start + rows] for start in patches.row])  # (P, Y)
    weight = patches.valid * np.cos(np.deg2rad(lat))[:, :, None]
    shape = (len(HEMISPHERES), 12)
    result = {name: np.full(shape, np.nan) for name in ("observed", "predicted", "observed_se", "predicted_se")}
    number = np.zeros(shape, dtype=np.int32)
    for half, side in enumerate((lat > 0.0, lat < 0.0)):
        area = weight * side[:, :, None]
        total = area.sum(axis=(1, 2))
        for name, field in (("observed", patches.target), ("predicted", patches.mean)):
            sums = np.where(area > 0.0, area * field, 0.0).sum(axis=(1, 2))
            for month in range(12):
                here = (patches.month.month == month + 1) & (total > 0.0)
                number[half, month] = count = int(here.sum())
                if count == 0:
                    continue
                mean = sums[here].sum() / total[here].sum()
                result[name][half, month] = mean
                if count > 1:
                    scatter = ((sums[here] - mean * total[here]) ** 2).sum() * count / (count - 1)
                    result[f"{name}_se"][half, month] = np.sqrt(scatter) / total[here].sum()
    cells = ("hemisphere", "month")
    return xr.Dataset(
        {**{name: (cells, values) for name, values in result.items()}, "hemisphere_patches": (cells, number)}
    )


def whole_cycle(storage: xr.Dataset, mask: xr.Dataset) -> Array:
    """Mean observed storage of all valid cells and all months, by hemisphere and calendar month, mm.

    Returns
    -------
    ndarray, shape (2, 12)
        Northern, southern; NaN where there is nothing.
    """
    need(storage, {"storage": ("time", "lat", "lon")}, "storage.nc")
    need(mask, {"valid": ("lat", "lon")}, "mask.nc")
    valid = mask["valid"].values == 1
    lat = storage["lat"].values
    area = np.where(valid, np.cos(np.deg2rad(lat))[:, None], 0.0)
    calendar = storage["time"].dt.month.values
    cycle = np.full((len(HEMISPHERES), 12), np.nan)
    for half, side in enumerate((lat > 0.0, lat < 0.0)):
        here = valid & side[:, None]
        if not here.any():
            continue
        monthly = storage["storage"].values[:, here].astype(np.float64) @ area[here] / area[here].sum()
        for month in range(12):
            if (calendar == month + 1).any():
                cycle[half, month] = monthly[calendar == month + 1].mean()
    return cycle


def compute(
    predictions: xr.Dataset,
    storage: xr.Dataset,
    mask: xr.Dataset,
    land: xr.Dataset,
    *,
    data_label: str,
    source: str,
    reported: str = "",
) -> xr.Dataset:
    """Compute the data of Figure 4.

    Parameters
    ----------
    predictions : xr.Dataset
        The test patches, see `read_patches`.
    storage, mask : xr.Dataset
        `storage` (time, lat, lon), mm, and `valid` (lat, lon): for the cycle of all cells and months, which the
        test patches sample.
    land : xr.Dataset
        `land_fraction` (lat, lon) on the fine grid.
    data_label, source, reported : str
        Where the data come from, the job's key, and what the paper states.

    Returns
    -------
    xr.Dataset
        What `error_by_month` and `seasonal_cycle` return, and `all_cells` (hemisphere, month); mm.

    Raises
    ------
    DataError
        If no test patch has a valid cell, or the inputs do not fit together.
    """
    patches = read_patches(predictions, land)
    if not patches.valid.any():
        raise DataError("predictions.nc: no test patch has a valid cell.")
    data = xr.merge([error_by_month(patches), seasonal_cycle(patches, land["lat"].values)])
    data["all_cells"] = (("hemisphere", "month"), whole_cycle(storage, mask))
    for name in data.data_vars:
        data[name].attrs["units"] = "1" if str(name).endswith("patches") else "mm"
    data = data.assign_coords(
        month=np.arange(1, 13, dtype=np.int32), quantile=list(QUANTILES), hemisphere=list(HEMISPHERES)
    )
    return labelled(
        data,
        title="Errors by calendar month and the seasonal cycle of the test patches",
        data_label=data_label,
        source=source,
        reported=reported,
        method=patches.method,
    )
