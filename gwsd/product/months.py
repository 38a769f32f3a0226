"""Downscale months one by one and write them to a file of the product."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from gwsd.errors import DataError
from gwsd.grid import REFINEMENT, Grid, Region
from gwsd.patches.gathering import Batch, Cube
from gwsd.product.correction import correct_means, corrected_sd
from gwsd.product.estimator import Estimator
from gwsd.product.grid_batch import ValidCells, block_means, grid_of, month_batch
from gwsd.product.inference import Tiling, predict_full_field, predict_tiled
from gwsd.product.netcdf import RESOLUTION_MM, FineMonth, new_product
from gwsd.product.settings import Product

Months = NDArray[np.datetime64]


def resolve_inference(settings: Product, estimator: Estimator) -> Literal["tiled", "full_field"]:
    """Return the inference of the settings.

    `auto` is `full_field` except for networks with group normalisation, whose statistics over a whole globe differ from
    those over a training patch.
    """
    if settings.inference != "auto":
        return settings.inference
    return "tiled" if estimator.network is not None and estimator.network.normalisation == "group" else "full_field"


def tiling_of(settings: Product, estimator: Estimator) -> Tiling:
    """Return the tiles of a method: patches of its training size."""
    size = estimator.patch_size
    return Tiling(size, max(1, round(settings.stride * size)), settings.batch_size)


def downscale_month(
    estimator: Estimator, batch: Batch, cells: ValidCells, settings: Product
) -> tuple[Tensor, Tensor | None]:
    """Downscale one month, a batch from `grid_batch`, to mean and, if the method has one, standard deviation.

    Both have shape (4H, 4W), mm, NaN outside valid cells.
    """
    if resolve_inference(settings, estimator) == "tiled":
        prediction = predict_tiled(estimator, batch, cells, tiling_of(settings, estimator))
    else:
        prediction = predict_full_field(estimator, batch, cells, estimator.network)
    mean, sd = prediction.mean[0, 0], None if prediction.sd is None else prediction.sd[0, 0]
    valid = cells.fine_valid
    if settings.correction:
        # Tiles leave cells without a value far from land; they must not reach others.
        mean = correct_means(torch.where(valid, mean, 0.0), batch.storage_mm[0, 0], cells)
        if sd is not None:
            sd = corrected_sd(torch.where(valid, sd, 0.0), cells, settings.error_correlation)
    mean = torch.where(valid, mean, torch.nan).float()
    return mean, None if sd is None else torch.where(valid, sd, torch.nan).float()


def open_cube(storage: xr.Dataset, climate: xr.Dataset, mask: xr.Dataset, months: Months, estimator: Estimator) -> Cube:
    """Read the storage of some months and the climate that they need, and no more."""
    present, held = (each["time"].to_numpy().astype("datetime64[M]") for each in (storage, climate))
    first = months[0] - (estimator.history_months - 1)
    return Cube.from_datasets(
        storage.isel(time=np.flatnonzero(np.isin(present, months))),
        climate.isel(time=np.flatnonzero((held >= first) & (held <= months[-1]))),
        mask,
        normalisation=estimator.normalisation,
        variables=estimator.climate_variables,
        device=estimator.device,
    )


def months_of_year(storage: xr.Dataset, year: int) -> Months:
    """Return the months of a year that the storage has."""
    months = storage["time"].to_numpy().astype("datetime64[M]")
    return months[months.astype("datetime64[Y]") == np.datetime64(str(year), "Y")]


def downscale_months(
    estimator: Estimator,
    storage: xr.Dataset,
    climate: xr.Dataset,
    mask: xr.Dataset,
    months: Months,
    settings: Product,
) -> Iterator[tuple[FineMonth, float]]:
    """Downscale increasing months one by one; the inputs of a calendar year are held at a time.

    `storage`, `climate` and `mask` are aligned, as in storage.nc, climate.nc and mask.nc. Yields each month, on the
    fine grid of the mask, and the largest difference between a half-degree mean, as rounded in the file, and its input,
    mm.
    """
    for year in np.unique(months.astype("datetime64[Y]")):
        chosen = months[months.astype("datetime64[Y]") == year]
        cube = open_cube(storage, climate, mask, chosen, estimator)
        cells = ValidCells.of(cube, grid_of(mask))
        valid = cells.fine_valid
        for month in chosen:
            batch = month_batch(cube, month, cells, history_months=estimator.history_months)
            mean, sd = downscale_month(estimator, batch, cells, settings)
            if not all(field is None or bool(torch.isfinite(field[valid]).all()) for field in (mean, sd)):
                raise DataError(f"{estimator.name}: the result for {month} is not finite; train the network again")
            written = torch.round(torch.where(valid, mean, 0.0).double() / RESOLUTION_MM) * RESOLUTION_MM
            differences = (block_means(written, cells) - batch.storage_mm[0, 0].double()).abs()[cells.valid]
            fields = FineMonth(month, mean.cpu().numpy(), None if sd is None else sd.cpu().numpy())
            yield fields, float(differences.max())


def write_months(
    path: Path,
    estimator: Estimator,
    storage: xr.Dataset,
    climate: xr.Dataset,
    mask: xr.Dataset,
    months: Months,
    settings: Product,
    attributes: Mapping[str, str],
    *,
    region: Region | None = None,
    progress: Callable[[Iterable[tuple[FineMonth, float]]], Iterable[tuple[FineMonth, float]]] = iter,
) -> float:
    """Downscale months and write them as they are made; see `downscale_months`.

    `attributes` are those of `describe_product`; `region` is the part of the inputs' grid to write, all of it if None;
    `progress` wraps the iteration over months. Returns the largest difference between a half-degree mean of the file
    and its input, mm.
    """
    grid = grid_of(mask)
    region = region or grid.region
    cells = REFINEMENT / grid.spacing
    west, south, east, north = (round(cells * (region[k] - grid.region[k % 2])) for k in range(4))
    inside = (slice(south, north), slice(west, east))
    largest = 0.0
    with new_product(path, Grid(grid.spacing, region).refined(), attributes, has_sd=estimator.has_sd) as file:
        for fine, difference in progress(downscale_months(estimator, storage, climate, mask, months, settings)):
            file.append(FineMonth(fine.month, fine.mean[inside], None if fine.sd is None else fine.sd[inside]))
            largest = max(largest, difference)
    return largest
