"""What the twin writes for those who check it: the balance of sample cells, climate blocks, known validity."""

from pathlib import Path
from types import TracebackType
from typing import Self

import netCDF4
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gwsd.grid import FINE_SPACING, REFINEMENT
from gwsd.sources.twin.balance import Fluxes, State
from gwsd.sources.twin.cells import LandCells
from gwsd.sources.twin.faults import KINDS, Faults
from gwsd.sources.twin.files import add_grid, add_months, add_variable, new_file
from gwsd.sources.twin.months import Months
from gwsd.sources.twin.noise import Field
from gwsd.sources.twin.simulation import Month

SAMPLE_CELLS = 400
"""Cells whose balance is written; a quarter of them pumped, where there are so many."""

BLOCK_DEGREES = 16.0
"""Side of a climate block (a patch of the network), degrees."""

BLOCK_PACKING: dict[str, tuple[float, float, str]] = {
    "precipitation": (0.1, 0.0, "mm month-1"),
    "soil_moisture": (2e-5, 0.0, "m3 m-3"),
    "temperature": (0.005, 0.0, "degC"),
    "surface_pressure": (0.02, 650.0, "hPa"),
}
"""Scale, offset and unit of each variable of the climate blocks, stored as int16."""

BLOCK_FILL = -32768
"""What stands on water in the climate blocks."""


def choose_sample(pumping: NDArray[np.floating], random: Generator) -> NDArray[np.int64]:
    """Choose the cells whose balance is written.

    Parameters
    ----------
    pumping : ndarray, shape (N,)
        Net pumping; cells with any are drawn on purpose.
    random : Generator
        Chooses.

    Returns
    -------
    ndarray, shape (S,), int64
        Increasing.
    """
    pumped = np.flatnonzero(pumping > 0)
    first = random.choice(pumped, size=min(SAMPLE_CELLS // 4, len(pumped)), replace=False)
    rest = np.setdiff1d(np.arange(len(pumping)), first)
    second = random.choice(rest, size=min(SAMPLE_CELLS - len(first), len(rest)), replace=False)
    return np.sort(np.concatenate([first, second])).astype(np.int64)


class BalanceRecorder:
    """Collects the terms of the balance of the sample cells and writes them in float64.

    Parameters
    ----------
    cells : LandCells
        Where.
    sample : ndarray, shape (S,)
        Which cells.
    months : ndarray, shape (T,)
        All months.
    start : State
        Of the sample before the first month.
    """

    FLUXES = ("precipitation", "evapotranspiration", "runoff", "drainage", "net_pumping", "infiltration", "recharge")
    STATES = ("snow", "soil", "groundwater")

    def __init__(self, cells: LandCells, sample: NDArray[np.int64], months: Months, start: State) -> None:
        self._cells, self._sample, self._months = cells, sample, months
        size = (len(months), len(sample))
        self._fluxes = {name: np.empty(size) for name in (*self.FLUXES, "soil_moisture")}
        self._states = {name: np.empty((len(months) + 1, len(sample))) for name in self.STATES}
        self._field = np.empty(size, dtype=np.float32)
        self._recorded = 0
        self._put(0, start)

    def _put(self, number: int, state: State) -> None:
        self._states["snow"][number] = state.snow
        self._states["soil"][number] = state.soil + state.percolating
        self._states["groundwater"][number] = state.groundwater + state.depletion

    def record(self, fluxes: Fluxes, state: State, storage: Field) -> None:
        """Take the month's fluxes, the state after it, and the storage of the whole field (mm, shape (N,))."""
        for name, values in self._fluxes.items():
            values[self._recorded] = getattr(fluxes, name)
        self._field[self._recorded] = storage[self._sample]
        self._recorded += 1
        self._put(self._recorded, state)

    def write(self, path: Path, title: str) -> None:
        """Write all terms; states have one entry more, the first before the first month."""
        note = (
            "sample cells stepped in float64 by the same equations and forcing as the whole field, which is "
            "stepped in float32"
        )
        with new_file(path, f"water balance of sample cells ({title})", Conventions="CF-1.11", source=note) as file:
            add_months(file, self._months)
            file.createDimension("edge", len(self._months) + 1)
            file.createDimension("cell", len(self._sample))
            for name, values, unit in (
                ("lat", self._cells.lat[self._sample], "degrees_north"),
                ("lon", self._cells.lon[self._sample], "degrees_east"),
                ("cell_index", self._sample, "1"),
            ):
                add_variable(file, name, values.dtype.str[1:], ("cell",), {"units": unit})[:] = values
            for name, values in self._fluxes.items():
                unit = "m3 m-3" if name == "soil_moisture" else "mm month-1"
                add_variable(file, name, "f8", ("time", "cell"), {"units": unit})[:] = values
            for name, values in self._states.items():
                what = {"units": "mm", "long_name": f"{name} water at the edges of the months"}
                add_variable(file, name, "f8", ("edge", "cell"), what)[:] = values
            what = {"units": "mm", "long_name": "groundwater storage of the whole field, stepped in float32"}
            add_variable(file, "field_storage", "f4", ("time", "cell"), what)[:] = self._field


def choose_blocks(cells: LandCells, count: int, random: Generator) -> list[tuple[int, int, int]]:
    """Choose blocks that do not overlap, nearly all land where there is enough.

    Parameters
    ----------
    cells : LandCells
        Where.
    count : int
        How many, at most.
    random : Generator
        Chooses.

    Returns
    -------
    list of tuple of int
        Row and column of the lower corner on the fine grid, and side, in fine cells.
    """
    rows, columns = cells.fine.shape
    side = min(round(BLOCK_DEGREES / FINE_SPACING), rows, columns) // REFINEMENT * REFINEMENT
    land = np.zeros((rows + 1, columns + 1), dtype=np.int64)
    land[cells.row + 1, cells.column + 1] = 1
    land = land.cumsum(axis=0).cumsum(axis=1)
    places = [(r, c) for r in range(0, rows - side + 1, 16) for c in range(0, columns - side + 1, 16)]
    r, c = np.array(places).T
    share = (land[r + side, c + side] - land[r, c + side] - land[r + side, c] + land[r, c]) / side**2
    # from nine tenths of land on, chance decides; below, the land
    order = np.argsort(-(np.minimum(share, 0.9) + 1e-3 * random.random(len(places))), kind="stable")
    blocks: list[tuple[int, int, int]] = []
    for number in order:
        row, column = places[number]
        apart = all(abs(row - y) >= side or abs(column - x) >= side for y, x, _ in blocks)
        if len(blocks) < count and share[number] > 0 and apart:
            blocks.append((row, column, side))
    return blocks


class BlockWriter:
    """Writes the 0.125° climate of a few blocks month by month; a context manager.

    Parameters
    ----------
    path : Path
        Where.
    cells : LandCells
        Where the climate is.
    blocks : list of tuple of int
        As `choose_blocks` gives them.
    months : ndarray, shape (T,)
        All months that will come.
    title : str
        Of the scenario.
    """

    def __init__(
        self, path: Path, cells: LandCells, blocks: list[tuple[int, int, int]], months: Months, title: str
    ) -> None:
        self._blocks, self._written = blocks, 0
        place = np.full(cells.fine.shape, -1, dtype=np.int64)
        place[cells.row, cells.column] = np.arange(cells.count)
        self._place = [place[r : r + side, c : c + side] for r, c, side in blocks]
        self._context = new_file(path, f"0.125 degree climate of test blocks ({title})", Conventions="CF-1.11")
        self._file = self._context.__enter__()
        side = blocks[0][2] if blocks else 0
        add_months(self._file, months)
        self._file.createDimension("block", len(blocks))
        self._file.createDimension("y", side)
        self._file.createDimension("x", side)
        lat, lon = (self._axis(name, axis) for name, axis in (("lat", "y"), ("lon", "x")))
        for number, (r, c, _) in enumerate(blocks):
            lat[number] = cells.fine.lat[r : r + side]
            lon[number] = cells.fine.lon[c : c + side]
        for name, (scale, offset, unit) in BLOCK_PACKING.items():
            attributes = {"units": unit, "scale_factor": scale, "add_offset": offset, "coordinates": "lat lon"}
            dimensions = ("block", "time", "y", "x")
            chunks = (1, 1, max(side, 1), max(side, 1))
            add_variable(self._file, name, "i2", dimensions, attributes, fill=BLOCK_FILL, chunks=chunks)

    def _axis(self, name: str, axis: str) -> netCDF4.Variable:
        units = {"lat": "degrees_north", "lon": "degrees_east"}[name]
        return add_variable(self._file, name, "f8", ("block", axis), {"units": units})

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._context.__exit__(kind, error, trace)

    def write(self, month: Month) -> None:
        """Write one month; months must come in order."""
        for number, place in enumerate(self._place):
            for name, (scale, offset, _) in BLOCK_PACKING.items():
                packed = np.clip(np.rint((getattr(month, name)[place] - offset) / scale), -32767, 32767)
                self._file[name][number, self._written] = np.where(place >= 0, packed, BLOCK_FILL).astype(np.int16)
        self._written += 1


def write_known(path: Path, cells: LandCells, faults: Faults, title: str) -> int:
    """Write which half-degree cells quality control must keep, and which faults it must find.

    Parameters
    ----------
    path : Path
        Where.
    cells : LandCells
        Covered by the product.
    faults : Faults
        Put in on purpose.
    title : str
        Of the scenario.

    Returns
    -------
    int
        Number of valid cells.
    """
    valid = cells.chosen & (faults.kind == 0)
    with new_file(path, f"validity that the twin Earth knows of ({title})", Conventions="CF-1.11") as file:
        add_grid(file, cells.coarse)
        flags = {"flag_values": np.array([0, 1], dtype=np.int8), "flag_meanings": "out in"}
        what = {"long_name": "cell must survive quality control", **flags}
        add_variable(file, "valid", "i1", ("lat", "lon"), what)[:] = valid.astype(np.int8)
        meanings = " ".join(("none", *KINDS))
        flags = {"flag_values": np.arange(len(KINDS) + 1, dtype=np.int8), "flag_meanings": meanings}
        what = {"long_name": "fault put in on purpose", **flags}
        add_variable(file, "fault", "i1", ("lat", "lon"), what)[:] = faults.kind
    return int(valid.sum())
