"""Storage on the workflow's grid and calendar."""

import numpy as np
import xarray as xr

from gwsd.errors import DataError
from gwsd.grid import Grid
from gwsd.inputs.calendar import select_period

LONG_NAMES = {"storage": "groundwater storage anomaly", "uncertainty": "standard deviation of the storage anomaly"}


def align_storage(storage: xr.Dataset, grid: Grid, *, start: str, end: str) -> xr.Dataset:
    """Put a storage file's fields on the cells of a grid and keep the months of a period.

    Parameters
    ----------
    storage : xarray.Dataset
        As `gwsd.sources.g3p.open_storage` or `gwsd.sources.local.open_storage` return it.
    grid : Grid
        Half-degree cells; where the file has none of them, NaN.
    start, end : str
        First and last month, YYYY-MM.

    Returns
    -------
    xarray.Dataset
        `storage` and, where there is one, `uncertainty`, mm, float32, dims (time, lat, lon). Months without
        a single value are left out: some files fill the months that the satellites missed.

    Raises
    ------
    DataError
        If no month or no value lies within the period and region.
    """
    chosen = select_period(storage, start, end)
    chosen = chosen.reindex(lat=grid.lat, lon=grid.lon, method="nearest", tolerance=grid.spacing / 100.0)
    values = chosen["storage"].values
    filled = np.array([np.isfinite(field).any() for field in values])
    if not filled.any():
        raise DataError(
            f"The storage has no value within the region {grid.region} (west, south, east, north) from "
            f"{start} to {end}. Choose another file, or change the settings `region` or `period`."
        )
    if not filled.all():
        chosen = chosen.isel(time=np.flatnonzero(filled))
    for name, long_name in LONG_NAMES.items():
        if name in chosen:
            chosen[name].attrs.update({"long_name": long_name, "units": "mm"})
    chosen["time"].attrs["standard_name"] = "time"
    chosen["lat"].attrs.update({"standard_name": "latitude", "units": "degrees_north"})
    chosen["lon"].attrs.update({"standard_name": "longitude", "units": "degrees_east"})
    return chosen.assign_attrs({"Conventions": "CF-1.11"})
