"""History of a training: averaged loss terms and validation scores of each epoch."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from gwsd.losses import Loss, total_loss
from gwsd.metrics import error_summary, patch_scores
from gwsd.model.downscaler import Downscaler, Output
from gwsd.patches.gathering import Batch, Cube, gather
from gwsd.resample import Kernel, upsample

HistoryRow = dict[str, float]
"""Column name to value."""


class Averages:
    """Means of a loss's terms over batches, weighted by their patches.

    A term that a batch does not have (NaN: no patch with a previous month, or a climate without the term's forcing)
    is left out of that term's mean; one that no batch has stays NaN.
    """

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._weights: dict[str, Tensor] = {}

    def add(self, terms: Mapping[str, Tensor], patches: int) -> None:
        """Add the terms of a batch; stays on the terms' device."""
        for name, term in terms.items():
            value = term.double()
            present = ~torch.isnan(value)
            self._sums[name] = self._sums.get(name, 0.0) + torch.where(present, value, 0.0) * patches
            self._weights[name] = self._weights.get(name, 0.0) + present * patches

    def means(self, prefix: str) -> HistoryRow:
        """Return the means by `<prefix>_<term>`."""
        return {
            f"{prefix}_{name}": float(total / self._weights[name]) if self._weights[name] else math.nan
            for name, total in self._sums.items()
        }


def validate(
    network: Downscaler,
    forward: Callable[[Batch], Output],
    cube: Cube,
    table: pd.DataFrame,
    *,
    loss: Loss,
    batch_size: int,
    size: int,
) -> HistoryRow:
    """Score a network on patches of `size` coarse cells a side, and leave it in evaluation mode.

    `forward` runs the network on a batch, as in training.

    Returns
    -------
    dict
        `val_<term>` for each term of the loss; against the bicubic target over valid cells `val_mae_mm` (mean over
        patches, as the test's `mae_mm`), `val_rmse_mm`, `val_r2` (of all cells, as the test's), and
        `val_bilinear_mae_mm`, the `mae_mm` of bilinear interpolation.
    """
    network.eval()
    averages = Averages()
    of_network, of_bilinear = [], []
    with torch.no_grad():
        for start in range(0, len(table), batch_size):
            rows = table.iloc[start : start + batch_size]
            batch = gather(cube, rows, size=size, history_months=network.history_months)
            output = forward(batch)
            _, terms = total_loss(output, batch, cube.storage_scale, loss)
            averages.add(terms, len(rows))
            target, valid = batch.target_mm, batch.valid
            of_network.append(patch_scores(cube.storage_scale.restore(output.mean), None, target, valid))
            of_bilinear.append(patch_scores(upsample(batch.storage_mm, Kernel.BILINEAR), None, target, valid))
    found = error_summary(pd.concat(of_network))
    return {
        **averages.means("val"),
        "val_mae_mm": found["mae_mm"],
        "val_rmse_mm": found["rmse_mm"],
        "val_r2": found["r2"],
        "val_bilinear_mae_mm": error_summary(pd.concat(of_bilinear))["mae_mm"],
    }


def spread(table: pd.DataFrame, number: int | None) -> pd.DataFrame:
    """Return `number` rows spread evenly over a table; all of them for None or a number beyond its length."""
    if number is None or number >= len(table):
        return table
    return table.iloc[np.linspace(0, len(table) - 1, number).round().astype(int)]


def history_frame(rows: list[HistoryRow]) -> pd.DataFrame:
    """Return the rows as a table: counters, then training terms, then validation terms and scores."""
    frame = pd.DataFrame(rows)
    columns = sorted(frame, key=lambda name: str(name).startswith("val_"))
    return frame[columns].astype({"epoch": int, "steps": int})
