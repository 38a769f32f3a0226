"""ERA5-Land monthly means as the Climate Data Store delivers them.

A delivery is one netCDF file, or a zip (whatever its name says) of one file or of one file a step type,
stamped 00 and 06 UTC. Members may differ in longitude convention and in the name of the time axis.
"""

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.sources.reading import (
    LATITUDE_NAMES,
    LONGITUDE_NAMES,
    ZIP_MAGIC,
    Months,
    days_in_month,
    find_name,
    open_netcdf,
    read_axis,
    read_field,
    read_magic,
    read_months,
)

VARIABLES = {
    "precipitation": ("tp", "total_precipitation", "mm month-1"),
    "soil_moisture": ("swvl1", "volumetric_soil_water_layer_1", "m3 m-3"),
    "temperature": ("t2m", "2m_temperature", "degC"),
    "surface_pressure": ("sp", "surface_pressure", "hPa"),
}
"""Our name: ERA5-Land's short name, its name in a request, our unit."""

KELVIN = 273.15
"""0 °C in kelvin."""

Field = NDArray[np.float32]


def _precipitation(values: Field, months: Months, units: str) -> None:
    # A monthly mean's tp says "m" and means metres a day (the mean of daily sums).
    scale = 1.0 if units.startswith("mm") else 1000.0
    values *= (scale * days_in_month(months)).astype(np.float32)[:, None, None]
    np.maximum(values, 0.0, out=values)  # packing leaves rains of -1e-10


def _temperature(values: Field, months: Months, units: str) -> None:
    if not units.lower().startswith(("c", "degc", "deg_c", "°c")):
        values -= np.float32(KELVIN)


def _pressure(values: Field, months: Months, units: str) -> None:
    if units.lower() not in ("hpa", "mbar", "millibars"):
        values *= np.float32(0.01)


def _unchanged(values: Field, months: Months, units: str) -> None:
    return None


_CONVERT: dict[str, Callable[[Field, Months, str], None]] = {
    "precipitation": _precipitation,
    "soil_moisture": _unchanged,
    "temperature": _temperature,
    "surface_pressure": _pressure,
}


def open_climate_year(path: Path, *more: Path, variables: Sequence[str] = tuple(VARIABLES)) -> xr.Dataset:
    """Read one delivery (usually a year) of ERA5-Land monthly means.

    Parameters
    ----------
    path, *more : Path
        A netCDF file or zip as delivered; further files of the same delivery, such as its other step type.
    variables : sequence of str
        Which of `VARIABLES` to read; all unless said otherwise.

    Returns
    -------
    xarray.Dataset
        `precipitation` (mm/month), `soil_moisture` (m³ m⁻³), `temperature` (°C), `surface_pressure` (hPa);
        dims (time, lat, lon), float32, NaN over water; time the first day of the month, latitude and
        longitude increasing, -180..180, nodes as they are.

    Raises
    ------
    DataError
        If a file is damaged, a variable is absent (it is named), or members disagree in grid or months.
    """
    return _read((Path(path), *map(Path, more)), None, variables)


def open_climate(paths: Sequence[Path], climate_start: str, end: str) -> Iterator[xr.Dataset]:
    """Read ERA5-Land year by year, having checked first that no month is missing.

    Parameters
    ----------
    paths : sequence of Path
        All deliveries; of a month that comes twice the first is taken.
    climate_start, end : str
        First and last month, YYYY-MM.

    Yields
    ------
    xarray.Dataset
        As `open_climate_year`, one dataset a calendar year, its months continuous and within the range.

    Raises
    ------
    DataError
        If months or variables are missing: the message lists them and says what to do.
    """
    paths = [Path(path) for path in paths]
    wanted = np.arange(np.datetime64(climate_start, "M"), np.datetime64(end, "M") + 1)
    held = _survey(paths)
    _check_complete(paths, held, wanted)
    # A generator of its own, so that the checks above run at the call and not at the first year.
    return _read_years(held, wanted)


def _read_years(held: dict[str, dict[np.datetime64, Path]], wanted: NDArray[np.datetime64]) -> Iterator[xr.Dataset]:
    for year in np.unique(wanted.astype("datetime64[Y]")):
        months = wanted[wanted.astype("datetime64[Y]") == year]
        needed = {held[name][month]: None for name in VARIABLES for month in months}
        yield _read(tuple(needed), months, tuple(VARIABLES))


@contextmanager
def _members(path: Path) -> Iterator[list[Path]]:
    """Give the netCDF files of a delivery: itself, or what the zip holds."""
    if not read_magic(path).startswith(ZIP_MAGIC):
        yield [path]
        return
    with tempfile.TemporaryDirectory(prefix="gwsd_era5_") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                names = [info for info in archive.infolist() if not info.is_dir()]
                files = []
                for number, info in enumerate(names):
                    info.filename = f"{number}_{Path(info.filename).name}"
                    files.append(Path(archive.extract(info, folder)))
        except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
            raise DataError(
                f"{path}: the zip is truncated or damaged ({error}). Expected a whole ERA5-Land delivery: "
                "download it again."
            ) from None
        if not (files := [file for file in files if file.suffix in (".nc", ".nc4")]):
            raise DataError(f"{path}: the zip holds no netCDF file. Request data_format: netcdf.")
        yield files


@contextmanager
def _opened(member: Path, path: Path) -> Iterator[tuple[xr.Dataset, str, Months]]:
    """Open one member with its months; `path` is what the user knows it by."""
    raw = open_netcdf(member)
    with raw:
        name, months = read_months(raw, path)
        yield raw, name, months


def _survey(paths: Sequence[Path]) -> dict[str, dict[np.datetime64, Path]]:
    """Which delivery holds which variable in which month, without reading the fields."""
    held: dict[str, dict[np.datetime64, Path]] = {name: {} for name in VARIABLES}
    for path in paths:
        with _members(path) as members:
            for member in members:
                with _opened(member, path) as (raw, _, months):
                    for name in VARIABLES:
                        if _find(raw, name) is not None:
                            for month in months.astype("datetime64[M]"):
                                held[name].setdefault(month, path)
    return held


def _find(raw: xr.Dataset, name: str) -> str | None:
    return find_name(raw.data_vars, VARIABLES[name][:2])


def _check_complete(
    paths: Sequence[Path], held: dict[str, dict[np.datetime64, Path]], wanted: NDArray[np.datetime64]
) -> None:
    if not paths:
        raise DataError(
            f"There are no ERA5-Land files. Expected monthly means for {wanted[0]} to {wanted[-1]}: download "
            "the data set reanalysis-era5-land-monthly-means from the Climate Data Store, one file a year."
        )
    folder = ", ".join(sorted({str(path.parent) for path in paths}))
    if absent := [name for name in VARIABLES if not held[name]]:
        raise DataError(_say_absent(absent, folder))
    gaps = {name: [month for month in wanted if month not in held[name]] for name in VARIABLES}
    if not (missing := sorted(set().union(*gaps.values()))):
        return
    years = {str(month)[:4] for month in missing}
    whole = {year for year in years if all(m in missing for m in wanted if str(m)[:4] == year)}
    parts = [*sorted(whole), *(str(m) for m in missing if str(m)[:4] not in whole)]
    lacking = [VARIABLES[name][0] for name in VARIABLES if gaps[name]]
    of = f" of {', '.join(lacking)}" if len(lacking) < len(VARIABLES) else ""
    raise DataError(
        f"ERA5-Land in {folder} lacks {', '.join(parts)}{of}. Expected every month from {wanted[0]} to "
        f"{wanted[-1]}: download the missing with the same request for year {', '.join(sorted(years))} and put "
        "the file beside the others, or shorten the period in the config (period.climate_start, period.end)."
    )


def _say_absent(absent: list[str], where: str) -> str:
    names = ", ".join(f"{VARIABLES[name][0]} ({VARIABLES[name][1]})" for name in absent)
    return (
        f"{where}: ERA5-Land's {names} is absent. Expected tp, swvl1, t2m and sp: request these variables "
        "from reanalysis-era5-land-monthly-means, and give all files of a delivery that comes split by step "
        "type."
    )


def _read(paths: tuple[Path, ...], wanted: NDArray[np.datetime64] | None, variables: Sequence[str]) -> xr.Dataset:
    """Read deliveries into one dataset; `wanted` months alone, or all that the deliveries hold."""
    pieces: dict[str, dict[np.datetime64, Field]] = {name: {} for name in variables}
    grid: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    for path in paths:
        with _members(path) as members:
            for member in members:
                with _opened(member, path) as (raw, time, months):
                    for name in variables:
                        if (short := _find(raw, name)) is None:
                            continue
                        whole = months.astype("datetime64[M]")
                        new = [
                            i
                            for i, month in enumerate(whole)
                            if (wanted is None or month in wanted) and month not in pieces[name]
                        ]
                        if not new:
                            continue
                        values, lat, lon = _read_variable(raw, short, time, new, path)
                        _CONVERT[name](values, months[new], str(raw[short].attrs.get("units", "")))
                        grid = _same_grid(grid, (lat, lon), path)
                        pieces[name].update({whole[i]: values[k] for k, i in enumerate(new)})
    where = ", ".join(map(str, paths))
    if absent := [name for name in variables if not pieces[name]]:
        raise DataError(_say_absent(absent, where))
    assert grid is not None  # some variable was read
    months_read = sorted(set().union(*pieces.values()))
    for name, held in pieces.items():
        if lack := [str(month) for month in months_read if month not in held]:
            raise DataError(
                f"{where}: {VARIABLES[name][0]} lacks {', '.join(lack)}, which other variables have. "
                "Expected the same months for all: download the delivery again."
            )
    data = {}
    for name in variables:
        held = pieces.pop(name)
        data[name] = (("time", "lat", "lon"), _stack(held, months_read), {"units": VARIABLES[name][2]})
    return xr.Dataset(
        data, coords={"time": np.array(months_read).astype("datetime64[ns]"), "lat": grid[0], "lon": grid[1]}
    )


def _stack(held: dict[np.datetime64, Field], months: list[np.datetime64]) -> Field:
    first = held[months[0]].base
    # All months of one file in order: the block that was read already is the answer.
    if isinstance(first, np.ndarray) and first.shape == (len(months), *held[months[0]].shape):
        fields = [held[month] for month in months]
        if all(np.may_share_memory(field, first[k]) for k, field in enumerate(fields)):
            return first
    return np.stack([held[month] for month in months])


def _read_variable(
    raw: xr.Dataset, short: str, time: str, chosen: list[int], path: Path
) -> tuple[Field, NDArray[np.float64], NDArray[np.float64]]:
    lat, _ = read_axis(raw, LATITUDE_NAMES, path)
    lon, _ = read_axis(raw, LONGITUDE_NAMES, path)
    variable = raw[short]
    if time in variable.dims and len(chosen) < variable.sizes[time]:
        variable = variable.isel({time: chosen})
    if "expver" in variable.dims:
        # Older deliveries hold final (1) and preliminary (5) fields side by side: final where there is one.
        versions = [variable.isel(expver=k) for k in np.argsort(variable["expver"].values.astype(str))]
        merged = versions[0]
        for version in versions[1:]:
            merged = merged.combine_first(version)
        variable = merged.assign_attrs(raw[short].attrs)
    return read_field(variable, path, time=time, lat=lat, lon=lon)


def _same_grid(
    grid: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
    new: tuple[NDArray[np.float64], NDArray[np.float64]],
    path: Path,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if grid is None:
        return new
    for held, other in zip(grid, new, strict=True):
        if held.shape != other.shape or not np.allclose(held, other, atol=1e-4):
            raise DataError(
                f"{path}: its grid ({other[0]:g} to {other[-1]:g}, {len(other)} nodes) differs from that of "
                f"the other files ({held[0]:g} to {held[-1]:g}, {len(held)} nodes). Expected one grid: "
                "request the same area."
            )
    return grid
