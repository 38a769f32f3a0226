"""Scan the headers of Climate Data Store files and select the file that each month is read from."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.data.archives import unpacked
from gwsd.data.netcdf_io import (
    LATITUDE_NAMES,
    LONGITUDE_NAMES,
    find_name,
    is_zip,
    open_netcdf,
    order_longitude,
    origin,
    read_axis,
    read_months,
    read_values,
)
from gwsd.errors import DataError

PRELIMINARY = 5  # experiment version (`expver`) of fields that the final ones replace two or three months later
MIN_BLOCK_BYTES = 128 << 20
"""Files with small chunks are read in blocks of at least this size, in single precision: opening one takes 10 ms."""

MAX_BLOCK_BYTES = 384 << 20  # largest block; a file whose chunks span more months is decompressed more than once
DUPLICATE_TOLERANCE = 1e-4
"""Share of their range by which fields of the same month may differ; 16-bit packing rounds to 1/65534."""


@dataclass(frozen=True, eq=False)
class FileHeader:
    """Header of one NetCDF file; dictionaries are keyed by our names of the variables."""

    path: Path  # file that the user gave: the NetCDF file itself or the zip that contains it
    file: Path  # NetCDF file on disk (unpacked from a zip)
    time: str
    months: NDArray[np.datetime64]  # shape (T,), datetime64[M]
    lat_name: str
    lon_name: str
    lat: NDArray[np.float64]  # nodes, increasing
    lon: NDArray[np.float64]  # nodes, increasing, -180..180
    names: dict[str, str]  # names in the file of the variables that it has
    chunks: dict[str, int]  # months per chunk
    preliminary: dict[str, NDArray[np.bool_]]  # months, shape (T,), that are preliminary
    title: str
    synthetic: bool


@dataclass(frozen=True)
class FieldRef:
    """One month of one variable: a file, and the position on its time axis."""

    header: FileHeader
    index: int

    def is_preliminary(self, name: str) -> bool:
        """Return whether a final field will replace that of this variable."""
        return bool(self.header.preliminary[name][self.index])


ReadMonths = Callable[[FileHeader, str, Sequence[int]], NDArray[np.float32]]
"""Reads some months of a variable, shape (T, H, W)."""


def scan_headers(paths: Sequence[Path], names: Mapping[str, Sequence[str]], stack: ExitStack) -> list[FileHeader]:
    """Read the headers of NetCDF files, or of zips of them whatever their suffix.

    `names` maps our names of the variables to their possible names in files. Unpacked files are removed when `stack`
    is closed.
    """
    headers = []
    for path in paths:
        for file in stack.enter_context(unpacked(path)) if is_zip(path) else [path]:
            with open_netcdf(file) as raw:
                headers.append(_read_header(raw, path, file.resolve(), names))
    return headers


def select_months(
    headers: Sequence[FileHeader], name: str, wanted: Collection[np.datetime64], read: ReadMonths
) -> dict[np.datetime64, FieldRef]:
    """Select the file that each wanted month (datetime64[M]) of a variable is read from.

    A final field takes precedence over a preliminary one, otherwise the first: a DataError if the values of two files
    differ in the first month that they share.
    """
    chosen: dict[np.datetime64, FieldRef] = {}
    compared: set[tuple[int, int]] = set()
    for header in headers:
        if name not in header.names:
            continue
        for index, month in enumerate(header.months):
            if month not in wanted:
                continue
            new, held = FieldRef(header, index), chosen.get(month)
            if held is None or (held.is_preliminary(name) and not new.is_preliminary(name)):
                chosen[month] = new
            elif held.is_preliminary(name) == new.is_preliminary(name):
                pair = (id(held.header), id(header))
                if pair not in compared or held.header is header:
                    compared.add(pair)
                    _check_same(held, new, name, month, read)
    return chosen


def split_blocks(fields: Sequence[FieldRef], name: str) -> Iterator[tuple[FileHeader, list[int]]]:
    """Split consecutive months of a variable into blocks that are read at once.

    A block is of one file and, as far as memory allows, of whole chunks: chunks that span months are decompressed
    whole. Yields the file and the positions on its time axis.
    """
    header, block = fields[0].header, [fields[0].index]
    for field in fields[1:]:
        months = _months_per_block(header, name)
        in_order = field.header is header and field.index == block[-1] + 1
        if in_order and field.index // months == block[0] // months:
            block.append(field.index)
        else:
            yield header, block
            header, block = field.header, [field.index]
    yield header, block


def check_grids(fields: Sequence[FieldRef]) -> None:
    """Raise a DataError unless all files have the same nodes."""
    first = fields[0].header
    for header in {id(field.header): field.header for field in fields}.values():
        for a, b in ((first.lat, header.lat), (first.lon, header.lon)):
            if a.shape != b.shape or not np.allclose(a, b, atol=1e-4):
                raise DataError(
                    f"{header.path}: its grid ({b[0]:g} to {b[-1]:g}, {len(b)} nodes) differs from that of "
                    f"{first.path} ({a[0]:g} to {a[-1]:g}, {len(a)} nodes). Expected one grid: request the same area."
                )


def order_versions(versions: NDArray[np.generic]) -> list[int]:
    """Return the positions of the versions on an `expver` dimension, final ones first."""
    return sorted(range(len(versions)), key=lambda k: (_version(versions[k]) == PRELIMINARY, _version(versions[k])))


def _read_header(raw: xr.Dataset, path: Path, file: Path, names: Mapping[str, Sequence[str]]) -> FileHeader:
    time, months = read_months(raw, path)
    lat_name, lat = read_axis(raw, LATITUDE_NAMES, path)
    lon_name, lon = read_axis(raw, LONGITUDE_NAMES, path)
    found = {ours: short for ours, theirs in names.items() if (short := find_name(raw.data_vars, theirs))}
    chunks = {ours: _months_per_chunk(raw[short], time) for ours, short in found.items()}
    preliminary = {ours: _find_preliminary(raw, short, time, len(months), path) for ours, short in found.items()}
    axes = time, months.astype("datetime64[M]"), lat_name, lon_name, np.sort(lat), order_longitude(lon)[0]
    return FileHeader(path, file, *axes, found, chunks, preliminary, *origin(raw.attrs))


def _months_per_chunk(variable: xr.DataArray, time: str) -> int:
    chunks = variable.encoding.get("chunksizes")
    return int(chunks[variable.dims.index(time)]) if chunks and time in variable.dims else 1


def _months_per_block(header: FileHeader, name: str) -> int:
    field, chunk = 4 * len(header.lat) * len(header.lon), header.chunks[name]
    return min(chunk * max(1, MIN_BLOCK_BYTES // (field * chunk)), max(1, MAX_BLOCK_BYTES // field))


def _find_preliminary(raw: xr.Dataset, short: str, time: str, months: int, path: Path) -> NDArray[np.bool_]:
    if "expver" not in raw.variables:
        return np.zeros(months, dtype=bool)
    versions = np.asarray(raw["expver"].values)
    if "expver" not in raw[short].dims:
        marked = np.array([_version(version) == PRELIMINARY for version in versions.ravel()])
        return np.broadcast_to(marked if len(marked) == months else marked.any(), (months,))
    # Older deliveries hold both versions, and the final one is empty where it does not exist yet.
    final = [k for k, version in enumerate(versions) if _version(version) != PRELIMINARY]
    fields = raw[short].isel(expver=final)
    fields = fields if time in fields.dims else fields.expand_dims(time)
    return np.array([not np.isfinite(read_values(fields.isel({time: k}), path)).any() for k in range(months)])


def _version(value: object) -> int:
    """Convert an `expver` ('0005', b'0005', 5 or 5.0) to a number; 0 if it is none."""
    text = value.decode() if isinstance(value, bytes) else str(value)
    try:
        return int(float(text))
    except ValueError:
        return 0


def _check_same(held: FieldRef, new: FieldRef, name: str, month: np.datetime64, read: ReadMonths) -> None:
    a, b = (read(field.header, name, [field.index])[0] for field in (held, new))
    span = float(np.ptp(a[np.isfinite(a)])) if np.isfinite(a).any() else 0.0
    if a.shape == b.shape and np.allclose(a, b, rtol=1e-6, atol=DUPLICATE_TOLERANCE * span, equal_nan=True):
        return
    how = f", with values up to {np.nanmax(np.abs(a - b)):.3g} apart" if a.shape == b.shape else ""
    what, first, second = f"{month} of {new.header.names[name]}", held.header.path, new.header.path
    if held.header is new.header:
        raise DataError(f"{first} holds {what} twice{how}. Expected product_type: monthly_averaged_reanalysis.")
    raise DataError(f"{first} and {second} both hold {what}{how}. Expected one field: leave one of the files out.")
