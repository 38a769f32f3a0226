"""CF NetCDF-4 files of the product: axes, packing, writing month by month.

The same values and attributes give the same bytes.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import netCDF4
import numpy as np
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.grid import Grid

MEAN, SD = "gwsa", "gwsa_sd"
"""Variables: storage anomaly and its standard deviation, mm."""

RESOLUTION_MM = 0.001
"""Rounding of storage and standard deviation, mm: off by half of it at most."""

FILL, LARGEST = np.int32(-(2**31) + 1), 2**31 - 2
"""Packed value outside valid cells, and the largest one."""

CHUNK = (360, 480)
"""Rows and columns of a chunk, at most: a month of a basin touches few of them, a global map 24."""

DAY_OF_MONTH = 16
"""Months are stamped like those of G3P, on the 16th; their bounds are the first days of it and of the next."""

WGS84 = (
    'GEOGCRS["WGS 84",DATUM["World Geodetic System 1984",ELLIPSOID["WGS 84",6378137,298.257223563,'
    'LENGTHUNIT["metre",1]]],PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],CS[ellipsoidal,2],'
    'AXIS["geodetic latitude (Lat)",north,ORDER[1],ANGLEUNIT["degree",0.0174532925199433]],'
    'AXIS["geodetic longitude (Lon)",east,ORDER[2],ANGLEUNIT["degree",0.0174532925199433]],ID["EPSG",4326]]'
)
"""EPSG:4326 as well-known text, for GIS programs."""


class FineMonth(NamedTuple):
    """Mean and, if the method has one, standard deviation of a month, shape (4H, 4W), mm; NaN outside valid cells."""

    month: np.datetime64
    mean: NDArray[np.floating]
    sd: NDArray[np.floating] | None


class ProductWriter:
    """Writes months one by one; made by `new_product`."""

    def __init__(self, file: netCDF4.Dataset) -> None:
        self._file = file

    def append(self, fine: FineMonth) -> None:
        """Write a month; months must come in order."""
        number = self._file.dimensions["time"].size
        months = np.array([fine.month, fine.month + 1], dtype="datetime64[M]")
        bounds = (months.astype("datetime64[D]") - np.datetime64("2000-01-01")).astype(np.int32)
        self._file["time"][number] = bounds[0] + DAY_OF_MONTH - 1
        self._file["time_bnds"][number] = bounds
        self._file[MEAN][number] = _packed(fine.mean)
        if fine.sd is not None:
            self._file[SD][number] = _packed(fine.sd)


@contextmanager
def new_product(path: Path, grid: Grid, attributes: Mapping[str, str], *, has_sd: bool) -> Iterator[ProductWriter]:
    """Create a file on the fine grid `grid` with the attributes of `describe_product`; overwrites `path`."""
    attributes = dict(attributes)
    sd_comment, quantity = attributes.pop("sd_comment"), attributes["quantity"]
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.setncatts(attributes)
        _add_axes(file, grid)
        chunks = (1, *(min(most, length) for most, length in zip(CHUNK, grid.shape, strict=True)))
        described = {
            "long_name": quantity,
            "comment": "liquid water equivalent; anomaly from the baseline of the source",
            "cell_methods": "time: mean",
        }
        if has_sd:
            described["ancillary_variables"] = SD
        _add_packed(file, MEAN, chunks, described)
        if has_sd:
            _add_packed(file, SD, chunks, {"long_name": f"standard deviation of the {quantity}", "comment": sd_comment})
        yield ProductWriter(file)


def _packed(values: NDArray[np.floating]) -> NDArray[np.int32]:
    """Round to whole thousandths of a millimetre; NaN becomes the fill value."""
    steps = np.rint(values.astype(np.float64) / RESOLUTION_MM)
    if (np.abs(steps) > LARGEST).any():  # False for NaN
        raise DataError(
            f"a value of {np.nanmax(np.abs(values)):g} mm exceeds the range of the file, 2,147 m; the network is not "
            "trained, or its inputs are damaged"
        )
    return np.where(np.isnan(steps), FILL, np.nan_to_num(steps)).astype(np.int32)


def _add_packed(file: netCDF4.Dataset, name: str, chunks: tuple[int, ...], attributes: Mapping[str, Any]) -> None:
    variable = file.createVariable(
        name, "i4", ("time", "lat", "lon"), zlib=True, complevel=4, shuffle=True, fill_value=FILL, chunksizes=chunks
    )
    variable.set_auto_maskandscale(False)
    scaling = {"scale_factor": RESOLUTION_MM, "add_offset": 0.0}
    variable.setncatts({**attributes, "units": "mm", "grid_mapping": "crs", **scaling})


def _add_axes(file: netCDF4.Dataset, grid: Grid) -> None:
    file.createDimension("time", None)
    for name, length in (("lat", grid.shape[0]), ("lon", grid.shape[1]), ("bnds", 2)):
        file.createDimension(name, length)
    time = file.createVariable("time", "i4", ("time",), chunksizes=(12,))
    calendar = {"units": "days since 2000-01-01", "calendar": "standard", "units_metadata": "leap_seconds: none"}
    time.setncatts({"standard_name": "time", "long_name": "month", "axis": "T", "bounds": "time_bnds", **calendar})
    file.createVariable("time_bnds", "i4", ("time", "bnds"), chunksizes=(12, 2))
    for name, long_name, units, axis, centres in (
        ("lat", "latitude", "degrees_north", "Y", grid.lat),
        ("lon", "longitude", "degrees_east", "X", grid.lon),
    ):
        bounds = f"{name}_bnds"
        names = {"standard_name": long_name, "long_name": f"{long_name} of the cell's centre"}
        file.createVariable(name, "f8", (name,)).setncatts({**names, "units": units, "axis": axis, "bounds": bounds})
        file[name][:] = centres
        file.createVariable(bounds, "f8", (name, "bnds"))
        file[bounds][:] = centres[:, None] + grid.spacing * np.array([-0.5, 0.5])
    file.createVariable("crs", "i4").setncatts(
        {
            "grid_mapping_name": "latitude_longitude",
            "long_name": "WGS 84 (EPSG:4326)",
            "semi_major_axis": 6378137.0,
            "inverse_flattening": 298.257223563,
            "longitude_of_prime_meridian": 0.0,
            "crs_wkt": WGS84,
            "spatial_ref": WGS84,
        }
    )
    file["crs"][...] = 0
