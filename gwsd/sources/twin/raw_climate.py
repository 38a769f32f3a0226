"""The climate in ERA5-Land's format, year by year, as the Climate Data Store delivers it."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import netCDF4
import numpy as np
from numpy.typing import NDArray

from gwsd.sources.twin.files import WARNING, add_axis, add_variable
from gwsd.sources.twin.months import Months, days_in, year_of
from gwsd.sources.twin.nodes import Nodes
from gwsd.sources.twin.noise import Field
from gwsd.sources.twin.simulation import Month, ice_climate


@dataclass(frozen=True)
class Parameter:
    """One variable of ERA5-Land.

    Parameters
    ----------
    short_name : str
        Name in the file.
    long_name, standard_name, units : str
        Attributes, as delivered.
    number : int
        ECMWF's parameter number.
    step_type : str
        avgua (mean of analyses, stamped 00 UTC) or avgad (mean of daily sums, stamped 06 UTC).
    """

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
"""The twin's names and ERA5-Land's."""

KELVIN = 273.15
"""0 °C in K."""

PRELIMINARY_MONTHS = 3
"""Last months of the period that are marked preliminary (expver 0005)."""

ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""Date of the members of a zip: fixed, so that the bytes are."""


@dataclass(frozen=True)
class Delivery:
    """How one year is delivered.

    Parameters
    ----------
    split : bool
        A zip with one member a step type (named .nc all the same) instead of one netCDF file.
    dated : bool
        The older form: a `date` axis, YYYYMMDD, instead of `valid_time`.
    positive : dict of str to bool
        For each step type: longitudes 0 … 360 instead of -180 … 180.
    """

    split: bool
    dated: bool
    positive: Mapping[str, bool]


def delivery_of(year: int, first_year: int) -> Delivery:
    """Choose how a year is delivered: the kinds that users meet, by a fixed turn.

    Parameters
    ----------
    year, first_year : int
        The year, and the first of the period.

    Returns
    -------
    Delivery
        The second year is of the older form; of every three years the third is split, and every other
        split year mixes both longitude conventions.
    """
    turn = year - first_year
    split = turn % 3 == 2
    even = turn % 2 == 0
    mixed = split and turn % 2 == 0
    return Delivery(split, turn == 1, {"avgua": even, "avgad": even != mixed})


class ClimateWriter:
    """Writes the climate of each month into the file of its year; a context manager.

    Only the month at hand is held in memory.

    Parameters
    ----------
    paths : dict of int to Path
        File of each year.
    nodes : Nodes
        The node grid.
    months : ndarray, shape (T,)
        All months that will come, in order.
    title : str
        Of the scenario.
    """

    def __init__(self, paths: Mapping[int, Path], nodes: Nodes, months: Months, title: str) -> None:
        self._paths, self._nodes, self._months, self._title = paths, nodes, months, title
        self._first_year = year_of(months[0])
        self._year: int | None = None
        self._files: dict[str, tuple[Path, netCDF4.Dataset]] = {}

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(self, *error: object) -> None:
        """Finish the last year."""
        self._close(failed=error[0] is not None)

    def write(self, month: Month) -> None:
        """Write one month; months must come in order."""
        year = year_of(month.month)
        if year != self._year:
            self._close(failed=False)
            self._open(year)
        of_year = [m for m in self._months if year_of(m) == year]
        number = int(np.searchsorted(np.array(of_year), month.month))
        ice = ice_climate(self._ice_lat, month, self._nodes.ice_point) if self._nodes.ice.any() else None
        for name, parameter in PARAMETERS.items():
            values = np.full(self._nodes.land.size, np.nan, dtype=np.float32)
            around = self._nodes.from_cells @ getattr(month, name)
            values[self._nodes.land] = _as_delivered(name, around[self._nodes.donor], month.month)
            if ice is not None:
                values[self._nodes.ice] = _as_delivered(name, ice[name], month.month)
            field = values.reshape(len(self._nodes.lat), len(self._nodes.lon))[::-1]
            key = parameter.step_type if len(self._files) > 1 else "moda"
            positive = delivery_of(year, self._first_year).positive[parameter.step_type if key != "moda" else "avgua"]
            if positive:
                field = field[:, _eastward(self._nodes.lon)[1]]
            self._files[key][1][parameter.short_name][number] = field

    @property
    def _ice_lat(self) -> NDArray[np.float64]:
        rows = np.flatnonzero(self._nodes.ice) // len(self._nodes.lon)
        return self._nodes.lat[rows]

    def _open(self, year: int) -> None:
        """Make the file of a year, or the members of its zip beside it."""
        self._year = year
        path = self._paths[year]
        delivery = delivery_of(year, self._first_year)
        months = np.array([m for m in self._months if year_of(m) == year])
        if delivery.split:
            for step_type, hour in (("avgua", 0), ("avgad", 6)):
                member = path.with_name(f"{path.name}.{step_type}")
                file = self._make(member, months, hour, delivery, step_type)
                self._files[step_type] = (member, file)
        else:
            self._files["moda"] = (path, self._make(path, months, 0, delivery, None))

    def _make(
        self, path: Path, months: Months, hour: int, delivery: Delivery, step_type: str | None
    ) -> netCDF4.Dataset:
        """Lay out one netCDF file."""
        file = netCDF4.Dataset(path, "w", format="NETCDF4")
        describe(file, f"monthly means in the format of ERA5-Land ({self._title})")
        lon = self._nodes.lon
        if delivery.positive[step_type or "avgua"]:
            lon = _eastward(lon)[0]
        if delivery.dated:
            time = "date"
            stamps = np.array([int(f"{m}01".replace("-", "")) for m in months.astype(str)], dtype=np.int64)
            add_axis(file, time, stamps, long_name="date as YYYYMMDD")
        else:
            time = "valid_time"
            seconds = months.astype("datetime64[s]").astype(np.int64) + 3600 * hour
            attributes = {"units": "seconds since 1970-01-01", "calendar": "proleptic_gregorian"}
            add_axis(file, time, seconds, long_name="time", standard_name="time", **attributes)
        north_first = self._nodes.lat[::-1].copy()
        names = {"stored_direction": "decreasing", "standard_name": "latitude", "units": "degrees_north"}
        add_axis(file, "latitude", north_first, long_name="latitude", **names)
        add_axis(file, "longitude", lon, long_name="longitude", standard_name="longitude", units="degrees_east")
        number = file.createVariable("number", "i8", ())
        number.setncatts({"long_name": "ensemble member numerical id", "units": "1", "standard_name": "realization"})
        number[...] = 0
        version = file.createVariable("expver", str, (time,))
        preliminary = months > self._months[-1] - PRELIMINARY_MONTHS
        version[:] = np.where(preliminary, "0005", "0001").astype(object)
        for parameter in PARAMETERS.values():
            if step_type in (None, parameter.step_type):
                described: dict[str, object] = {
                    "GRIB_paramId": parameter.number,
                    "GRIB_stepType": parameter.step_type,
                    "GRIB_gridType": "regular_ll",
                    "GRIB_shortName": {"t2m": "2t"}.get(parameter.short_name, parameter.short_name),
                    "long_name": parameter.long_name,
                    "standard_name": parameter.standard_name,
                    "units": parameter.units,
                    "coordinates": f"number {time} latitude longitude expver",
                }
                chunks = (1, len(north_first), len(lon))
                dimensions = (time, "latitude", "longitude")
                add_variable(file, parameter.short_name, "f4", dimensions, described, fill=np.nan, chunks=chunks)
        return file

    def _close(self, *, failed: bool) -> None:
        """Close the year's file; pack members into the zip."""
        for _, file in self._files.values():
            file.close()
        if "avgua" in self._files and self._year is not None:
            if not failed:
                _pack({key: member for key, (member, _) in self._files.items()}, self._paths[self._year])
            for member, _ in self._files.values():
                member.unlink(missing_ok=True)
        self._files = {}


def describe(file: netCDF4.Dataset, title: str) -> None:
    """Give a file the attributes of a delivery, and the word that it is synthetic."""
    file.setncatts({"GRIB_centre": "none", "Conventions": "CF-1.7", "institution": "none: twin Earth"})
    file.setncatts({"title": f"Synthetic {title}", "comment": WARNING})


def _as_delivered(name: str, values: Field, month: np.datetime64) -> Field:
    """Convert from the twin's units to ERA5-Land's."""
    if name == "precipitation":  # mm per month to metres per day
        return np.asarray(values * np.float32(1e-3 / days_in(month)))
    if name == "temperature":
        return np.asarray(values + np.float32(KELVIN))
    if name == "surface_pressure":  # hPa to Pa
        return np.asarray(values * np.float32(100.0))
    return values


def _eastward(lon: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give longitudes as 0 … 360, increasing, and the order that makes them so."""
    turned = np.round(np.mod(lon, 360.0), 6).astype(np.float64)
    order = np.argsort(turned, kind="stable").astype(np.int64)
    return turned[order], order


def _pack(members: Mapping[str, Path], path: Path) -> None:
    """Zip the members as the Climate Data Store names them, with fixed dates."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for step_type, member in sorted(members.items(), reverse=True):
            info = zipfile.ZipInfo(f"data_stream-moda_stepType-{step_type}.nc", ZIP_DATE)
            info.external_attr = 0o644 << 16
            with archive.open(info, "w", force_zip64=True) as target, member.open("rb") as origin:
                while block := origin.read(1 << 22):
                    target.write(block)
