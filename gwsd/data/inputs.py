"""Inputs stage: from raw storage and climate to aligned, quality-controlled fields on half-degree cells.

Used by the rules of the workflow and by `gwsd downscale`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import xarray as xr

from gwsd.data.climate import prepare_climate
from gwsd.data.era5_land import RawClimate
from gwsd.data.quality import control_quality
from gwsd.data.sources import CLIMATE, STORAGE
from gwsd.data.storage import align_storage, describe_grid
from gwsd.grid import Grid

__all__ = ["control_quality", "open_climate", "open_storage", "prepare_climate", "prepare_storage"]


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
