"""Data cube of storage and climate, and batches of patches cut out of it on the device that trains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import torch
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from gwsd.errors import DataError
from gwsd.grid import REFINEMENT
from gwsd.physics import FORCING, constraints_with, forcing_of
from gwsd.resample import Kernel, upsample

MONTHS_AT_A_TIME = 24
"""Months read from a file at once, so that no variable is in memory as a global field."""


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation by which a variable is standardised, in the variable's unit."""

    mean: float
    std: float

    def standardise(self, values: Tensor) -> Tensor:
        """Return (values - mean) / std."""
        return (values - self.mean) / self.std

    def restore(self, standardised: Tensor) -> Tensor:
        """Undo `standardise`."""
        return standardised * self.std + self.mean


@dataclass(frozen=True)
class Batch:
    """B patches of H by W coarse cells; 4H by 4W fine ones. Invalid cells are filled; `valid` marks those that count.

    Attributes
    ----------
    climate : Tensor, shape (B, T, C, H, W)
        Standardised climate of T months, the target month last.
    storage : Tensor, shape (B, 1, H, W)
        Standardised coarse storage.
    storage_mm : Tensor, shape (B, 1, H, W), mm
        Coarse storage.
    previous_mm : Tensor, shape (B, 1, H, W), mm
        Coarse storage of the previous month; zeros where that month is absent.
    has_previous : Tensor, shape (B,), bool
    target_mm : Tensor, shape (B, 1, 4H, 4W), mm
        Bicubic interpolation of `storage_mm`: the training target (section 3.4).
    valid : Tensor, shape (B, 1, 4H, 4W), bool
        Fine cells of valid coarse cells.
    area : Tensor, shape (B, 1, 4H, 4W)
        Relative area of the fine cells (cosine of latitude).
    precipitation, evapotranspiration, soil_moisture : Tensor, shape (B, 1, H, W), or None
        Of the target month, mm/month and m³ m⁻³; None where the climate lacks it.
    any_previous : bool
        True if any patch has a previous month: known without asking the device.
    """

    climate: Tensor
    storage: Tensor
    storage_mm: Tensor
    previous_mm: Tensor
    has_previous: Tensor
    target_mm: Tensor
    valid: Tensor
    area: Tensor
    precipitation: Tensor | None
    evapotranspiration: Tensor | None
    soil_moisture: Tensor | None
    any_previous: bool

    @property
    def constraints(self) -> tuple[str, ...]:
        """Terms of the physical constraints that the batch has the forcing of."""
        return constraints_with([name for name in FORCING if getattr(self, name) is not None])


@dataclass(frozen=True)
class Cube:
    """All months of storage and climate at the valid cells.

    Only valid cells are held (a third of the global rectangle). `nearest` maps every cell of the grid to a valid
    one, itself or the nearest, so that convolutions and the bicubic kernel see no gaps.

    Attributes
    ----------
    storage : Tensor, shape (M, N), mm
        Storage of N valid cells in the M months present.
    climate : Tensor, shape (T, V, N)
        Climate of V variables in T consecutive months, in the variables' units.
    nearest : Tensor, shape (rows, columns), int64
        Position among the valid cells of each cell's nearest valid cell.
    valid : Tensor, shape (rows, columns), bool
        Valid cells.
    cos_latitude : Tensor, shape (4·rows,)
        Cosine of the fine rows' latitudes.
    storage_months, climate_months : ndarray of datetime64[M]
        Calendars of `storage` and `climate`.
    variables : tuple of str
        Names of the V variables held.
    model_variables : tuple of str
        Names of the C variables that the model sees, in its order.
    storage_scale : Scale
        Of the storage, mm.
    climate_mean, climate_std : Tensor, shape (C, 1, 1)
        Of the model's variables.
    """

    storage: Tensor
    climate: Tensor
    nearest: Tensor
    valid: Tensor
    cos_latitude: Tensor
    storage_months: NDArray[np.datetime64]
    climate_months: NDArray[np.datetime64]
    variables: tuple[str, ...]
    model_variables: tuple[str, ...]
    storage_scale: Scale
    climate_mean: Tensor
    climate_std: Tensor

    @property
    def device(self) -> torch.device:
        """Device of the tensors."""
        return self.storage.device

    @classmethod
    def from_datasets(
        cls,
        storage: xr.Dataset,
        climate: xr.Dataset,
        mask: xr.Dataset,
        *,
        normalisation: Mapping[str, Mapping[str, float]],
        variables: Sequence[str],
        device: torch.device | str = "cpu",
    ) -> Self:
        """Read the inputs, a variable and a few months at a time.

        Parameters
        ----------
        storage : Dataset
            `storage` (time, lat, lon), mm, months present only.
        climate : Dataset
            The model's variables and the forcing that they give (time, lat, lon), months without gaps.
        mask : Dataset
            `valid` (lat, lon), 1 where a cell is valid.
        normalisation : mapping
            `{"storage": {"mean": ..., "std": ...}, ...}`, fitted on the training patches.
        variables : sequence of str
            The model's climate variables in its order.

        Raises
        ------
        DataError
            If the grids differ, no cell is valid, a month is missing, or a valid cell has no value.
        """
        valid = mask["valid"].transpose("lat", "lon").to_numpy() == 1
        if not valid.any():
            raise DataError("mask: no cell is valid; see inputs/quality.csv for the reasons")
        for name, dataset in (("storage", storage), ("climate", climate)):
            for axis in ("lat", "lon"):
                here, there = dataset[axis].to_numpy(), mask[axis].to_numpy()
                if here.shape != there.shape or not np.allclose(here, there):
                    raise DataError(
                        f"{name} and mask are not on one grid: their `{axis}` differ; make the inputs again"
                    )
        # From the settings, not from what else the file may contain.
        held = tuple(dict.fromkeys((*variables, *forcing_of(variables))))
        climate_months = _months(climate, "climate")
        if (np.diff(climate_months.astype(np.int64)) != 1).any():
            raise DataError("climate: months are missing or out of order; its calendar must have no gap")
        cells = np.flatnonzero(valid)
        packed_storage = np.empty((storage.sizes["time"], cells.size), dtype=np.float32)
        _pack(storage["storage"], cells, packed_storage)
        packed_climate = np.empty((climate_months.size, len(held), cells.size), dtype=np.float32)
        for number, name in enumerate(held):
            _pack(climate[name], cells, packed_climate[:, number])
        lat = mask["lat"].to_numpy().astype(np.float64)
        wraps = bool(np.isclose(abs(mask["lon"][-1] - mask["lon"][0]) * (1 + 1 / (mask["lon"].size - 1)), 360.0))
        scales = [normalisation[name] for name in variables]
        return cls(
            storage=torch.from_numpy(packed_storage).to(device),
            climate=torch.from_numpy(packed_climate).to(device),
            nearest=torch.from_numpy(nearest_valid(valid, wraps=wraps)).to(device),
            valid=torch.from_numpy(valid).to(device),
            cos_latitude=torch.from_numpy(_fine_cosines(lat)).to(device),
            storage_months=_months(storage, "storage"),
            climate_months=climate_months,
            variables=held,
            model_variables=tuple(variables),
            storage_scale=Scale(**{key: float(normalisation["storage"][key]) for key in ("mean", "std")}),
            climate_mean=torch.tensor([float(s["mean"]) for s in scales], device=device)[:, None, None],
            climate_std=torch.tensor([float(s["std"]) for s in scales], device=device)[:, None, None],
        )


def open_cube(
    storage: Path,
    climate: Path,
    mask: Path,
    *,
    normalisation: Mapping[str, Mapping[str, float]],
    variables: Sequence[str],
    device: torch.device | str,
) -> Cube:
    """Read storage.nc, climate.nc and mask.nc into a cube; see `Cube.from_datasets`."""
    with xr.open_dataset(storage) as storage_, xr.open_dataset(climate) as climate_, xr.open_dataset(mask) as mask_:
        return Cube.from_datasets(
            storage_, climate_, mask_, normalisation=normalisation, variables=variables, device=device
        )


def gather(cube: Cube, rows: pd.DataFrame, *, size: int, history_months: int) -> Batch:
    """Cut patches of `size` coarse cells a side out of the cube, with climate up to the target month.

    `rows` are of a patch table, with `month` (YYYY-MM), `row` and `col` (lower corner in the coarse grid).
    """
    months = rows["month"].to_numpy().astype("datetime64[M]")
    row, col = (rows[name].to_numpy().astype(np.int64) for name in ("row", "col"))
    now, present = _positions(cube.storage_months, months)
    if not present.all():
        raise DataError(f"patch table: storage has no month {months[~present][0]}; make the patch tables again")
    previous, has_previous = _positions(cube.storage_months, months - 1)
    last = (months - cube.climate_months[0]).astype(np.int64)
    first = last - (history_months - 1)
    if (first < 0).any() or (last >= cube.climate_months.size).any():
        bad = int(np.flatnonzero((first < 0) | (last >= cube.climate_months.size))[0])
        raise DataError(
            f"patch table: the {history_months} months of climate up to {months[bad]} are not all in "
            f"{cube.climate_months[0]} to {cube.climate_months[-1]}; extend period.climate_start or shorten "
            "model.history_months"
        )

    def on_device(values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(values).to(cube.device)

    reach = np.arange(size)
    patch_rows, patch_cols = (on_device(corner[:, None] + reach) for corner in (row, col))
    patch_rows, patch_cols = patch_rows[:, :, None], patch_cols[:, None, :]
    cells = cube.nearest[patch_rows, patch_cols]  # (B, H, W)
    storage_mm = cube.storage[on_device(now)[:, None, None], cells][:, None]
    previous_mm = cube.storage[on_device(previous)[:, None, None], cells][:, None]
    known = on_device(has_previous)
    channels = on_device(np.array([cube.variables.index(name) for name in cube.model_variables]))
    spans = on_device(first[:, None] + np.arange(history_months))[:, :, None, None, None]
    climate = cube.climate[spans, channels[:, None, None], cells[:, None, None]]
    forcing = {
        name: cube.climate[on_device(last)[:, None, None], cube.variables.index(name), cells][:, None]
        if name in cube.variables
        else None
        for name in FORCING
    }
    fine_rows = on_device(row[:, None] * REFINEMENT + np.arange(size * REFINEMENT))
    valid = cube.valid[patch_rows, patch_cols][:, None]
    fine_valid = valid.repeat_interleave(REFINEMENT, dim=2).repeat_interleave(REFINEMENT, dim=3)
    return Batch(
        climate=(climate - cube.climate_mean) / cube.climate_std,
        storage=cube.storage_scale.standardise(storage_mm),
        storage_mm=storage_mm,
        previous_mm=torch.where(known[:, None, None, None], previous_mm, 0.0),
        has_previous=known,
        target_mm=upsample(storage_mm, Kernel.BICUBIC),
        valid=fine_valid,
        area=cube.cos_latitude[fine_rows][:, None, :, None].expand(fine_valid.shape),
        any_previous=bool(has_previous.any()),
        **forcing,
    )


def nearest_valid(valid: NDArray[np.bool_], *, wraps: bool) -> NDArray[np.int64]:
    """Map every cell to its nearest valid one (distance in cells), by its position among the valid cells.

    `valid` has shape (rows, columns) and at least one true cell; `wraps` makes the first and last column neighbours.
    """
    columns = valid.shape[1]
    margin = columns // 2 if wraps else 0
    padded = np.pad(valid, ((0, 0), (margin, margin)), mode="wrap")
    row, col = distance_transform_edt(~padded, return_distances=False, return_indices=True)
    row, col = (index[:, margin : margin + columns] for index in (row, col))
    position = np.cumsum(valid.ravel()).reshape(valid.shape) - 1
    return position[row, (col - margin) % columns].astype(np.int64)


def _positions(
    calendar: NDArray[np.datetime64], months: NDArray[np.datetime64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Position of months in an increasing calendar (0 if absent), and whether they are in it."""
    position = np.searchsorted(calendar, months)
    inside = np.minimum(position, calendar.size - 1)
    found = calendar[inside] == months
    return np.where(found, inside, 0).astype(np.int64), found


def _months(dataset: xr.Dataset, name: str) -> NDArray[np.datetime64]:
    months = dataset["time"].to_numpy().astype("datetime64[M]")
    if months.size == 0 or (np.diff(months.astype(np.int64)) <= 0).any():
        raise DataError(f"{name}: months must increase and none may occur twice; make the inputs again")
    return months


def _pack(variable: xr.DataArray, cells: NDArray[np.int64], packed: NDArray[np.float32]) -> None:
    """Read one variable at some cells of the flattened grid into an array, (months, cells)."""
    variable = variable.transpose("time", "lat", "lon")
    for start in range(0, len(packed), MONTHS_AT_A_TIME):
        span = slice(start, start + MONTHS_AT_A_TIME)
        packed[span] = variable.isel(time=span).to_numpy().reshape(-1, variable[0].size)[:, cells]
    if gaps := int((~np.isfinite(packed)).any(axis=0).sum()):
        raise DataError(
            f"inputs: `{variable.name}` has no value at {gaps} of {cells.size} valid cells; make the mask again"
        )


def _fine_cosines(lat: NDArray[np.float64]) -> NDArray[np.float32]:
    spacing = float(lat[1] - lat[0])
    offsets = spacing * ((np.arange(REFINEMENT) + 0.5) / REFINEMENT - 0.5)
    fine = (lat[:, None] + offsets).ravel()
    return np.cos(np.deg2rad(fine)).astype(np.float32)
