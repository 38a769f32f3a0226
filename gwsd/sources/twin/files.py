"""How the twin's netCDF files are made: same bytes for the same content, and marked as synthetic."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from numpy.typing import NDArray

from gwsd.grid import Grid

WARNING = (
    "SYNTHETIC: made by a model of a twin Earth, not observed. It has the format of a real product, its land "
    "mask and nothing else of it."
)
"""Stands in every file as the attribute `comment`."""


@contextmanager
def new_file(path: Path, title: str, **attributes: str) -> Iterator[netCDF4.Dataset]:
    """Make a netCDF-4 file with the attributes that say it is synthetic.

    Parameters
    ----------
    path : Path
        Where; overwritten.
    title : str
        Title attribute; "Synthetic" is put before it.
    **attributes : str
        Further global attributes.

    Yields
    ------
    Dataset
        Open for writing.
    """
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.setncatts({"title": f"Synthetic {title}", "comment": WARNING, **attributes})
        yield file


def add_axis(file: netCDF4.Dataset, name: str, values: NDArray[Any], **attributes: str) -> netCDF4.Variable:
    """Add a dimension with its coordinate variable."""
    file.createDimension(name, len(values))
    variable = file.createVariable(name, values.dtype, (name,))
    variable.setncatts(attributes)
    variable[:] = values
    return variable


def add_months(file: netCDF4.Dataset, months: NDArray[np.datetime64], day: int = 1) -> None:
    """Add a time axis of months, stamped on the given day."""
    days = months.astype("datetime64[D]").astype(np.int64) + day - 1
    attributes = {"units": "days since 1970-01-01", "calendar": "proleptic_gregorian"}
    add_axis(file, "time", days.astype(np.int32), standard_name="time", **attributes)


def add_grid(file: netCDF4.Dataset, grid: Grid) -> None:
    """Add the latitudes and longitudes of a grid, both increasing."""
    add_axis(file, "lat", grid.lat, standard_name="latitude", units="degrees_north")
    add_axis(file, "lon", grid.lon, standard_name="longitude", units="degrees_east")


def add_variable(
    file: netCDF4.Dataset,
    name: str,
    dtype: str,
    dimensions: tuple[str, ...],
    attributes: Mapping[str, object],
    *,
    fill: float | int | None = None,
    chunks: tuple[int, ...] | None = None,
) -> netCDF4.Variable:
    """Add a compressed variable that takes numbers as they are to be stored (no automatic packing)."""
    packing: dict[str, Any] = {"fill_value": fill, "chunksizes": chunks}
    variable = file.createVariable(name, dtype, dimensions, zlib=True, complevel=1, shuffle=True, **packing)
    variable.set_auto_maskandscale(False)
    variable.setncatts(dict(attributes))
    return variable
