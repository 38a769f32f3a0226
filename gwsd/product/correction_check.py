"""What the correction takes from the errors, beside what the formula for the standard deviation says it does."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from gwsd.grid import REFINEMENT
from gwsd.product.whole_grid import Cells

CELLS = REFINEMENT**2


def variance_left(sd: Tensor, cells: Cells) -> dict[float, float]:
    """Sum the variance that `corrected_sd` leaves, for errors that are independent (0) and identical (1).

    Sums over a coarse cell are enough for that: with a the shares of area, Σ(1 - 2a)σ² + nΣa²σ² and, n being the
    number of its fine cells, Σσ² - 2 Σσ Σaσ + n(Σaσ)².

    Parameters
    ----------
    sd : Tensor, shape (4H, 4W), mm, float64
        Before the correction; zero in whole coarse cells that do not count.
    cells : Cells
        The weights.

    Returns
    -------
    dict of float to float
        mm², by the correlation of errors within a cell.
    """
    rows, cols = sd.shape
    share = cells.weights[:, None]

    def summed(field: Tensor) -> Tensor:
        return field.reshape(rows // REFINEMENT, REFINEMENT, cols // REFINEMENT, REFINEMENT).sum(dim=(1, 3))

    variance, together = sd**2, summed(share * sd)
    total = float(variance.sum())
    independent = total + float(((CELLS * share - 2.0) * share * variance).sum())
    identical = total + float((CELLS * together**2 - 2.0 * summed(sd) * together).sum())
    return {0.0: independent, 1.0: identical}


@dataclass
class _Sums:
    """Sums over fine cells of squares, mm²."""

    cells: int = 0
    before: float = 0.0
    after: float = 0.0
    pairs: float = 0.0
    stated: float = 0.0
    by_formula: dict[float, float] = field(default_factory=lambda: {0.0: 0.0, 1.0: 0.0})


class CorrectionSums:
    """Collects errors before and after the correction, by reference.

    Parameters
    ----------
    cells : Cells
        Of the grid.
    correlation : float
        That the product is made with.
    """

    def __init__(self, cells: Cells, correlation: float) -> None:
        self._cells = cells
        self._correlation = correlation
        self._sums: dict[str, _Sums] = {}

    def add(self, reference: str, before: Tensor, after: Tensor, sd: Tensor, known: Tensor) -> None:
        """Take a month's errors.

        Parameters
        ----------
        reference : str
            What they are errors against.
        before, after : Tensor, shape (4H, 4W), mm
            Without and with the correction.
        sd : Tensor, likewise
            Standard deviation before the correction; ones where the method states none.
        known : Tensor, likewise, bool
            Cells that count: whole coarse cells.
        """
        sums = self._sums.setdefault(reference, _Sums())
        before, after, sd = (torch.where(known, values, 0.0).double() for values in (before, after, sd))
        rows, cols = before.shape
        by_cell = before.reshape(rows // REFINEMENT, REFINEMENT, cols // REFINEMENT, REFINEMENT).sum(dim=(1, 3))
        sums.cells += int(known.sum())
        sums.before += (squares := float((before**2).sum()))
        sums.after += float((after**2).sum())
        sums.pairs += float((by_cell**2).sum()) - squares
        sums.stated += float((sd**2).sum())
        for correlation, left in variance_left(sd, self._cells).items():
            sums.by_formula[correlation] += left

    def table(self, months: int, *, stated: bool) -> pd.DataFrame:
        """Return a row a reference.

        Parameters
        ----------
        months : int
            That were added.
        stated : bool
            Whether the method states a standard deviation.

        Returns
        -------
        DataFrame
            `error_correlation`: mean product of the errors of two fine cells of one coarse cell over the mean square;
            `removed`: share of the squared error that the correction takes away; `removed_by_formula_*`: the same of
            the stated variance, with ρ = 0, that of the settings, and that found; root mean squares of errors and
            stated standard deviations before and after (with the settings' ρ), mm.
        """
        rows = []
        for reference, sums in self._sums.items():
            independent, identical = sums.by_formula[0.0], sums.by_formula[1.0]

            def removed(
                correlation: float, sums: _Sums = sums, ends: tuple[float, float] = (independent, identical)
            ) -> float:
                # The formula is linear in the correlation.
                return 1.0 - (ends[0] + correlation * (ends[1] - ends[0])) / sums.stated

            found = sums.pairs / ((CELLS - 1) * sums.before) if sums.before > 0 else np.nan
            left = sums.stated * (1.0 - removed(self._correlation))
            rows.append(
                {
                    "reference": reference,
                    "error_correlation": found,
                    "removed": 1.0 - sums.after / sums.before if sums.before > 0 else np.nan,
                    "removed_by_formula_independent": removed(0.0),
                    "removed_by_formula_setting": removed(self._correlation),
                    "removed_by_formula_found": removed(min(max(found, 0.0), 1.0)),
                    "setting": self._correlation,
                    "rmse_before_mm": np.sqrt(sums.before / sums.cells),
                    "rmse_after_mm": np.sqrt(sums.after / sums.cells),
                    "sd_before_mm": np.sqrt(sums.stated / sums.cells) if stated else np.nan,
                    "sd_after_mm": np.sqrt(left / sums.cells) if stated else np.nan,
                    "cells": sums.cells,
                    "months": months,
                }
            )
        return pd.DataFrame(rows)
