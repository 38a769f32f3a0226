"""How the inputs are written: chunked by month, compressed, the same bytes for the same values."""

from pathlib import Path

import xarray as xr

EPOCH = "days since 2000-01-01"


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
        encoding[str(name)] = {"zlib": True, "complevel": 1, "shuffle": True, "chunksizes": chunks}
    for name in dataset.coords:
        encoding[str(name)] = {"_FillValue": None}
    if "time" in dataset:
        encoding["time"] |= {"units": EPOCH, "calendar": "standard", "dtype": "int32"}
    dataset.to_netcdf(path, engine="netcdf4", encoding=encoding)
