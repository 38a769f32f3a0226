"""Regrid climate conservatively to the storage grid and estimate evapotranspiration.

At most two years of aligned fields and a few blocks of raw ones are held in memory, however long the period.
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

from gwsd.data.calendar import format_months
from gwsd.data.era5_land import RawClimate
from gwsd.data.evapotranspiration import estimate_evapotranspiration
from gwsd.data.netcdf_io import create_monthly_file
from gwsd.data.regridding import Regridder
from gwsd.data.settings import Evapotranspiration
from gwsd.errors import ConfigError, DataError
from gwsd.grid import Grid

VARIABLES = {
    "precipitation": ("precipitation", "mm month-1", "sum"),
    "soil_moisture": ("volumetric soil water of the top layer", "m3 m-3", "mean"),
    "temperature": ("air temperature at 2 m", "degC", "mean"),
    "surface_pressure": ("surface pressure", "hPa", "mean"),
    "evapotranspiration": ("evapotranspiration, bounded by available water", "mm month-1", "sum"),
}
"""Long names, units and statistics over a month; all but the last are regridded."""

BLOCK_COPIES = 3  # copies of a block of raw fields that exist while it is read, oriented and averaged
MAX_BYTES = 1_500_000_000  # upper bound of the blocks in memory at a time


def prepare_climate(
    climate: RawClimate,
    grid: Grid,
    path: Path,
    *,
    start: str,
    end: str,
    variables: Sequence[str],
    evapotranspiration: Evapotranspiration,
    report: Callable[[str], None],
    threads: int = 1,
    attributes: Mapping[str, str] | None = None,
) -> list[str]:
    """Regrid climate year by year, estimate evapotranspiration and write both to a NetCDF file.

    The file has `variables` and, if precipitation and temperature are among them, `evapotranspiration`, dims (time,
    lat, lon), float32, NaN where no part of a cell has climate; `land_share` (lat, lon), the share of a cell's area
    that does; and the global `attributes`.

    Reading and regridding run on `threads` threads (fewer if their blocks would not fit into memory), or on the workers
    of the `dask.distributed` scheduler that dask's configuration names (environment variable DASK_SCHEDULER_ADDRESS).
    Results are identical to the last bit.

    Returns the preliminary months, YYYY-MM, which are also in the file's attribute `preliminary_months`.
    """
    months = np.arange(np.datetime64(start, "M"), np.datetime64(end, "M") + 1)
    names = [name for name in VARIABLES if name in variables]
    monthly = {name: _attributes(name) for name in names}
    if has_balance := {"precipitation", "temperature"} <= set(names):
        method = {"potential": evapotranspiration.formula, "limit": evapotranspiration.supply_limit}
        monthly["evapotranspiration"] = _attributes("evapotranspiration") | method
    constant = {"land_share": {"long_name": "share of the cell with climate", "units": "1"}}
    seen = np.zeros(len(months), dtype=bool)
    preliminary: set[str] = set()
    with create_monthly_file(path, grid, months, monthly, constant) as file, _executor(threads) as compute:
        for year in map(compute, _regrid(climate.years, grid, months, names)):
            if year.share is not None:
                if not year.share.any():
                    place = f"the region {grid.region} (west, south, east, north)"
                    raise DataError(f"The climate covers no cell of {place}. Download its area, or change `region`.")
                file["land_share"][:] = year.share
            for k, t in enumerate(year.positions):
                for name, fields in year.fields.items():
                    file[name][t] = fields[k]
            seen[year.positions] = True
            preliminary.update(year.preliminary)
        if not seen.all():
            raise DataError(f"The climate lacks {', '.join(format_months(months[~seen]))}. Add the files of these.")
        if has_balance:

            def read(t: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
                return file["temperature"][t], file["precipitation"][t]

            for t, field in enumerate(estimate_evapotranspiration(read, grid.lat, months, evapotranspiration)):
                file["evapotranspiration"][t] = field
        found = {"preliminary_months": " ".join(sorted(preliminary))} if preliminary else {}
        found |= {"synthetic": "yes"} if climate.synthetic else {}
        file.setncatts({"Conventions": "CF-1.11", **found, **(attributes or {})})
    if preliminary:
        report(
            f"NOTE: the climate of {', '.join(sorted(preliminary))} is preliminary; download these months again when "
            "the final fields are published, two or three months later"
        )
    return sorted(preliminary)


class _Year(NamedTuple):
    """Aligned fields of some months: dask arrays until they are computed."""

    positions: NDArray[np.intp]  # on the time axis
    fields: dict[str, Any]  # by variable, shape (months, H, W)
    block_bytes: int  # largest block of raw fields
    share: Any  # share of each cell with climate, in the first month of all; None in later years
    preliminary: list[str]


def _regrid(
    datasets: Iterable[xr.Dataset], grid: Grid, months: NDArray[np.datetime64], names: Sequence[str]
) -> Iterator[_Year]:
    regridder: Regridder | None = None
    has_share = False
    for dataset in datasets:
        if absent := [name for name in names if name not in dataset]:
            raise DataError(f"The climate has no {', '.join(absent)}. Remove it from climate_variables.")
        held = dataset["time"].values.astype("datetime64[M]")
        inside = np.flatnonzero(np.isin(held, months))
        if not inside.size:
            continue
        lat, lon = dataset["lat"].values, dataset["lon"].values
        if regridder is None or not regridder.fits(lat, lon):
            regridder = Regridder(lat, lon, grid, "The climate")
        chosen = dataset.isel(time=slice(inside[0], inside[-1] + 1)).transpose("time", "lat", "lon")
        blocks = {name: _blocks(chosen[name]) for name in names}
        preliminary = str(dataset.attrs.get("preliminary_months", "")).split()
        del dataset, chosen  # before the next is read
        first = blocks.get("temperature", next(iter(blocks.values()))).blocks[0]
        yield _Year(
            positions=np.searchsorted(months, held[inside]),
            fields={
                name: _map(regridder.months, block, (block.chunks[0], *grid.shape)) for name, block in blocks.items()
            },
            block_bytes=max(4 * math.prod(block.chunksize) for block in blocks.values()),
            share=None if has_share else _map(partial(_share_of_first, regridder), first, grid.shape, drop_axis=0),
            preliminary=[month for month in preliminary if np.datetime64(month, "M") in months],
        )
        has_share = True
        del blocks, first


def _share_of_first(regridder: Regridder, fields: NDArray[np.float32]) -> NDArray[np.float32]:
    return regridder.share(np.isfinite(fields[0]))


def _map(work: Callable[..., NDArray[np.float32]], blocks: Any, chunks: Any, **options: Any) -> Any:
    meta = np.empty((0,) * len(chunks), dtype=np.float32)
    return dask.array.map_blocks(work, blocks, dtype=np.float32, chunks=chunks, meta=meta, **options)


def _blocks(variable: xr.DataArray) -> Any:
    """Whole fields in blocks of months, as the source chose them, otherwise one month per block."""
    if variable.chunks is None:
        return dask.array.from_array(variable.values, chunks=(1, -1, -1), name=False)
    return variable.data.rechunk({1: -1, 2: -1})


@contextmanager
def _executor(threads: int) -> Iterator[Callable[[_Year], _Year]]:
    """Provide the function that computes a year: on the scheduler that dask's configuration names, or on threads."""
    address = dask.config.get("scheduler-address", None)
    if not address:
        yield partial(_compute_locally, threads=threads)
        return
    from distributed import Client

    try:
        client = Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        problem = f"no scheduler answers at {address} ({error})"
        raise ConfigError(f"dask_scheduler: {problem}. Start one (dask scheduler), or set it to null.") from None
    with client:
        yield partial(_compute, scheduler=client)


def _compute_locally(year: _Year, threads: int) -> _Year:
    workers = max(1, min(threads, MAX_BYTES // (BLOCK_COPIES * year.block_bytes)))
    # Passed by name, either scheduler would import dask.distributed, which takes a second.
    return _compute(year, scheduler=dask.threaded.get if workers > 1 else dask.get, num_workers=workers)


def _compute(year: _Year, **options: Any) -> _Year:
    fields, share = dask.compute(year.fields, year.share, **options)
    return year._replace(fields=fields, share=share)


def _attributes(name: str) -> dict[str, str]:
    long_name, units, method = VARIABLES[name]
    return {"long_name": long_name, "units": units, "cell_methods": f"time: {method} area: mean"}
