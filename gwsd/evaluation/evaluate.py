"""Evaluation of a method on test patches: predictions, scores of each patch, and their summary."""

import time
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
import xarray as xr

from gwsd.devices import device_name
from gwsd.errors import DataError
from gwsd.evaluation.predictions import PredictionStack
from gwsd.losses import Physics, physics_by_patch
from gwsd.methods.method import Method, Prediction
from gwsd.metrics import INDEX_COLUMNS, SCORE_COLUMNS, patch_scores, summary
from gwsd.patches.gathering import Batch, Cube, gather


@dataclass(frozen=True)
class EvaluationResult:
    """Result of an evaluation."""

    scores: pd.DataFrame
    """One row per patch, `metrics.SCORE_COLUMNS`."""
    predictions: xr.Dataset
    """See `PredictionStack.dataset`."""
    summary: dict[str, Any]
    """See `metrics.summary`; the same on every run."""
    timing: dict[str, Any]
    """Clock readings of the predictions: `seconds`, `patches`, `seconds_per_patch`, `device`, `threads`."""


def evaluate(
    method: Method,
    cube: Cube,
    table: pd.DataFrame,
    *,
    size: int,
    history_months: int,
    physics: Physics,
    batch_size: int,
) -> EvaluationResult:
    """Evaluate a method on the patches of a table.

    Errors are against the bicubic target over the valid fine cells, each counting alike: the paper's mean is over
    pixels, not over land area. The physics terms are those of the loss, whatever the method was trained on; NaN where
    the cube lacks their forcing.

    The cube is on the method's device, patches have `size` coarse cells a side, and `history_months` is 1 for an
    interpolation. The batch size changes speed and memory only.

    Raises
    ------
    DataError
        If a prediction is not finite.
    """
    stack = PredictionStack()
    parts = []
    with_previous = 0
    seconds = 0.0
    for start in range(0, len(table), batch_size):
        rows = table.iloc[start : start + batch_size]
        batch = gather(cube, rows, size=size, history_months=history_months)
        begin = _clock(cube.device)
        prediction = method.predict(batch)
        seconds += _clock(cube.device) - begin
        _check(prediction, rows, method.name)
        stack.add(prediction, batch)
        with_previous += int(batch.has_previous.sum())
        parts.append(_scores(prediction, batch, rows, physics))
    scores = pd.concat(parts, ignore_index=True)
    timing = {
        "seconds": seconds,
        "patches": len(table),
        "seconds_per_patch": seconds / len(table),
        "device": device_name(cube.device),
        "threads": torch.get_num_threads(),
    }
    numbers = summary(scores, method.name, patches_with_previous=with_previous)
    return EvaluationResult(scores, stack.dataset(table, method.name), numbers, timing)


@torch.no_grad()
def _scores(prediction: Prediction, batch: Batch, rows: pd.DataFrame, physics: Physics) -> pd.DataFrame:
    scores = patch_scores(prediction.mean, prediction.sd, batch.target_mm, batch.valid)
    terms = physics_by_patch(prediction.mean, batch, physics)
    scores = scores.assign(**{name: value.double().cpu().numpy() for name, value in terms.items()})
    index = rows[list(INDEX_COLUMNS)].reset_index(drop=True)
    return pd.concat([index, scores], axis=1)[list(SCORE_COLUMNS)]


def _check(prediction: Prediction, rows: pd.DataFrame, name: str) -> None:
    for what, field in (("mean", prediction.mean), ("standard deviation", prediction.sd)):
        if field is not None and len(bad := (~torch.isfinite(field).flatten(1).all(dim=1)).nonzero()):
            patch = rows["patch"].iloc[int(bad[0])]
            raise DataError(f"{name}: its {what} is not finite in test patch {patch}; train it again")


def _clock(device: torch.device) -> float:
    if device.type == "cuda":  # its work is queued: wait until it is done
        torch.cuda.synchronize(device)
    return time.perf_counter()
