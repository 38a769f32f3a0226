"""What the Climate Data Store delivered for ERA5-Land: is it whole, what is in it, and several parts made one."""

import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from gwsd.errors import DataError
from gwsd.sources.archives import check_members, unpacked
from gwsd.sources.era5_land import VARIABLES, open_climate_year
from gwsd.sources.era5_land_request import Request, months_of, variables_of
from gwsd.sources.reading import ZIP_MAGIC, read_magic


def check_delivery(path: Path, request: Request) -> list[str]:
    """Read a delivery whole and compare it with the request.

    Parameters
    ----------
    path : Path
        netCDF, or a zip of netCDF files.
    request : dict
        What was asked for.

    Returns
    -------
    list of str
        Preliminary months, YYYY-MM.

    Raises
    ------
    DataError
        If the file is damaged, of another format, or lacks a variable or a month.
    """
    with netcdf_files(path) as files:
        preliminary: set[str] = set()
        # One variable at a time: four of a year of the globe are more than a gigabyte.
        for name in variables_of(request):
            with open_climate_year(*files, variables=(name,)) as year:
                held = [str(month)[:7] for month in year["time"].values.astype("datetime64[M]")]
                if missing := [month for month in months_of(request) if month not in held]:
                    raise DataError(f"{path}: {VARIABLES[name][0]} lacks {', '.join(missing)}, which was asked for")
                for number, month in enumerate(held):
                    if not np.isfinite(year[name][number].values).any():
                        raise DataError(f"{path}: {VARIABLES[name][0]} of {month} holds no value at all")
                preliminary.update(year.attrs.get("preliminary_months", "").split())
        return sorted(preliminary)


@contextmanager
def netcdf_files(path: Path) -> Iterator[list[Path]]:
    """Give the netCDF files of a delivery: itself, or what a zip holds, zips within it opened too."""
    if not read_magic(path).startswith(ZIP_MAGIC):
        yield [path]
        return
    with ExitStack() as stack:
        waiting, files = [path], list[Path]()
        while waiting:
            archive = waiting.pop(0)
            for member in stack.enter_context(unpacked(archive, suffixes=(".nc", ".nc4", ".zip"))):
                (waiting if read_magic(member).startswith(ZIP_MAGIC) else files).append(member)
        yield files


def join_deliveries(parts: Sequence[Path], target: Path) -> None:
    """Make deliveries one: a single one as it is, several (or zips in a zip) as members of an uncompressed zip.

    Parameters
    ----------
    parts : sequence of Path
        Deliveries, in the order of their months; a single one is moved, several are removed.
    target : Path
        Overwritten.
    """
    if len(parts) == 1 and not _is_nested(parts[0]):
        os.replace(parts[0], target)
        return
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, strict_timestamps=False) as whole:
        for part in parts:
            with netcdf_files(part) as files:
                for file in files:
                    # A fixed date: the same parts make the same bytes.
                    member = zipfile.ZipInfo(f"{len(whole.namelist()) + 1:02d}_{file.stem}.nc")
                    member.file_size = file.stat().st_size
                    with file.open("rb") as source, whole.open(member, "w") as sink:
                        while block := source.read(1 << 20):
                            sink.write(block)
    for part in parts:
        part.unlink()


def _is_nested(path: Path) -> bool:
    if not read_magic(path).startswith(ZIP_MAGIC):
        return False
    return any(member.filename.lower().endswith(".zip") for member in check_members(path))
