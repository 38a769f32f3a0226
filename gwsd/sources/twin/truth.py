"""The whole fine truth: kept in memory while the twin runs, written packed, read back patch by patch."""

from functools import lru_cache
from pathlib import Path

import netCDF4
import numpy as np
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.grid import FINE_SPACING, Grid
from gwsd.sources.twin.cells import LandCells
from gwsd.sources.twin.files import add_grid, add_months, add_variable, new_file
from gwsd.sources.twin.months import Months, baseline_of
from gwsd.sources.twin.noise import Field

RESOLUTION_MM = 0.1
"""To what storage is rounded, mm."""

LARGEST_MM = 3276.7
"""What int16 holds at that resolution, mm."""


class TruthRecorder:
    """Collects the storage of each month and writes its anomalies.

    Storage is rounded to 0.1 mm once: what is kept in memory are whole tenths of a millimetre from a whole
    reference, and the baseline mean that is taken away is rounded to whole tenths too.

    Parameters
    ----------
    cells : LandCells
        Where.
    months : ndarray, shape (M,)
        Months to record, in order.
    """

    def __init__(self, cells: LandCells, months: Months) -> None:
        self._cells, self._months = cells, months
        self._tenths = np.empty((len(months), cells.count), dtype=np.int16)
        self._reference: NDArray[np.float32] | None = None
        self._recorded = 0
        self.clipped = 0

    def record(self, month: np.datetime64, storage: Field) -> None:
        """Take the storage of a month (mm, shape (N,)); other months than those asked for are ignored."""
        if self._recorded == len(self._months) or month != self._months[self._recorded]:
            return
        tenths = np.rint(storage / np.float32(RESOLUTION_MM))
        if self._reference is None:
            self._reference = tenths.copy()
        tenths -= self._reference
        self.clipped += int(np.count_nonzero(np.abs(tenths) > 32767))
        self._tenths[self._recorded] = np.clip(tenths, -32767, 32767).astype(np.int16)
        self._recorded += 1

    def write(self, path: Path, title: str) -> None:
        """Write anomalies from the baseline mean, land cells packed (CF compression by gathering).

        Parameters
        ----------
        path : Path
            Where.
        title : str
            Of the scenario.
        """
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
            gathered = {"compress": "lat lon", "long_name": "place of a land cell on the (lat, lon) grid, from 0"}
            place = add_variable(file, "cell", "i4", ("cell",), gathered)
            place[:] = self._cells.row.astype(np.int64) * self._cells.fine.shape[1] + self._cells.column
            attributes = {
                "long_name": "groundwater storage anomaly",
                "units": "mm",
                "scale_factor": RESOLUTION_MM,
                "valid_range": np.array([-32767, 32767], dtype=np.int16),
            }
            chunks = (1, self._cells.count)
            storage = add_variable(file, "storage", "i2", ("time", "cell"), attributes, chunks=chunks)
            for number, field in enumerate(self._tenths):
                storage[number] = np.clip(field - mean, -32767, 32767).astype(np.int16)


class Truth:
    """The fine truth of a file, opened for reading patches; a context manager.

    Parameters
    ----------
    path : Path
        A `truth.nc` of the twin Earth.
    """

    def __init__(self, path: Path) -> None:
        if not Path(path).is_file():
            raise DataError(f"{path} is missing: it is made with the twin Earth's raw files; build these first.")
        self._file = netCDF4.Dataset(path)
        self._file.set_auto_maskandscale(False)
        lat, lon = self._file["lat"][:], self._file["lon"][:]
        half = FINE_SPACING / 2
        self.grid = Grid(FINE_SPACING, (lon[0] - half, lat[0] - half, lon[-1] + half, lat[-1] + half))
        self._place = np.full(self.grid.shape[0] * self.grid.shape[1], -1, dtype=np.int32)
        self._place[self._file["cell"][:]] = np.arange(self._file.dimensions["cell"].size, dtype=np.int32)
        self._place = self._place.reshape(self.grid.shape)
        self.months: Months = self._file["time"][:].astype("datetime64[D]").astype("datetime64[M]")
        self._month = lru_cache(maxsize=2)(self._read)

    def __enter__(self) -> "Truth":
        """Give the open truth."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, number: int) -> NDArray[np.int16]:
        return np.asarray(self._file["storage"][number])

    def patch(self, month: str | np.datetime64, rows: slice, cols: slice) -> Field:
        """Read one month of a window.

        Parameters
        ----------
        month : str or datetime64
            "YYYY-MM".
        rows, cols : slice
            On the fine grid, from the south-western corner.

        Returns
        -------
        ndarray, float32
            Storage anomaly, mm; NaN on water and ice.

        Raises
        ------
        DataError
            The truth has no such month.
        """
        wanted = np.datetime64(str(month), "M")
        number = int(np.searchsorted(self.months, wanted))
        if number == len(self.months) or self.months[number] != wanted:
            raise DataError(f"The twin Earth's truth has no month {wanted}: the storage product lacks it too.")
        place = self._place[rows, cols]
        values = self._month(number)[place] * np.float32(RESOLUTION_MM)
        return np.where(place >= 0, values, np.float32(np.nan)).astype(np.float32)


def open_truth(path: Path, rows: slice, cols: slice, month: str | np.datetime64) -> Field:
    """Read one patch of the fine truth (for many, keep a `Truth` open).

    Parameters
    ----------
    path : Path
        A `truth.nc` of the twin Earth.
    rows, cols : slice
        On the fine grid, from the south-western corner.
    month : str or datetime64
        "YYYY-MM".

    Returns
    -------
    ndarray, float32
        Storage anomaly, mm; NaN on water and ice.
    """
    with Truth(path) as truth:
        return truth.patch(month, rows, cols)
