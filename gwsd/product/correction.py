"""Additive correction: make coarse means of the product equal the input, and adjust the standard deviation.

The correction is additive because anomalies cross zero, where a ratio of means would blow up.
"""

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from gwsd.grid import REFINEMENT
from gwsd.product.grid_batch import ValidCells, block_means, block_sums
from gwsd.resample import Kernel, upsample

ITERATIONS = 12
"""Iterations of the smooth part; the remainder, under a thousandth of noise, is added as a constant in each cell."""

RELAXATION = 1.6
"""Step of the iteration. Means of a bilinear interpolation keep a quarter (a checkerboard) to all (a constant) of a
field; 2 / (1 + 1/4) shrinks both ends alike, by 0.6 a step."""


def correct_means(mean: Tensor, storage_mm: Tensor, cells: ValidCells) -> Tensor:
    """Add a smooth field so that the mean over each valid coarse cell is the coarse storage.

    The field is the bilinear interpolation of coarse values c whose own block means are the differences δ: with M
    for block means and U for the interpolation, c ← c + ω(δ − MUc) (Richardson's iteration), c being continued
    beyond the coast from the nearest valid cell. The remainder is added as a constant in each cell, which makes the
    means exact. `mean` has shape (4H, 4W), mm; its values outside valid cells have no effect. `storage_mm` has shape
    (H, W).
    """
    difference = torch.where(cells.valid, storage_mm.double() - block_means(mean, cells), 0.0)
    coarse = torch.zeros_like(difference)
    for _ in range(ITERATIONS):
        left = difference - _means_of_interpolation(coarse, cells)
        coarse = cells.fill(coarse + RELAXATION * left)
    smooth = upsample(coarse[None, None], Kernel.BILINEAR, wraps=cells.wraps)[0, 0]
    left = torch.where(cells.valid, difference - block_means(smooth, cells), 0.0)
    return mean.double() + smooth + upsample(left[None, None], Kernel.NEAREST)[0, 0]


def _means_of_interpolation(coarse: Tensor, cells: ValidCells) -> Tensor:
    """Block means MUc of the bilinear interpolation of coarse values, without making it; (H, W) to (H, W)."""
    offsets = (torch.arange(REFINEMENT, dtype=torch.float64, device=coarse.device) + 0.5) / REFINEMENT - 0.5
    shares = REFINEMENT * cells.weights.reshape(-1, REFINEMENT)
    below, above = shares @ (-offsets).clamp(min=0.0), shares @ offsets.clamp(min=0.0)
    south, north = torch.cat([coarse[:1], coarse[:-1]]), torch.cat([coarse[1:], coarse[-1:]])
    coarse = coarse + below[:, None] * (south - coarse) + above[:, None] * (north - coarse)
    if cells.wraps:
        west, east = coarse.roll(1, dims=1), coarse.roll(-1, dims=1)
    else:
        west = torch.cat([coarse[:, :1], coarse[:, :-1]], dim=1)
        east = torch.cat([coarse[:, 1:], coarse[:, -1:]], dim=1)
    side = offsets.clamp(min=0.0).mean()
    return coarse + side * (west + east - 2.0 * coarse)


def corrected_sd(sd: Tensor, cells: ValidCells, correlation: float) -> Tensor:
    """Return the standard deviation after the correction, if errors within a cell are correlated by `correlation`.

    The correction takes the cell's mean error ē = Σ a e away, where the input is taken as exact and a are the shares
    of area. With covariances ρσσ' between any two of its fine cells

        var(e − ē) = σ² − 2 [(1 − ρ) a σ² + ρ σ Σaσ] + (1 − ρ) Σa²σ² + ρ (Σaσ)².

    Independent errors, ρ = 0, with n equal cells: σ² (1 − 2/n) + mean(σ²)/n. Identical ones, ρ = 1: (σ − Σaσ)²,
    next to nothing. That the correction is smooth, so that a part of it comes from the neighbouring cells, is left
    out.

    `sd` has shape (4H, 4W), mm.
    """
    sd = sd.double()
    share = cells.weights[:, None]
    independent = 1.0 - correlation

    def summed(field: Tensor) -> Tensor:
        return upsample(block_sums(field)[None, None], Kernel.NEAREST)[0, 0]

    together = summed(share * sd)
    variance = (
        sd**2
        - 2.0 * (independent * share * sd**2 + correlation * sd * together)
        + independent * summed((share * sd) ** 2)
        + correlation * together**2
    )
    return variance.clamp(min=0.0).sqrt()


class CorrectionSums:
    """Collects errors before and after the correction, by reference; `correlation` is that of the settings."""

    def __init__(self, cells: ValidCells, correlation: float) -> None:
        self._cells = cells
        self._correlation = correlation
        self._rows: list[dict[str, Any]] = []

    def add(self, reference: str, before: Tensor, after: Tensor, sd: Tensor, known: Tensor) -> None:
        """Add a month's errors against a reference, without and with the correction, shape (4H, 4W), mm.

        `sd` is the standard deviation before the correction (ones where the method has none), `known` marks the cells
        that count: whole coarse cells.
        """
        before, after, sd = (torch.where(known, values, 0.0).double() for values in (before, after, sd))
        squares, share = float((before**2).sum()), self._cells.weights[:, None]
        variance, together, n = sd**2, block_sums(share * sd), REFINEMENT**2
        # Sums of `corrected_sd` squared for ρ = 0 and ρ = 1; it is linear in ρ. Sums over coarse cells suffice:
        # Σ(1 - 2a)σ² + nΣa²σ², and Σσ² - 2 Σσ Σaσ + n(Σaσ)².
        self._rows.append(
            {
                "reference": reference,
                "cells": int(known.sum()),
                "before": squares,
                "after": float((after**2).sum()),
                "pairs": float((block_sums(before) ** 2).sum()) - squares,
                "stated": float(variance.sum()),
                "independent": float(variance.sum()) + float(((n * share - 2.0) * share * variance).sum()),
                "identical": float(variance.sum()) + float((n * together**2 - 2.0 * block_sums(sd) * together).sum()),
            }
        )

    def table(self, *, has_sd: bool) -> pd.DataFrame:
        """Return a row per reference.

        `error_correlation`: mean product of the errors of two fine cells of one coarse cell over the mean square;
        `removed`: share of the squared error that the correction removes; `removed_by_formula_*`: the same of the
        stated variance with ρ = 0, that of the settings, and that found; root mean squares of errors and stated
        standard deviations before and after (with the settings' ρ), mm.
        """
        sums = pd.DataFrame(self._rows).groupby("reference", sort=False).sum()
        before = sums["before"].where(sums["before"] > 0)
        found = sums["pairs"] / ((REFINEMENT**2 - 1) * before)

        def left(correlation: Any) -> Any:
            return (sums["independent"] + correlation * (sums["identical"] - sums["independent"])) / sums["stated"]

        rmse_before, rmse_after, sd = (np.sqrt(sums[name] / sums["cells"]) for name in ("before", "after", "stated"))
        return pd.DataFrame(
            {
                "error_correlation": found,
                "removed": 1.0 - sums["after"] / before,
                "removed_by_formula_independent": 1.0 - left(0.0),
                "removed_by_formula_setting": 1.0 - left(self._correlation),
                "removed_by_formula_found": 1.0 - left(found.clip(0.0, 1.0)),
                "setting": self._correlation,
                "rmse_before_mm": rmse_before,
                "rmse_after_mm": rmse_after,
                "sd_before_mm": sd if has_sd else np.nan,
                "sd_after_mm": sd * np.sqrt(left(self._correlation)) if has_sd else np.nan,
                "cells": sums["cells"],
            }
        ).reset_index()
