"""One month on the whole grid as a batch that every method accepts, and windows of it.

Dimension names: B batch, T months, C variables, H and W coarse rows and columns, 4H and 4W fine ones.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from gwsd.errors import DataError
from gwsd.grid import REFINEMENT, Grid
from gwsd.patches.gathering import Batch, Cube, Scale


@dataclass(frozen=True)
class ValidCells:
    """Valid coarse cells of a grid, the values that replace the others, and whether the grid wraps."""

    valid: Tensor
    """Shape (H, W), bool."""
    nearest: Tensor
    """Position of the nearest valid cell in the flattened grid, shape (H, W), int64."""
    cos_latitude: Tensor
    """Of the fine rows, shape (4H,)."""
    wraps: bool
    """True if the last column borders on the first."""

    @classmethod
    def of(cls, cube: Cube, grid: Grid) -> Self:
        """Take them from a cube on a coarse grid."""
        positions = cube.valid.flatten().nonzero()[:, 0]
        return cls(cube.valid, positions[cube.nearest], cube.cos_latitude, grid.is_global)

    def fill(self, field: Tensor) -> Tensor:
        """Replace invalid cells by the nearest valid one; (..., H, W) to (..., H, W)."""
        return field.flatten(-2)[..., self.nearest]

    @property
    def fine_valid(self) -> Tensor:
        """Fine cells of valid coarse cells, shape (4H, 4W), bool."""
        return self.valid.repeat_interleave(REFINEMENT, dim=0).repeat_interleave(REFINEMENT, dim=1)

    @property
    def weights(self) -> Tensor:
        """Share of a fine cell in the area of its coarse cell, by fine row, shape (4H,), float64; 16 sum to one."""
        rows = self.cos_latitude.double().reshape(-1, REFINEMENT)
        return (rows / rows.sum(dim=1, keepdim=True) / REFINEMENT).flatten()


def grid_of(dataset: xr.Dataset) -> Grid:
    """Return the grid of a dataset with `lat` and `lon`; DataError unless both increase by one spacing."""
    axes = {name: dataset[name].to_numpy().astype(np.float64) for name in ("lat", "lon")}
    spacing = next((float(axis[1] - axis[0]) for axis in axes.values() if axis.size > 1), 0.0)
    for name, axis in axes.items():
        if spacing <= 0 or not np.allclose(np.diff(axis), spacing, atol=1e-6):
            raise DataError(f"`{name}` is not evenly spaced and increasing by one spacing; make the file again")
    west, south, east, north = (
        round(float(axes[name][end] + sign * spacing / 2), 6)
        for name, end, sign in (("lon", 0, -1), ("lat", 0, -1), ("lon", -1, 1), ("lat", -1, 1))
    )
    return Grid(round(spacing, 9), (west, south, east, north))


def month_batch(cube: Cube, month: np.datetime64, cells: ValidCells, *, history_months: int) -> Batch:
    """Return one month of a cube, with the climate of `history_months`, as a batch; see `grid_batch`."""
    month = month.astype("datetime64[M]")
    position = np.flatnonzero(cube.storage_months == month)
    if position.size == 0:
        raise DataError(f"{month}: the storage lacks this month; choose another")
    first, last = (int((each - cube.climate_months[0]).astype(int)) for each in (month - (history_months - 1), month))
    if first < 0 or last >= cube.climate_months.size:
        raise DataError(
            f"{month}: its {history_months} months of climate are not all in {cube.climate_months[0]} to "
            f"{cube.climate_months[-1]}; extend period.climate_start, or shorten model.history_months"
        )
    channels = [cube.variables.index(name) for name in cube.model_variables]
    climate = cube.climate[first : last + 1][:, channels]
    return grid_batch(
        climate=(climate[..., cube.nearest] - cube.climate_mean) / cube.climate_std,
        storage_mm=cube.storage[int(position[0])][cube.nearest],
        scale=cube.storage_scale,
        cells=cells,
    )


def grid_batch(*, climate: Tensor, storage_mm: Tensor, scale: Scale, cells: ValidCells) -> Batch:
    """Make a batch of one "patch" that is the whole grid; values outside valid cells are replaced.

    The batch has no forcing, previous month and target: no method needs them to downscale. `climate` is standardised,
    shape (T, C, H, W), the target month last; `storage_mm` has shape (H, W), mm.
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
    """Cut B windows of h by w coarse cells out of a batch that is a whole grid.

    `rows` and `cols`, shapes (B, h) and (B, w), int64, are the coarse rows and columns of each window; they may repeat
    (beyond an edge) or jump (over the date line).
    """
    coarse = (rows[:, :, None], cols[:, None, :])
    inner = torch.arange(REFINEMENT, device=rows.device)
    fine_rows, fine_cols = ((index[..., None] * REFINEMENT + inner).flatten(1) for index in (rows, cols))
    fine = (fine_rows[:, :, None], fine_cols[:, None, :])

    def cut(field: Tensor, index: tuple[Tensor, Tensor]) -> Tensor:
        # (C, H, W) indexed by (B, h, w) is (C, B, h, w); (T, C, H, W) is (T, C, B, h, w).
        return field[0][..., index[0], index[1]].movedim(-3, 0).contiguous()

    return _batch(
        climate=cut(batch.climate, coarse),
        storage=cut(batch.storage, coarse),
        storage_mm=cut(batch.storage_mm, coarse),
        valid=cut(batch.valid, fine),
        area=cut(batch.area, fine),
    )


def block_sums(field: Tensor) -> Tensor:
    """Sum over the fine cells of each coarse cell; (4H, 4W) to (H, W)."""
    rows, cols = field.shape
    return field.reshape(rows // REFINEMENT, REFINEMENT, cols // REFINEMENT, REFINEMENT).sum(dim=(1, 3))


def block_means(field: Tensor, cells: ValidCells) -> Tensor:
    """Mean over the area of each coarse cell; (4H, 4W) to (H, W), float64."""
    return block_sums(field.double() * cells.weights[:, None])


def _batch(*, climate: Tensor, storage: Tensor, storage_mm: Tensor, valid: Tensor, area: Tensor) -> Batch:
    absent: dict[str, Any] = dict.fromkeys(("precipitation", "evapotranspiration", "soil_moisture"))
    unknown = torch.full((), torch.nan, device=storage.device)  # NaN, so that accidental use is visible
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
        **absent,
    )
