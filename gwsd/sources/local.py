"""A user's own storage file: any CF-like monthly anomaly on the half-degree grid."""

import re
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.grid import COARSE_SPACING
from gwsd.sources.reading import (
    LATITUDE_NAMES,
    LONGITUDE_NAMES,
    Months,
    find_name,
    open_netcdf,
    read_axis,
    read_field,
    read_months,
)

STORAGE_NAMES = ("gwsa", "lwe_thickness", "gws", "twsa", "tws", "storage", "groundwater", "gws_anomaly", "lwe")
UNCERTAINTY_NAMES = ("uncertainty", "gwsa_uncertainty", "uncertainty_gwsa", "error", "std", "sd")

SMALLEST_SPREAD_MM = 0.5
"""Below it, values said to be mm are plainly metres."""

LARGEST_SPREAD_MM = 20_000.0
"""Above it, values said to be m or cm are plainly in a smaller unit."""

_UNITS_MM = {
    r"mm|milli ?met(er|re)s?|kg ?/? ?m\*{0,2}\^?-?2": 1.0,
    r"cm|centi ?met(er|re)s?": 10.0,
    r"m|met(er|re)s?": 1000.0,
}


def open_storage(path: Path) -> xr.Dataset:
    """Open a monthly storage anomaly.

    Parameters
    ----------
    path : Path
        netCDF with one variable named as `STORAGE_NAMES` lists, in any case (or with only one monthly
        field at all), whose attribute `units` says mm, cm, m or kg m-2; 0.5° cells, latitude in either
        direction, longitude -180..180 or 0..360, months as any day within them.

    Returns
    -------
    xarray.Dataset
        `storage` and, where the file has one, `uncertainty`; dims (time, lat, lon), float32, mm, NaN where
        there is none; time the first day of the month, latitude and longitude increasing, -180..180.

    Raises
    ------
    DataError
        If the file is damaged, has no time axis, no such variable, no or a contradictory unit, another
        grid, or a month twice.
    """
    return read_storage(path, default_unit=None)


def read_storage(path: Path, *, default_unit: str | None) -> xr.Dataset:
    """Open a storage file; `default_unit` is what a product's documentation says where the file does not."""
    path = Path(path)
    with open_netcdf(path) as raw:
        time, months = read_months(raw, path)
        lat, _ = read_axis(raw, LATITUDE_NAMES, path)
        lon, _ = read_axis(raw, LONGITUDE_NAMES, path)
        _check_months(months, path)
        fields = [str(n) for n, v in raw.data_vars.items() if {lat, lon} <= set(v.dims) and v.dtype.kind in "fiu"]
        name = find_name(fields, STORAGE_NAMES)
        spread = find_name(fields, UNCERTAINTY_NAMES)
        if name is None:
            rest = [field for field in fields if field != spread and time in raw[field].dims]
            if len(rest) != 1:
                raise DataError(
                    f"{path}: cannot tell which variable is the storage anomaly among {rest or 'none'}. "
                    f"Expected one of {', '.join(STORAGE_NAMES)}: rename it (ncrename -v OLD,gwsa FILE)."
                )
            name = rest[0]
        values, lats, lons = read_field(raw[name], path, time=time, lat=lat, lon=lon)
        _check_grid(lats, lons, path)
        values *= _factor_to_mm(values, raw[name].attrs.get("units"), default_unit, name, path)
        variables = {"storage": values}
        if spread is not None:
            error, _, _ = read_field(raw[spread], path, time=time, lat=lat, lon=lon)
            unit = raw[spread].attrs.get("units") or raw[name].attrs.get("units") or default_unit
            variables["uncertainty"] = error * _parse_unit(str(unit), spread, path)
    order = np.argsort(months)
    if not np.array_equal(order, np.arange(len(order))):
        variables = {key: field[order] for key, field in variables.items()}
    return xr.Dataset(
        {key: (("time", "lat", "lon"), field, {"units": "mm"}) for key, field in variables.items()},
        coords={"time": months[order], "lat": lats, "lon": lons},
    )


def _parse_unit(unit: str, name: str, path: Path) -> np.float32:
    # "mm EWH", "cm equivalent water height", "m of water" ...: the length comes first.
    text = re.sub(r"^[(\[]|[)\]]$", "", unit.strip().lower())
    for pattern, factor in _UNITS_MM.items():
        if re.match(rf"({pattern})(?![a-z0-9*^/-]| *[/^*-]| s)", text):
            return np.float32(factor)
    raise DataError(
        f"{path}: variable '{name}' has the units '{unit}'. Expected mm, cm, m or kg m-2: convert it, or "
        f"correct the attribute (ncatted -a units,{name},o,c,mm FILE)."
    )


def _factor_to_mm(
    values: NDArray[np.float32], unit: object, default_unit: str | None, name: str, path: Path
) -> np.float32:
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise DataError(
            f"{path}: variable '{name}' holds no values at all, only fill. Expected a storage anomaly in mm."
        )
    spread = float(np.std(finite, dtype=np.float64))
    if not unit and default_unit is None:
        likely = "m" if spread < SMALLEST_SPREAD_MM else "mm or cm"
        raise DataError(
            f"{path}: variable '{name}' has no units. Expected an attribute 'units' that says mm, cm or m "
            f"(the values have a standard deviation of {spread:.3g}, which looks like {likely}): set it with "
            f"ncatted -a units,{name},o,c,mm FILE."
        )
    factor = _parse_unit(str(unit or default_unit), name, path)
    if spread * factor < SMALLEST_SPREAD_MM:
        raise DataError(
            f"{path}: variable '{name}' says '{unit or default_unit}', but its standard deviation, "
            f"{spread:.3g}, is far too small for a storage anomaly in it: the values are plainly metres. "
            f"Multiply them by 1000, or set units to m (ncatted -a units,{name},o,c,m FILE)."
        )
    if spread * factor > LARGEST_SPREAD_MM:
        raise DataError(
            f"{path}: variable '{name}' says '{unit}', but its standard deviation, {spread:.3g}, is far too "
            "large for a storage anomaly in it: the values are plainly mm or cm. Correct the attribute "
            f"(ncatted -a units,{name},o,c,mm FILE)."
        )
    return factor


def _check_months(months: Months, path: Path) -> None:
    unique, counts = np.unique(months, return_counts=True)
    if (counts > 1).any():
        twice = unique[counts > 1][0].astype("datetime64[M]")
        raise DataError(
            f"{path}: month {twice} comes {counts.max()} times. Expected monthly values, each month once: "
            "average daily or weekly fields to months first (cdo monmean IN OUT)."
        )


def _check_grid(lats: NDArray[np.float64], lons: NDArray[np.float64], path: Path) -> None:
    for axis, values in (("latitude", lats), ("longitude", lons)):
        centred = np.abs((values / COARSE_SPACING) % 1.0 - 0.5) < 1e-3
        steps = np.diff(values)
        # A region across the date line has one gap; it does not change the median.
        step = float(np.median(steps)) if len(steps) else COARSE_SPACING
        if not centred.all() or abs(step - COARSE_SPACING) > 1e-3:
            raise DataError(
                f"{path}: its {axis} starts at {values[0]:g} with a step of {step:g} degrees. Expected "
                "half-degree cells named by their centres (..., -0.25, 0.25, ...): regrid it conservatively "
                "to those first."
            )
