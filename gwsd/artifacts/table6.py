"""Table 6: contribution of each component, measured by leaving it out."""

from gwsd.artifacts.artifact_inputs import ArtifactInputs, mean_over_seeds
from gwsd.artifacts.formatting import Column, Row, Statistic, Table
from gwsd.artifacts.reported import REPORTED, paper_cells
from gwsd.artifacts.variants import comparison_note, label, score, steps
from gwsd.physics import constraints_of

_COLUMNS = (
    Column("Variant", "label", text=True),
    Column("MAE (cm)", "mae_cm", digits=3, spread="mae_seed_sd_cm"),
    Column("against full (%)", "change_percent", digits=1, spread="change_seed_sd_percent", signed=True),
    Column("Physics loss", "physics", digits=3, spread="physics_seed_sd"),
    Column("Steps", "steps"),
    Column("MAE (cm)", "paper_mae_cm", digits=2, group=REPORTED),
    Column("against full (%)", "paper_change_percent", digits=0, group=REPORTED, signed=True),
    Column("Physics loss", "paper_physics", digits=1, group=REPORTED),
    Column("Seeds", "seeds", visible=False),
)

_ERRORS = "MAE in cm against the bicubic target, mean over test patches; changes are computed seed by seed."

_PHYSICS = (
    "Without physics constraints the physics loss is measured but not trained on; the paper leaves its cell empty."
)

_THE_PAPER = (
    "The paper gives neither seeds nor spread. Its physics loss of 3.4 for the full model is 2.99 in its Table 5."
)


def build(inputs: ArtifactInputs) -> Table:
    """List `full` and the variants of the group `component`, in the order of the settings."""
    variants = list(inputs.by_seed("summaries"))
    measured = (_PHYSICS,) if constraints_of(inputs.settings["climate_variables"]) else ()
    rows = [_row(variant, inputs) for variant in variants]
    return inputs.table(rows, _COLUMNS, *comparison_note(inputs, variants), _ERRORS, *measured, _THE_PAPER)


def _row(variant: str, inputs: ArtifactInputs) -> Row:
    mae, physics = score(inputs, variant, "mae_mm"), score(inputs, variant, "physics")
    change = Statistic(None) if variant == "full" else _change(inputs, variant)
    return {
        "variant": variant,
        "label": label(variant, inputs.settings["variants"]),
        "seeds": mae.seeds,
        "mae_cm": mae,
        "mae_seed_sd_cm": mae.sd,
        "change_percent": change,
        "change_seed_sd_percent": change.sd,
        "physics": physics,
        "physics_seed_sd": physics.sd,
        "steps": steps(inputs, variant),
        **paper_cells("table6", variant, mae_cm="mae", change_percent="change", physics="physics"),
    }


def _change(inputs: ArtifactInputs, variant: str) -> Statistic:
    """Return the change of the MAE against `full` with the same seed, %: both are scored on the same patches."""
    full, other = (inputs.numbers("summaries", name, "mae_mm") for name in ("full", variant))
    pairs = [(full[seed], other[seed]) for seed in full if seed in other]
    return mean_over_seeds([100.0 * (after / before - 1.0) for before, after in pairs if before and after is not None])
