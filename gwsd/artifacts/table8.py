"""Table 8: cost of training and of inference, as measured here and as the paper reports it."""

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.formatting import DATA, Column, Row, Table
from gwsd.artifacts.reported import REPORTED, STEPS_IN_PAPER, paper_cells, reported
from gwsd.artifacts.variants import COMPUTED_HERE, devices, label

PATCHES_PER_GLOBE = 450
"""Overlapping patches that cover the Earth once, as the paper counts them (section 5.3)."""

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
    Column("Hardware", "hardware", text=True),
    Column("Training (h)", "paper_training_hours", group=REPORTED),
    Column("Inference (min)", "paper_inference_minutes", group=REPORTED),
    Column("Parameters", "parameters", visible=False),
    Column("Measured seconds a step (s)", "measured_seconds_per_step", digits=4, visible=False),
    Column("Measured seconds a patch (s)", "measured_seconds_per_patch", digits=6, visible=False),
)

_MEASURED = ("parameters", *(column.key for column in _COLUMNS if column.key.startswith("measured_")), "steps")

_NOTES = (
    f"Rows marked “{COMPUTED_HERE}” were timed here; those marked “{REPORTED}” are the paper's Table 8, on other "
    "hardware.",
    f"Measured training is for the steps in its row. Times {STEPS_IN_PAPER:,} steps is an extrapolation: seconds a "
    "step here, times the paper's number of steps, for the network as it was trained here.",
    f"Inference of a globe: seconds a patch here, times the {PATCHES_PER_GLOBE} overlapping patches that the paper "
    "counts. The paper gives 0.15 s a patch in its text, which is 1.1 min, and 2 min in its table.",
    "Measured cells differ between any two runs and are left out when runs are compared.",
)


def build(inputs: ArtifactInputs) -> Table:
    """List the methods timed here, then the paper's rows; keys of clock readings begin with `measured_`."""
    methods = dict.fromkeys([*inputs.by_seed("timings"), *inputs.by_seed("inference")])
    rows = (
        *(_measured(method, inputs) for method in methods),
        *(_reported(method, name) for method, name in _PAPER_ROWS.items()),
    )
    return inputs.table(rows, _COLUMNS, *_NOTES)


def _measured(method: str, inputs: ArtifactInputs) -> Row:
    trainings = list(inputs.by_seed("timings").get(method, {}).values())
    inferences = list(inputs.by_seed("inference").get(method, {}).values())
    step_hours, globe = 3600.0 / STEPS_IN_PAPER, 60.0 / PATCHES_PER_GLOBE
    return {
        "method": method,
        "label": label(method, inputs.settings["variants"]),
        "source": COMPUTED_HERE,
        "parameters": max((int(timing["parameters"]) for timing in trainings), default=None),
        "measured_training_hours": inputs.over_seeds("timings", method, "seconds", divisor=3600.0),
        "steps": min((int(timing["steps"]) for timing in trainings), default=None),
        "measured_seconds_per_step": inputs.over_seeds("timings", method, "seconds_per_step"),
        "measured_hours_for_paper_steps": inputs.over_seeds("timings", method, "seconds_per_step", divisor=step_hours),
        "measured_seconds_per_patch": inputs.over_seeds("inference", method, "seconds_per_patch"),
        "measured_inference_minutes": inputs.over_seeds("inference", method, "seconds_per_patch", divisor=globe),
        "hardware": "; ".join(devices([*trainings, *inferences])),
        "paper_training_hours": None,
        "paper_inference_minutes": None,
    }


def _reported(method: str, name: str) -> Row:
    return {
        "method": "paper_method" if method == "full" else method,
        "label": name,
        "source": REPORTED,
        **dict.fromkeys(_MEASURED),
        "hardware": reported("table8", method, "hardware"),
        **paper_cells("table8", method, training_hours="training", inference_minutes="inference"),
        DATA: REPORTED,
    }
