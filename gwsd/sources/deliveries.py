"""What deliveries of the Climate Data Store hold: which file has which month of which variable.

Only headers are read here, except where a file mixes final and preliminary fields or where two hold the same month.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.sources.archives import unpacked
from gwsd.sources.reading import (
    LATITUDE_NAMES,
    LONGITUDE_NAMES,
    ZIP_MAGIC,
    find_name,
    open_netcdf,
    order_latitude,
    order_longitude,
    read_axis,
    read_magic,
    read_months,
    read_values,
)

PRELIMINARY = 5
"""Experiment version (`expver`) of fields that the final ones replace two or three months later."""

BLOCK_BYTES = 128 << 20
"""Least, in single precision, that is read at once where chunks are small: opening a file takes 10 ms."""

LARGEST_BLOCK_BYTES = 384 << 20
"""Most that is read at once. A file whose chunks span more months is decompressed more than once."""

SAME_SHARE = 1e-4
"""Of their range, two fields may differ and be the same: packing in 16 bits rounds to a 65,534th of a file's."""


@dataclass(frozen=True, eq=False)
class Member:
    """One netCDF file of a delivery, by what its header says.

    Attributes
    ----------
    path, file : Path
        The delivery as a person knows it, and where the file lies (unpacked, if the delivery is a zip).
    time : str
        Name of the time axis.
    months : ndarray, shape (T,), datetime64[M]
    lat_name, lon_name : str
    lat, lon : ndarray
        Of the nodes, in the order that fields are read to: increasing, longitude -180..180.
    names : dict of str to str
        Our name of each variable that it has: its name in the file.
    chunks : dict of str to int
        Months in one chunk of each variable.
    preliminary : dict of str to ndarray, shape (T,), bool
        Which months of each variable are preliminary.
    """

    path: Path
    file: Path
    time: str
    months: NDArray[np.datetime64]
    lat_name: str
    lon_name: str
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    names: dict[str, str]
    chunks: dict[str, int]
    preliminary: dict[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class Place:
    """Where one month of one variable lies: a file, and the position on its time axis."""

    member: Member
    index: int

    def is_preliminary(self, name: str) -> bool:
        """Whether the field of this variable will be replaced by a final one."""
        return bool(self.member.preliminary[name][self.index])


ReadMonth = Callable[[Member, str, Sequence[int]], NDArray[np.float32]]
"""Reads some months of a variable, shape (T, H, W)."""


def survey(paths: Sequence[Path], names: Mapping[str, Sequence[str]], stack: ExitStack) -> list[Member]:
    """Open every delivery once and note what it holds.

    Parameters
    ----------
    paths : sequence of Path
        netCDF files, or zips of them whatever their names say.
    names : mapping of str to sequence of str
        Our names of the variables, and what files call them.
    stack : ExitStack
        Keeps what is unpacked until it is closed.

    Returns
    -------
    list of Member
        In the order given.

    Raises
    ------
    DataError
        If a file is missing, damaged or of another format.
    """
    members = []
    for path in paths:
        zipped = read_magic(path).startswith(ZIP_MAGIC)
        for file in stack.enter_context(unpacked(path)) if zipped else [path]:
            with open_netcdf(file) as raw:
                members.append(_describe(raw, path, file.resolve(), names))
    return members


def choose(
    members: Sequence[Member], name: str, months: Collection[np.datetime64] | None, read: ReadMonth
) -> dict[np.datetime64, Place]:
    """Decide where each month of a variable is taken from.

    A final field goes before a preliminary one. Of two that are alike in that the first is taken, once it is
    seen that they agree in the first month that the two files share: files that agree there are one product.

    Parameters
    ----------
    members : sequence of Member
    name : str
        Our name of the variable.
    months : collection of datetime64[M], or None
        Months that are wanted; all where None.
    read : callable
        Reads a month for the comparison.

    Returns
    -------
    dict of datetime64[M] to Place

    Raises
    ------
    DataError
        If two files hold the same month and differ.
    """
    chosen: dict[np.datetime64, Place] = {}
    compared: set[tuple[int, int]] = set()
    for member in members:
        if name not in member.names:
            continue
        for index, month in enumerate(member.months):
            if months is not None and month not in months:
                continue
            new, held = Place(member, index), chosen.get(month)
            if held is None or (held.is_preliminary(name) and not new.is_preliminary(name)):
                chosen[month] = new
            elif held.is_preliminary(name) == new.is_preliminary(name):
                pair = (id(held.member), id(member))
                if pair not in compared or held.member is member:
                    compared.add(pair)
                    _check_same(held, new, name, month, read)
    return chosen


def split_blocks(places: Sequence[Place], name: str) -> Iterator[tuple[Member, list[int]]]:
    """Cut consecutive months of a variable into blocks that are read at once.

    A block is of one file and, as far as memory allows, of whole chunks: compressed chunks that span months
    are decompressed whole for each of them.

    Yields
    ------
    member : Member
    indices : list of int
        Positions on its time axis.
    """
    block: list[Place] = []
    for place in places:
        if block and not _belongs(place, block, name):
            yield block[0].member, [one.index for one in block]
            block = []
        block.append(place)
    if block:
        yield block[0].member, [one.index for one in block]


def check_grids(places: Sequence[Place]) -> None:
    """Check that all files have the same nodes.

    Raises
    ------
    DataError
        If one differs from the first.
    """
    first = places[0].member
    for member in {id(place.member): place.member for place in places}.values():
        for held, other in ((first.lat, member.lat), (first.lon, member.lon)):
            if held.shape != other.shape or not np.allclose(held, other, atol=1e-4):
                raise DataError(
                    f"{member.path}: its grid ({other[0]:g} to {other[-1]:g}, {len(other)} nodes) differs from that "
                    f"of {first.path} ({held[0]:g} to {held[-1]:g}, {len(held)} nodes). Expected one grid: request "
                    "the same area."
                )


def order_versions(versions: NDArray[np.generic]) -> list[int]:
    """Positions of the versions on an `expver` dimension, final ones first."""
    return sorted(range(len(versions)), key=lambda k: (_version(versions[k]) == PRELIMINARY, _version(versions[k])))


def _describe(raw: xr.Dataset, path: Path, file: Path, names: Mapping[str, Sequence[str]]) -> Member:
    time, months = read_months(raw, path)
    lat_name, lat = read_axis(raw, LATITUDE_NAMES, path)
    lon_name, lon = read_axis(raw, LONGITUDE_NAMES, path)
    found = {ours: short for ours, theirs in names.items() if (short := find_name(raw.data_vars, theirs))}
    return Member(
        path=path,
        file=file,
        time=time,
        months=months.astype("datetime64[M]"),
        lat_name=lat_name,
        lon_name=lon_name,
        lat=order_latitude(lat)[0],
        lon=order_longitude(lon)[0],
        names=found,
        chunks={ours: _months_a_chunk(raw[short], time) for ours, short in found.items()},
        preliminary={ours: _find_preliminary(raw, short, time, len(months), path) for ours, short in found.items()},
    )


def _months_a_chunk(variable: xr.DataArray, time: str) -> int:
    chunks = variable.encoding.get("chunksizes")
    return int(chunks[variable.dims.index(time)]) if chunks and time in variable.dims else 1


def _find_preliminary(raw: xr.Dataset, short: str, time: str, months: int, path: Path) -> NDArray[np.bool_]:
    if "expver" not in raw.variables:
        return np.zeros(months, dtype=bool)
    versions = np.asarray(raw["expver"].values)
    if "expver" not in raw[short].dims:
        marked = np.array([_version(version) == PRELIMINARY for version in versions.ravel()])
        return np.broadcast_to(marked if len(marked) == months else marked.any(), (months,))
    # Older deliveries hold both side by side, and the final one is empty where there is none yet.
    final = [k for k, version in enumerate(versions) if _version(version) != PRELIMINARY]
    fields = raw[short].isel(expver=final)
    fields = fields if time in fields.dims else fields.expand_dims(time)
    return np.array([not np.isfinite(read_values(fields.isel({time: k}), path)).any() for k in range(months)])


def _version(value: object) -> int:
    """`expver` as a number, whether it is written '0005', b'0005', 5 or 5.0; 0 for what is no number."""
    text = value.decode() if isinstance(value, bytes) else str(value)
    try:
        return int(float(text))
    except ValueError:
        return 0


def _belongs(place: Place, block: Sequence[Place], name: str) -> bool:
    member, first, last = place.member, block[0].index, block[-1].index
    if member is not block[0].member or place.index != last + 1:
        return False
    field = 4 * len(member.lat) * len(member.lon)
    chunk = member.chunks[name]
    months = chunk * max(1, BLOCK_BYTES // (field * chunk))
    months = min(months, max(1, LARGEST_BLOCK_BYTES // field))
    return place.index // months == first // months


def _check_same(held: Place, new: Place, name: str, month: np.datetime64, read: ReadMonth) -> None:
    one, other = (read(place.member, name, [place.index])[0] for place in (held, new))
    if held.member is new.member:
        both, advice = f"{held.member.path} holds {month} of {held.member.names[name]} twice", ""
    else:
        both = f"{held.member.path} and {new.member.path} both hold {month} of {held.member.names[name]}"
        advice = " Leave one of the two out."
    if one.shape != other.shape or not np.array_equal(np.isnan(one), np.isnan(other)):
        raise DataError(f"{both}, and differ in where they have values. Expected one field a month.{advice}")
    if np.isnan(one).all():
        return
    low, high = np.nanmin([one, other]), np.nanmax([one, other])
    difference = np.nanmax(np.abs(one - other))
    if difference > SAME_SHARE * (high - low) + 1e-6 * max(abs(low), abs(high)):
        raise DataError(
            f"{both}, and differ by up to {difference:.3g}. Expected one field a month "
            f"(product_type: monthly_averaged_reanalysis).{advice}"
        )
