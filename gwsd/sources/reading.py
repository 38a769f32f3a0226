"""Opening files that may be damaged, and bringing every raw format's axes to one convention.

Latitude increases, longitude runs from -180 to 180 and increases, time is the first day of the month.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import DataError

Months = NDArray[np.datetime64]
"""First days of months, datetime64[ns]."""

TIME_NAMES = ("time", "valid_time", "date", "month")
LATITUDE_NAMES = ("lat", "latitude", "y")
LONGITUDE_NAMES = ("lon", "longitude", "x")

UNDECLARED_FILLS = (-9999.0, -99999.0, -999999.0)
"""Values that products write for "nothing here" without declaring `_FillValue`."""

LARGEST_MAGNITUDE = 1e10
"""Beyond it a number is a fill value (9.97e36, 3.4e38, 1e20), whatever its unit."""

BYTES_AT_ONCE = 256 << 20
"""Most that one call reads, counted in double precision."""

ZIP_MAGIC = b"PK\x03\x04"
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
NETCDF3_MAGIC = b"CDF"


def read_magic(path: Path) -> bytes:
    """Return the first eight bytes of a file, which tell its format whatever its name says.

    Raises
    ------
    DataError
        If there is no such file, it is empty, or it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            magic = stream.read(8)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file. Check the path.") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Check the path and its rights.") from None
    if not magic:
        raise DataError(f"{path}: the file is empty; expected a netCDF file. Download or copy it again.")
    return magic


def open_netcdf(path: Path) -> xr.Dataset:
    """Open one netCDF file lazily, or say in one message why it cannot be opened.

    Parameters
    ----------
    path : Path
        netCDF-4 or netCDF-3, whatever its suffix.

    Returns
    -------
    xarray.Dataset
        As the file has it; times, fill values and packing are decoded.

    Raises
    ------
    DataError
        If the file is missing, truncated or of another format.
    """
    magic = read_magic(path)
    if not magic.startswith((HDF5_MAGIC, NETCDF3_MAGIC)):
        raise DataError(
            f"{path}: {_name_format(magic)}, not a netCDF file. Expected netCDF-4 or netCDF-3: "
            "download it again, or convert it (cdo -f nc4 copy IN OUT)."
        )
    try:
        if magic.startswith(NETCDF3_MAGIC):
            # The netCDF library reads a cut netCDF-3 file as zeros; scipy's reader notices.
            raw = xr.open_dataset(path, engine="scipy", decode_cf=False, backend_kwargs={"mmap": False})
        else:
            raw = xr.open_dataset(path, engine="netcdf4", decode_cf=False)
    except (OSError, RuntimeError, TypeError, ValueError, EOFError, IndexError) as error:
        raise _damaged(path, error) from None
    try:
        return xr.decode_cf(raw)
    except (ValueError, OverflowError) as error:
        raise DataError(
            f"{path}: its time axis cannot be decoded ({_first_line(error)}). "
            "Expected CF units such as 'days since 2002-01-01'."
        ) from None
    except (OSError, RuntimeError) as error:
        raise _damaged(path, error) from None


def read_values(variable: xr.DataArray, path: Path) -> NDArray[np.float32]:
    """Read a variable into memory as float32, fill values as NaN.

    Raises
    ------
    DataError
        If the file ends before the data does.
    """
    try:
        values: NDArray[np.float32] = np.require(variable.values, dtype=np.float32, requirements="W")
    except (OSError, RuntimeError, ValueError, EOFError, IndexError) as error:
        raise _damaged(path, error) from None
    if not values.size:
        return values
    # Two quick passes tell whether there is anything to look for.
    low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    if low <= max(UNDECLARED_FILLS):
        values[np.isin(values, np.array(UNDECLARED_FILLS, dtype=np.float32))] = np.nan
    if max(-low, high) > LARGEST_MAGNITUDE:
        values[np.abs(values) > LARGEST_MAGNITUDE] = np.nan
    return values


def find_name(names: Iterable[object], candidates: Iterable[str]) -> str | None:
    """Return the first of `names` that is one of `candidates`, in their order, whatever its case."""
    by_lower = {str(name).lower(): str(name) for name in names}
    return next((by_lower[name.lower()] for name in candidates if name.lower() in by_lower), None)


def month_starts(times: NDArray[np.generic]) -> Months:
    """Floor times to the first day of their month, as datetime64[ns]."""
    return np.asarray(times).astype("datetime64[M]").astype("datetime64[ns]")


def days_in_month(months: NDArray[np.generic]) -> NDArray[np.int64]:
    """Length of each month, days."""
    whole = np.asarray(months).astype("datetime64[M]")
    lengths = (whole + 1).astype("datetime64[D]") - whole.astype("datetime64[D]")
    return lengths.astype(np.int64)


def read_months(dataset: xr.Dataset, path: Path) -> tuple[str, Months]:
    """Find the time axis and floor it to months.

    Parameters
    ----------
    dataset : xarray.Dataset
        As opened; a `date` axis may hold integers YYYYMMDD or YYYYMM.
    path : Path
        For the message.

    Returns
    -------
    name : str
        Of the time dimension or, for a single month, of the scalar coordinate.
    months : ndarray, shape (T,), datetime64[ns]

    Raises
    ------
    DataError
        If there is no time axis, or it does not hold dates.
    """
    name = find_name([*dataset.dims, *dataset.coords], TIME_NAMES)
    if name is None or name not in dataset.variables:
        found = ", ".join(f"{dim}({size})" for dim, size in dataset.sizes.items())
        raise DataError(
            f"{path}: there is no time axis. Expected a dimension 'time' with one date a month "
            f"(CF units such as 'days since 2002-01-01'); found the dimensions {found or 'none'}. "
            "Add the dates, or choose the monthly file."
        )
    values = np.atleast_1d(dataset[name].values)
    if np.issubdtype(values.dtype, np.datetime64):
        months = month_starts(values)
    elif values.dtype == object and len(values) and hasattr(values[0], "year"):  # cftime calendars
        months = np.array([f"{v.year:04d}-{v.month:02d}" for v in values], dtype="datetime64[ns]")
    else:
        months = _parse_digits(values, name, path)
    if np.isnat(months).any():
        raise DataError(f"{path}: some values of '{name}' are no dates. Expected one date a month.")
    return name, months


def _parse_digits(values: NDArray[np.generic], name: str, path: Path) -> Months:
    digits = [str(int(v)) if np.issubdtype(values.dtype, np.number) else str(v) for v in values]
    if not all(text.isdigit() and len(text) in (6, 8) and "01" <= text[4:6] <= "12" for text in digits):
        raise DataError(
            f"{path}: '{name}' does not hold dates (its first value is {values[0]!s}). Expected CF units "
            "such as 'days since 2002-01-01', or integers YYYYMMDD. Set the attribute 'units' of the time "
            "axis."
        )
    return np.array([f"{text[:4]}-{text[4:6]}" for text in digits], dtype="datetime64[ns]")


def read_axis(dataset: xr.Dataset, candidates: tuple[str, ...], path: Path) -> tuple[str, NDArray[np.float64]]:
    """Return the name and the values, degrees, of a latitude or longitude axis.

    Raises
    ------
    DataError
        If there is no such one-dimensional axis.
    """
    name = find_name(dataset.dims, candidates)
    if name is None or name not in dataset.variables or not dataset.sizes[name]:
        raise DataError(
            f"{path}: there is no axis '{candidates[0]}' with its values (also tried "
            f"{', '.join(candidates[1:])}). Expected a regular latitude-longitude grid; found the dimensions "
            f"{', '.join(map(str, dataset.sizes))}."
        )
    return name, degrees(dataset[name])


def degrees(axis: xr.DataArray) -> NDArray[np.float64]:
    """Return coordinates rounded to a millionth of a degree, which float32 and cumulated steps blur."""
    return np.asarray(np.round(axis.values.astype(np.float64), 6), dtype=np.float64)


def order_latitude(lat: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[slice]]:
    """Return increasing latitudes, and the slices of rows that make them up, in order."""
    order = np.argsort(lat, kind="stable")
    return lat[order], _as_slices(order)


def order_longitude(lon: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[slice]]:
    """Wrap longitudes to -180..180; return them increasing, and the slices of columns that make them up.

    A meridian given twice (0 and 360) is kept once.
    """
    wrapped = np.round((lon + 180.0) % 360.0 - 180.0, 6)
    unique, first = np.unique(wrapped, return_index=True)
    return unique, _as_slices(first)


def _as_slices(order: NDArray[np.intp]) -> list[slice]:
    """Write an order as few slices: copying those is several times faster than picking by index."""
    if len(order) > 1 and np.all(np.diff(order) == -1):
        return [slice(None, None, -1)]
    breaks = np.flatnonzero(np.diff(order) != 1) + 1
    return [slice(int(part[0]), int(part[-1]) + 1) for part in np.split(order, breaks)]


def read_field(
    variable: xr.DataArray, path: Path, *, time: str, lat: str, lon: str
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Read a monthly field and orient it.

    Parameters
    ----------
    variable : xarray.DataArray
        Monthly field; dimensions other than time, lat and lon must have length one.
    path : Path
        For messages.
    time, lat, lon : str
        Names of the axes in the file. A scalar `time` becomes an axis of length one.

    Returns
    -------
    values : ndarray, shape (T, H, W)
        In the file's unit, NaN where there is none, latitude and longitude increasing.
    lat, lon : ndarray
        Of the cells or nodes, degrees.
    """
    extra = [dim for dim in variable.dims if dim not in (time, lat, lon)]
    if long := [dim for dim in extra if variable.sizes[dim] != 1]:
        raise DataError(
            f"{path}: variable '{variable.name}' has the dimension '{long[0]}' of length "
            f"{variable.sizes[long[0]]} besides time, latitude and longitude. Expected one field a month: "
            "choose one before."
        )
    variable = variable.isel(dict.fromkeys(extra, 0))
    if time not in variable.dims:
        variable = variable.expand_dims(time)
    variable = variable.transpose(time, lat, lon)
    axis_lat, axis_lon = degrees(variable[lat]), degrees(variable[lon])
    lats, rows = order_latitude(axis_lat)
    lons, columns = order_longitude(axis_lon)
    values = np.empty((variable.sizes[time], len(lats), len(lons)), dtype=np.float32)
    # Packed fields are decoded in double precision: a few months at a time bound the memory.
    months = max(1, BYTES_AT_ONCE // (8 * len(axis_lat) * len(axis_lon)))
    for start in range(0, len(values), months):
        block = read_values(variable[start : start + months], path)
        top = 0
        for row in rows:
            left, bottom = 0, top + block[:1, row].shape[1]
            for column in columns:
                right = left + block[:1, :1, column].shape[2]
                values[start : start + months, top:bottom, left:right] = block[:, row, column]
                left = right
            top = bottom
    return values, lats, lons


def _name_format(magic: bytes) -> str:
    if magic.startswith(ZIP_MAGIC):
        return "it is a zip archive"
    if magic.startswith(b"GRIB"):
        return "it is a GRIB file"
    if magic.lstrip().startswith((b"<", b"{")):
        return "it is a web page or a server's message"
    return "its first bytes are of no known format"


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path}: the file is truncated or damaged ({path.stat().st_size:,} bytes; {_first_line(error)}). "
        "Expected a whole netCDF file: download or copy it again and compare its size with the source's."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
