"""Read coarse storage: G3P v1.12, or any monthly anomaly on a regular grid, in one file or in many."""

import difflib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.data.archives import unpacked
from gwsd.data.calendar import Months
from gwsd.data.netcdf_io import (
    LATITUDE_NAMES,
    LONGITUDE_NAMES,
    find_name,
    is_zip,
    open_netcdf,
    origin,
    read_axis,
    read_field,
    read_months,
)
from gwsd.errors import DataError
from gwsd.units import check_spread, choose_unit, millimetres

G3P_DOI = "10.5880/G3P.2024.001"
STORAGE_NAMES = ("gwsa", "lwe_thickness", "gws", "twsa", "tws", "storage", "groundwater", "gws_anomaly", "lwe")
UNCERTAINTY_NAMES = ("uncertainty", "gwsa_uncertainty", "uncertainty_gwsa", "error", "std", "sd")
GROUNDWATER = "groundwater storage anomaly"
TOTAL_WATER = "total water storage anomaly"
WATER = "water storage anomaly"  # quantity of storage whose file does not name it
DUPLICATE_TOLERANCE_MM = 1e-3  # a month in two files is kept once if its values differ by no more

Correct = Callable[[xr.Dataset], xr.Dataset]


@dataclass
class _Part:
    """Contents of one file, mm."""

    label: str
    name: str
    quantity: str
    unit: str | None
    months: Months
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    fields: dict[str, NDArray[np.float32]]
    title: str
    synthetic: bool


def open_g3p(paths: Sequence[Path], *, variable: str | None = None, units: str | None = None) -> xr.Dataset:
    """Open G3P's groundwater storage anomaly: the zip as published, its GWSA file, or yearly files.

    Variables are `GWSA` and `uncertainty` in any case, mm unless the files state another unit.
    """
    dataset = read_storage(paths, default_unit="mm", variable=variable, units=units, wanted=_is_groundwater)
    if "uncertainty" not in dataset:
        raise DataError(
            f"{dataset.encoding['source']}: there is no variable 'uncertainty'. Expected G3P's GWSA file. For other "
            "storage set sources.storage to local (--config scenario=own storage_path=FILE)."
        )
    return dataset


def read_storage(
    paths: Sequence[Path],
    *,
    default_unit: str | None = None,
    variable: str | None = None,
    units: str | None = None,
    correct: Correct | None = None,
    wanted: Callable[[str], bool] | None = None,
) -> xr.Dataset:
    """Open storage files, convert their units, orient their axes and merge them.

    Parameters
    ----------
    paths : sequence of Path
        NetCDF files, or zips of them, that differ in time alone. Any regular grid, global or a region, named by cell
        centres; any day of a month; months may be missing.
    default_unit, units : str, optional
        mm, cm or m, for files that state no unit: according to the product's documentation, and to the settings.
    variable : str, optional
        Name of the storage; otherwise one of `STORAGE_NAMES`, or the only monthly field.
    correct : callable, optional
        Takes each file as opened and returns it with the product's peculiarities corrected (dates, names).
    wanted : callable, optional
        True for the members of a zip to read; all NetCDF files otherwise.

    Returns
    -------
    xarray.Dataset
        `storage` and, if there is one, `uncertainty`; dims (time, lat, lon), float32, mm, NaN where there is no value;
        time the first day of the month; latitude and longitude increasing, -180..180, on the files' grid.
        `storage` has the attributes `quantity` and `long_name`; the dataset `source_title`, and `synthetic` if a file
        declares itself so; `encoding["source"]` names the first file.
    """
    if not paths:
        raise DataError("No storage file was given. Expected at least one: check storage_path.")
    parts: list[_Part] = []
    for path in paths:
        with ExitStack() as stack:
            zipped = is_zip(path)
            for file in stack.enter_context(unpacked(path, wanted=wanted)) if zipped else [path]:
                part = _read_part(file, variable, units, default_unit, correct)
                part.label = f"{path}: {file.name}" if zipped else str(path)
                parts.append(part)
    first = parts[0]
    for part in parts[1:]:
        _check_together(first, part)
    attributes = {"source_title": first.title} if first.title else {}
    attributes |= {"synthetic": "yes"} if any(part.synthetic for part in parts) else {}
    unit = None if any(part.unit is None for part in parts) else first.unit
    more = f" (and {len(parts) - 1} more)" if len(parts) > 1 else ""
    months, fields = _merge(parts)
    # All files together: one month of a region may be calm.
    check_spread(fields["storage"], unit, f"{first.label}{more}: variable '{first.name}'")
    dataset = xr.Dataset(
        {name: (("time", "lat", "lon"), field, {"units": "mm"}) for name, field in fields.items()},
        coords={"time": months, "lat": first.lat, "lon": first.lon},
        attrs=attributes,
    )
    dataset["storage"].attrs.update(quantity=first.quantity, long_name=first.quantity)
    dataset.encoding["source"] = str(paths[0])
    return dataset


def find_quantity(name: str, attributes: dict[str, object]) -> str:
    """Return `GROUNDWATER`, `TOTAL_WATER` or `WATER` from a variable's name, `standard_name` and `long_name`."""
    texts = " ".join(str(attributes.get(key, "")) for key in ("standard_name", "long_name")).lower().replace("_", " ")
    if name.lower().startswith(("gws", "groundwater")) or "groundwater" in texts:
        return GROUNDWATER
    words = ("total water", "terrestrial water", "liquid water equivalent", "lwe", "tws")
    if name.lower().startswith(("tws", "lwe")) or any(word in texts for word in words):
        return TOTAL_WATER
    return WATER


def _is_groundwater(member: str) -> bool:
    path = PurePosixPath(member.lower())
    return path.name.startswith("gwsa") or path.parent.name == "gwsa"


def _read_part(
    path: Path, variable: str | None, units: str | None, default_unit: str | None, correct: Correct | None
) -> _Part:
    with open_netcdf(path) as raw:
        data = raw if correct is None else correct(raw)
        time, months = read_months(data, path)
        (lat, lats), (lon, _) = read_axis(data, LATITUDE_NAMES, path), read_axis(data, LONGITUDE_NAMES, path)
        _check_axes(months, lats, path)
        axes = {time, lat, lon} if time in data.dims else {lat, lon}
        monthly = [
            str(key) for key, field in data.data_vars.items() if axes <= {*field.dims} and field.dtype.kind in "fiu"
        ]
        name, spread_name = _find_fields(monthly, variable, path)
        unit = choose_unit(data[name].attrs.get("units"), units, default_unit, f"{path}: variable '{name}'")
        values, lats, lons = read_field(data[name], path, time=time, lat=lat, lon=lon)
        values *= np.float32(millimetres(unit or "mm"))
        fields = {"storage": values}
        if spread_name is not None:
            stated = data[spread_name].attrs.get("units")
            other = choose_unit(stated, None, unit or "mm", f"{path}: variable '{spread_name}'")
            error, _, _ = read_field(data[spread_name], path, time=time, lat=lat, lon=lon)
            fields["uncertainty"] = error * np.float32(millimetres(other or "mm"))
        quantity = find_quantity(name, data[name].attrs)
        return _Part("", name, quantity, unit, months, lats, lons, fields, *origin(raw.attrs))


def _find_fields(monthly: list[str], variable: str | None, path: Path) -> tuple[str, str | None]:
    """Return the name of the storage and, if there is one, of its uncertainty."""
    name = find_name(monthly, STORAGE_NAMES)
    if variable is not None:
        name = variable if variable in monthly else find_name(monthly, [variable])
        if name is None:
            near = difflib.get_close_matches(variable.lower(), [field.lower() for field in monthly], n=1, cutoff=0.4)
            hint = f"; did you mean '{find_name(monthly, near)}'?" if near else "."
            raise DataError(
                f"{path}: there is no monthly field '{variable}' (sources.storage_variable){hint} "
                f"It has {', '.join(monthly) or 'none'}."
            )
    own = [] if name is None else [f"{name}_uncertainty", f"uncertainty_{name}", f"{name}_error"]
    spread = find_name([field for field in monthly if field != name], [*own, *UNCERTAINTY_NAMES])
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
        raise DataError(
            f"{path}: month {unique[counts > 1][0].astype('datetime64[M]')} occurs {counts.max()} times. Expected "
            "monthly values: average daily or weekly fields first (cdo monmean IN OUT). Satellite solutions that do "
            "not follow the calendar need their dates corrected (docs/your-own-data.md shows how)."
        )
    if np.abs(lats).max() > 90.0:
        raise DataError(
            f"{path}: its latitudes run from {lats.min():g} to {lats.max():g}, which are not degrees. Expected a "
            "regular latitude-longitude grid: project it to one first (cdo remapcon,GRID IN OUT)."
        )


def _check_together(first: _Part, part: _Part) -> None:
    """Refuse files that are not parts of one series."""
    if part.name.lower() != first.name.lower():
        raise DataError(
            f"{first.label} holds '{first.name}' and {part.label} '{part.name}'. Expected files of one series: set "
            "sources.storage_variable."
        )
    axes = ((part.lat, first.lat), (part.lon, first.lon))
    if not all(len(a) == len(b) and np.allclose(a, b, atol=1e-3, rtol=0.0) for a, b in axes):
        a, b = (f"{len(p.lat)} by {len(p.lon)} cells from {p.lat[0]:g}, {p.lon[0]:g}" for p in (first, part))
        raise DataError(
            f"{first.label} and {part.label} are on different grids ({a} and {b}). Expected files that differ in time "
            "alone."
        )


def _merge(parts: list[_Part]) -> tuple[Months, dict[str, NDArray[np.float32]]]:
    """Put the months of all parts in order; parts are emptied so that nothing is held twice."""
    if len(parts) == 1 and (np.diff(parts[0].months) > np.timedelta64(0)).all():
        return parts[0].months, parts[0].fields
    months = np.unique(np.concatenate([part.months for part in parts]))
    shape = (len(months), len(parts[0].lat), len(parts[0].lon))
    fields = {name: np.full(shape, np.nan, dtype=np.float32) for part in parts for name in part.fields}
    held_by: dict[int, str] = {}
    while parts:
        part = parts.pop(0)
        for own, index in enumerate(np.searchsorted(months, part.months).tolist()):
            if index in held_by:
                _check_same(fields["storage"][index], part, own, held_by[index])
                continue
            held_by[index] = part.label
            for name, field in part.fields.items():
                fields[name][index] = field[own]
    return months, fields


def _check_same(held: NDArray[np.float32], part: _Part, own: int, other: str) -> None:
    values, month = part.fields["storage"][own], part.months[own].astype("datetime64[M]")
    if np.allclose(held, values, rtol=1e-5, atol=DUPLICATE_TOLERANCE_MM, equal_nan=True):
        return
    both = np.isfinite(held) & np.isfinite(values)
    apart = f"up to {np.abs(held - values)[both].max():.3g} mm apart" if both.any() else "in different cells"
    raise DataError(
        f"{other} and {part.label} both hold {month}, with different values ({apart}). Expected each month once: "
        "leave one of the files out of storage_path."
    )
