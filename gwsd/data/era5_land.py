"""Read ERA5-Land and ERA5 monthly means as the Climate Data Store delivers them.

A delivery is a NetCDF file, or a zip (whatever its suffix) of one file or of one file per step type, stamped 00 and
06 UTC. Its files may differ in longitude convention and in the name of the time axis.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.data.calendar import Months, days_in_month
from gwsd.data.cds_files import (
    FieldRef,
    FileHeader,
    check_grids,
    order_versions,
    scan_headers,
    select_months,
    split_blocks,
)
from gwsd.data.netcdf_io import first_line, read_field
from gwsd.errors import DataError
from gwsd.units import CLIMATE_UNITS

VARIABLES = {
    "precipitation": ("tp", "total_precipitation", "mm month-1"),
    "soil_moisture": ("swvl1", "volumetric_soil_water_layer_1", "m3 m-3"),
    "temperature": ("t2m", "2m_temperature", "degC"),
    "surface_pressure": ("sp", "surface_pressure", "hPa"),
}
"""Our name: ERA5-Land's short name, its name in a request, our unit."""

Plan = dict[str, list[FieldRef]]
_READING = threading.Lock()  # the netCDF library is not thread-safe


@dataclass
class RawClimate:
    """Opened climate: headers are checked, fields are read on iteration over `years`.

    Years are datasets of consecutive months with the requested variables among `precipitation` (mm/month),
    `soil_moisture` (m³ m⁻³), `temperature` (°C) and `surface_pressure` (hPa); dims (time, lat, lon), float32, NaN over
    water; time the first day of the month; evenly spaced nodes, latitude and longitude increasing, -180..180. Their
    attribute `preliminary_months` lists months that final fields will replace.
    """

    years: Iterable[xr.Dataset]
    files: Sequence[Path]  # files that are read
    title: str = ""  # title of the first file
    synthetic: bool = False  # true if a file declares itself synthetic


def open_era5_land(
    paths: Sequence[Path], start: str, end: str, variables: Sequence[str] = tuple(VARIABLES)
) -> RawClimate:
    """Open ERA5-Land from month `start` to month `end` (YYYY-MM), one dataset per calendar year.

    Fields are dask arrays in blocks of months, which can be read until the next year is requested. Of a month in two
    files the final field is taken, otherwise the first. Missing months or variables, and files that contradict one
    another, are a DataError.
    """
    return _open(paths, start, end, variables, "ERA5-Land", "reanalysis-era5-land-monthly-means")


def open_era5(paths: Sequence[Path], start: str, end: str, variables: Sequence[str] = tuple(VARIABLES)) -> RawClimate:
    """Open ERA5, which is delivered like ERA5-Land, on 0.25° nodes; see `open_era5_land`.

    ERA5 has values over the sea: coastal cells average both, and quality control counts cells of the sea as land
    without storage (`filled`) instead of `ocean`. Which cells are valid does not depend on it.
    """
    return _open(paths, start, end, variables, "ERA5", "reanalysis-era5-single-levels-monthly-means")


def _open(
    paths: Sequence[Path], start: str, end: str, variables: Sequence[str], label: str, dataset: str
) -> RawClimate:
    paths = [Path(path) for path in paths]
    wanted = np.arange(np.datetime64(start, "M"), np.datetime64(end, "M") + 1)
    if not paths:
        raise DataError(f"There are no {label} files. Expected {start} to {end} of {dataset}: download them.")
    where = str(paths[0]) if len(paths) == 1 else ", ".join(sorted({str(path.parent) for path in paths}))
    with ExitStack() as stack:
        headers = scan_headers(paths, {name: names[:2] for name, names in VARIABLES.items()}, stack)
        _check_variables(headers, variables, where, label, dataset)
        held = {name: select_months(headers, name, set(wanted), _read_block) for name in variables}
        _check_months(held, wanted, where, label)
        used = {field.header.path for fields in held.values() for field in fields.values()}
        plans: list[tuple[Plan, Months]] = []
        for months in np.split(wanted, np.flatnonzero(wanted.astype(int)[1:] % 12 == 0) + 1):  # by calendar year
            plan = {name: [fields[month] for month in months] for name, fields in held.items()}
            check_grids([field for fields in plan.values() for field in fields])
            plans.append((plan, months))
        return RawClimate(
            years=_read_years(plans, stack.pop_all()),
            files=[path for path in paths if path in used],
            title=headers[0].title,
            synthetic=any(header.synthetic for header in headers if header.path in used),
        )


def _read_years(plans: Sequence[tuple[Plan, Months]], unpacked: ExitStack) -> Iterator[xr.Dataset]:
    with unpacked:
        for plan, months in plans:
            yield _lazy_dataset(plan, months)


def _lazy_dataset(plan: Plan, months: Months) -> xr.Dataset:
    import dask.array  # imported here: most programs that import this module read no climate

    data = {}
    for name, fields in plan.items():
        blocks = [
            dask.array.from_delayed(
                dask.delayed(partial(_read_block, header, name, indices), pure=False)(),
                shape=(len(indices), len(header.lat), len(header.lon)),
                dtype=np.float32,
            )
            for header, indices in split_blocks(fields, name)
        ]
        data[name] = (("time", "lat", "lon"), dask.array.concatenate(blocks), {"units": VARIABLES[name][2]})
    first = next(iter(plan.values()))[0].header
    dataset = xr.Dataset(data, coords={"time": months.astype("datetime64[ns]"), "lat": first.lat, "lon": first.lon})
    preliminary = [
        str(month)
        for k, month in enumerate(months)
        if any(fields[k].is_preliminary(name) for name, fields in plan.items())
    ]
    return dataset.assign_attrs(preliminary_months=" ".join(preliminary)) if preliminary else dataset


def _read_block(header: FileHeader, name: str, indices: Sequence[int]) -> NDArray[np.float32]:
    """Read some months of a variable from one file, shape (T, H, W), in our units and orientation."""
    short = header.names[name]
    stored = _load(header, short, list(indices))
    units = str(stored[short].attrs.get("units", ""))
    variable = xr.decode_cf(stored, decode_times=False)[short]  # decoding needs no lock
    orient = partial(read_field, path=header.path, time=header.time, lat=header.lat_name, lon=header.lon_name)
    if "expver" in variable.dims:
        # Older deliveries hold both versions of a field: take the final one where it has a value.
        values, *others = (orient(variable.isel(expver=k))[0] for k in order_versions(stored["expver"].values))
        for other in others:
            np.copyto(values, other, where=np.isnan(values))
    else:
        values = orient(variable)[0]
    if (known := CLIMATE_UNITS.get(name)) is not None:
        key = units.lower().replace(" ", "").replace("_", "").replace("**", "")
        if key not in known:
            raise DataError(f"{header.path}: {short} has the units '{units}'. Expected one of {', '.join(known)}.")
        scale, offset = known[key]
        if name == "precipitation":
            values *= (scale * days_in_month(header.months[list(indices)])).astype(np.float32)[:, None, None]
            np.maximum(values, 0.0, out=values)  # packing leaves rains of -1e-10
        else:
            values *= np.float32(scale)
            values += np.float32(offset)
    return values


def _load(header: FileHeader, short: str, indices: list[int]) -> xr.Dataset:
    """Read a variable as it is stored."""
    keep = (short, "expver", header.lat_name, header.lon_name)
    consecutive = indices == list(range(indices[0], indices[-1] + 1))
    months = slice(indices[0], indices[-1] + 1) if consecutive else indices
    try:
        # Also for NetCDF-3: the reader that `open_netcdf` takes for it reads the whole file.
        with _READING, xr.open_dataset(header.file, engine="netcdf4", decode_cf=False, cache=False) as raw:
            stored = raw[[name for name in keep if name in raw.variables]]
            return (stored.isel({header.time: months}) if header.time in stored.dims else stored).load()
    except (OSError, RuntimeError, ValueError, EOFError, IndexError) as error:
        raise DataError(
            f"{header.path}: {short} cannot be read ({first_line(error)}). Expected a complete NetCDF file, which dask "
            "workers on other machines can read too."
        ) from None


def _check_variables(
    headers: Sequence[FileHeader], variables: Sequence[str], where: str, label: str, dataset: str
) -> None:
    present = [name for name in VARIABLES if any(name in header.names for header in headers)]
    if absent := [name for name in variables if name not in present]:
        names = ", ".join(f"{VARIABLES[name][0]} ({VARIABLES[name][1]})" for name in absent)
        usable = ", ".join(VARIABLES[name][0] for name in present)
        raise DataError(
            f"{where}: {label}'s {names} is absent. Request it from {dataset}, and give all files of a delivery that "
            f"is split by step type; or run without it: set climate_variables: [{usable}] in the config."
        )


def _check_months(held: Mapping[str, Mapping[np.datetime64, FieldRef]], wanted: Months, where: str, label: str) -> None:
    gaps = {name: [month for month in wanted if month not in fields] for name, fields in held.items()}
    if not (missing := sorted(set().union(*gaps.values()))):
        return
    years = sorted({str(month)[:4] for month in missing})
    whole = [year for year in years if all(m in missing for m in wanted if str(m)[:4] == year)]
    parts = [*whole, *(str(m) for m in missing if str(m)[:4] not in whole)]
    lacking = [VARIABLES[name][0] for name in held if gaps[name]]
    of = f" of {', '.join(lacking)}" if len(lacking) < len(held) else ""
    raise DataError(
        f"{where}: {label} lacks {', '.join(parts)}{of}. Expected every month from {wanted[0]} to {wanted[-1]}: "
        f"download {', '.join(years)}, or shorten the period (period.climate_start, period.end)."
    )
