"""Read NetCDF files of any layout into one convention, and write the aligned inputs.

Convention: latitude increases, longitude increases from -180 to 180, time is the first day of the month.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.data.calendar import Months
from gwsd.errors import DataError
from gwsd.grid import Grid

TIME_NAMES = ("time", "valid_time", "date", "month")
LATITUDE_NAMES = ("lat", "latitude", "y")
LONGITUDE_NAMES = ("lon", "longitude", "x")
UNDECLARED_FILLS = (-9999.0, -99999.0, -999999.0)  # that products use without declaring `_FillValue`
MAX_MAGNITUDE = 1e10  # larger numbers are fill values (9.97e36, 3.4e38, 1e20) in any unit
BYTES_PER_READ = 256 << 20  # upper bound, in double precision
ZIP_MAGIC = b"PK\x03\x04"
NETCDF_MAGICS = (b"\x89HDF\r\n\x1a\n", b"CDF")
CLASSIC_MAGICS = (b"CDF\x01", b"CDF\x02")  # NetCDF-3 files that SciPy reads (not those with 64-bit sizes)
EPOCH = "days since 2000-01-01"
DIMS = ("time", "lat", "lon")
COORDINATES = {
    "time": {"standard_name": "time"},
    "lat": {"standard_name": "latitude", "units": "degrees_north"},
    "lon": {"standard_name": "longitude", "units": "degrees_east"},
}
COMPRESSION: dict[str, Any] = {"zlib": True, "complevel": 1, "shuffle": True}

_READ_ERRORS = (OSError, RuntimeError, TypeError, ValueError, EOFError, IndexError)


def read_magic(path: Path) -> bytes:
    """Return the first eight bytes of a file, which identify its format."""
    try:
        with path.open("rb") as stream:
            magic = stream.read(8)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Check the path and its permissions.") from None
    if not magic:
        raise DataError(f"{path}: the file is empty; expected a NetCDF file. Download or copy it again.")
    return magic


def is_zip(path: Path) -> bool:
    """Return whether a file is a zip archive, whatever its suffix."""
    return read_magic(path).startswith(ZIP_MAGIC)


def open_netcdf(path: Path) -> xr.Dataset:
    """Open a NetCDF-4 or NetCDF-3 file lazily, with times, fill values and packing decoded."""
    magic = read_magic(path)
    if not magic.startswith(NETCDF_MAGICS):
        known = {ZIP_MAGIC: "a zip archive", b"GRIB": "a GRIB file", b"<": "a web page", b"{": "a server's message"}
        kind = next((text for start, text in known.items() if magic.lstrip().startswith(start)), "of unknown format")
        raise DataError(
            f"{path}: it is {kind}, not a NetCDF file. Expected NetCDF-4 or NetCDF-3: download it again, or convert it "
            "(cdo -f nc4 copy IN OUT)."
        )
    # The netCDF library reads a truncated NetCDF-3 file as zeros; SciPy's reader notices.
    classic: dict[str, Any] = {"engine": "scipy", "backend_kwargs": {"mmap": False}}
    try:
        options = classic if magic.startswith(CLASSIC_MAGICS) else {"engine": "netcdf4"}
        raw = xr.open_dataset(path, decode_cf=False, **options)
    except _READ_ERRORS as error:
        raise damaged(path, error) from None
    for variable in raw.variables.values():
        for key in {"Units", "UNITS"} & variable.attrs.keys():  # as in some mascon files
            variable.attrs.setdefault("units", variable.attrs.pop(key))
    try:
        return xr.decode_cf(raw)
    except (ValueError, OverflowError) as error:
        problem = f"its time axis cannot be decoded ({first_line(error)})"
        raise DataError(f"{path}: {problem}. Expected CF units such as 'days since 2002-01-01'.") from None
    except (OSError, RuntimeError) as error:
        raise damaged(path, error) from None


def read_values(variable: xr.DataArray, path: Path) -> NDArray[np.float32]:
    """Read a variable into memory as float32, with declared and undeclared fill values as NaN."""
    try:
        values: NDArray[np.float32] = np.require(variable.values, dtype=np.float32, requirements="W")
    except _READ_ERRORS as error:
        raise damaged(path, error) from None
    if not values.size:
        return values
    low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    if low <= max(UNDECLARED_FILLS):
        values[np.isin(values, np.array(UNDECLARED_FILLS, dtype=np.float32))] = np.nan
    if max(-low, high) > MAX_MAGNITUDE:
        values[np.abs(values) > MAX_MAGNITUDE] = np.nan
    return values


def find_name(names: Iterable[object], candidates: Iterable[str]) -> str | None:
    """Return the name that matches the first possible candidate, ignoring case."""
    by_lower = {str(name).lower(): str(name) for name in names}
    return next((by_lower[name.lower()] for name in candidates if name.lower() in by_lower), None)


def origin(attributes: Mapping[Any, Any]) -> tuple[str, bool]:
    """Return a file's title, and whether its title, comment or data label declares it synthetic."""
    texts = [str(attributes.get(name, "")) for name in ("title", "comment", "data_label")]
    return texts[0], any("synthetic" in text.lower() for text in texts)


def read_months(dataset: xr.Dataset, path: Path) -> tuple[str, Months]:
    """Return the name of the time axis, or of a scalar time coordinate, and its months, shape (T,).

    The axis may also hold integers YYYYMMDD or YYYYMM, or dates of another calendar.
    """
    name = find_name([*dataset.dims, *dataset.coords], TIME_NAMES)
    if name is None or name not in dataset.variables:
        found = ", ".join(map(str, dataset.sizes)) or "none"
        raise DataError(
            f"{path}: there is no time axis. Expected a dimension 'time' with one date per month (CF units such as "
            f"'days since 2002-01-01'); found the dimensions {found}."
        )
    values = np.atleast_1d(dataset[name].values)
    if np.issubdtype(values.dtype, np.datetime64):
        months = values.astype("datetime64[M]").astype("datetime64[ns]")
    elif values.dtype == object and len(values) and hasattr(values[0], "year"):  # calendars of cftime
        months = np.array([f"{v.year:04d}-{v.month:02d}" for v in values], dtype="datetime64[ns]")
    else:
        digits = [str(int(v)) if np.issubdtype(values.dtype, np.number) else str(v) for v in values]
        if not all(text.isdigit() and len(text) in (6, 8) and "01" <= text[4:6] <= "12" for text in digits):
            raise DataError(
                f"{path}: '{name}' does not hold dates (its first value is {values[0]!s}). Expected CF units such as "
                "'days since 2002-01-01', or integers YYYYMMDD: set the attribute 'units' of the time axis."
            )
        months = np.array([f"{text[:4]}-{text[4:6]}" for text in digits], dtype="datetime64[ns]")
    if np.isnat(months).any():
        raise DataError(f"{path}: some values of '{name}' are not dates. Expected one date per month.")
    return name, months


def read_axis(dataset: xr.Dataset, candidates: tuple[str, ...], path: Path) -> tuple[str, NDArray[np.float64]]:
    """Return the name and the values, degrees, of a one-dimensional latitude or longitude axis."""
    name = find_name(dataset.dims, candidates)
    if name is None or name not in dataset.variables or not dataset.sizes[name]:
        raise DataError(
            f"{path}: there is no axis '{candidates[0]}' (or {', '.join(candidates[1:])}). Expected a regular "
            f"latitude-longitude grid; found the dimensions {', '.join(map(str, dataset.sizes))}."
        )
    return name, _degrees(dataset[name])


def order_longitude(lon: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Wrap longitudes to -180..180 and return them increasing, each once, and the columns in that order."""
    return np.unique(np.round((lon + 180.0) % 360.0 - 180.0, 6), return_index=True)


def read_field(
    variable: xr.DataArray, path: Path, *, time: str, lat: str, lon: str
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Read a monthly field with the given names of its axes, and orient it.

    Dimensions other than time, lat and lon must have length one; `time` may be a scalar coordinate.

    Returns the values, shape (T, H, W), float32, in the file's unit, NaN where there is no value; and latitudes and
    longitudes, increasing.
    """
    extra = [dim for dim in variable.dims if dim not in (time, lat, lon)]
    if long := [dim for dim in extra if variable.sizes[dim] != 1]:
        raise DataError(
            f"{path}: variable '{variable.name}' has a dimension '{long[0]}' of length {variable.sizes[long[0]]} in "
            "addition to time, latitude and longitude. Expected one field per month: select one."
        )
    variable = variable.isel(dict.fromkeys(extra, 0))
    if time not in variable.dims:
        variable = variable.expand_dims(time)
    variable = variable.transpose(time, lat, lon)
    lats = _degrees(variable[lat])
    rows = np.argsort(lats, kind="stable")
    lons, columns = order_longitude(_degrees(variable[lon]))
    values = np.empty((variable.sizes[time], len(lats), len(lons)), dtype=np.float32)
    # Packed fields are decoded in double precision: reading a few months at a time bounds the memory.
    months = max(1, BYTES_PER_READ // (8 * variable.sizes[lat] * variable.sizes[lon]))
    for start in range(0, len(values), months):
        block = read_values(variable[start : start + months], path)
        np.take(block.take(rows, axis=1), columns, axis=2, out=values[start : start + months], mode="clip")
    return values, lats[rows], lons


def damaged(path: Path, error: Exception) -> DataError:
    """Return the error for a file that ends early or cannot be decoded."""
    found = f"{path.stat().st_size:,} bytes; {first_line(error)}"
    return DataError(f"{path}: the file is truncated or damaged ({found}): download or copy it again.")


def first_line(error: Exception) -> str:
    """Return the first line of an exception's message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def _degrees(axis: xr.DataArray) -> NDArray[np.float64]:
    # float32 and accumulated steps blur the last digits.
    return np.asarray(np.round(axis.values.astype(np.float64), 6), dtype=np.float64)


def write_inputs(dataset: xr.Dataset, path: Path) -> None:
    """Write a dataset with dims (time, lat, lon) or (lat, lon) as compressed NetCDF-4, one month per chunk."""
    encoding: dict[str, dict[str, object]] = {str(name): {"_FillValue": None} for name in dataset.coords}
    for name, variable in dataset.data_vars.items():
        chunks = tuple(1 if dim == "time" else size for dim, size in variable.sizes.items())
        encoding[str(name)] = {**COMPRESSION, "chunksizes": chunks}
    if "time" in dataset:
        encoding["time"] |= {"units": EPOCH, "calendar": "standard", "dtype": "int32"}
    dataset.to_netcdf(path, engine="netcdf4", encoding=encoding)


Attributes = Mapping[str, Mapping[str, str]]


def create_monthly_file(
    path: Path, grid: Grid, months: NDArray[np.datetime64], monthly: Attributes, constant: Attributes
) -> netCDF4.Dataset:
    """Create a file in the layout of `write_inputs` that is written field by field, so it need not fit into memory.

    `monthly` and `constant` give the attributes of float32 variables with dims (time, lat, lon) and (lat, lon).
    """
    file = netCDF4.Dataset(path, "w", format="NETCDF4")
    days = (months.astype("datetime64[D]") - np.datetime64(EPOCH.split()[-1], "D")).astype(np.int32)
    for name, values in (("time", days), ("lat", grid.lat), ("lon", grid.lon)):
        file.createDimension(name, len(values))
        axis = file.createVariable(name, values.dtype, (name,))
        axis.setncatts(COORDINATES[name] | ({"units": EPOCH, "calendar": "standard"} if name == "time" else {}))
        axis[:] = values
    for name, attributes in {**monthly, **constant}.items():
        variable = file.createVariable(
            name,
            np.float32,
            DIMS if name in monthly else DIMS[1:],
            chunksizes=(1, *grid.shape) if name in monthly else grid.shape,
            fill_value=np.float32(np.nan),
            chunk_cache=4 * grid.shape[0] * grid.shape[1],  # each chunk is written once: keep no more than one
            **COMPRESSION,
        )
        variable.set_auto_mask(False)
        variable.setncatts(dict(attributes))
    return file
