"""One month on the whole grid, as the batch that every method takes, and windows of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from gwsd.errors import DataError
from gwsd.grid import REFINEMENT, Grid
from gwsd.patches.gathering import Batch, Cube, Scale

Months = NDArray[np.datetime64]


@dataclass(frozen=True)
class Cells:
    """Which coarse cells count, what stands in for the others, and whether the grid goes round the Earth.

    Parameters
    ----------
    valid : Tensor, shape (H, W), bool
        Valid coarse cells.
    nearest : Tensor, shape (H, W), int64
        Place, in the flattened grid, of each cell's nearest valid cell; its own where it is valid.
    cos_latitude : Tensor, shape (4H,)
        Cosine of the fine rows' latitudes.
    wraps : bool
        Whether the last column borders on the first.
    """

    valid: Tensor
    nearest: Tensor
    cos_latitude: Tensor
    wraps: bool

    @classmethod
    def of(cls, cube: Cube, grid: Grid) -> Self:
        """Take them from a cube on a coarse grid."""
        places = cube.valid.flatten().nonzero()[:, 0]
        return cls(cube.valid, places[cube.nearest], cube.cos_latitude, grid.is_global)

    def fill(self, field: Tensor) -> Tensor:
        """Give each cell outside the valid ones the value of the nearest; (..., H, W) to (..., H, W)."""
        return field.flatten(-2)[..., self.nearest]

    @property
    def fine_valid(self) -> Tensor:
        """Fine cells of valid coarse cells, shape (4H, 4W), bool."""
        return _to_fine(self.valid)

    @property
    def weights(self) -> Tensor:
        """Share of a fine cell in the area of its coarse cell, by fine row, shape (4H,), float64; 16 sum to one."""
        rows = self.cos_latitude.double().reshape(-1, REFINEMENT)
        return (rows / rows.sum(dim=1, keepdim=True) / REFINEMENT).flatten()


def grid_of(dataset: xr.Dataset) -> Grid:
    """Return the grid on which a dataset with `lat` and `lon` lies.

    Raises
    ------
    DataError
        If the latitudes or longitudes are not evenly spaced and increasing.
    """
    axes = {name: dataset[name].to_numpy().astype(np.float64) for name in ("lat", "lon")}
    spacing = float(axes["lat"][1] - axes["lat"][0]) if axes["lat"].size > 1 else 0.0
    for name, axis in axes.items():
        if axis.size < 2 or spacing <= 0 or not np.allclose(np.diff(axis), spacing, atol=1e-6):
            raise DataError(f"`{name}` is not evenly spaced and increasing by one spacing; make the inputs again")
    west, south, east, north = (
        round(float(axes[name][end] + sign * spacing / 2), 6)
        for name, end, sign in (("lon", 0, -1), ("lat", 0, -1), ("lon", -1, 1), ("lat", -1, 1))
    )
    return Grid(spacing, (west, south, east, north))


def months_of_year(storage: xr.Dataset, year: int) -> Months:
    """Months of a year that the storage has; those that are absent are not made up."""
    months = storage["time"].to_numpy().astype("datetime64[M]")
    return months[months.astype("datetime64[Y]") == np.datetime64(str(year), "Y")]


def open_months(
    files: Mapping[str, Path],
    months: Months,
    *,
    memory: int,
    normalisation: Mapping[str, Mapping[str, float]],
    variables: Sequence[str],
    device: torch.device | str,
) -> Cube:
    """Read what some months need, and no more, from the files of `inputs/`.

    Parameters
    ----------
    files : mapping
        Paths of `storage`, `climate` and `mask`.
    months : ndarray of datetime64[M]
        Months to downscale, increasing.
    memory : int
        Months of climate that each needs, the month itself last.
    normalisation, variables, device
        See `Cube.from_datasets`.

    Raises
    ------
    DataError
        If the climate does not reach back far enough, or see `Cube.from_datasets`.
    """
    with (
        xr.open_dataset(files["storage"]) as storage,
        xr.open_dataset(files["climate"]) as climate,
        xr.open_dataset(files["mask"]) as mask,
    ):
        held = climate["time"].to_numpy().astype("datetime64[M]")
        first, last = months[0] - (memory - 1), months[-1]
        if held.size == 0 or held[0] > first or held[-1] < last:
            there = f"holds {held[0]} to {held[-1]}" if held.size else "holds no month"
            raise DataError(
                f"{files['climate']}: {there}, but {months[0]} to {last} with {memory} months of climate each need "
                f"{first} to {last}; extend period.climate_start, or shorten model.memory"
            )
        present = storage["time"].to_numpy().astype("datetime64[M]")
        return Cube.from_datasets(
            storage.isel(time=np.flatnonzero(np.isin(present, months))),
            climate.isel(time=np.flatnonzero((held >= first) & (held <= last))),
            mask,
            normalisation=normalisation,
            variables=variables,
            device=device,
        )


def month_of_cube(cube: Cube, month: np.datetime64, cells: Cells, *, memory: int) -> Batch:
    """Lay one month of a cube out on the whole grid.

    Parameters
    ----------
    cube : Cube
        Storage and climate.
    month : datetime64
        Which.
    cells : Cells
        Of the cube.
    memory : int
        Months of climate, the month itself last.

    Returns
    -------
    Batch
        One "patch" that is the whole grid; see `whole_grid`.

    Raises
    ------
    DataError
        If the cube lacks the month or some of its climate.
    """
    month = month.astype("datetime64[M]")
    now = np.flatnonzero(cube.storage_months == month)
    last = int((month - cube.climate_months[0]).astype(np.int64))
    if now.size == 0:
        raise DataError(f"{month}: the storage has no such month, and none is made up")
    if last - memory + 1 < 0 or last >= cube.climate_months.size:
        raise DataError(
            f"{month}: its {memory} months of climate are not all in {cube.climate_months[0]} to "
            f"{cube.climate_months[-1]}; extend period.climate_start, or shorten model.memory"
        )
    channels = [cube.variables.index(name) for name in cube.model_variables]
    climate = cube.climate[last - memory + 1 : last + 1][:, channels]
    return whole_grid(
        climate=(climate[..., cube.nearest] - cube.climate_mean) / cube.climate_std,
        storage_mm=cube.storage[int(now[0])][cube.nearest],
        scale=cube.storage_scale,
        cells=cells,
    )


def whole_grid(*, climate: Tensor, storage_mm: Tensor, scale: Scale, cells: Cells) -> Batch:
    """Make a batch of one "patch" that is the whole grid.

    Parameters
    ----------
    climate : Tensor, shape (T, C, H, W)
        Standardised climate, the target month last. Values outside valid cells are replaced.
    storage_mm : Tensor, shape (H, W), mm
        Coarse storage, likewise.
    scale : Scale
        By which the network's storage is standardised.
    cells : Cells
        Valid cells.

    Returns
    -------
    Batch
        B = 1, H by W the grid. Without month before, forcing and target: no method may need them to downscale.
    """
    storage_mm = cells.fill(storage_mm)[None, None]
    return _batch(
        climate=cells.fill(climate)[None],
        storage=scale.standardise(storage_mm),
        storage_mm=storage_mm,
        valid=cells.fine_valid[None, None],
        area=cells.cos_latitude[None, None, :, None].expand(1, 1, -1, storage_mm.shape[3] * REFINEMENT),
    )


def window(batch: Batch, rows: Tensor, cols: Tensor) -> Batch:
    """Cut B windows out of a batch that is a whole grid.

    Parameters
    ----------
    batch : Batch
        From `whole_grid`.
    rows, cols : Tensor, shapes (B, h), (B, w), int64
        Coarse rows and columns of each window; one may come twice (beyond an edge) or jump (over the date line).

    Returns
    -------
    Batch
        B windows of h by w coarse cells.
    """
    coarse = (rows[:, :, None], cols[:, None, :])
    inner = torch.arange(REFINEMENT, device=rows.device)
    fine_rows, fine_cols = ((index[..., None] * REFINEMENT + inner).flatten(1) for index in (rows, cols))
    fine = (fine_rows[:, :, None], fine_cols[:, None, :])

    def cut(field: Tensor, place: tuple[Tensor, Tensor]) -> Tensor:
        # (C, H, W) indexed by (B, h, w) is (C, B, h, w); (T, C, H, W) is (T, C, B, h, w).
        return field[0][..., place[0], place[1]].movedim(-3, 0).contiguous()

    return _batch(
        climate=cut(batch.climate, coarse),
        storage=cut(batch.storage, coarse),
        storage_mm=cut(batch.storage_mm, coarse),
        valid=cut(batch.valid, fine),
        area=cut(batch.area, fine),
    )


def block_means(field: Tensor, cells: Cells) -> Tensor:
    """Mean over the area of each coarse cell; (4H, 4W) to (H, W), float64."""
    height, width = cells.valid.shape
    weighted = field.double() * cells.weights[:, None]
    return weighted.reshape(height, REFINEMENT, width, REFINEMENT).sum(dim=(1, 3))


def _batch(*, climate: Tensor, storage: Tensor, storage_mm: Tensor, valid: Tensor, area: Tensor) -> Batch:
    nothing: dict[str, Any] = dict.fromkeys(("precipitation", "evapotranspiration", "soil_moisture"))
    # Not a number rather than zero: whoever reads it by mistake shall see that.
    unknown = torch.full((), torch.nan, device=storage.device)
    return Batch(
        climate=climate,
        storage=storage,
        storage_mm=storage_mm,
        previous_mm=torch.zeros_like(storage_mm),
        has_previous=torch.zeros(storage_mm.shape[0], dtype=torch.bool, device=storage.device),
        target_mm=unknown.expand(valid.shape),
        valid=valid,
        area=area,
        any_previous=False,
        **nothing,
    )


def _to_fine(field: Tensor) -> Tensor:
    return field.repeat_interleave(REFINEMENT, dim=-2).repeat_interleave(REFINEMENT, dim=-1)
