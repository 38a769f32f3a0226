"""Calendar and netCDF writing of the twin Earth; equal content gives equal bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from numpy.typing import NDArray

from gwsd.grid import Grid

Months = NDArray[np.datetime64]
"""Months as numpy `datetime64[M]`."""

ABSENT_MONTHS: tuple[str, ...] = (
    *("2002-06", "2002-07", "2003-06", "2011-01", "2011-06", "2012-05", "2012-10", "2013-03", "2013-08"),
    *("2013-09", "2014-02", "2014-07", "2014-12", "2015-06", "2015-10", "2015-11", "2016-04", "2016-09"),
    *("2016-10", "2017-02", "2017-07", "2017-08", "2017-09", "2017-10", "2017-11", "2017-12", "2018-01"),
    *("2018-02", "2018-03", "2018-04", "2018-05", "2018-08", "2018-09"),
)
"""The 33 months without a gravity field from 2002-04 to 2023-09: battery failures of GRACE, then the gap before
GRACE-FO."""

BASELINE = ("2004-01", "2009-12")
"""First and last month of the mean that storage products subtract."""

WARNING = (
    "SYNTHETIC: made by a model of a twin Earth, not observed. It has the format of a real product, its land "
    "mask and nothing else of it."
)
"""Attribute `comment` of every file."""


def months_between(first: str, last: str) -> Months:
    """List the months from `first` to `last`, YYYY-MM, both included."""
    return np.arange(np.datetime64(first, "M"), np.datetime64(last, "M") + 1)


def storage_months(first: str, last: str) -> Months:
    """List the months with a gravity field from `first` to `last`, YYYY-MM, both included."""
    months = months_between(first, last)
    return months[~np.isin(months, np.array(ABSENT_MONTHS, dtype="datetime64[M]"))]


def baseline_of(months: Months) -> NDArray[np.bool_]:
    """Mark the months of the baseline; all months if the period does not overlap it."""
    inside = (months >= np.datetime64(BASELINE[0], "M")) & (months <= np.datetime64(BASELINE[1], "M"))
    return inside if inside.any() else np.ones(len(months), dtype=bool)


def days_in(month: np.datetime64) -> int:
    """Return the number of days of a month."""
    return int(((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(int))


def calendar_month(month: np.datetime64) -> int:
    """Return the month of the year, January 0."""
    return int(month.astype(int)) % 12


def year_of(month: np.datetime64) -> int:
    """Return the calendar year of a month."""
    return 1970 + int(month.astype(int)) // 12


@contextmanager
def new_file(path: Path, title: str, **attributes: str) -> Iterator[netCDF4.Dataset]:
    """Open a new netCDF-4 file whose title and comment say that it is synthetic."""
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.setncatts({"title": f"Synthetic {title}", "comment": WARNING, **attributes})
        yield file


def add_axis(file: netCDF4.Dataset, name: str, values: NDArray[Any], **attributes: str) -> None:
    """Add a dimension and its coordinate variable."""
    file.createDimension(name, len(values))
    variable = file.createVariable(name, values.dtype, (name,))
    variable.setncatts(attributes)
    variable[:] = values


def add_months(file: netCDF4.Dataset, months: Months, day: int = 1) -> None:
    """Add a time axis of months, stamped on a day of the month."""
    days = months.astype("datetime64[D]").astype(np.int64) + day - 1
    attributes = {"units": "days since 1970-01-01", "calendar": "proleptic_gregorian"}
    add_axis(file, "time", days.astype(np.int32), standard_name="time", **attributes)


def add_grid(file: netCDF4.Dataset, grid: Grid, *, north_first: bool = False) -> None:
    """Add latitude and longitude of a grid; latitude increases unless `north_first`."""
    lat = grid.lat[::-1].copy() if north_first else grid.lat
    add_axis(file, "lat", lat, standard_name="latitude", units="degrees_north")
    add_axis(file, "lon", grid.lon, standard_name="longitude", units="degrees_east")


def add_variable(
    file: netCDF4.Dataset,
    name: str,
    dtype: str,
    dimensions: tuple[str, ...],
    *,
    fill: float | int | None = None,
    chunks: tuple[int, ...] | None = None,
    **attributes: object,
) -> netCDF4.Variable:
    """Add a compressed variable that stores numbers as given (no automatic packing)."""
    packing: dict[str, Any] = {"fill_value": fill, "chunksizes": chunks}
    variable = file.createVariable(name, dtype, dimensions, zlib=True, complevel=1, shuffle=True, **packing)
    variable.set_auto_maskandscale(False)
    variable.setncatts(attributes)
    return variable
