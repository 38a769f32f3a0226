"""What is remembered of each epoch, and how validation is scored."""

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from gwsd.losses import LossSettings, total_loss
from gwsd.model.downscaler import Downscaler, Output
from gwsd.patches.gathering import Batch, Cube, gather
from gwsd.resample import Kernel, upsample

HistoryRow = dict[str, float]
"""Column name to value."""


class Averages:
    """Means of a loss's terms over batches, each weighed by its patches.

    A term that a batch does not have (NaN: no patch with a month before, or a climate without the term's forcing) is
    left out of that term's mean; one that no batch has stays NaN.
    """

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._weights: dict[str, Tensor] = {}

    def add(self, terms: Mapping[str, Tensor], patches: int) -> None:
        """Take in the terms of a batch of so many patches; stays on the terms' device."""
        for name, term in terms.items():
            value = term.double()
            there = ~torch.isnan(value)
            self._sums[name] = self._sums.get(name, 0.0) + torch.where(there, value, 0.0) * patches
            self._weights[name] = self._weights.get(name, 0.0) + there * patches

    def means(self, prefix: str) -> HistoryRow:
        """Return the means, their names behind a prefix."""
        return {
            f"{prefix}_{name}": float(total / self._weights[name]) if self._weights[name] else math.nan
            for name, total in self._sums.items()
        }


class ErrorStatistics:
    """Sums over cells from which MAE, RMSE and R² follow, in float64."""

    def __init__(self) -> None:
        self._sums = torch.zeros(5, dtype=torch.float64)

    def add(self, mean_mm: Tensor, batch: Batch) -> None:
        """Take in a prediction, (B, 1, 4H, 4W), mm."""
        target = batch.target_mm[batch.valid].double()
        error = mean_mm[batch.valid].double() - target
        sums = (
            error.new_tensor(error.numel()),
            error.abs().sum(),
            (error**2).sum(),
            target.sum(),
            (target**2).sum(),
        )
        self._sums += torch.stack(sums).cpu()

    @property
    def mae_mm(self) -> float:
        """Mean absolute error over cells, mm."""
        return float(self._sums[1] / self._sums[0])

    @property
    def rmse_mm(self) -> float:
        """Root mean square error over cells, mm."""
        return float((self._sums[2] / self._sums[0]).sqrt())

    @property
    def r2(self) -> float:
        """1 - Σ e² / Σ (target - mean target)², over cells."""
        cells, _, squares, target, target_squares = self._sums
        return float(1.0 - squares / (target_squares - target**2 / cells))


def batches(cube: Cube, table: pd.DataFrame, *, batch_size: int, size: int, memory: int) -> Iterator[Batch]:
    """Gather a patch table batch by batch, in its order; the last batch may be smaller."""
    for start in range(0, len(table), batch_size):
        yield gather(cube, table.iloc[start : start + batch_size], size=size, memory=memory)


def validate(
    network: Downscaler,
    forward: Callable[[Batch], Output],
    cube: Cube,
    table: pd.DataFrame,
    *,
    loss: LossSettings,
    batch_size: int,
    size: int,
) -> HistoryRow:
    """Score a network on validation patches.

    Parameters
    ----------
    network : Downscaler
        Left in evaluation mode.
    forward : callable
        How the network is run on a batch: as it is trained.
    cube : Cube
        Inputs.
    table : DataFrame
        Validation patches.
    loss : LossSettings
        The training's.
    batch_size, size : int
        Patches a batch; coarse cells along a patch's side.

    Returns
    -------
    dict
        `val_<term>` for each term of the loss, `val_mae_mm`, `val_rmse_mm`, `val_r2` (against the bicubic
        target, over valid cells) and `val_bilinear_mae_mm`, that of bilinear interpolation.
    """
    network.eval()
    averages, errors, bilinear = Averages(), ErrorStatistics(), ErrorStatistics()
    with torch.no_grad():
        for batch in batches(cube, table, batch_size=batch_size, size=size, memory=network.memory):
            output = forward(batch)
            _, terms = total_loss(output, batch, cube.storage_scale, loss)
            averages.add(terms, len(batch.storage))
            errors.add(cube.storage_scale.restore(output.mean), batch)
            bilinear.add(upsample(batch.storage_mm, Kernel.BILINEAR), batch)
    return {
        **averages.means("val"),
        "val_mae_mm": errors.mae_mm,
        "val_rmse_mm": errors.rmse_mm,
        "val_r2": errors.r2,
        "val_bilinear_mae_mm": bilinear.mae_mm,
    }


def spread(table: pd.DataFrame, number: int | None) -> pd.DataFrame:
    """Return `number` rows spread evenly over a table; all of them for None or a number beyond its length."""
    if number is None or number >= len(table):
        return table
    return table.iloc[np.linspace(0, len(table) - 1, number).round().astype(int)]


def history_frame(rows: list[HistoryRow]) -> pd.DataFrame:
    """Return the rows as a table: counters, then the training's terms, then the validation's."""
    frame = pd.DataFrame(rows)
    counters = ["epoch", "steps", "learning_rate"]
    trained = [name for name in frame if str(name).startswith("train_")]
    scored = [name for name in frame if str(name).startswith("val_")]
    return frame[[*counters, *trained, *scored]].astype({"epoch": int, "steps": int})
