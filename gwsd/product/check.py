"""The product against itself made another way, against the evaluation's patches, and against the twin Earth's truth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from gwsd.errors import DataError
from gwsd.grid import REFINEMENT, Grid
from gwsd.methods.method import Prediction
from gwsd.patches.gathering import Batch, Cube, gather
from gwsd.product.correction import correct_means
from gwsd.product.correction_check import CorrectionSums
from gwsd.product.estimators import Estimator
from gwsd.product.field import downscale_field
from gwsd.product.months import Correction, Way
from gwsd.product.seams import SeamSums
from gwsd.product.tiles import Tiling, downscale_tiles
from gwsd.product.whole_grid import Cells, Months, block_means, month_of_cube
from gwsd.resample import Kernel, upsample
from gwsd.sources.twin.truth import Truth

TruthOf = Callable[[np.datetime64], Tensor]
"""The true storage of a month, shape (4H, 4W), mm; NaN where there is none."""


CubeOf = Callable[[np.datetime64], Cube]
"""Storage and climate that a month needs, on the cells of the check."""


@dataclass(frozen=True)
class Check:
    """What a check finds; each a table.

    Parameters
    ----------
    ways : DataFrame
        How tiles, field and patches differ: `comparison, quantity, mean_abs_mm, p99_abs_mm, max_abs_mm, cells, months`.
    seams : DataFrame
        Roughness at seams beside that elsewhere; see `SeamSums.table`.
    correction : DataFrame
        What the correction removes; see `CorrectionSums.table`.
    errors : DataFrame
        `reference, method, mae_mm, rmse_mm, rmse_over_bicubic, cells, months`.
    """

    ways: pd.DataFrame
    seams: pd.DataFrame
    correction: pd.DataFrame
    errors: pd.DataFrame


def truth_on(truth: Truth, grid: Grid, device: torch.device) -> TruthOf:
    """Return what reads months of the twin Earth's truth on the fine grid of a product.

    Parameters
    ----------
    truth : Truth
        Open.
    grid : Grid
        The fine grid.
    device : torch.device
        Where the months go.

    Raises
    ------
    DataError
        If the truth lies on another grid.
    """
    if truth.grid.shape != grid.shape or not np.allclose(truth.grid.region, grid.region):
        raise DataError(
            f"twin Earth's truth: covers {truth.grid.region}, the product {grid.region} (west, south, east, north); "
            "make the scenario's twin Earth again"
        )
    rows, cols = grid.shape
    return lambda month: torch.from_numpy(truth.patch(month, slice(0, rows), slice(0, cols))).to(device)


def months_with_most_patches(table: pd.DataFrame, count: int) -> Months:
    """Return the months of a patch table that hold most patches, `count` at most, in order."""
    often = table["month"].value_counts().rename_axis("month").reset_index()
    chosen = often.sort_values(["count", "month"], ascending=[False, True])["month"][:count]
    return np.sort(chosen.to_numpy().astype("datetime64[M]"))


def check_product(
    estimator: Estimator,
    cube_of: CubeOf,
    months: Months,
    table: pd.DataFrame,
    cells: Cells,
    *,
    memory: int,
    way: Way,
    tiling: Tiling,
    correction: Correction,
    truth: TruthOf | None,
    report: Callable[[str], None] = print,
) -> Check:
    """Make some months both ways and compare them.

    Errors are over valid fine cells, each counting alike; against the truth over coarse cells that are land
    throughout. The product of `errors` and `correction` is that of the chosen way.

    Parameters
    ----------
    estimator : Estimator
        What answers.
    cube_of : callable
        See `CubeOf`: what a month needs is read when its turn comes.
    months : ndarray of datetime64[M]
        Which.
    table : DataFrame
        Test patches; those of the months are predicted as the evaluation does it.
    cells : Cells
        Of the grid.
    memory : int
        Months of climate that the estimator sees.
    way, tiling, correction
        As the product is made.
    truth : callable or None
        See `TruthOf`.
    report : callable
        Takes a line a month.

    Raises
    ------
    DataError
        If there is no month.
    """
    if months.size == 0:
        raise DataError("product check: the patch table holds no month; make the patch tables again")
    differences = Differences()
    seams = SeamSums(tiling, cells)
    sums = CorrectionSums(cells, correction.error_correlation)
    errors = Errors()
    for month in months:
        cube = cube_of(month)
        batch = month_of_cube(cube, month, cells, memory=memory)
        made = {
            Way.TILES: downscale_tiles(estimator, batch, cells, tiling),
            Way.FIELD: downscale_field(estimator, batch, cells, estimator.network),
        }
        corrected = {name: _corrected(one, batch, cells) for name, one in made.items()}
        _add_ways(differences, made, corrected, cells)
        seams.add(made[Way.TILES].mean[0, 0], made[Way.FIELD].mean[0, 0])
        rows = table[table["month"] == str(month)]
        if len(rows):
            patches = gather(cube, rows, size=tiling.size, memory=memory)
            _add_patches(differences, made, estimator.predict(patches), patches, rows)
        chosen = made[way]
        product = {"product": chosen.mean[0, 0].double(), "product, corrected": corrected[way]}
        sd = torch.ones_like(product["product"]) if chosen.sd is None else chosen.sd[0, 0].double()
        references = _references(batch, cells, None if truth is None else truth(month))
        fields = _interpolations(batch, cells) | product
        for name, (reference, known) in references.items():
            sums.add(name, product["product"] - reference, product["product, corrected"] - reference, sd, known)
            if name != "detail":
                errors.add(name, reference, fields, known)
        if truth is not None:
            detail, known = references["detail"]
            errors.add("truth", references["truth"][0], {"perfect detail inside each cell": detail}, known)
        report(f"{month}: checked, {len(rows)} test patches")
    return Check(
        ways=differences.table(len(months)),
        seams=seams.table(len(months)),
        correction=sums.table(len(months), stated=estimator.states_sd),
        errors=errors.table(len(months)),
    )


class Differences:
    """Absolute differences of pairs of fields, kept for their quantiles."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], list[NDArray[np.float32]]] = {}

    def add(self, comparison: str, quantity: str, one: Tensor, other: Tensor, valid: Tensor) -> None:
        """Take two fields of one shape and the cells that count."""
        difference = (one.double() - other.double()).abs()[valid]
        self._parts.setdefault((comparison, quantity), []).append(difference.float().cpu().numpy())

    def table(self, months: int) -> pd.DataFrame:
        """Return mean, 99 % quantile and largest difference of each pair."""
        rows = []
        for (comparison, quantity), parts in self._parts.items():
            values = np.concatenate(parts)
            rows.append(
                {
                    "comparison": comparison,
                    "quantity": quantity,
                    "mean_abs_mm": values.mean(dtype=np.float64),
                    "p99_abs_mm": float(np.quantile(values, 0.99)),
                    "max_abs_mm": float(values.max()),
                    "cells": values.size,
                    "months": months,
                }
            )
        return pd.DataFrame(rows)


class Errors:
    """Sums of the errors of fields against references."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], NDArray[np.float64]] = {}

    def add(self, reference_name: str, reference: Tensor, fields: Mapping[str, Tensor], known: Tensor) -> None:
        """Take fields, what they should be, and the cells that count."""
        for name, field in fields.items():
            error = (field.double() - reference.double())[known]
            sums = np.array([float(error.abs().sum()), float((error**2).sum()), error.numel()])
            key = (reference_name, name)
            self._sums[key] = self._sums.get(key, np.zeros(3)) + sums

    def table(self, months: int) -> pd.DataFrame:
        """Return mean absolute and root mean square errors, and the latter beside that of bicubic interpolation."""
        rows = []
        for (reference, method), (absolute, squared, cells) in sorted(self._sums.items(), key=lambda item: item[0][0]):
            bicubic = self._sums[reference, "bicubic"]
            rmse, unit = np.sqrt(squared / cells), np.sqrt(bicubic[1] / bicubic[2])
            rows.append(
                {
                    "reference": reference,
                    "method": method,
                    "mae_mm": absolute / cells,
                    "rmse_mm": rmse,
                    # The target is bicubic itself: nothing to be divided by.
                    "rmse_over_bicubic": rmse / unit if unit > 0 else np.nan,
                    "cells": int(cells),
                    "months": months,
                }
            )
        return pd.DataFrame(rows)


def _corrected(prediction: Prediction, batch: Batch, cells: Cells) -> Tensor:
    mean = torch.where(cells.fine_valid, prediction.mean[0, 0], 0.0)
    return correct_means(mean, batch.storage_mm[0, 0], cells)


def _add_ways(
    differences: Differences, made: Mapping[Way, Prediction], corrected: Mapping[Way, Tensor], cells: Cells
) -> None:
    valid = cells.fine_valid
    tiles, field = made[Way.TILES], made[Way.FIELD]
    differences.add("tiles - field", "mean", tiles.mean[0, 0], field.mean[0, 0], valid)
    if tiles.sd is not None and field.sd is not None:
        differences.add("tiles - field", "sd", tiles.sd[0, 0], field.sd[0, 0], valid)
    differences.add("tiles - field", "mean, corrected", corrected[Way.TILES], corrected[Way.FIELD], valid)


def _add_patches(
    differences: Differences,
    made: Mapping[Way, Prediction],
    patchwise: Prediction,
    patches: Batch,
    rows: pd.DataFrame,
) -> None:
    """Compare the whole grid with the answers that the evaluation scores, patch by patch."""
    side = patches.valid.shape[-1]
    for number, (row, col) in enumerate(zip(rows["row"], rows["col"], strict=True)):
        place = (slice(REFINEMENT * row, REFINEMENT * row + side), slice(REFINEMENT * col, REFINEMENT * col + side))
        valid = patches.valid[number, 0]
        for way, whole in made.items():
            differences.add(f"{way} - patches", "mean", whole.mean[0, 0][place], patchwise.mean[number, 0], valid)
            if whole.sd is not None and patchwise.sd is not None:
                differences.add(f"{way} - patches", "sd", whole.sd[0, 0][place], patchwise.sd[number, 0], valid)


def _interpolations(batch: Batch, cells: Cells) -> dict[str, Tensor]:
    return {kernel.value: upsample(batch.storage_mm, kernel, wraps=cells.wraps)[0, 0] for kernel in Kernel}


def _references(batch: Batch, cells: Cells, truth: Tensor | None) -> dict[str, tuple[Tensor, Tensor]]:
    """Return what a product can be held against, and where: target, truth, the truth with the input's means."""
    target = upsample(batch.storage_mm, Kernel.BICUBIC, wraps=cells.wraps)[0, 0].double()
    references = {"target": (target, cells.fine_valid)}
    if truth is not None:
        land = torch.isfinite(truth)
        # Means over half a cell are no means of the cell: only cells that are land throughout.
        whole = (block_means(land.double(), cells) > 1.0 - 1.0e-9) & cells.valid
        known = whole.repeat_interleave(REFINEMENT, dim=0).repeat_interleave(REFINEMENT, dim=1)
        true = torch.where(land, truth, 0.0).double()
        shift = batch.storage_mm[0, 0].double() - block_means(true, cells)
        references["truth"] = (true, known)
        references["detail"] = (true + upsample(shift[None, None], Kernel.NEAREST)[0, 0], known)
    return references
