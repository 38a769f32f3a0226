"""The Global Gravity-based Groundwater Product, G3P v1.12.

It comes as one zip with a folder for each compartment of water; `GWSA/` holds one file of all months (v1.12) or
one a year (older versions).
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

import xarray as xr

from gwsd.errors import DataError
from gwsd.sources.archives import unpacked
from gwsd.sources.local import read_storage
from gwsd.sources.reading import ZIP_MAGIC, read_magic

LABEL = "G3P v1.12"
"""What artifacts call the product."""

DOI = "10.5880/G3P.2024.001"

UNIT = "mm"
"""Equivalent water height; what the product's documentation says where a file does not."""


def open_storage(paths: Path | Sequence[Path], *, variable: str | None = None, units: str | None = None) -> xr.Dataset:
    """Open G3P's groundwater storage anomaly.

    Parameters
    ----------
    paths : Path or sequence of Path
        As the product comes: the zip, its GWSA file, or yearly files; variables `GWSA` and `uncertainty` in any
        case, dims (time, lat, lon), stamps on the 16th of the month, absent months absent, ocean filled.
    variable : str, optional
        Name of the storage, where it is not a usual one.
    units : str, optional
        mm, cm or m, for files that state no unit; mm unless given.

    Returns
    -------
    xarray.Dataset
        `storage` and `uncertainty`, dims (time, lat, lon), float32, mm, NaN where there is none; time the
        first day of the month, latitude and longitude increasing, -180..180.

    Raises
    ------
    DataError
        If a file is damaged or not the groundwater product, or files differ in grid or in a month's values.
    """
    given = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    with ExitStack() as stack:
        files: list[Path] = []
        for path in given:
            is_zip = read_magic(path).startswith(ZIP_MAGIC)
            files += stack.enter_context(unpacked(path, wanted=_is_groundwater)) if is_zip else [path]
        dataset = read_storage(files, default_unit=UNIT, variable=variable, units=units)
    # Not the file that was unpacked, which is gone.
    dataset.encoding["source"] = str(given[0])
    if "uncertainty" not in dataset:
        raise DataError(
            f"{given[0]}: there is no variable 'uncertainty'. Expected G3P's GWSA file with 'GWSA' and 'uncertainty'. "
            "For storage of another origin set sources.storage to local (--config scenario=own storage_path=FILE)."
        )
    return dataset


def _is_groundwater(member: str) -> bool:
    path = PurePosixPath(member.lower())
    return path.name.startswith("gwsa") or path.parent.name == "gwsa"
