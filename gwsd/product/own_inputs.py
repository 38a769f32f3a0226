"""A user's own storage and climate, brought to where the network needs them: the workflow's first steps without it."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gwsd.errors import ConfigError, DataError
from gwsd.grid import COARSE_SPACING, Grid, Region
from gwsd.inputs.calendar import format_months
from gwsd.inputs.climate import align_climate
from gwsd.inputs.quality import QualitySettings, assess, count_reasons, keep_valid
from gwsd.inputs.storage import align_storage, describe_grid
from gwsd.product.own_choices import Months
from gwsd.sources.deliveries import survey
from gwsd.sources.era5_land import VARIABLES
from gwsd.sources.products import CLIMATE, STORAGE, labels
from gwsd.sources.reading import open_netcdf

QUALITY = QualitySettings(
    largest_anomaly_mm=2000.0,
    largest_jump_in_sd=8.0,
    smallest_sd_mm=0.01,
    expected_cells=None,
    expected_months=None,
)
"""Limits of quality control: those of config.yaml."""

EVAPOTRANSPIRATION: dict[str, Any] = {"formula": "thornthwaite", "limit": "budyko", "soil_water_mm": 100.0}
"""As config.yaml has it. No network sees evapotranspiration: it makes no difference to a product."""

DELIVERED = ("era5_land", "era5")
"""Climate whose headers say beforehand which months there are."""


@dataclass(frozen=True)
class Storage:
    """A storage file, opened.

    Parameters
    ----------
    raw : Dataset
        As its product opens it: `storage`, mm, on its own grid.
    months : ndarray of datetime64[M]
        That it holds, increasing.
    title : str
        What the file calls itself; empty where it does not.
    synthetic : bool
        Whether it says that it is.
    """

    raw: xr.Dataset
    months: Months
    title: str
    synthetic: bool


def open_storage(paths: Sequence[Path], product: str, *, variable: str | None, units: str | None) -> Storage:
    """Open storage of a product.

    Raises
    ------
    ConfigError
        If there is no such product.
    DataError
        If a file is damaged, or does not say what it holds and in which unit.
    """
    raw = _product(product, STORAGE).open_storage(list(paths), variable=variable, units=units)
    months = np.sort(raw["time"].to_numpy().astype("datetime64[M]"))
    title, synthetic = said(paths[0])
    return Storage(raw, months, title, synthetic)


def check_climate(
    paths: Sequence[Path], product: str, variables: Sequence[str], months: Months, memory: int
) -> list[Path]:
    """Check that the climate that some months need is there, before anything is computed.

    Parameters
    ----------
    paths : sequence of Path
        Files of climate.
    product : str
        A module of `gwsd.sources`.
    variables : sequence of str
        That the network sees.
    months : ndarray of datetime64[M]
        To make, increasing.
    memory : int
        Months of climate that each sees, itself last.

    Returns
    -------
    list of Path
        The files that are needed.

    Raises
    ------
    DataError
        If months or variables are missing; the message names them.
    """
    wanted = np.arange(months[0] - (memory - 1), months[-1] + 1)
    if product not in DELIVERED:
        return list(paths)
    with ExitStack() as stack:
        members = survey(paths, {name: names[:2] for name, names in VARIABLES.items()}, stack)
        held = {
            name: [month for month in wanted if any(month in one.months for one in members if name in one.names)]
            for name in variables
        }
        known = {name for one in members for name in one.names}
        needed = {one.path for one in members if np.isin(one.months, wanted).any()}
    absent = [f"{name} ({VARIABLES[name][0]})" for name in variables if name not in known]
    if absent:
        raise DataError(
            f"{_named(paths)}: no {', '.join(absent)}, but the network was trained with {', '.join(variables)}: give "
            "the files that hold it too"
        )
    gaps = {name: np.setdiff1d(wanted, np.array(those, dtype=wanted.dtype)) for name, those in held.items()}
    missing = np.unique(np.concatenate(list(gaps.values())))
    if missing.size:
        lacking = [VARIABLES[name][0] for name, gap in gaps.items() if gap.size]
        of = "" if len(lacking) == len(held) else f" of {', '.join(lacking)}"
        asked = str(months[0]) if months.size == 1 else f"{months[0]} to {months[-1]}"
        raise DataError(
            f"{_named(paths)}: no climate{of} for {_spans(missing)}. The network sees {memory} months of climate, the "
            f"month itself last: {asked} needs {wanted[0]} to {wanted[-1]}. Give the files of these months too, or "
            "choose other months with --months"
        )
    return [path for path in paths if path in needed]


def align(
    storage: Storage,
    climate: Sequence[Path],
    product: str,
    *,
    variables: Sequence[str],
    months: Months,
    memory: int,
    region: Region,
    out: Path,
    threads: int,
    report: Callable[[str], None],
) -> tuple[xr.Dataset, xr.Dataset]:
    """Bring storage and climate to half-degree cells, and leave out cells as the workflow's quality control does.

    All months of the storage are looked at: a cell that is constant, or lacks some of them, is told by its series.

    Parameters
    ----------
    storage : Storage
        Opened.
    climate : sequence of Path
        Files of climate; none where no climate is needed.
    product : str
        Of the climate.
    variables : sequence of str
        Climate that is needed.
    months : ndarray of datetime64[M]
        To make.
    memory : int
        Months of climate that each sees.
    region : tuple of float
        To cut out.
    out : Path
        NetCDF file to write the aligned climate to.
    threads : int
        That may read.
    report : callable
        Takes a line.

    Returns
    -------
    storage, mask : Dataset
        As `inputs/storage.nc` and `inputs/mask.nc` hold them.

    Raises
    ------
    DataError
        If nothing is left.
    """
    for line in describe_grid(storage.raw):
        report(line)
    grid = Grid(COARSE_SPACING, region)
    first, last = str(storage.months[0]), str(storage.months[-1])
    aligned = align_storage(storage.raw, grid, start=first, end=last)
    kept = aligned["time"].to_numpy().astype("datetime64[M]")
    if not np.isin(months, kept).all():
        empty = ", ".join(format_months(months[~np.isin(months, kept)]))
        raise DataError(f"the storage has no value within the region in {empty}: choose others with --months")
    start, end = str(months[0] - (memory - 1)), str(months[-1])
    if variables:
        opened = _product(product, CLIMATE).open_climate(list(climate), start, end, list(variables))
        preliminary = align_climate(
            opened, grid, out, climate_start=start, end=end, variables=variables, **EVAPOTRANSPIRATION, threads=threads
        )
        if preliminary:
            report(f"NOTE: preliminary climate in {', '.join(preliminary)}; final fields come some months later")
    else:
        times = np.arange(months[0], months[-1] + 1).astype("datetime64[ns]")
        xr.Dataset(coords={"time": times, "lat": grid.lat, "lon": grid.lon}).to_netcdf(out)
    quality = QUALITY
    if kept.size < 2:
        quality = replace(QUALITY, smallest_sd_mm=0.0)
        report("NOTE: the storage holds one month: cells that never change cannot be told from others")
    with xr.open_dataset(out) as opened:
        mask = assess(aligned, opened, quality)
    counts = count_reasons(mask)
    cells = ", ".join(
        f"{reason} {number:,}" for reason, number in zip(counts["reason"], counts["cells"], strict=True) if number
    )
    report(
        f"half-degree cells: {cells} (limits: {quality.largest_anomaly_mm:g} mm, jumps of "
        f"{quality.largest_jump_in_sd:g} standard deviations, at least {quality.smallest_sd_mm:g} mm of variation)"
    )
    if not (mask["valid"] == 1).any():
        raise DataError(
            f"no half-degree cell within {','.join(f'{edge:g}' for edge in region)} (W,S,E,N) has both storage and "
            f"climate in all months ({cells}): give files that overlap, or another --region"
        )
    storage_kept = keep_valid(aligned[["storage"]], mask)
    return storage_kept.isel(time=np.flatnonzero(np.isin(kept, months))), mask


def said(path: Path) -> tuple[str, bool]:
    """Title of a file, and whether it calls itself synthetic; nothing for an archive."""
    try:
        with open_netcdf(path) as raw:
            texts = {name: str(raw.attrs.get(name, "")) for name in ("title", "comment", "data_label")}
    except DataError:
        return "", False
    return texts["title"], any("synthetic" in text.lower() for text in texts.values())


def _product(name: str, function: str) -> Any:
    known = labels(function)
    if name not in known:
        option = "--storage-format" if function == STORAGE else "--climate-format"
        raise ConfigError(f"{option} {name}: no such product; expected one of {', '.join(known)}")
    return import_module(f"gwsd.sources.{name}")


def _spans(months: Months) -> str:
    """Write months as spans: 2022-11 to 2023-02, 2023-05."""
    breaks = np.flatnonzero(np.diff(months.astype(np.int64)) != 1) + 1
    parts = np.split(months, breaks)
    return ", ".join(str(one[0]) if one.size == 1 else f"{one[0]} to {one[-1]}" for one in parts)


def _named(paths: Sequence[Path]) -> str:
    return str(paths[0]) if len(paths) == 1 else f"{paths[0].parent} ({len(paths)} files)"
