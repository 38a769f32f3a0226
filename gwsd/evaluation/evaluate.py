"""Every method through the same test: predictions, scores of each patch, and their summary."""

import time
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
import xarray as xr

from gwsd.errors import DataError
from gwsd.evaluation.predictions import PredictionStack
from gwsd.evaluation.scores import INDEX_COLUMNS, score_rows, summary
from gwsd.evaluation.statistics import cell_statistics, weighted_means
from gwsd.losses import LossSettings, physics_by_patch
from gwsd.methods.method import Method, Prediction
from gwsd.patches.gathering import Batch, Cube, gather


@dataclass(frozen=True)
class Evaluation:
    """What a test of a method leaves.

    Parameters
    ----------
    scores : DataFrame
        One row a patch, `scores.SCORE_COLUMNS`.
    predictions : Dataset
        See `PredictionStack.dataset`.
    summary : dict
        See `scores.summary`; the same on every run.
    timing : dict
        Clock readings, different on every run, of the predictions alone: `seconds`, `patches`,
        `seconds_per_patch`, `device`, `threads`.
    """

    scores: pd.DataFrame
    predictions: xr.Dataset
    summary: dict[str, Any]
    timing: dict[str, Any]


def evaluate(
    method: Method,
    cube: Cube,
    table: pd.DataFrame,
    *,
    size: int,
    memory: int,
    loss: LossSettings,
    batch_size: int,
) -> Evaluation:
    """Test a method on the patches of a table.

    Errors are against the bicubic target over the valid fine cells, each counting alike: the paper's mean is over
    pixels, not over land. The physics terms are those of the loss, whatever the method was trained on; NaN where the
    cube lacks their forcing.

    Parameters
    ----------
    method : Method
        Answers in mm.
    cube : Cube
        Storage and climate, on the method's device.
    table : DataFrame
        Patch table with `patch, month, row, col, lat, lon`.
    size : int
        Coarse cells along a patch's side.
    memory : int
        Months of climate that the method sees; for an interpolation any.
    loss : LossSettings
        Regions, units and infiltration of the physics terms.
    batch_size : int
        Patches at a time; changes speed and memory only.

    Returns
    -------
    Evaluation

    Raises
    ------
    DataError
        If the table is empty or lacks a column, a patch has no valid cell, or a prediction is not a number.
    """
    if missing := [name for name in INDEX_COLUMNS if name not in table]:
        raise DataError(f"patch table: the columns {', '.join(missing)} are missing; make the patch tables again")
    if table.empty:
        raise DataError("patch table: holds no test patch; ask for at least one with patches.test")
    stack = PredictionStack()
    parts = []
    with_previous = 0
    seconds = 0.0
    for start in range(0, len(table), batch_size):
        rows = table.iloc[start : start + batch_size]
        batch = gather(cube, rows, size=size, memory=memory)
        begin = _clock(cube.device)
        prediction = method.predict(batch)
        seconds += _clock(cube.device) - begin
        _check(prediction, batch, rows, method.name)
        stack.add(prediction, batch)
        with_previous += int(batch.has_previous.sum())
        parts.append(_scores(prediction, batch, rows, loss))
    scores = pd.concat(parts, ignore_index=True)
    timing = {
        "seconds": seconds,
        "patches": len(table),
        "seconds_per_patch": seconds / len(table),
        "device": _device_name(cube.device),
        "threads": torch.get_num_threads(),
    }
    numbers = summary(scores, method.name, patches_with_previous=with_previous)
    return Evaluation(scores, stack.dataset(table, method.name), numbers, timing)


def _scores(prediction: Prediction, batch: Batch, rows: pd.DataFrame, loss: LossSettings) -> pd.DataFrame:
    with torch.no_grad():
        means = weighted_means(cell_statistics(prediction, batch.target_mm), batch.valid)
        physics = physics_by_patch(prediction.mean, batch, loss)
    return score_rows(
        rows,
        batch.valid.sum(dim=(1, 2, 3)).cpu().numpy(),
        {name: value.cpu().numpy() for name, value in means.items()},
        {name: value.double().cpu().numpy() for name, value in physics.items()},
    )


def _check(prediction: Prediction, batch: Batch, rows: pd.DataFrame, name: str) -> None:
    empty = ~batch.valid.any(dim=3).any(dim=2).any(dim=1)
    if bool(empty.any()):
        patch = rows["patch"].iloc[int(empty.nonzero()[0])]
        raise DataError(f"patch table: patch {patch} has no valid cell; make the patch tables again")
    for what, field in (("mean", prediction.mean), ("standard deviation", prediction.sd)):
        if field is None:
            continue
        if field.shape != batch.target_mm.shape:
            raise ValueError(
                f"{name}: its {what} has shape {tuple(field.shape)}; expected that of the target, "
                f"{tuple(batch.target_mm.shape)}"
            )
        bad = ~torch.isfinite(field).all(dim=3).all(dim=2).all(dim=1)
        if bool(bad.any()):
            patch = rows["patch"].iloc[int(bad.nonzero()[0])]
            raise DataError(f"{name}: its {what} is not a number in patch {patch}; train it again")


def _clock(device: torch.device) -> float:
    if device.type == "cuda":  # its work is queued: wait until it is done
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
