"""ERA5-Land monthly means as the Climate Data Store delivers them.

A delivery is one netCDF file, or a zip (whatever its name says) of one file or of one file a step type,
stamped 00 and 06 UTC. Members may differ in longitude convention and in the name of the time axis.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.sources.deliveries import Member, Place, check_grids, choose, order_versions, split_blocks, survey
from gwsd.sources.reading import Months, days_in_month, read_field

LABEL = "ERA5-Land"
"""What artifacts call the product."""

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
Wanted = NDArray[np.datetime64]
Plan = dict[str, list[Place]]
"""For each variable where its months are taken from, in order."""


class Product(NamedTuple):
    """What messages call a product, and its name at the Climate Data Store."""

    label: str
    dataset: str


ERA5_LAND = Product(LABEL, "reanalysis-era5-land-monthly-means")

_READING = threading.Lock()
"""The netCDF library is not thread-safe, and HDF5 reads one thing at a time anyway."""


def open_climate(
    paths: Sequence[Path], climate_start: str, end: str, variables: Sequence[str] = tuple(VARIABLES)
) -> Iterator[xr.Dataset]:
    """Open ERA5-Land year by year, having checked first that nothing is missing.

    Parameters
    ----------
    paths : sequence of Path
        All deliveries. Of a month that comes twice the final field is taken, else the first, if they agree.
    climate_start, end : str
        First and last month, YYYY-MM.
    variables : sequence of str
        Which of `VARIABLES` to read.

    Yields
    ------
    xarray.Dataset
        As `open_climate_year`, one dataset a calendar year, its months continuous and within the range. Its
        fields are dask arrays in blocks of months; they can be read until the next year is asked for. The
        attribute `preliminary_months` lists the months that final fields will replace, where there are any.

    Raises
    ------
    DataError
        If months or variables are missing, or files contradict one another: the message says what to do.
    """
    return open_deliveries(paths, climate_start, end, variables, ERA5_LAND)


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
    paths = [Path(path), *map(Path, more)]
    where = ", ".join(map(str, paths))
    with ExitStack() as stack:
        held, present = _hold(paths, None, variables, stack)
        _check_present(held, present, where, ERA5_LAND)
        months = np.array(sorted(set().union(*held.values())))
        for name, places in held.items():
            if lack := [str(month) for month in months if month not in places]:
                raise DataError(
                    f"{where}: {VARIABLES[name][0]} lacks {', '.join(lack)}, which other variables have. "
                    "Expected the same months for all: download the delivery again."
                )
        return _lazily(_plan(held, months), months).load(scheduler="synchronous")


def open_deliveries(
    paths: Sequence[Path], climate_start: str, end: str, variables: Sequence[str], product: Product
) -> Iterator[xr.Dataset]:
    """Open deliveries of a product whose monthly means are like ERA5-Land's; see `open_climate`."""
    paths = [Path(path) for path in paths]
    wanted = np.arange(np.datetime64(climate_start, "M"), np.datetime64(end, "M") + 1)
    with ExitStack() as stack:
        held, present = _hold(paths, set(wanted), variables, stack)
        _check_complete(paths, held, present, wanted, product)
        years = [wanted[wanted.astype("datetime64[Y]") == year] for year in np.unique(wanted.astype("datetime64[Y]"))]
        plans = [(_plan(held, months), months) for months in years]
        # A generator of its own, so that the checks above run at the call and not at the first year.
        return _yield_years(plans, stack.pop_all())


def read_block(member: Member, name: str, indices: Sequence[int]) -> Field:
    """Read some months of a variable from one file, in our units and orientation.

    Parameters
    ----------
    member : Member
    name : str
        Our name of the variable.
    indices : sequence of int
        Positions on the file's time axis.

    Returns
    -------
    ndarray, shape (T, H, W), float32
        NaN where there is no value.

    Raises
    ------
    DataError
        If the file ends before the data does.
    """
    short = member.names[name]
    stored = _load(member, short, list(indices))
    units = str(stored[short].attrs.get("units", ""))
    variable = xr.decode_cf(stored, decode_times=False)[short]
    orient = partial(read_field, path=member.path, time=member.time, lat=member.lat_name, lon=member.lon_name)
    if "expver" in variable.dims:
        # Older deliveries hold final and preliminary fields side by side: final where there is one.
        first, *others = (orient(variable.isel(expver=k))[0] for k in order_versions(stored["expver"].values))
        for other in others:
            np.copyto(first, other, where=np.isnan(first))
        values = first
    else:
        values = orient(variable)[0]
    _CONVERT[name](values, member.months[list(indices)], units)
    return values


def _load(member: Member, short: str, indices: list[int]) -> xr.Dataset:
    """Read a variable as it is stored: decoding needs no lock."""
    keep = (short, "expver", member.lat_name, member.lon_name)
    consecutive = indices == list(range(indices[0], indices[-1] + 1))
    months = slice(indices[0], indices[-1] + 1) if consecutive else indices
    try:
        # Also for netCDF-3: the reader that `open_netcdf` takes for it reads the whole file.
        with _READING, xr.open_dataset(member.file, engine="netcdf4", decode_cf=False, cache=False) as raw:
            stored = raw[[name for name in keep if name in raw.variables]]
            return (stored.isel({member.time: months}) if member.time in stored.dims else stored).load()
    except (OSError, RuntimeError, ValueError, EOFError, IndexError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"{member.path}: {short} cannot be read ({reason}). Expected a whole netCDF file: download it again. On "
            "another machine's workers: the file must lie where they can read it."
        ) from None


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


def _hold(
    paths: Sequence[Path], wanted: set[np.datetime64] | None, variables: Iterable[str], stack: ExitStack
) -> tuple[dict[str, dict[np.datetime64, Place]], list[str]]:
    """Where each month of each variable lies, and which variables there are at all."""
    members = survey(paths, {name: names[:2] for name, names in VARIABLES.items()}, stack)
    present = [name for name in VARIABLES if any(name in member.names for member in members)]
    return {name: choose(members, name, wanted, read_block) for name in variables}, present


def _plan(held: Mapping[str, Mapping[np.datetime64, Place]], months: Wanted) -> Plan:
    plan = {name: [places[month] for month in months] for name, places in held.items()}
    check_grids([place for places in plan.values() for place in places])
    return plan


def _yield_years(plans: Sequence[tuple[Plan, Wanted]], unpacked: ExitStack) -> Iterator[xr.Dataset]:
    with unpacked:
        for plan, months in plans:
            yield _lazily(plan, months)


def _lazily(plan: Plan, months: Wanted) -> xr.Dataset:
    """Make the dataset of some months; a block of a file is read when a value of it is asked for."""
    # Programs that only ask what the variables are called need not wait for dask.
    import dask
    import dask.array

    data = {}
    for name, places in plan.items():
        blocks = [
            dask.array.from_delayed(
                dask.delayed(partial(read_block, member, name, indices), pure=False)(),
                shape=(len(indices), len(member.lat), len(member.lon)),
                dtype=np.float32,
            )
            for member, indices in split_blocks(places, name)
        ]
        data[name] = (("time", "lat", "lon"), dask.array.concatenate(blocks), {"units": VARIABLES[name][2]})
    first = next(iter(plan.values()))[0].member
    dataset = xr.Dataset(data, coords={"time": months.astype("datetime64[ns]"), "lat": first.lat, "lon": first.lon})
    preliminary = [
        str(month)
        for k, month in enumerate(months)
        if any(places[k].is_preliminary(name) for name, places in plan.items())
    ]
    return dataset.assign_attrs(preliminary_months=" ".join(preliminary)) if preliminary else dataset


def _check_present(held: Mapping[str, object], present: Sequence[str], where: str, product: Product) -> None:
    if not (absent := [name for name in held if not held[name] and name not in present]):
        return
    names = ", ".join(f"{VARIABLES[name][0]} ({VARIABLES[name][1]})" for name in absent)
    shorts = [VARIABLES[name][0] for name in held]
    usable = ", ".join(VARIABLES[name][0] for name in present)
    raise DataError(
        f"{where}: {product.label}'s {names} is absent. Expected {', '.join(shorts)}: request these variables from "
        f"{product.dataset}, and give all files of a delivery that comes split by step type"
        + (f"; or run on the ones present: set climate_variables: [{usable}] in the config." if usable else ".")
    )


def _check_complete(
    paths: Sequence[Path],
    held: Mapping[str, Mapping[np.datetime64, Place]],
    present: Sequence[str],
    wanted: Wanted,
    product: Product,
) -> None:
    if not paths:
        raise DataError(
            f"There are no {product.label} files. Expected monthly means for {wanted[0]} to {wanted[-1]}: download "
            f"the data set {product.dataset} from the Climate Data Store, one file a year."
        )
    folder = ", ".join(sorted({str(path.parent) for path in paths}))
    _check_present(held, present, folder, product)
    gaps = {name: [month for month in wanted if month not in places] for name, places in held.items()}
    if not (missing := sorted(set().union(*gaps.values()))):
        return
    years = {str(month)[:4] for month in missing}
    whole = {year for year in years if all(m in missing for m in wanted if str(m)[:4] == year)}
    parts = [*sorted(whole), *(str(m) for m in missing if str(m)[:4] not in whole)]
    lacking = [VARIABLES[name][0] for name in held if gaps[name]]
    of = f" of {', '.join(lacking)}" if len(lacking) < len(held) else ""
    raise DataError(
        f"{product.label} in {folder} lacks {', '.join(parts)}{of}. Expected every month from {wanted[0]} to "
        f"{wanted[-1]}: download the missing with the same request for year {', '.join(sorted(years))} and put "
        "the file beside the others, or shorten the period in the config (period.climate_start, period.end)."
    )
