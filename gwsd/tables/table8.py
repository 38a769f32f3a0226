"""Table 8: what training and inference cost, measured here, beside what the paper reports."""

from collections.abc import Mapping, Sequence
from typing import Any

from gwsd.constraints import left_out_note
from gwsd.errors import DataError
from gwsd.tables.formatting import DATA, Column, Table, Value
from gwsd.tables.recomputing import Source
from gwsd.tables.replicates import Timings, devices, label, over_seeds
from gwsd.tables.reported import REPORTED, STEPS_IN_PAPER, reported_value
from gwsd.tables.table4 import COMPUTED

PATCHES_A_GLOBE = 450
"""Overlapping patches that cover the Earth once, as the paper counts them (section 5.3)."""

ORDER = ("full", "residual", "nearest", "bilinear", "bicubic")
"""Rows measured here, where there is a clock reading."""

_PAPER_ROWS = {
    "full": "The paper's method",
    "data_assimilation": "Data assimilation",
    "geostatistical": "Geostatistical",
    "traditional_ml": "Traditional machine learning",
}

_COLUMNS = (
    Column("Method", "label", text=True),
    Column("Source", "source", text=True),
    Column("Measured training (h)", "measured_training_hours", digits=3),
    Column("Steps", "steps"),
    Column(f"Measured rate × {STEPS_IN_PAPER:,} steps (h)", "measured_hours_for_paper_steps", digits=2),
    Column("Measured inference, a globe (min)", "measured_inference_minutes", digits=3),
    Column("Hardware", "hardware", text=True, machine=True),
    Column("Training (h)", "paper_training_hours", group=REPORTED),
    Column("Inference (min)", "paper_inference_minutes", group=REPORTED),
)

_CSV_ONLY = (
    Column("Parameters", "parameters"),
    Column("Measured seconds a step (s)", "measured_seconds_per_step", digits=4),
    Column("Measured seconds a patch (s)", "measured_seconds_per_patch", digits=6),
)

_FROM_TRAINING = {
    "measured_training_hours": ("seconds", 1.0 / 3600.0),
    "measured_seconds_per_step": ("seconds_per_step", 1.0),
    "measured_hours_for_paper_steps": ("seconds_per_step", STEPS_IN_PAPER / 3600.0),
}

_FROM_INFERENCE = {
    "measured_seconds_per_patch": ("seconds_per_patch", 1.0),
    "measured_inference_minutes": ("seconds_per_patch", PATCHES_A_GLOBE / 60.0),
}

_NOTES = (
    f"Rows marked “{COMPUTED}” were measured with a clock; those marked “{REPORTED}” are the paper's Table 8 and "
    "speak of other hardware.",
    f"Measured training is for the steps in its row. Times {STEPS_IN_PAPER:,} steps is an extrapolation: seconds a "
    "step here, times the paper's number of steps, for the network as it was trained here.",
    f"Inference of a globe: seconds a patch here, times the {PATCHES_A_GLOBE} overlapping patches that the paper "
    "counts. The paper says 0.15 s a patch in its text, which is 1.1 min, and 2 min in its table.",
    "Measured cells differ between any two runs and are left out when runs are compared.",
)


def build(
    *,
    timings: Timings,
    inference: Timings,
    hardware: str,
    climate_variables: Sequence[str],
    provenance_note: str,
) -> Table:
    """Set the clock readings beside what the paper reports.

    Parameters
    ----------
    timings : mapping
        Of trainings, by variant and seed: `seconds`, `seconds_per_step`, `steps`, `parameters`, `device`, `threads`;
        of `full` at least.
    inference : mapping
        By method and seed: `seconds_per_patch`, `device`, `threads` (`evaluation.evaluate.Evaluation.timing`).
    hardware : str
        Names the machine, such as the processor's model; may be empty.
    climate_variables : sequence of str
        The scenario's: constraints that lack one of them are left out, and the table says so.
    provenance_note : str
        Which Earth the numbers speak of.

    Returns
    -------
    Table
        Keys of clock readings begin with `measured_`.

    Raises
    ------
    DataError
        Where the training of `full` was not timed.
    """
    if not timings.get("full"):
        raise DataError("Table 8 needs the timing of the training of 'full', and there is none. Train 'full' first.")
    rows = [
        _measured(method, timings.get(method, {}), inference.get(method, {}), hardware)
        for method in ORDER
        if timings.get(method) or inference.get(method)
    ]
    rows += [_reported(method, name) for method, name in _PAPER_ROWS.items()]
    sources = {
        (method, column): Source(files, method, key, factor)
        for files, columns, read in (("timings", _FROM_TRAINING, timings), ("inference", _FROM_INFERENCE, inference))
        for method in ORDER
        if read.get(method)
        for column, (key, factor) in columns.items()
    }
    notes = (*left_out_note(climate_variables), *_NOTES)
    return Table(tuple(rows), _COLUMNS, notes, provenance_note, _CSV_ONLY, sources)


def _measured(
    method: str,
    training: Mapping[int, Mapping[str, Any]],
    inference: Mapping[int, Mapping[str, Any]],
    hardware: str,
) -> Mapping[str, Value]:
    seconds = over_seeds([float(timing["seconds"]) for timing in training.values()]).mean
    a_step = over_seeds([float(timing["seconds_per_step"]) for timing in training.values()]).mean
    a_patch = over_seeds([float(timing["seconds_per_patch"]) for timing in inference.values()]).mean
    named = devices([*training.values(), *inference.values()])
    return {
        "method": method,
        "label": label(method),
        "source": COMPUTED,
        "parameters": max((int(timing["parameters"]) for timing in training.values()), default=None),
        "measured_training_hours": None if seconds is None else seconds / 3600.0,
        "steps": min((int(timing["steps"]) for timing in training.values()), default=None),
        "measured_seconds_per_step": a_step,
        "measured_hours_for_paper_steps": None if a_step is None else a_step * STEPS_IN_PAPER / 3600.0,
        "measured_seconds_per_patch": a_patch,
        "measured_inference_minutes": None if a_patch is None else a_patch * PATCHES_A_GLOBE / 60.0,
        "hardware": "; ".join([hardware, *named] if hardware else named),
        "paper_training_hours": None,
        "paper_inference_minutes": None,
    }


def _reported(method: str, name: str) -> Mapping[str, Value]:
    return {
        "method": "paper_method" if method == "full" else method,
        "label": name,
        "source": REPORTED,
        "parameters": None,
        "measured_training_hours": None,
        "steps": None,
        "measured_seconds_per_step": None,
        "measured_hours_for_paper_steps": None,
        "measured_seconds_per_patch": None,
        "measured_inference_minutes": None,
        "hardware": reported_value("table8", method, "hardware"),
        "paper_training_hours": reported_value("table8", method, "training"),
        "paper_inference_minutes": reported_value("table8", method, "inference"),
        DATA: REPORTED,
    }
