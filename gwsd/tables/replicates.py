"""What several seeds of the same training say together, and how a table names its methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gwsd.errors import DataError
from gwsd.tables.recomputing import Source
from gwsd.tables.reported import STEPS_IN_PAPER

Summaries = Mapping[str, Mapping[int, Mapping[str, Any]]]
"""Summary of each evaluation, by method and seed."""

Histories = Mapping[str, Mapping[int, pd.DataFrame]]
"""History of each training, by variant and seed."""

Timings = Mapping[str, Mapping[int, Mapping[str, Any]]]
"""Clock readings, by method and seed."""

MM_A_CM = 10.0
"""Storage is mm inside; tables print the paper's cm."""

LABELS = {
    "nearest": "Nearest neighbour",
    "bilinear": "Bilinear",
    "bicubic": "Bicubic (control)",
    "full": "Full model",
    "residual": "`residual` (ours, not the paper's)",
    "no_convlstm": "Without ConvLSTM",
    "no_physics": "Without physics constraints",
    "no_uncertainty": "Without uncertainty head",
    "memory_1": "Memory of 1 month",
    "memory_3": "Memory of 3 months",
    "memory_12": "Memory of 12 months",
}
"""What people read for the name of a method."""


def label(method: str) -> str:
    """Return what people read for the name of a method; the name itself where there is no other."""
    return LABELS.get(method, f"`{method}`")


@dataclass(frozen=True)
class Spread:
    """Mean over seeds and, of several, their standard deviation; None where there is no value."""

    mean: float | None
    sd: float | None
    seeds: int


def over_seeds(values: Sequence[float | None]) -> Spread:
    """Average over seeds; one without a value leaves the whole without one.

    Parameters
    ----------
    values : sequence of float or None
        One for each seed.
    """
    if not values or any(value is None for value in values):
        return Spread(None, None, len(values))
    array = np.asarray(values, dtype=np.float64)
    return Spread(float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else None, len(array))


def score(summaries: Summaries, method: str, key: str, scale: float = 1.0) -> Spread:
    """Average one number of the summaries of a method over its seeds.

    Parameters
    ----------
    summaries : mapping
        By method and seed.
    method, key : str
        Which number.
    scale : float
        By which it is divided, such as `MM_A_CM`.
    """
    values = [summary.get(key) for _, summary in sorted(evaluated(summaries, method).items())]
    return over_seeds([None if value is None else float(value) / scale for value in values])


def evaluated(summaries: Summaries, method: str) -> Mapping[int, Mapping[str, Any]]:
    """Return the summaries of a method.

    Raises
    ------
    DataError
        Where the method was not evaluated.
    """
    if not summaries.get(method):
        have = ", ".join(sorted(summaries)) or "none"
        msg = f"The evaluation of {method!r} is missing; there are: {have}. Evaluate {method!r} first."
        raise DataError(msg)
    return summaries[method]


def devices(timings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the devices and threads of some clock readings, each once."""
    return sorted(
        {f"{timing['device']}, {timing['threads']} thread{'' if timing['threads'] == 1 else 's'}" for timing in timings}
    )


def steps(histories: Histories, variant: str) -> int | None:
    """Return how many steps a variant was trained (the fewest of its seeds); None for what is not trained."""
    trained = [int(history["steps"].iloc[-1]) for history in histories.get(variant, {}).values()]
    return min(trained) if trained else None


def steps_sources(histories: Histories, variants: Sequence[str]) -> dict[tuple[str, str], Source]:
    """Return where `steps` can be recomputed: the last epoch, where all seeds were trained as long.

    Parameters
    ----------
    histories : mapping
        By variant and seed.
    variants : sequence of str
        The rows; what is not trained has no source.
    """
    found = {}
    for variant in variants:
        last = {int(history["epoch"].iloc[-1]) for history in histories.get(variant, {}).values()}
        counts = {int(history["steps"].iloc[-1]) for history in histories.get(variant, {}).values()}
        if len(last) == len(counts) == 1:
            found[variant, "steps"] = Source("histories", variant, "steps", epoch=last.pop())
    return found


def training_note(histories: Histories, variants: Sequence[str]) -> tuple[str, ...]:
    """Say how many seeds and steps stand behind some variants; nothing where none was trained."""
    seeds = min((len(histories.get(variant, {})) for variant in variants), default=0)
    trained = sorted({count for variant in variants if (count := steps(histories, variant)) is not None})
    if not trained:
        return ()
    span = f"{trained[0]:,}" if len(trained) == 1 else f"{trained[0]:,} to {trained[-1]:,}"
    behind = f"{span} of {STEPS_IN_PAPER:,} steps"
    return (f"Mean of {seeds} seeds, {behind}." if seeds > 1 else f"One seed, {behind}.",)


def comparison_note(histories: Histories, variants: Sequence[str]) -> tuple[str, ...]:
    """Say what `training_note` says, and how far variants may be compared: a table of one seed ranks nothing."""
    several = all(len(histories.get(variant, {})) > 1 for variant in variants)
    caution = (
        "Where a ± stands it is the standard deviation over seeds."
        if several
        else "Differences between rows may be chance, and the table ranks nothing."
    )
    return tuple(f"{note} {caution}" for note in training_note(histories, variants))
