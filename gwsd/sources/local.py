"""Storage of the user's own: any CF-like monthly anomaly on a regular grid, in one file or in many.

What other products of storage share with such files is here too: `read_storage`.
"""

import difflib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
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
    Months,
    find_name,
    open_netcdf,
    read_axis,
    read_field,
    read_magic,
    read_months,
)
from gwsd.sources.units import Spread, Unit, check_spread, choose_unit

LABEL = "storage of the user's own"
"""What artifacts call the product."""

STORAGE_NAMES = ("gwsa", "lwe_thickness", "gws", "twsa", "tws", "storage", "groundwater", "gws_anomaly", "lwe")
UNCERTAINTY_NAMES = ("uncertainty", "gwsa_uncertainty", "uncertainty_gwsa", "error", "std", "sd")

SAME_MM = 1e-3
"""A month that comes twice is kept once where its values differ by no more, mm."""


@dataclass
class _Part:
    """What one file holds, mm."""

    label: str
    name: str
    unit: Unit | None
    spread: Spread
    months: Months
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    fields: dict[str, NDArray[np.float32]]


def open_storage(paths: Path | Sequence[Path], *, variable: str | None = None, units: str | None = None) -> xr.Dataset:
    """Open a monthly storage anomaly.

    Parameters
    ----------
    paths : Path or sequence of Path
        One netCDF file or several that differ in time alone (a month, a year, any part each), or zip files of
        such. Cells on a regular grid of any spacing, global or regional, named by their middles; latitude in
        either direction, longitude -180..180 or 0..360; months as any day within them.
    variable : str, optional
        Name of the storage; one of `STORAGE_NAMES`, or the only monthly field, otherwise. Case matters only
        where two names differ in nothing else.
    units : str, optional
        mm, cm or m, for files that state no unit.

    Returns
    -------
    xarray.Dataset
        `storage` and, where there is one, `uncertainty`; dims (time, lat, lon), float32, mm, NaN where there is
        none; time the first day of the month, latitude and longitude increasing, -180..180, on the files' grid.

    Raises
    ------
    DataError
        If a file is damaged, has no time axis, no such variable, no or a contradictory unit, or a month twice;
        or if files do not belong together.
    """
    return read_storage(paths, default_unit=None, variable=variable, units=units)


def read_storage(
    paths: Path | Sequence[Path],
    *,
    default_unit: str | None,
    variable: str | None = None,
    units: str | None = None,
    mend: Callable[[xr.Dataset], xr.Dataset] | None = None,
) -> xr.Dataset:
    """Open a product's storage.

    Parameters
    ----------
    paths, variable, units
        As `open_storage` takes them.
    default_unit : str or None
        What the product's documentation says where the files and `units` do not.
    mend : callable, optional
        Given a file as opened, returns it with what is peculiar to the product put right (dates, names).

    Returns
    -------
    xarray.Dataset
        As `open_storage` returns it; its `encoding["source"]` names the first file.

    Raises
    ------
    DataError
        As `open_storage` does.
    """
    parts: list[_Part] = []
    for path in [Path(paths)] if isinstance(paths, str | Path) else [Path(one) for one in paths]:
        # Each zip is unpacked while it is read, and its name stands in what is raised meanwhile.
        is_zip = read_magic(path).startswith(ZIP_MAGIC)
        with unpacked(path) if is_zip else nullcontext([path]) as files:
            for file in files:
                label = f"{path}: {file.name}" if is_zip else str(path)
                parts.append(
                    _read_part(file, label, variable=variable, units=units, default_unit=default_unit, mend=mend)
                )
    if not parts:
        raise DataError("No storage file was given. Expected at least one: check storage_path.")
    _check_together(parts)
    _check_units(parts)
    source, lat, lon = parts[0].label, parts[0].lat, parts[0].lon
    months, fields = _merge(parts)
    dataset = xr.Dataset(
        {key: (("time", "lat", "lon"), field, {"units": "mm"}) for key, field in fields.items()},
        coords={"time": months, "lat": lat, "lon": lon},
    )
    dataset.encoding["source"] = source
    return dataset


def _read_part(
    path: Path,
    label: str,
    *,
    variable: str | None,
    units: str | None,
    default_unit: str | None,
    mend: Callable[[xr.Dataset], xr.Dataset] | None,
) -> _Part:
    with open_netcdf(path) as raw:
        mended = _with_lower_case_units(raw, path)
        mended = mended if mend is None else mend(mended)
        time, months = read_months(mended, path)
        lat, lats = read_axis(mended, LATITUDE_NAMES, path)
        lon, _ = read_axis(mended, LONGITUDE_NAMES, path)
        _check_axes(months, lats, path)
        axes = {time, lat, lon} if time in mended.dims else {lat, lon}
        monthly = [
            str(k) for k, field in mended.data_vars.items() if axes <= {*field.dims} and field.dtype.kind in "fiu"
        ]
        name, spread_name = _find_fields(monthly, variable, path)
        values, lats, lons = read_field(mended[name], path, time=time, lat=lat, lon=lon)
        unit = choose_unit(mended[name].attrs.get("units"), units, default_unit, name=name, label=str(path))
        spread = Spread()
        spread.add(values)
        values *= np.float32(1.0 if unit is None else unit.factor)
        fields = {"storage": values}
        if spread_name is not None:
            stated = mended[spread_name].attrs.get("units")
            other = choose_unit(stated, None, None, name=spread_name, label=str(path)) or unit
            error, _, _ = read_field(mended[spread_name], path, time=time, lat=lat, lon=lon)
            fields["uncertainty"] = error * np.float32(1.0 if other is None else other.factor)
    return _Part(label, name, unit, spread, months, lats, lons, fields)


def _with_lower_case_units(raw: xr.Dataset, path: Path) -> xr.Dataset:
    """Rename the attribute `Units`, as some mascons have it, to what CF and the decoding of times know."""
    odd = {name: key for name, v in raw.variables.items() for key in v.attrs if key != "units" == key.lower()}
    if not odd:
        return raw
    raw = raw.copy()
    for name, key in odd.items():
        raw.variables[name].attrs.setdefault("units", raw.variables[name].attrs.pop(key))
    try:
        return xr.decode_cf(raw)
    except (ValueError, OverflowError) as error:
        raise DataError(
            f"{path}: its time axis cannot be decoded ({error}). Expected CF units such as 'days since 2002-01-01'."
        ) from None


def _find_fields(monthly: list[str], variable: str | None, path: Path) -> tuple[str, str | None]:
    """Name of the storage and, where there is one, of its uncertainty."""
    name = find_name(monthly, STORAGE_NAMES) if variable is None else None
    if variable is not None:
        name = variable if variable in monthly else find_name(monthly, [variable])
        if name is None:
            near = difflib.get_close_matches(variable.lower(), [field.lower() for field in monthly], n=1, cutoff=0.4)
            hint = f"; did you mean '{find_name(monthly, near)}'?" if near else "."
            raise DataError(
                f"{path}: there is no monthly field '{variable}', which sources.storage_variable names{hint} "
                f"It has {', '.join(monthly) or 'none'}: name one of them, or take another file."
            )
    beside = [] if name is None else [f"{name}_uncertainty", f"uncertainty_{name}", f"{name}_error"]
    spread = find_name([field for field in monthly if field != name], [*beside, *UNCERTAINTY_NAMES])
    if name is None:
        rest = [field for field in monthly if field != spread]
        if len(rest) != 1:
            raise DataError(
                f"{path}: cannot tell which variable is the storage anomaly among {rest or 'none'}. Expected one of "
                f"{', '.join(STORAGE_NAMES)}: set sources.storage_variable in the config to its name."
            )
        name = rest[0]
    return name, spread


def _check_axes(months: Months, lats: NDArray[np.float64], path: Path) -> None:
    unique, counts = np.unique(months, return_counts=True)
    if (counts > 1).any():
        twice = unique[counts > 1][0].astype("datetime64[M]")
        raise DataError(
            f"{path}: month {twice} comes {counts.max()} times. Expected monthly values, each month once: "
            "average daily or weekly fields to months first (cdo monmean IN OUT). Satellite solutions that do not "
            "follow the calendar need their dates put right (docs/your-own-data.md shows how)."
        )
    if np.abs(lats).max() > 90.0:
        raise DataError(
            f"{path}: its latitudes run from {lats.min():g} to {lats.max():g}, which are no degrees. Expected a "
            "regular latitude-longitude grid: project it to one first (cdo remapcon,GRID IN OUT)."
        )


def _check_together(parts: list[_Part]) -> None:
    """Refuse files that are not parts of one series."""
    first = parts[0]
    for part in parts[1:]:
        if part.name.lower() != first.name.lower():
            raise DataError(
                f"{first.label} holds '{first.name}' and {part.label} '{part.name}'. Expected files of one series: "
                "set sources.storage_variable in the config, or give the files of one."
            )
        if not (_agree(part.lat, first.lat) and _agree(part.lon, first.lon)):
            raise DataError(
                f"{first.label} and {part.label} are on different grids ({_describe(first)} and {_describe(part)}). "
                "Expected files that differ in time alone: give those of one grid."
            )


def _agree(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return len(one) == len(other) and bool(np.allclose(one, other, atol=1e-3, rtol=0.0))


def _describe(part: _Part) -> str:
    return (
        f"{len(part.lat)} by {len(part.lon)} cells from {part.lat[0]:g}, {part.lon[0]:g} to {part.lat[-1]:g}, "
        f"{part.lon[-1]:g}"
    )


def _check_units(parts: list[_Part]) -> None:
    """Judge the values of all files together: one month of a region may well be calm."""
    first = parts[0]
    if not any(part.spread.number for part in parts):
        raise DataError(
            f"{first.label}: variable '{first.name}' holds no values at all, only fill. Expected a storage anomaly "
            "in mm."
        )
    for unit in dict.fromkeys(part.unit for part in parts):
        alike = [part for part in parts if part.unit == unit]
        spread = Spread.of([part.spread for part in alike])
        more = f" (and {len(alike) - 1} more)" if len(alike) > 1 else ""
        if spread.number:
            check_spread(spread, unit, name=alike[0].name, label=f"{alike[0].label}{more}")


def _merge(parts: list[_Part]) -> tuple[Months, dict[str, NDArray[np.float32]]]:
    """Put the months of all parts in order; the parts are emptied, so that nothing is held twice."""
    if len(parts) == 1:
        months, fields = parts[0].months, parts[0].fields
        order = np.argsort(months)
        if not np.array_equal(order, np.arange(len(order))):
            fields = {key: field[order] for key, field in fields.items()}
        return months[order], fields
    months = np.unique(np.concatenate([part.months for part in parts]))
    shape = (len(months), len(parts[0].lat), len(parts[0].lon))
    fields = {name: np.empty(shape, dtype=np.float32) for part in parts for name in part.fields}
    held_by: dict[int, str] = {}
    while parts:
        part = parts.pop(0)
        for own, index in enumerate(np.searchsorted(months, part.months).tolist()):
            if index in held_by:
                _check_same(fields["storage"][index], part, own, held_by[index])
                continue
            held_by[index] = part.label
            for name, field in fields.items():
                field[index] = part.fields[name][own] if name in part.fields else np.nan
    return months, fields


def _check_same(held: NDArray[np.float32], part: _Part, own: int, other: str) -> None:
    """Refuse a month that two files hold with different values."""
    values, month = part.fields["storage"][own], part.months[own].astype("datetime64[M]")
    if np.allclose(held, values, rtol=1e-5, atol=SAME_MM, equal_nan=True):
        return
    both = np.isfinite(held) & np.isfinite(values)
    apart = f"up to {np.abs(held - values)[both].max():.3g} mm apart" if both.any() else "in different cells"
    raise DataError(
        f"{other} and {part.label} both hold {month}, with different values ({apart}). Expected each month once: "
        "leave one of the files out of storage_path."
    )
