"""Files about the truth of the twin Earth: fine storage, water balance, fine climate of blocks, known faults."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Self

import netCDF4
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.grid import FINE_SPACING, REFINEMENT, Grid
from gwsd.twin.balance import Floats, Fluxes, State
from gwsd.twin.geography import LandCells
from gwsd.twin.netcdf import Months, add_grid, add_months, add_variable, baseline_of, new_file
from gwsd.twin.noise import Field
from gwsd.twin.raw_storage import KINDS, Fault
from gwsd.twin.simulation import Month

RESOLUTION_MM = 0.1
"""Resolution of the truth, mm; int16 holds ±3276.7 mm."""

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
"""Fill value of the climate blocks."""

Block = tuple[int, int, int]
"""Row and column of the south-western corner, and side, in fine cells."""


class TruthRecorder:
    """Collects the storage of each month of the product and writes its anomalies, in tenths of a millimetre."""

    def __init__(self, cells: LandCells, months: Months) -> None:
        self._cells, self._months = cells, months
        self._tenths = np.empty((len(months), cells.count), dtype=np.int16)
        self._reference: Field | None = None
        self._recorded = 0
        self.clipped = 0
        """Number of values beyond the range of int16."""

    def record(self, storage: Field) -> None:
        """Add the storage of the next month, shape (N,), mm."""
        tenths = np.rint(storage / np.float32(RESOLUTION_MM))
        if self._reference is None:
            self._reference = tenths.copy()
        tenths -= self._reference
        self.clipped += int(np.count_nonzero(np.abs(tenths) > 32767))
        self._tenths[self._recorded] = np.clip(tenths, -32767, 32767).astype(np.int16)
        self._recorded += 1

    def write(self, path: Path, title: str) -> None:
        """Write anomalies from the baseline mean, which is rounded too, with CF compression by gathering."""
        base = baseline_of(self._months)
        total = np.zeros(self._cells.count, dtype=np.float64)
        for field in self._tenths[base]:
            total += field
        mean = np.rint(total / base.sum()).astype(np.int32)
        note = f"mean of {int(base.sum())} baseline months removed, rounded to {RESOLUTION_MM} mm"
        with new_file(path, f"fine truth of the twin Earth ({title})", Conventions="CF-1.11", source=note) as file:
            add_months(file, self._months)
            add_grid(file, self._cells.fine)
            file.createDimension("cell", self._cells.count)
            long_name = "flat index of a land cell on the (lat, lon) grid, from 0"
            add_variable(file, "cell", "i4", ("cell",), compress="lat lon", long_name=long_name)[:] = self._cells.flat
            storage = add_variable(
                file,
                "storage",
                "i2",
                ("time", "cell"),
                chunks=(1, self._cells.count),
                long_name="groundwater storage anomaly",
                units="mm",
                scale_factor=RESOLUTION_MM,
                valid_range=np.array([-32767, 32767], dtype=np.int16),
            )
            for number, field in enumerate(self._tenths):
                storage[number] = np.clip(field - mean, -32767, 32767).astype(np.int16)


class Truth:
    """Reader of a `truth.nc`; a context manager."""

    def __init__(self, path: Path) -> None:
        if not Path(path).is_file():
            raise DataError(f"{path} is missing: it is made with the twin Earth's raw files; build these first.")
        self._file = netCDF4.Dataset(path)
        self._file.set_auto_maskandscale(False)
        lat, lon = self._file["lat"][:], self._file["lon"][:]
        half = FINE_SPACING / 2
        self.grid = Grid(FINE_SPACING, (lon[0] - half, lat[0] - half, lon[-1] + half, lat[-1] + half))
        index = np.full(self.grid.shape[0] * self.grid.shape[1], -1, dtype=np.int32)
        index[self._file["cell"][:]] = np.arange(self._file.dimensions["cell"].size, dtype=np.int32)
        self._index = index.reshape(self.grid.shape)
        self.months: Months = self._file["time"][:].astype("datetime64[D]").astype("datetime64[M]")
        self._month = lru_cache(maxsize=2)(lambda number: np.asarray(self._file["storage"][number]))

    def __enter__(self) -> Self:
        """Return the open file."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def patch(self, month: str | np.datetime64, rows: slice, cols: slice) -> Field:
        """Read a window of one month: storage anomaly, mm, NaN on water and ice.

        `month` is YYYY-MM; `rows` and `cols` are on the fine grid, from the south-western corner.
        """
        wanted = np.datetime64(str(month), "M")
        found = np.flatnonzero(self.months == wanted)
        if len(found) == 0:
            raise DataError(f"The twin Earth's truth has no month {wanted}: the storage product lacks it too.")
        index = self._index[rows, cols]
        values = self._month(int(found[0]))[index] * np.float32(RESOLUTION_MM)
        return np.where(index >= 0, values, np.float32(np.nan)).astype(np.float32)


def write_balance(
    path: Path,
    cells: LandCells,
    sample: NDArray[np.int64],
    months: Months,
    states: list[State],
    fluxes: list[Fluxes],
    storage: list[Field],
    title: str,
) -> None:
    """Write the water balance of the sample cells, numbers `sample`, in float64.

    `fluxes` and `storage` (of the whole field's float32 simulation, mm) are by month; `states` has one more, before
    the first month.
    """
    note = "sample cells simulated in float64, with the equations and forcing of the whole field (float32)"
    water: dict[str, list[Floats]] = {
        "snow": [state.snow for state in states],
        "soil": [state.soil + state.percolating for state in states],
        "groundwater": [state.groundwater + state.depletion for state in states],
    }
    with new_file(path, f"water balance of sample cells ({title})", Conventions="CF-1.11", source=note) as file:
        add_months(file, months)
        file.createDimension("edge", len(months) + 1)
        file.createDimension("cell", len(sample))
        add_variable(file, "lat", "f8", ("cell",), units="degrees_north")[:] = cells.lat[sample]
        add_variable(file, "lon", "f8", ("cell",), units="degrees_east")[:] = cells.lon[sample]
        add_variable(file, "cell_index", "i8", ("cell",), units="1")[:] = sample
        for name in Fluxes.__dataclass_fields__:
            unit = "m3 m-3" if name == "soil_moisture" else "mm month-1"
            values = np.stack([getattr(month, name) for month in fluxes])
            add_variable(file, name, "f8", ("time", "cell"), units=unit)[:] = values
        for name, series in water.items():
            long_name = f"{name} water at the ends of the months, the first at the start of the first month"
            add_variable(file, name, "f8", ("edge", "cell"), units="mm", long_name=long_name)[:] = np.stack(series)
        long_name = "groundwater storage of the whole field's simulation in float32"
        field = add_variable(file, "field_storage", "f4", ("time", "cell"), units="mm", long_name=long_name)
        field[:] = np.stack(storage)


def choose_blocks(cells: LandCells, count: int, random: Generator) -> list[Block]:
    """Choose at most `count` blocks that do not overlap, preferably with at least 90 % land."""
    rows, columns = cells.fine.shape
    side = min(round(BLOCK_DEGREES / FINE_SPACING), rows, columns) // REFINEMENT * REFINEMENT
    land = np.zeros((rows + 1, columns + 1), dtype=np.int64)
    land[cells.row + 1, cells.column + 1] = 1
    land = land.cumsum(axis=0).cumsum(axis=1)
    places = [(r, c) for r in range(0, rows - side + 1, 16) for c in range(0, columns - side + 1, 16)]
    r, c = np.array(places).T
    share = (land[r + side, c + side] - land[r, c + side] - land[r + side, c] + land[r, c]) / side**2
    # above 90 % the order is random, below by land share
    order = np.argsort(-(np.minimum(share, 0.9) + 1e-3 * random.random(len(places))), kind="stable")
    blocks: list[Block] = []
    for number in order:
        row, column = places[number]
        apart = all(abs(row - y) >= side or abs(column - x) >= side for y, x, _ in blocks)
        if len(blocks) < count and share[number] > 0 and apart:
            blocks.append((row, column, side))
    return blocks


@contextmanager
def climate_blocks(
    path: Path, cells: LandCells, blocks: list[Block], months: Months, title: str
) -> Iterator[Callable[[Month], None]]:
    """Open the file of the 0.125° climate of blocks; the function that it yields writes the next month."""
    index = np.full(cells.fine.shape, -1, dtype=np.int64)
    index[cells.row, cells.column] = np.arange(cells.count)
    indices = [index[r : r + side, c : c + side] for r, c, side in blocks]
    side = blocks[0][2] if blocks else 0
    with new_file(path, f"0.125 degree climate of test blocks ({title})", Conventions="CF-1.11") as file:
        add_months(file, months)
        for name, size in (("block", len(blocks)), ("y", side), ("x", side)):
            file.createDimension(name, size)
        lat = add_variable(file, "lat", "f8", ("block", "y"), units="degrees_north")
        lon = add_variable(file, "lon", "f8", ("block", "x"), units="degrees_east")
        for number, (r, c, _) in enumerate(blocks):
            lat[number] = cells.fine.lat[r : r + side]
            lon[number] = cells.fine.lon[c : c + side]
        dimensions, chunks = ("block", "time", "y", "x"), (1, 1, max(side, 1), max(side, 1))
        for name, (scale, offset, unit) in BLOCK_PACKING.items():
            packing = {"units": unit, "scale_factor": scale, "add_offset": offset, "coordinates": "lat lon"}
            add_variable(file, name, "i2", dimensions, fill=BLOCK_FILL, chunks=chunks, **packing)

        def write(month: Month) -> None:
            time = int((month.month - months[0]).astype(int))
            for number, index in enumerate(indices):
                for name, (scale, offset, _) in BLOCK_PACKING.items():
                    packed = np.clip(np.rint((getattr(month, name)[index] - offset) / scale), -32767, 32767)
                    file[name][number, time] = np.where(index >= 0, packed, BLOCK_FILL).astype(np.int16)

        yield write


def write_known(path: Path, cells: LandCells, faults: list[Fault], title: str) -> int:
    """Write which half-degree cells must pass quality control and which have faults; return the number that must."""
    kind = np.zeros(cells.coarse.shape, dtype=np.int8)
    for fault in faults:
        kind[fault.row, fault.column] = KINDS.index(fault.kind) + 1
    valid = cells.covered & (kind == 0)
    with new_file(path, f"expected result of quality control ({title})", Conventions="CF-1.11") as file:
        add_grid(file, cells.coarse)
        for name, values, long_name, meanings in (
            ("valid", valid, "cell must pass quality control", ("out", "in")),
            ("fault", kind, "fault made on purpose", ("none", *KINDS)),
        ):
            variable = add_variable(file, name, "i1", ("lat", "lon"), long_name=long_name)
            variable.setncatts({"flag_values": np.arange(len(meanings), dtype=np.int8)})
            variable.setncatts({"flag_meanings": " ".join(meanings)})
            variable[:] = values.astype(np.int8)
    return int(valid.sum())
