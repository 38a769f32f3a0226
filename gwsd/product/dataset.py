"""Read files of the product month by month."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import numpy as np
import xarray as xr

from gwsd.errors import DataError
from gwsd.product.grid_batch import grid_of
from gwsd.product.netcdf import MEAN, SD, FineMonth


class ProductDataset:
    """Files of the product, in any order, as one dataset; a context manager. Reads one month at a time."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._where: dict[np.datetime64, tuple[Path, int]] = {}
        with ExitStack() as stack:
            self._files = {path: stack.enter_context(_open(path)) for path in paths}
            first = self._files[paths[0]]
            self.grid, self.data_label = grid_of(first), str(first.attrs.get("data_label", ""))
            for path, file in self._files.items():
                found = {"grid": grid_of(file), "data_label": str(file.attrs.get("data_label", ""))}
                for name, value in found.items():
                    if value != getattr(self, name):
                        raise DataError(f"{path}: its {name} is not that of {paths[0]}; give files of one product")
                for number, month in enumerate(file["time"].to_numpy().astype("datetime64[M]")):
                    if month in self._where:
                        raise DataError(f"{path}: {month} is also in {self._where[month][0]}; give each month once")
                    self._where[month] = (path, number)
            self._stack = stack.pop_all()
        self.months = np.array(sorted(self._where), dtype="datetime64[M]")

    def __enter__(self) -> Self:
        """Return the open dataset."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self._stack.close()

    def read(self, month: np.datetime64) -> FineMonth:
        """Read a month, float64; DataError if no file holds it."""
        file, number = self._find(month)
        fields = {name: file[name][number].to_numpy().astype(np.float64) for name in (MEAN, SD) if name in file}
        return FineMonth(month, fields[MEAN], fields.get(SD))

    def attributes(self, month: np.datetime64) -> dict[str, str]:
        """Return the global attributes of the file that holds a month, and `long_name` of its variable."""
        file, _ = self._find(month)
        return {"long_name": str(file[MEAN].attrs.get("long_name", "")), **{k: str(v) for k, v in file.attrs.items()}}

    def _find(self, month: np.datetime64) -> tuple[xr.Dataset, int]:
        month = month.astype("datetime64[M]")
        if month not in self._where:
            held = f"{self.months[0]} to {self.months[-1]}" if self.months.size else "none"
            raise DataError(
                f"{', '.join(map(str, self._files))}: month {month} is absent (months there: {held}, except those that "
                "the coarse storage lacks); choose another, or the file of its year"
            )
        path, number = self._where[month]
        return self._files[path], number


def _open(path: Path) -> xr.Dataset:
    expected = "expected a file of the product, such as gwsa_0p125_2010.nc"
    if not path.is_file():
        raise DataError(f"{path}: no such file; {expected}")
    try:
        file = xr.open_dataset(path, engine="netcdf4", decode_coords=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"{path}: cannot be read as NetCDF ({error}); {expected}") from error
    absent = [name for name in ("time", "lat", "lon", MEAN) if name not in file.variables]
    if absent:
        raise DataError(f"{path}: has no variable {absent[0]!r}; {expected}")
    if file[MEAN].attrs.get("units") != "mm" or "job_key" not in file.attrs:
        raise DataError(f"{path}: its variable {MEAN!r} is not in mm or has no job_key; {expected}")
    return file
