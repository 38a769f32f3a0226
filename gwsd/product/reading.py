"""Files of the product, read back month by month."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, Self

import netCDF4
import numpy as np
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.grid import Grid
from gwsd.product.names import MEAN, SD

Array = NDArray[np.float64]


class Fields(NamedTuple):
    """Mean and standard deviation of a month, mm, shape (4H, 4W), south first; NaN outside valid cells."""

    mean: Array
    sd: Array | None


class Product:
    """Some files of the product as one; a context manager. Holds one month at a time in memory.

    Parameters
    ----------
    paths : sequence of Path
        Files such as `gwsa_0p125_2010.nc`, in any order.

    Raises
    ------
    DataError
        If a file is missing or not one of the product, files lie on different grids, differ in what they are, or
        two hold the same month.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._stack = ExitStack()
        try:
            self._files = {path: self._stack.enter_context(_opened(path)) for path in paths}
            self._where: dict[np.datetime64, tuple[Path, int]] = {}
            first = paths[0]
            self.grid = _grid(self._files[first])
            self.data_label = str(getattr(self._files[first], "data_label", ""))
            for path, file in self._files.items():
                if _grid(file) != self.grid:
                    raise DataError(f"{path}: on another grid than {first}; give files of one product")
                if str(getattr(file, "data_label", "")) != self.data_label:
                    raise DataError(f"{path}: its data_label is not that of {first}; give files of one product")
                self._add_months(path, file)
        except BaseException:
            self._stack.close()
            raise
        self.months = np.array(sorted(self._where), dtype="datetime64[M]")

    def __enter__(self) -> Self:
        """Give the open product."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self._stack.close()

    def read(self, month: np.datetime64) -> Fields:
        """Read a month.

        Raises
        ------
        DataError
            If no file holds it.
        """
        wanted = month.astype("datetime64[M]")
        if wanted not in self._where:
            held = f"{self.months[0]} to {self.months[-1]}" if self.months.size else "none"
            raise DataError(
                f"{', '.join(map(str, self._files))}: no month {wanted} (months there: {held}, without those that "
                "the source lacks); choose another, or the file of its year"
            )
        path, number = self._where[wanted]
        file = self._files[path]
        mean, sd = (self._values(file, name, number) for name in (MEAN, SD))
        assert mean is not None
        return Fields(mean, sd)

    def attributes(self, month: np.datetime64) -> dict[str, str]:
        """Return the global attributes of the file that holds a month."""
        file = self._files[self._where[month.astype("datetime64[M]")][0]]
        return {name: str(file.getncattr(name)) for name in file.ncattrs()}

    def _values(self, file: netCDF4.Dataset, name: str, number: int) -> Array | None:
        if name not in file.variables:
            return None
        values = np.ma.filled(np.ma.asarray(file[name][number], dtype=np.float64), np.nan)
        return np.asarray(values)

    def _add_months(self, path: Path, file: netCDF4.Dataset) -> None:
        time = file["time"]
        stamps = netCDF4.num2date(time[:], time.units, getattr(time, "calendar", "standard"))
        for number, stamp in enumerate(np.asarray(stamps).ravel()):
            month = np.datetime64(f"{stamp.year:04d}-{stamp.month:02d}", "M")
            if month in self._where:
                raise DataError(f"{path}: holds {month}, and so does {self._where[month][0]}; give each month once")
            self._where[month] = (path, number)


@contextmanager
def whole_or_nothing(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to; it becomes `path` when the block has ended well, else it is removed.

    Raises
    ------
    DataError
        If the folder does not exist.
    """
    if not path.parent.is_dir():
        raise DataError(f"{path}: there is no folder {path.parent}; make it, or choose another")
    temporary = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path) -> Iterator[netCDF4.Dataset]:
    if not path.is_file():
        raise DataError(f"{path}: no such file; expected one of the product, such as gwsa_0p125_2010.nc")
    try:
        file = netCDF4.Dataset(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read as NetCDF ({error}); expected a file of the product") from error
    with file:
        absent = [name for name in ("time", "lat", "lon", MEAN) if name not in file.variables]
        if absent:
            raise DataError(
                f"{path}: has no variable {absent[0]!r}; expected a file of the product, such as gwsa_0p125_2010.nc"
            )
        yield file


def _grid(file: netCDF4.Dataset) -> Grid:
    lat, lon = (np.asarray(file[name][:], dtype=np.float64) for name in ("lat", "lon"))
    spacing = round(float(lat[1] - lat[0]), 9)
    west, south, east, north = (
        round(float(edge), 6)
        for edge in (lon[0] - spacing / 2, lat[0] - spacing / 2, lon[-1] + spacing / 2, lat[-1] + spacing / 2)
    )
    return Grid(spacing, (west, south, east, north))
