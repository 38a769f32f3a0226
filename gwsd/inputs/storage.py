"""Storage on the workflow's grid and calendar.

Files on half-degree cells are taken as they are; all others are averaged over such cells, weighted by area.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.grid import COARSE_SPACING, Grid
from gwsd.inputs.calendar import select_period
from gwsd.inputs.regridding import Regridder

LONG_NAMES = {"storage": "groundwater storage anomaly", "uncertainty": "standard deviation of the storage anomaly"}

SMALLEST_KNOWN_SHARE = 0.5
"""A regridded cell has a value where at least this share of its area has one."""

MOST_PARTS = 24
"""A row of cells is cut into at most so many, so that edges of half-degree cells fall between parts."""

ROUNDED_DEGREES = 0.0051
"""Coordinates may be rounded to two decimals."""

_ROUNDING = 1e-4
"""Of shares in single precision."""


@dataclass(frozen=True)
class _Axis:
    """Evenly spaced places, degrees: the first, the step, how many, and those that have values."""

    first: float
    step: float
    number: int
    taken: NDArray[np.int64]

    @property
    def places(self) -> NDArray[np.float64]:
        return np.asarray(self.first + self.step * np.arange(self.number), dtype=np.float64)

    @property
    def edges(self) -> tuple[float, float]:
        return self.first - self.step / 2.0, self.first + self.step * (self.number - 0.5)

    def padded(self, before: int, after: int) -> "_Axis":
        return _Axis(self.first - before * self.step, self.step, self.number + before + after, self.taken + before)


def align_storage(storage: xr.Dataset, grid: Grid, *, start: str, end: str) -> xr.Dataset:
    """Put a storage file's fields on the cells of a grid and keep the months of a period.

    Parameters
    ----------
    storage : xarray.Dataset
        As a product's `open_storage` returns it, on any regular grid (see `to_half_degrees`).
    grid : Grid
        Half-degree cells; where the file has none of them, NaN.
    start, end : str
        First and last month, YYYY-MM.

    Returns
    -------
    xarray.Dataset
        `storage` and, where there is one, `uncertainty`, mm, float32, dims (time, lat, lon). Months without
        a single value are left out: some files fill the months that the satellites missed.

    Raises
    ------
    DataError
        If no month or no value lies within the period and region, or the file's grid is not regular.
    """
    chosen = to_half_degrees(select_period(storage, start, end), source=_source(storage))
    chosen = chosen.reindex(lat=grid.lat, lon=grid.lon, method="nearest", tolerance=grid.spacing / 100.0)
    values = chosen["storage"].values
    filled = np.array([np.isfinite(field).any() for field in values])
    if not filled.any():
        raise DataError(
            f"The storage has no value within the region {grid.region} (west, south, east, north) from "
            f"{start} to {end}. Choose another file, or change the settings `region` or `period`."
        )
    if not filled.all():
        chosen = chosen.isel(time=np.flatnonzero(filled))
    for name, long_name in LONG_NAMES.items():
        if name in chosen:
            chosen[name].attrs.update({"long_name": long_name, "units": "mm"})
    chosen["time"].attrs["standard_name"] = "time"
    chosen["lat"].attrs.update({"standard_name": "latitude", "units": "degrees_north"})
    chosen["lon"].attrs.update({"standard_name": "longitude", "units": "degrees_east"})
    return chosen.assign_attrs({"Conventions": "CF-1.11"})


def to_half_degrees(storage: xr.Dataset, *, source: str | None = None) -> xr.Dataset:
    """Average storage over half-degree cells, weighted by area; storage that is on them is returned as it is.

    Parameters
    ----------
    storage : xarray.Dataset
        `storage` and perhaps `uncertainty`, dims (time, lat, lon), mm; lat and lon the middles of cells of any
        spacing, increasing, longitude -180..180; global or a region, also one across the date line.
    source : str, optional
        What messages call it; the file that it was read from otherwise.

    Returns
    -------
    xarray.Dataset
        The same on half-degree cells, float32, where values are known on at least `SMALLEST_KNOWN_SHARE` of a
        cell. The uncertainty is the mean of the standard deviations: errors within a cell are taken as fully
        correlated.

    Raises
    ------
    DataError
        If the cells are not evenly spaced, or named by their corners.
    """
    source = source or _source(storage)
    lat, lon = storage["lat"].values, storage["lon"].values
    rows, columns, turn = _find_axes(lat, lon, source)
    if _on_half_degrees(lat) and _on_half_degrees(lon):
        return storage
    columns, west, east = _close_or_pad(columns, source)
    south, north = (float(np.clip(edge, -90.0, 90.0)) for edge in _outer_edges(rows))
    rows = _pad_rows(rows)
    parts = count_parts(rows.edges[0], rows.step)
    within = rows.step * ((np.arange(parts) + 0.5) / parts - 0.5)
    grid = Grid(COARSE_SPACING, (west, south, east, north))
    regridder = Regridder((rows.places[:, None] + within).ravel(), columns.places, grid)
    wrapped = np.round((grid.lon + 180.0) % 360.0 - 180.0, 6)
    order = np.argsort(wrapped)

    variables = {}
    whole = np.full((rows.number, columns.number), np.nan, dtype=np.float32)
    for name in storage.data_vars:
        source_values = storage[name].values
        averaged = np.empty((len(source_values), *grid.shape), dtype=np.float32)
        for month, field in enumerate(source_values):
            whole[np.ix_(rows.taken, columns.taken)] = field[:, turn]
            fine = np.repeat(whole, parts, axis=0)
            mean = regridder(fine)
            mean[regridder.share(np.isfinite(fine)) < SMALLEST_KNOWN_SHARE - _ROUNDING] = np.nan
            averaged[month] = mean[:, order]
        variables[name] = (storage[name].dims, averaged, storage[name].attrs)
    coords = {"time": storage["time"].values, "lat": grid.lat, "lon": wrapped[order]}
    return xr.Dataset(variables, coords=coords, attrs=storage.attrs)


def describe_grid(storage: xr.Dataset) -> list[str]:
    """Say in a line what `to_half_degrees` does to a file's grid, and in another where it is coarser.

    Parameters
    ----------
    storage : xarray.Dataset
        As a product's `open_storage` returns it.

    Returns
    -------
    list of str
        Empty where the file's cells are taken as they are.

    Raises
    ------
    DataError
        As `to_half_degrees` does.
    """
    lat, lon = storage["lat"].values, storage["lon"].values
    rows, columns, _ = _find_axes(lat, lon, _source(storage))
    if _on_half_degrees(lat) and _on_half_degrees(lon):
        return []
    size = " x ".join(dict.fromkeys(f"{round(axis.step, 4):g}°" for axis in (rows, columns)))
    if size == f"{COARSE_SPACING:g}°":
        size += ", shifted,"
    lines = [f"storage: {size} regridded conservatively to {COARSE_SPACING:g}°"]
    if max(rows.step, columns.step) > 1.01 * COARSE_SPACING:
        lines.append(
            f"NOTE: the storage's cells of {size} are coarser than {COARSE_SPACING:g}°: half-degree cells within one "
            "share its value, and nothing finer is in it"
        )
    return lines


def count_parts(edge: float, step: float) -> int:
    """Into how many parts rows are cut so that no half of one straddles two half-degree cells.

    `Regridder` splits what straddles by degrees, not by area; it cuts each row in two itself.

    Parameters
    ----------
    edge : float
        Lower edge of a row, degrees.
    step : float
        Height of the rows, degrees.

    Returns
    -------
    int
        At most `MOST_PARTS`, where no number does it exactly.
    """
    for parts in range(1, MOST_PARTS + 1):
        half = step / (2 * parts)
        pieces = np.array([COARSE_SPACING, edge - COARSE_SPACING * np.floor(edge / COARSE_SPACING)]) / half
        if np.abs(pieces - np.round(pieces)).max() < 1e-2:
            return parts
    return MOST_PARTS


def _source(storage: xr.Dataset) -> str:
    return str(storage.encoding.get("source", "The storage"))


def _on_half_degrees(axis: NDArray[np.float64]) -> bool:
    """Whether places are the middles of half-degree cells; gaps between them do no harm."""
    steps = np.diff(axis)
    step = float(np.median(steps)) if len(steps) else COARSE_SPACING
    centred = np.abs((axis / COARSE_SPACING) % 1.0 - 0.5) < 1e-3
    return bool(centred.all()) and abs(step - COARSE_SPACING) <= 1e-3


def _find_axes(
    lat: NDArray[np.float64], lon: NDArray[np.float64], source: str
) -> tuple[_Axis, _Axis, NDArray[np.int64]]:
    """Rows, columns from the eastern side of the widest gap, and the order that turns columns to begin there."""
    gaps = np.diff(lon, append=lon[:1] + 360.0)
    widest = int(np.argmax(gaps)) + 1 if len(lon) > 1 and gaps.max() > 1.5 * np.median(gaps) else 0
    turn = np.roll(np.arange(len(lon)), -widest)
    turned = np.where(turn < turn[0], lon[turn] + 360.0, lon[turn])
    steps = [float(np.median(np.diff(axis))) for axis in (lat, lon) if len(axis) > 1]
    if not steps:
        steps = [COARSE_SPACING]
    rows = _find_axis(lat, steps[0], "latitudes", source)
    columns = _find_axis(turned, steps[-1], "longitudes", source)
    low, high = rows.edges
    if abs(high - low - 180.0) < rows.step / 4.0 and abs(high + low) > rows.step / 4.0:
        raise DataError(
            f"{source}: its latitudes run from {lat[0]:g} to {lat[-1]:g} in steps of {rows.step:g} degrees: they name "
            "the corners of cells. Expected their middles: shift both axes by half a step."
        )
    return rows, columns, turn


def _find_axis(values: NDArray[np.float64], step: float, name: str, source: str) -> _Axis:
    """Find the evenly spaced places of which some or all are given."""
    steps = np.diff(values)
    if not len(steps):
        return _Axis(float(values[0]), step, 1, np.zeros(1, dtype=np.int64))
    typical = float(np.median(steps))
    counts = np.round(steps / typical).astype(np.int64) if typical > 0.0 else np.zeros(1, dtype=np.int64)
    if counts.min() >= 1:
        taken = np.concatenate([[0], np.cumsum(counts)])
        # Fitted to all of them: rounded ends would tilt the whole.
        fitted, first = np.polyfit(taken, values, 1)
        axis = _Axis(round(float(first), 6), float(fitted), int(taken[-1]) + 1, taken)
        tolerance = min(max(ROUNDED_DEGREES, axis.step / 200.0), axis.step / 4.0)
        if np.abs(axis.places[taken] - values).max() <= tolerance:
            return axis
    raise DataError(
        f"{source}: its {name} are not evenly spaced (steps from {steps.min():.5g} to {steps.max():.5g} degrees). "
        "Expected a regular latitude-longitude grid of any spacing: regrid it conservatively to one first (cdo "
        "remapcon,GRID IN OUT)."
    )


def _outer_edges(axis: _Axis) -> tuple[float, float]:
    """Edges of the half-degree cells that an axis meets, and of one more to each side."""
    low, high = axis.edges
    return (
        COARSE_SPACING * (np.floor(low / COARSE_SPACING + 1e-6) - 1.0),
        COARSE_SPACING * (np.ceil(high / COARSE_SPACING - 1e-6) + 1.0),
    )


def _pad_rows(rows: _Axis) -> _Axis:
    """Add empty rows around, so that a cell that is met in part counts as such; none beyond the poles."""
    most = int(np.ceil(2.0 * COARSE_SPACING / rows.step))
    room = (90.0 - np.abs(rows.edges)) / rows.step
    before, after = (min(most, max(0, int(np.ceil(space - 1e-6)))) for space in room)
    return rows.padded(before, after)


def _close_or_pad(columns: _Axis, source: str) -> tuple[_Axis, float, float]:
    """Close the circle where there is no room for empty columns around; return the edges of the cells too."""
    west, east = _outer_edges(columns)
    most = int(np.ceil(2.0 * COARSE_SPACING / columns.step))
    if (columns.number + 2 * most) * columns.step < 360.0:
        return columns.padded(most, most), west, east
    number = round(360.0 / columns.step)
    if columns.number > number or abs(number * columns.step - 360.0) > columns.step / 20.0:
        raise DataError(
            f"{source}: its longitudes go round the Earth in steps of {columns.step:g} degrees, which do not divide "
            "it. Expected steps that do, or a region: regrid it conservatively first (cdo remapcon,GRID IN OUT)."
        )
    # From the date line on, as the regridder expects a whole circle.
    step = 360.0 / number
    begin = int(np.ceil((180.0 - columns.first) / step - 1e-6))
    first = columns.first + begin * step - 360.0
    return _Axis(first, step, number, (columns.taken - begin) % number), -180.0, 180.0
