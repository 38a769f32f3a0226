"""How the inputs are written: chunked by month, compressed, the same bytes for the same values."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import netCDF4
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.grid import Grid

EPOCH = "days since 2000-01-01"
DIMS = ("time", "lat", "lon")
COORDINATES = {
    "time": {"standard_name": "time"},
    "lat": {"standard_name": "latitude", "units": "degrees_north"},
    "lon": {"standard_name": "longitude", "units": "degrees_east"},
}
COMPRESSION_LEVEL: Final = 1


def write_inputs(dataset: xr.Dataset, path: Path) -> None:
    """Write a dataset on the coarse grid as compressed CF NetCDF-4.

    Parameters
    ----------
    dataset : xarray.Dataset
        Variables of dims (time, lat, lon) or (lat, lon).
    path : Path
        File to write; chunks hold one month.
    """
    encoding: dict[str, dict[str, object]] = {}
    for name, variable in dataset.data_vars.items():
        chunks = tuple(1 if dim == "time" else size for dim, size in variable.sizes.items())
        encoding[str(name)] = {"zlib": True, "complevel": COMPRESSION_LEVEL, "shuffle": True, "chunksizes": chunks}
    for name in dataset.coords:
        encoding[str(name)] = {"_FillValue": None}
    if "time" in dataset:
        encoding["time"] |= {"units": EPOCH, "calendar": "standard", "dtype": "int32"}
    dataset.to_netcdf(path, engine="netcdf4", encoding=encoding)


class MonthlyFile:
    """A file like those of `write_inputs`, written field by field so that it need not fit into memory.

    Parameters
    ----------
    path : Path
        File to write.
    grid : Grid
        Cells of all fields.
    months : ndarray, shape (T,), datetime64
        The time axis.
    """

    def __init__(self, path: Path, grid: Grid, months: NDArray[np.datetime64]) -> None:
        self._file = netCDF4.Dataset(path, "w", format="NETCDF4")
        self._shape = grid.shape
        days = (months.astype("datetime64[D]") - np.datetime64(EPOCH.split()[-1], "D")).astype(np.int32)
        axes: dict[str, NDArray[Any]] = {"time": days, "lat": grid.lat, "lon": grid.lon}
        for name, values in axes.items():
            self._file.createDimension(name, len(values))
            axis = self._file.createVariable(name, values.dtype, (name,))
            axis.setncatts(COORDINATES[name])
            if name == "time":
                axis.setncatts({"units": EPOCH, "calendar": "standard"})
            axis[:] = values

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def describe(self, attributes: Mapping[str, str]) -> None:
        """Set attributes of the whole file."""
        self._file.setncatts(dict(attributes))

    def add(self, name: str, attributes: Mapping[str, str], *, monthly: bool = True) -> None:
        """Define a float32 variable of dims (time, lat, lon), or (lat, lon) where it is not monthly."""
        variable = self._file.createVariable(
            name,
            np.float32,
            DIMS if monthly else DIMS[1:],
            chunksizes=(1, *self._shape) if monthly else self._shape,
            fill_value=np.float32(np.nan),
            chunk_cache=4 * self._shape[0] * self._shape[1],  # each chunk is written once: keep no more than one
            zlib=True,
            complevel=COMPRESSION_LEVEL,
            shuffle=True,
        )
        variable.set_auto_mask(False)
        variable.setncatts(dict(attributes))

    def write(self, name: str, field: NDArray[np.float32], month: int | None = None) -> None:
        """Write a variable's field, shape (H, W), of the month at this position, or its only one."""
        self._file[name][slice(None) if month is None else month] = field

    def read(self, name: str, month: int) -> NDArray[np.float32]:
        """Read back a field, shape (H, W)."""
        return np.asarray(self._file[name][month], dtype=np.float32)
