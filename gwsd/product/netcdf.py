"""A year of the product as one CF NetCDF-4 file: packed, compressed, the same bytes for the same values."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.grid import Grid
from gwsd.product.months import FineMonth
from gwsd.product.names import MEAN, SD

RESOLUTION_MM = 0.001
"""To what storage and its standard deviation are rounded, mm: off by half of it at most."""

FILL = np.int32(-(2**31) + 1)
"""Packed value outside valid cells."""

LARGEST = 2**31 - 2
"""Largest packed value."""

CHUNK = (360, 480)
"""Rows and columns of a chunk, at most: a month of a basin touches few of them, a global map 24."""

MONTHS = 12
"""Length of the time axis's chunks: a year."""

EPOCH = "days since 2000-01-01"
DAY_OF_MONTH = 16
"""Months are stamped like those of G3P, on the 16th; their bounds are the first days of it and of the next."""

CONVENTIONS = "CF-1.11"

EFFECTIVE_RESOLUTION = (
    "about 250 km, that of the source. Cells of 0.125 degrees are interpolation between coarse cells unless shown "
    "otherwise."
)

WGS84 = (
    'GEOGCRS["WGS 84",DATUM["World Geodetic System 1984",ELLIPSOID["WGS 84",6378137,298.257223563,'
    'LENGTHUNIT["metre",1]]],PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],CS[ellipsoidal,2],'
    'AXIS["geodetic latitude (Lat)",north,ORDER[1],ANGLEUNIT["degree",0.0174532925199433]],'
    'AXIS["geodetic longitude (Lon)",east,ORDER[2],ANGLEUNIT["degree",0.0174532925199433]],ID["EPSG",4326]]'
)
"""EPSG:4326 in words that GIS programs read."""


@dataclass(frozen=True)
class Origin:
    """What a file says of itself: no time, host or path.

    Parameters
    ----------
    title, source, method, scenario, references, license : str
        Global attributes of these names.
    data_label : str
        What the data are; says "synthetic" where any of them is a twin Earth's.
    job_key : str
        Of the job that makes the file.
    sd_comment : str
        What the standard deviation means.
    quantity : str
        What the fields are.
    more : mapping of str to str
        Further global attributes.
    """

    title: str
    source: str
    method: str
    scenario: str
    references: str
    license: str
    data_label: str
    job_key: str
    sd_comment: str
    quantity: str = "groundwater storage anomaly"
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def _warning(self) -> str:
        if self.data_label.startswith("synthetic"):
            return "Synthetic: "
        return "Partly synthetic: " if "synthetic" in self.data_label else ""

    def attributes(self) -> dict[str, str]:
        """Return the global attributes."""
        return {
            "Conventions": CONVENTIONS,
            "title": f"{self._warning}{self.title}",
            "source": self.source,
            "method": self.method,
            "scenario": self.scenario,
            "references": self.references,
            "license": self.license,
            "data_label": self.data_label,
            "job_key": self.job_key,
            "history": f"made by gwsd, job {self.job_key}",
            "effective_resolution": EFFECTIVE_RESOLUTION,
            "comment": (
                f"{self.data_label}. Effective resolution: {EFFECTIVE_RESOLUTION} Values are rounded to "
                f"{RESOLUTION_MM} mm (off by {RESOLUTION_MM / 2} mm at most). Months that the source lacks are absent."
            ),
            **self.more,
        }


class ProductFile:
    """Takes months one by one and writes each at once. Made by `new_product`.

    Parameters
    ----------
    file : netCDF4.Dataset
        With axes and variables.
    """

    def __init__(self, file: netCDF4.Dataset, with_sd: bool) -> None:
        self._file = file
        self._with_sd = with_sd

    def append(self, fine: FineMonth) -> None:
        """Write a month; they must come in order.

        Raises
        ------
        ValueError
            If a standard deviation is there and the file has no room for it, or the other way round.
        """
        if (fine.sd is not None) != self._with_sd:
            raise ValueError(f"{fine.month}: standard deviation and file do not belong together")
        number = self._file.dimensions["time"].size
        bounds = _days(np.array([fine.month, fine.month + 1]))
        self._file["time"][number] = bounds[0] + DAY_OF_MONTH - 1
        self._file["time_bnds"][number] = bounds
        self._file[MEAN][number] = packed(fine.mean)
        if fine.sd is not None:
            self._file[SD][number] = packed(fine.sd)


@contextmanager
def new_product(path: Path, grid: Grid, origin: Origin, *, with_sd: bool) -> Iterator[ProductFile]:
    """Make a file of the product.

    Parameters
    ----------
    path : Path
        Where; overwritten.
    grid : Grid
        The fine grid.
    origin : Origin
        What the file says of itself.
    with_sd : bool
        Whether it has a standard deviation.

    Yields
    ------
    ProductFile
        Takes the months.
    """
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.setncatts(origin.attributes())
        _add_axes(file, grid)
        chunks = (1, *(min(most, length) for most, length in zip(CHUNK, grid.shape, strict=True)))
        described = {
            "long_name": origin.quantity,
            "comment": "liquid water equivalent; anomaly from the baseline of the source",
            "cell_methods": "time: mean",
        }
        if with_sd:
            described["ancillary_variables"] = SD
        _add_packed(file, MEAN, chunks, described)
        if with_sd:
            about = {
                "long_name": f"standard deviation of the {origin.quantity}",
                "comment": origin.sd_comment,
            }
            _add_packed(file, SD, chunks, about)
        yield ProductFile(file, with_sd)


def packed(values: NDArray[np.float32]) -> NDArray[np.int32]:
    """Round to whole thousandths of a millimetre; NaN becomes the fill value.

    Raises
    ------
    DataError
        If a value is beyond what the packing holds, 2147 m.
    """
    steps = np.rint(values.astype(np.float64) / RESOLUTION_MM)
    if (np.abs(steps) > LARGEST).any():  # NaN is not
        raise DataError(
            f"a value of {np.nanmax(np.abs(values)):g} mm is beyond what a file of the product holds; the network is "
            "not trained, or its inputs are damaged"
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
    time = file.createVariable("time", "i4", ("time",), chunksizes=(MONTHS,))
    calendar = {"units": EPOCH, "calendar": "standard", "units_metadata": "leap_seconds: none"}
    time.setncatts({"standard_name": "time", "long_name": "month", "axis": "T", "bounds": "time_bnds", **calendar})
    file.createVariable("time_bnds", "i4", ("time", "bnds"), chunksizes=(MONTHS, 2))
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


def _days(months: NDArray[np.datetime64]) -> NDArray[np.int32]:
    start = np.datetime64(EPOCH.removeprefix("days since "), "D")
    return np.asarray((months.astype("datetime64[D]") - start).astype(np.int32))
