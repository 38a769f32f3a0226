"""Align storage with the workflow's grid and calendar.

Half-degree cells are used as they are; every other grid is averaged over half-degree cells, weighted by area.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.data.calendar import select_period
from gwsd.data.netcdf_io import COORDINATES
from gwsd.data.regridding import Regridder, find_boxes
from gwsd.errors import DataError
from gwsd.grid import COARSE_SPACING, Grid

MIN_KNOWN_SHARE = 0.5 - 1e-4  # a regridded cell has a value where at least half of its area has one, but for rounding


def align_storage(storage: xr.Dataset, grid: Grid, *, start: str, end: str) -> xr.Dataset:
    """Put storage (see `read_storage`; any regular grid) on the half-degree cells of a grid and cut it to a period.

    Returns `storage` and, if there is one, `uncertainty`, mm, float32, dims (time, lat, lon), NaN outside the file's
    area. Months without any value are dropped: some files fill the months that the satellites missed.
    """
    chosen = to_half_degrees(select_period(storage, start, end), grid)
    filled = np.flatnonzero([np.isfinite(field).any() for field in chosen["storage"].values])
    if not filled.size:
        place = f"within the region {grid.region} (west, south, east, north) from {start} to {end}"
        raise DataError(f"The storage has no value {place}. Change the settings `region` or `period`, or the file.")
    if filled.size < chosen.sizes["time"]:
        chosen = chosen.isel(time=filled)
    chosen["storage"].attrs.setdefault("long_name", "water storage anomaly")
    if "uncertainty" in chosen:
        chosen["uncertainty"].attrs["long_name"] = "standard deviation of the storage anomaly"
    for name, attributes in COORDINATES.items():
        chosen[name].attrs.update(attributes)
    return chosen.assign_attrs({"Conventions": "CF-1.11"})


def to_half_degrees(storage: xr.Dataset, grid: Grid | None = None) -> xr.Dataset:
    """Average storage over half-degree cells, weighted by area; storage on such cells is only cut to the grid.

    Parameters
    ----------
    storage : xarray.Dataset
        `storage` and perhaps `uncertainty`, dims (time, lat, lon), mm; cell centres of any spacing, increasing,
        longitude -180..180; global or a region, also across the date line.
    grid : Grid
        Half-degree cells; the globe by default.

    Returns
    -------
    xarray.Dataset
        float32, with values where at least half of a cell is known. The uncertainty is the mean of the standard
        deviations: errors within a cell are taken as fully correlated.
    """
    grid = grid or Grid(COARSE_SPACING)
    source = _source(storage)
    lat, lon = storage["lat"].values, storage["lon"].values
    if _on_half_degrees(lat) and _on_half_degrees(lon):
        return storage.reindex(lat=grid.lat, lon=grid.lon, method="nearest", tolerance=grid.spacing / 100.0)
    _check_corners(lat, source)
    regridder = Regridder(lat, lon, grid, source)
    variables = {}
    for name, field in storage.data_vars.items():
        averaged = np.stack([regridder(values, MIN_KNOWN_SHARE) for values in field.values])
        variables[name] = (field.dims, averaged, field.attrs)
    coords = {"time": storage["time"].values, "lat": grid.lat, "lon": grid.lon}
    return xr.Dataset(variables, coords=coords, attrs=storage.attrs)


def describe_grid(storage: xr.Dataset) -> list[str]:
    """Describe the regridding by `to_half_degrees` in one line, and a coarser source in another; or nothing."""
    axes = [storage[name].values for name in ("lat", "lon")]
    if all(_on_half_degrees(axis) for axis in axes):
        return []
    names = (f"{_source(storage)}: its {name}" for name in ("latitudes", "longitudes"))
    boxes = [find_boxes(axis, name) for axis, name in zip(axes, names, strict=True)]
    steps = [float(np.median(np.diff(edges, axis=0))) for edges in boxes]
    size = " x ".join(dict.fromkeys(f"{round(step, 4):g}°" for step in steps))
    if size == f"{COARSE_SPACING:g}°":
        size += ", shifted,"
    lines = [f"storage: {size} regridded conservatively to {COARSE_SPACING:g}°"]
    if max(steps) > 1.01 * COARSE_SPACING:
        lines.append(f"NOTE: the storage's cells of {size} are coarser: half-degree cells within one share its value")
    return lines


def label_with_quantity(data_label: str, quantity: str) -> str:
    """Name the stored quantity in a data label: "observed: user-supplied total water storage and ERA5-Land"."""
    return data_label.replace("storage", quantity.removesuffix(" anomaly"), 1)


def _source(storage: xr.Dataset) -> str:
    return str(storage.encoding.get("source", "The storage"))


def _on_half_degrees(axis: NDArray[np.float64]) -> bool:
    """Return whether coordinates are centres of half-degree cells, with or without gaps."""
    step = float(np.median(np.diff(axis))) if len(axis) > 1 else COARSE_SPACING
    centred = np.abs((axis / COARSE_SPACING) % 1.0 - 0.5) < 1e-3
    return bool(centred.all()) and abs(step - COARSE_SPACING) <= 1e-3


def _check_corners(lat: NDArray[np.float64], source: str) -> None:
    """Refuse as many rows as cover the globe if they are shifted by half a step."""
    step = float(np.median(np.diff(lat))) if len(lat) > 1 else 0.0
    if abs(lat[-1] - lat[0] + step - 180.0) < step / 4.0 < abs(lat[0] + lat[-1]):
        axis = f"{lat[0]:g} to {lat[-1]:g} in steps of {step:g} degrees"
        raise DataError(
            f"{source}: its latitudes, {axis}, are corners of cells. Expected centres: shift both axes by half a step."
        )
