"""Consistency checks: tiled vs. full-field inference, vs. test patches, vs. the twin Earth's fine storage."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from gwsd.errors import DataError
from gwsd.grid import REFINEMENT
from gwsd.methods.method import Prediction
from gwsd.patches.gathering import Batch, Cube, gather
from gwsd.product.correction import CorrectionSums, correct_means
from gwsd.product.estimator import Estimator
from gwsd.product.grid_batch import ValidCells, block_means, month_batch
from gwsd.product.inference import predict_full_field, predict_tiled
from gwsd.product.months import Months, resolve_inference, tiling_of
from gwsd.product.seams import SeamSums
from gwsd.product.settings import Product
from gwsd.resample import Kernel, upsample


def months_with_most_patches(table: pd.DataFrame, count: int) -> Months:
    """Return the months of a patch table that have most patches, `count` at most, in order."""
    counts = table["month"].value_counts().rename_axis("month").reset_index()
    chosen = counts.sort_values(["count", "month"], ascending=[False, True])["month"][:count]
    return np.sort(chosen.to_numpy().astype("datetime64[M]"))


def check_product(
    estimator: Estimator,
    read_cube: Callable[[np.datetime64], Cube],
    months: Months,
    table: pd.DataFrame,
    cells: ValidCells,
    settings: Product,
    *,
    truth: Callable[[np.datetime64], Tensor] | None,
    report: Callable[[str], None] = print,
) -> dict[str, pd.DataFrame]:
    """Make some months by tiled and by full-field inference and compare them.

    Errors are over valid fine cells with equal weight; those against the twin Earth's fine storage over coarse cells
    that are land throughout.

    Parameters
    ----------
    read_cube : callable
        Returns storage and climate of a month, read when its turn comes.
    table : DataFrame
        Test patches; those of the months are predicted as in the evaluation.
    truth : callable or None
        Returns the twin Earth's fine storage of a month, shape (4H, 4W), mm; NaN outside land.

    Returns
    -------
    dict of str to DataFrame
        `inference`: differences between tiled and full-field inference and patches. `seams`: roughness at seams and
        elsewhere. For the inference of the settings, `correction`: error that the correction removes; `errors`: errors
        against target and truth.
    """
    if months.size == 0:
        raise DataError("product check: the patch table has no rows; make the patch tables again")
    chosen, tiling = resolve_inference(settings, estimator), tiling_of(settings, estimator)
    differences, errors = Differences(), Errors()
    seams, sums = SeamSums(tiling, cells), CorrectionSums(cells, settings.error_correlation)
    for month in months:
        cube = read_cube(month)
        batch = month_batch(cube, month, cells, history_months=estimator.history_months)
        made = {
            "tiled": predict_tiled(estimator, batch, cells, tiling),
            "full_field": predict_full_field(estimator, batch, cells, estimator.network),
        }
        corrected = {
            name: correct_means(torch.where(cells.fine_valid, each.mean[0, 0], 0.0), batch.storage_mm[0, 0], cells)
            for name, each in made.items()
        }
        comparison, valid = "tiled - full_field", cells.fine_valid
        differences.add_predictions(comparison, made["tiled"], made["full_field"], valid)
        differences.add(comparison, "mean, corrected", corrected["tiled"], corrected["full_field"], valid)
        seams.add(made["tiled"].mean[0, 0], made["full_field"].mean[0, 0])
        rows = table[table["month"] == str(month)]
        if len(rows):
            patches = gather(cube, rows, size=estimator.patch_size, history_months=estimator.history_months)
            scored = estimator.predict(patches)
            for name, whole in made.items():
                for number, (row, col) in enumerate(zip(rows["row"], rows["col"], strict=True)):
                    side = patches.valid.shape[-1]
                    corner = REFINEMENT * row, REFINEMENT * col
                    cut = _part(whole, (..., slice(corner[0], corner[0] + side), slice(corner[1], corner[1] + side)))
                    patch = _part(scored, slice(number, number + 1))
                    differences.add_predictions(f"{name} - patches", cut, patch, patches.valid[number, 0])
        product = {"product": made[chosen].mean[0, 0].double(), "product, corrected": corrected[chosen]}
        stated = made[chosen].sd
        sd = torch.ones_like(product["product"]) if stated is None else stated[0, 0].double()
        interpolated = {kernel.value: upsample(batch.storage_mm, kernel, wraps=cells.wraps)[0, 0] for kernel in Kernel}
        references = _references(batch, cells, None if truth is None else truth(month))
        for name, (reference, known) in references.items():
            before, after = (field - reference for field in product.values())
            sums.add(name, before, after, sd, known)
            if name != "detail":
                errors.add(name, reference, interpolated | product, known)
        if truth is not None:
            detail, known = references["detail"]
            errors.add("truth", references["truth"][0], {"perfect detail inside each cell": detail}, known)
        report(f"{month}: checked, {len(rows)} test patches")
    tables = {
        "inference": differences.table(),
        "seams": seams.table(),
        "correction": sums.table(has_sd=estimator.has_sd),
        "errors": errors.table(),
    }
    return {name: table.assign(months=len(months)) for name, table in tables.items()}


def _part(prediction: Prediction, places: Any) -> Prediction:
    return Prediction(prediction.mean[places], None if prediction.sd is None else prediction.sd[places])


class Differences:
    """Absolute differences of pairs of fields, kept for their quantiles."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], list[NDArray[np.float32]]] = {}

    def add(self, comparison: str, quantity: str, first: Tensor, second: Tensor, valid: Tensor) -> None:
        """Add two fields of one shape and the cells that count."""
        difference = (first.double() - second.double()).abs()[valid]
        self._parts.setdefault((comparison, quantity), []).append(difference.float().cpu().numpy())

    def add_predictions(self, comparison: str, first: Prediction, second: Prediction, valid: Tensor) -> None:
        """Add means and, where both have them, standard deviations of two predictions of one field."""
        self.add(comparison, "mean", first.mean[0, 0], second.mean[0, 0], valid)
        if first.sd is not None and second.sd is not None:
            self.add(comparison, "sd", first.sd[0, 0], second.sd[0, 0], valid)

    def table(self) -> pd.DataFrame:
        """Return mean, 99 % quantile and largest difference of each pair."""
        rows = []
        for key, parts in self._parts.items():
            values = np.concatenate(parts)
            found = (values.mean(dtype=np.float64), float(np.quantile(values, 0.99)), float(values.max()))
            rows.append((*key, *found, values.size))
        columns = ["comparison", "quantity", "mean_abs_mm", "p99_abs_mm", "max_abs_mm", "cells"]
        return pd.DataFrame(rows, columns=columns)


class Errors:
    """Sums of the errors of fields against references."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, float, float, int]] = []

    def add(self, reference_name: str, reference: Tensor, fields: Mapping[str, Tensor], known: Tensor) -> None:
        """Add fields, their reference, and the cells that count."""
        for name, field in fields.items():
            error = (field.double() - reference.double())[known]
            sums = (float(error.abs().sum()), float((error**2).sum()), error.numel())
            self._rows.append((reference_name, name, *sums))

    def table(self) -> pd.DataFrame:
        """Return mean absolute and root mean square errors, and the ratio of the latter to bicubic interpolation."""
        rows = pd.DataFrame(self._rows, columns=["reference", "method", "absolute", "squared", "cells"])
        sums = rows.groupby(["reference", "method"], sort=False).sum().sort_index(level=0, sort_remaining=False)
        rmse = (sums["squared"] / sums["cells"]) ** 0.5
        bicubic = rmse.xs("bicubic", level="method").reindex(sums.index.get_level_values("reference")).to_numpy()
        return pd.DataFrame(
            {
                "mae_mm": sums["absolute"] / sums["cells"],
                "rmse_mm": rmse,
                "rmse_over_bicubic": rmse / np.where(bicubic > 0, bicubic, np.nan),  # the target is bicubic itself
                "cells": sums["cells"],
            }
        ).reset_index()


def _references(batch: Batch, cells: ValidCells, truth: Tensor | None) -> dict[str, tuple[Tensor, Tensor]]:
    """Return the references and the cells that count: target, truth, and the truth with the input's coarse means."""
    target = upsample(batch.storage_mm, Kernel.BICUBIC, wraps=cells.wraps)[0, 0].double()
    references = {"target": (target, cells.fine_valid)}
    if truth is not None:
        land = torch.isfinite(truth)
        # Means over part of a cell are not means of the cell: only cells that are land throughout.
        whole = (block_means(land.double(), cells) > 1.0 - 1.0e-9) & cells.valid
        known = whole.repeat_interleave(REFINEMENT, dim=0).repeat_interleave(REFINEMENT, dim=1)
        true = torch.where(land, truth, 0.0).double()
        shift = batch.storage_mm[0, 0].double() - block_means(true, cells)
        references["truth"] = (true, known)
        references["detail"] = (true + upsample(shift[None, None], Kernel.NEAREST)[0, 0], known)
    return references
