"""Inputs stage: from raw storage and climate of a registered source to aligned fields on half-degree cells.

Used by the rules of the workflow and by `gwsd downscale`. The names of sources are those that `sources.storage` and
`sources.climate` take.

To add a source, write a module with a function like `open_g3p` or `open_era5_land` and add an entry here
(docs/your-own-data.md shows a complete example).
"""

import glob
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import xarray as xr

from gwsd.data.era5_land import RawClimate, open_era5, open_era5_land
from gwsd.data.storage import align_storage, describe_grid
from gwsd.data.storage_files import open_g3p, read_storage
from gwsd.errors import DataError
from gwsd.grid import Grid


class StorageSource(NamedTuple):
    """A source of coarse storage, and its name in titles and attributes."""

    label: str
    open: Callable[..., xr.Dataset]
    """`open(paths, variable=None, units=None)` returns what `storage_files.read_storage` does."""


class ClimateSource(NamedTuple):
    """A source of climate, and its name in titles and attributes."""

    label: str
    open: Callable[..., RawClimate]
    """`open(paths, start, end, variables)`; see `era5_land.RawClimate`."""


STORAGE = {
    "twin": StorageSource("twin Earth", open_g3p),
    "g3p": StorageSource("G3P v1.12", open_g3p),
    "local": StorageSource("user-supplied storage", read_storage),
}

CLIMATE = {
    "twin": ClimateSource("twin Earth", open_era5_land),
    "era5_land": ClimateSource("ERA5-Land", open_era5_land),
    "era5": ClimateSource("ERA5", open_era5),
}

SUFFIXES = (".nc", ".nc4", ".cdf", ".zip")
"""Suffixes of the files that are taken from a directory."""


def expand(path: str, setting: str) -> list[Path]:
    """Expand a file, directory or glob into a sorted list of files.

    A directory is expanded to its NetCDF and zip files, with those of subdirectories; `**` in a glob recurses. Hidden
    files are left out. `setting` is the name of the setting or option, for the error message.
    """
    given = Path(path).expanduser()
    if given.is_file():
        return [given]
    if given.is_dir():
        found = [
            file
            for file in given.rglob("*")
            if file.suffix.lower() in SUFFIXES
            and not any(part.startswith(".") for part in file.relative_to(given).parts)
        ]
        problem = f"no file with suffix {', '.join(SUFFIXES)} in this directory"
    else:
        found = [Path(file) for file in glob.glob(str(given), recursive=True)]
        problem = "no file matches this pattern" if glob.has_magic(path) else "no such file or directory"
    files = sorted(file for file in found if file.is_file() and not file.name.startswith("."))
    if not files:
        raise DataError(f"{setting}: {path}: {problem}. Expected a file, a directory or a glob: check the path.")
    return files


def open_storage(
    paths: Sequence[Path], source: str, *, variable: str | None = None, units: str | None = None
) -> xr.Dataset:
    """Open raw storage of a source (a key of `STORAGE`); see `gwsd.data.storage_files.read_storage`."""
    return STORAGE[source].open(list(paths), variable=variable, units=units)


def open_climate(paths: Sequence[Path], source: str, *, start: str, end: str, variables: Sequence[str]) -> RawClimate:
    """Open raw climate of a source (a key of `CLIMATE`) from month `start` to `end`; missing months are errors."""
    return CLIMATE[source].open(list(paths), start, end, list(variables))


def prepare_storage(raw: xr.Dataset, grid: Grid, *, start: str, end: str, report: Callable[[str], None]) -> xr.Dataset:
    """Align raw storage with the half-degree cells of a grid and the months of a period; see `align_storage`."""
    for line in describe_grid(raw):
        report(line)
    return align_storage(raw, grid, start=start, end=end)
