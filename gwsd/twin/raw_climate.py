"""The climate product in the format of ERA5-Land, one file a year as the Climate Data Store delivers it."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import netCDF4
import numpy as np
from numpy.typing import NDArray

from gwsd.twin.geography import Nodes
from gwsd.twin.netcdf import Months, add_axis, add_variable, days_in, new_file, year_of
from gwsd.twin.noise import Field
from gwsd.twin.simulation import Month, ice_climate
from gwsd.units import ZERO_CELSIUS


class Parameter(NamedTuple):
    """A variable of ERA5-Land, with its attributes as delivered."""

    short_name: str
    long_name: str
    standard_name: str
    units: str
    number: int
    step_type: str


PARAMETERS: dict[str, Parameter] = {
    "precipitation": Parameter("tp", "Total precipitation", "unknown", "m", 228, "avgad"),
    "soil_moisture": Parameter("swvl1", "Volumetric soil water layer 1", "unknown", "m**3 m**-3", 39, "avgua"),
    "temperature": Parameter("t2m", "2 metre temperature", "air_temperature", "K", 167, "avgua"),
    "surface_pressure": Parameter("sp", "Surface pressure", "surface_air_pressure", "Pa", 134, "avgua"),
}
"""The twin's names and ERA5-Land's parameters."""

STEP_TYPES = {"avgua": 0, "avgad": 6}
"""Hour of the stamps of means of analyses and of means of daily sums, UTC."""

PRELIMINARY_MONTHS = 3
"""Last months of the period, marked preliminary (expver 0005)."""

ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""Date of the members of a zip: constant, for reproducible bytes."""


class Delivery(NamedTuple):
    """Variant of the format in which a year is delivered.

    Parameters
    ----------
    split : bool
        A zip with one member per step type (named .nc all the same) instead of one netCDF file.
    dated : bool
        The older `date` axis, YYYYMMDD, instead of `valid_time`.
    positive : dict of str to bool
        Longitudes 0 … 360 instead of -180 … 180, by step type.
    """

    split: bool
    dated: bool
    positive: dict[str, bool]


def delivery_of(year: int, first_year: int) -> Delivery:
    """Alternate between the variants that users meet.

    The second year has a `date` axis, every third year is split, every other split year mixes the longitudes.
    """
    number = year - first_year
    split, even = number % 3 == 2, number % 2 == 0
    return Delivery(split, number == 1, {"avgua": even, "avgad": even and not split})


@contextmanager
def climate_year(
    path: Path, nodes: Nodes, all_months: Months, year: int, title: str
) -> Iterator[Callable[[Month], None]]:
    """Open the file of one year; the function that it yields writes a month."""
    delivery = delivery_of(year, year_of(all_months[0]))
    months = all_months[[year_of(month) == year for month in all_months]]
    preliminary = months > all_months[-1] - PRELIMINARY_MONTHS
    eastward = np.mod(nodes.lon, 360.0).round(6)
    order = np.argsort(eastward, kind="stable")
    with TemporaryDirectory(dir=path.parent) as folder, ExitStack() as stack:
        files: dict[str, netCDF4.Dataset] = {}
        for step_type, hour in STEP_TYPES.items():
            if delivery.split:
                target = Path(folder) / f"data_stream-moda_stepType-{step_type}.nc"
            elif step_type == "avgad":  # all variables are in one file
                files[step_type] = files["avgua"]
                continue
            else:
                target = path
            of_file = [p for p in PARAMETERS.values() if not delivery.split or p.step_type == step_type]
            lon = eastward[order] if delivery.positive[step_type] else nodes.lon
            files[step_type] = file = stack.enter_context(
                new_file(target, f"monthly means in the format of ERA5-Land ({title})", **ATTRIBUTES)
            )
            _describe(file, months, preliminary, hour, nodes.lat[::-1].copy(), lon, of_file, dated=delivery.dated)

        def write(month: Month) -> None:
            ice = ice_climate(month, nodes.ice_point)
            for name, parameter in PARAMETERS.items():
                values = np.full(nodes.land.size, np.nan, dtype=np.float32)
                values[nodes.land] = _convert(name, nodes.from_cells @ getattr(month, name), month.month)
                values[nodes.ice] = _convert(name, ice[name], month.month)
                field = values.reshape(len(nodes.lat), len(nodes.lon))[::-1]
                if delivery.positive[parameter.step_type if delivery.split else "avgua"]:
                    field = field[:, order]
                files[parameter.step_type][parameter.short_name][int((month.month - months[0]).astype(int))] = field

        yield write
        if delivery.split:
            stack.close()
            _pack(Path(folder), path)


ATTRIBUTES = {"GRIB_centre": "none", "Conventions": "CF-1.7", "institution": "none: twin Earth"}


def _describe(
    file: netCDF4.Dataset,
    months: Months,
    preliminary: NDArray[np.bool_],
    hour: int,
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    parameters: list[Parameter],
    *,
    dated: bool,
) -> None:
    """Define the axes and variables of a delivered file."""
    if dated:
        time = "date"
        stamps = np.array([int(f"{month}01".replace("-", "")) for month in months], dtype=np.int64)
        add_axis(file, time, stamps, long_name="date as YYYYMMDD")
    else:
        time = "valid_time"
        seconds = months.astype("datetime64[s]").astype(np.int64) + 3600 * hour
        attributes = {"units": "seconds since 1970-01-01", "calendar": "proleptic_gregorian"}
        add_axis(file, time, seconds, long_name="time", standard_name="time", **attributes)
    names = {"stored_direction": "decreasing", "standard_name": "latitude", "units": "degrees_north"}
    add_axis(file, "latitude", lat, long_name="latitude", **names)
    add_axis(file, "longitude", lon, long_name="longitude", standard_name="longitude", units="degrees_east")
    member = file.createVariable("number", "i8", ())
    member.setncatts({"long_name": "ensemble member numerical id", "units": "1", "standard_name": "realization"})
    member[...] = 0
    version = file.createVariable("expver", str, (time,))
    version[:] = np.where(preliminary, "0005", "0001").astype(object)
    for parameter in parameters:
        add_variable(
            file,
            parameter.short_name,
            "f4",
            (time, "latitude", "longitude"),
            fill=np.nan,
            chunks=(1, len(lat), len(lon)),
            GRIB_paramId=parameter.number,
            GRIB_stepType=parameter.step_type,
            GRIB_gridType="regular_ll",
            GRIB_shortName={"t2m": "2t"}.get(parameter.short_name, parameter.short_name),
            long_name=parameter.long_name,
            standard_name=parameter.standard_name,
            units=parameter.units,
            coordinates=f"number {time} latitude longitude expver",
        )


def _convert(name: str, values: Field, month: np.datetime64) -> Field:
    """Convert from the twin's units to ERA5-Land's."""
    if name == "precipitation":  # mm per month to metres per day
        return np.asarray(values * np.float32(1e-3 / days_in(month)))
    if name == "temperature":
        return np.asarray(values + np.float32(ZERO_CELSIUS))
    if name == "surface_pressure":  # hPa to Pa
        return np.asarray(values * np.float32(100.0))
    return values


def _pack(folder: Path, path: Path) -> None:
    """Zip the members of a folder with constant dates."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for member in sorted(folder.iterdir(), reverse=True):
            info = zipfile.ZipInfo(member.name, ZIP_DATE)
            info.external_attr = 0o644 << 16
            archive.writestr(info, member.read_bytes())
