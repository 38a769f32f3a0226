"""Climate on the storage's grid: conservative regridding, then evapotranspiration.

No more than two years of aligned fields and a few blocks of raw ones are held at a time, however long the period.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import dask
import dask.array
import dask.threaded
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import ConfigError, DataError
from gwsd.grid import Grid
from gwsd.inputs.calendar import format_months
from gwsd.inputs.evapotranspiration import Normals, estimate_evapotranspiration
from gwsd.inputs.netcdf import MonthlyFile
from gwsd.inputs.regridding import Regridder

REGRIDDED = {
    "precipitation": ("precipitation", "mm month-1"),
    "soil_moisture": ("volumetric soil water of the top layer", "m3 m-3"),
    "temperature": ("air temperature at 2 m", "degC"),
    "surface_pressure": ("surface pressure", "hPa"),
}
"""Variables that are regridded: what they are and their units. A subset of them may be asked for."""

EVAPOTRANSPIRATION = ("evapotranspiration, bounded by available water", "mm month-1")
"""Follows from precipitation and temperature, where both are there."""

SUMS = ("precipitation", "evapotranspiration")
"""Sums over a month; the others are means."""

BLOCK_COPIES = 3
"""A block of raw fields is held about three times while it is read, turned and averaged."""

LARGEST_BYTES = 1_500_000_000
"""Most that blocks under way may take; with what the libraries hold, a job stays below 3 GB."""


def align_climate(
    datasets: Iterable[xr.Dataset],
    grid: Grid,
    path: Path,
    *,
    climate_start: str,
    end: str,
    variables: Sequence[str] = tuple(REGRIDDED),
    formula: str,
    limit: str,
    soil_water_mm: float,
    threads: int = 1,
    attributes: Mapping[str, str] | None = None,
) -> list[str]:
    """Bring climate to the storage's grid, year by year, and estimate evapotranspiration.

    Reading and regridding run on `threads` threads, or on the workers of the `dask.distributed` scheduler whose
    address dask's configuration names (`scheduler-address`, in the environment DASK_SCHEDULER_ADDRESS). Fields
    do not depend on which, to the last bit.

    Parameters
    ----------
    datasets : iterable of xarray.Dataset
        As a product's `open_climate` yields them, of numpy or dask arrays; each is dropped before the next.
    grid : Grid
        Of the storage.
    path : Path
        NetCDF file to write: `variables` and, where precipitation and temperature are among them,
        `evapotranspiration`, dims (time, lat, lon), float32, NaN where no part of a cell has climate;
        `land_share` (lat, lon), the share of a cell's area that does.
    climate_start, end : str
        First and last month, YYYY-MM.
    variables : sequence of str
        Which of `REGRIDDED`.
    formula, limit, soil_water_mm : str, str, float
        Section `evapotranspiration` of the settings.
    threads : int
        Threads that read and regrid, fewer where their blocks would not fit into memory.
    attributes : mapping of str to str, optional
        What the file says of itself.

    Returns
    -------
    list of str
        Months, YYYY-MM, of which a dataset says that they are preliminary; the file's attribute
        `preliminary_months` lists them too.

    Raises
    ------
    DataError
        If a month is missing or the climate covers no cell of the grid.
    ConfigError
        If no scheduler answers at the address.
    """
    months = np.arange(np.datetime64(climate_start, "M"), np.datetime64(end, "M") + 1)
    names = [name for name in REGRIDDED if name in variables]
    balanced = {"precipitation", "temperature"} <= set(names)
    normals = Normals(grid.shape)
    seen = np.zeros(len(months), dtype=bool)
    preliminary: set[str] = set()
    with MonthlyFile(path, grid, months) as file, _computing(threads) as compute:
        for name in names:
            file.add(name, _attributes(name, *REGRIDDED[name]))
        if balanced:
            described = _attributes("evapotranspiration", *EVAPOTRANSPIRATION)
            file.add("evapotranspiration", {**described, "potential": formula, "limit": limit})
        file.add("land_share", {"long_name": "share of the cell with climate", "units": "1"}, monthly=False)
        for piece in map(compute, _regrid(datasets, grid, months, names)):
            if piece.share is not None:
                _check_coverage(piece.share, grid)
                file.write("land_share", piece.share)
            for k, t in enumerate(piece.positions):
                for name, fields in piece.fields.items():
                    file.write(name, fields[k], t)
                if balanced:
                    normals.add(months[t], piece.fields["temperature"][k], piece.fields["precipitation"][k])
            seen[piece.positions] = True
            preliminary.update(piece.preliminary)
        if not seen.all():
            lacking = ", ".join(format_months(months[~seen]))
            raise DataError(f"The climate lacks {lacking}. Add the files of these months.")
        if balanced:
            estimated = estimate_evapotranspiration(
                lambda t: (file.read("temperature", t), file.read("precipitation", t)),
                normals,
                grid.lat,
                months,
                formula=formula,
                limit=limit,
                soil_water_mm=soil_water_mm,
            )
            for t, field in enumerate(estimated):
                file.write("evapotranspiration", field, t)
        said = {"preliminary_months": " ".join(sorted(preliminary))} if preliminary else {}
        file.describe({"Conventions": "CF-1.11", **said, **(attributes or {})})
    return sorted(preliminary)


class Piece(NamedTuple):
    """Some months of aligned fields: dask arrays until they are computed."""

    positions: NDArray[np.intp]
    """On the time axis."""
    fields: dict[str, Any]
    """By variable, shape (months, H, W)."""
    block_bytes: int
    """Largest block of raw fields behind them."""
    share: Any
    """Share of each cell with climate, in the first month of all; None in later pieces."""
    preliminary: list[str]
    """Months that final fields will replace, YYYY-MM."""


def _regrid(
    datasets: Iterable[xr.Dataset], grid: Grid, months: NDArray[np.datetime64], names: Sequence[str]
) -> Iterator[Piece]:
    """Prepare each dataset's aligned fields."""
    regridder: Regridder | None = None
    first = True
    for dataset in datasets:
        if absent := [name for name in names if name not in dataset]:
            raise DataError(f"The source of climate gives no {', '.join(absent)}. Leave it out of climate_variables.")
        held = dataset["time"].values.astype("datetime64[M]")
        inside = np.flatnonzero(np.isin(held, months))
        if not inside.size:
            continue
        lat, lon = dataset["lat"].values, dataset["lon"].values
        if regridder is None or not regridder.fits(lat, lon):
            regridder = Regridder(lat, lon, grid)
        chosen = dataset if len(inside) == len(held) else dataset.isel(time=inside)
        positions = np.searchsorted(months, held[inside])
        piece = _piece({name: chosen[name] for name in names}, positions, regridder, grid.shape, with_share=first)
        said = str(dataset.attrs.get("preliminary_months", "")).split()
        preliminary = [month for month in said if np.datetime64(month, "M") in months]
        del dataset, chosen  # before the next is read
        yield piece._replace(preliminary=preliminary)
        first = False
        del piece


def _piece(
    raw: Mapping[str, xr.DataArray],
    positions: NDArray[np.intp],
    regridder: Regridder,
    shape: tuple[int, int],
    *,
    with_share: bool,
) -> Piece:
    blocks = {name: _blocks(variable.transpose("time", "lat", "lon")) for name, variable in raw.items()}
    known_by = blocks.get("temperature", next(iter(blocks.values()))).blocks[0]
    return Piece(
        positions=positions,
        fields={name: _map(regridder.months, block, (block.chunks[0], *shape)) for name, block in blocks.items()},
        block_bytes=max(4 * math.prod(block.chunksize) for block in blocks.values()),
        share=_map(regridder.share_of_first, known_by, shape, drop_axis=0) if with_share else None,
        preliminary=[],
    )


def _map(work: Callable[..., NDArray[np.float32]], blocks: Any, chunks: Any, **options: Any) -> Any:
    meta = np.empty((0,) * len(chunks), dtype=np.float32)
    return dask.array.map_blocks(work, blocks, dtype=np.float32, chunks=chunks, meta=meta, **options)


def _blocks(variable: xr.DataArray) -> Any:
    """Whole fields in blocks of months, as the product cut them; a month a block where it did not."""
    if variable.chunks is None:
        return dask.array.from_array(variable.values, chunks=(1, -1, -1), name=False)
    return variable.data.rechunk({1: -1, 2: -1})


@contextmanager
def _computing(threads: int) -> Iterator[Callable[[Piece], Piece]]:
    """Give what computes a piece: on the scheduler that dask's configuration names, or on threads."""
    address = dask.config.get("scheduler-address", None)
    if not address:
        yield partial(_compute_here, threads=threads)
        return
    from distributed import Client

    try:
        client = Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"dask_scheduler: no scheduler answers at {address} ({error}). Start one there (dask scheduler), or set "
            "dask_scheduler: null to use this machine's threads."
        ) from None
    with client:
        yield partial(_compute, scheduler=client)


def _compute_here(piece: Piece, threads: int) -> Piece:
    workers = max(1, min(threads, LARGEST_BYTES // (BLOCK_COPIES * piece.block_bytes)))
    # Named by a text, either would import dask.distributed, which takes a second.
    return _compute(piece, scheduler=dask.threaded.get if workers > 1 else dask.get, num_workers=workers)


def _compute(piece: Piece, **how: Any) -> Piece:
    fields, share = dask.compute(piece.fields, piece.share, **how)
    return piece._replace(fields=fields, share=share)


def _check_coverage(share: NDArray[np.float32], grid: Grid) -> None:
    if not share.any():
        raise DataError(
            f"The climate covers no cell of the region {grid.region} (west, south, east, north). Download "
            "the area that holds it, or change the setting `region`."
        )


def _attributes(name: str, long_name: str, units: str) -> dict[str, str]:
    method = "sum" if name in SUMS else "mean"
    return {"long_name": long_name, "units": units, "cell_methods": f"time: {method} area: mean"}
