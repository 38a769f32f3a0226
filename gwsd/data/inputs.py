"""Inputs stage: from raw storage and climate to aligned, quality-controlled fields on half-degree cells.

Used by the rules of the workflow and by `gwsd downscale`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import xarray as xr

from gwsd.data.climate import align_climate
from gwsd.data.era5_land import RawClimate
from gwsd.data.quality import assess, compare_with_expected, format_counts, keep_valid
from gwsd.data.settings import Evapotranspiration, Quality
from gwsd.data.sources import CLIMATE, STORAGE
from gwsd.data.storage import align_storage, describe_grid
from gwsd.errors import DataError
from gwsd.grid import Grid

Report = Callable[[str], None]
"""Takes one line for the log."""


def open_storage(
    paths: Sequence[Path], source: str, *, variable: str | None = None, units: str | None = None
) -> xr.Dataset:
    """Open raw storage of a source (a key of `STORAGE`); see `gwsd.data.storage_files.read_storage`."""
    return STORAGE[source].open(list(paths), variable=variable, units=units)


def open_climate(paths: Sequence[Path], source: str, *, start: str, end: str, variables: Sequence[str]) -> RawClimate:
    """Open raw climate of a source (a key of `CLIMATE`) from month `start` to `end`; missing months are errors."""
    return CLIMATE[source].open(list(paths), start, end, list(variables))


def prepare_storage(raw: xr.Dataset, grid: Grid, *, start: str, end: str, report: Report) -> xr.Dataset:
    """Align raw storage with the half-degree cells of a grid and the months of a period; see `align_storage`."""
    for line in describe_grid(raw):
        report(line)
    return align_storage(raw, grid, start=start, end=end)


def prepare_climate(
    climate: RawClimate,
    grid: Grid,
    path: Path,
    *,
    start: str,
    end: str,
    variables: Sequence[str],
    evapotranspiration: Evapotranspiration,
    report: Report,
    threads: int = 1,
    attributes: Mapping[str, str] | None = None,
) -> list[str]:
    """Regrid climate, estimate evapotranspiration and write both to `path`; see `align_climate`.

    Returns the preliminary months, YYYY-MM.
    """
    preliminary = align_climate(
        climate.years,
        grid,
        path,
        start=start,
        end=end,
        variables=variables,
        evapotranspiration=evapotranspiration,
        threads=threads,
        attributes={**({"synthetic": "yes"} if climate.synthetic else {}), **(attributes or {})},
    )
    if preliminary:
        report(
            f"NOTE: the climate of {', '.join(preliminary)} is preliminary; download these months again when the final "
            "fields are published, two or three months later"
        )
    return preliminary


def control_quality(
    storage: xr.Dataset, climate: xr.Dataset | None, quality: Quality, report: Report
) -> tuple[xr.Dataset, xr.Dataset]:
    """Exclude cells that fail quality control.

    Parameters
    ----------
    storage : xarray.Dataset
        Aligned, with all its months: a cell that is constant or incomplete is recognised by its series.
    climate : xarray.Dataset or None
        Aligned; None skips the tests that need climate.
    quality : Quality
    report : callable
        Receives the counts by reason and notes.

    Returns
    -------
    storage : xarray.Dataset
        NaN outside the valid cells.
    mask : xarray.Dataset
        See `gwsd.data.quality.assess`.
    """
    mask = assess(storage, climate, quality)
    months = storage.sizes["time"]
    if months == 1:
        report("NOTE: the storage has one month, so constant cells cannot be recognised")
    if climate is not None and (comment := mask["reason"].attrs.get("comment")):
        report(f"NOTE: {comment}")
    for message in compare_with_expected(mask, months, quality):
        report(f"NOTE: {message}")
    counts = format_counts(mask)
    report(f"cells: {counts}; months: {months}")
    if not mask["valid"].values.any():
        raise DataError(
            f"No half-degree cell passes quality control ({counts}). Expected storage and climate that overlap, "
            "complete and within the limits of the section `quality`: check the files, the unit of the storage, and "
            "`region`."
        )
    return keep_valid(storage, mask), mask
