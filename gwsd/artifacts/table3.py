"""Table 3: methods of downscaling, scored against the bicubic target on the test patches."""

from collections.abc import Sequence
from dataclasses import replace

from gwsd.artifacts.artifact_inputs import ArtifactInputs, mean_over_seeds
from gwsd.artifacts.formatting import Column, Row, Statistic, Table
from gwsd.artifacts.reported import REPORTED, SPREADS, STEPS_IN_PAPER, paper_cells
from gwsd.artifacts.variants import label, score, steps
from gwsd.physics import CONSTRAINTS, constraints_of
from gwsd.units import MM_PER_CM

_COLUMNS = (
    Column("Method", "label", text=True),
    Column("MAE (cm)", "mae_cm", digits=3, spread="mae_sd_cm"),
    Column("Seeds", "seeds"),
    Column("sd of MAE over seeds (cm)", "mae_seed_sd_cm", digits=3),
    Column("RMSE (cm)", "rmse_cm", digits=3),
    Column("R²", "r2", digits=5),
    Column("Physics loss", "physics", digits=3),
    Column("MAE / bilinear's", "ratio_to_bilinear", digits=2),
    Column("MAE / bilinear's before training", "untrained_ratio_to_bilinear", digits=2),
    Column("Steps", "steps"),
    Column("MAE (cm)", "paper_mae_cm", digits=2, spread="paper_mae_sd_cm", group=REPORTED),
    Column("RMSE (cm)", "paper_rmse_cm", digits=2, group=REPORTED),
    Column("R²", "paper_r2", digits=4, group=REPORTED),
    Column("Physics loss", "paper_physics", digits=1, group=REPORTED),
    Column("MAE before training, validation patches (cm)", "untrained_mae_cm", digits=3, visible=False),
)

_ERRORS = (
    "Errors in cm (the paper's unit) over the valid fine cells. MAE: mean ± standard deviation over test patches, "
    "each patch counting once, its valid cells alike (not weighted by area: the paper's mean is over pixels). "
    "RMSE and R²: all valid cells of all test patches pooled.",
    "The target is the bicubic upsampling of the coarse storage: bicubic scores 0 by construction and any smooth "
    "interpolation an R² near 1. A high R² is no evidence of skill; the ratio to bilinear's MAE is more informative.",
)

_REST = (
    "Before training: the same ratio of means over patches, on the validation patches with the initial weights.",
    "The paper's Table 3 prints “± -” and “± 0.9983” where R² belongs: a “±” has slipped out of the column before. "
    "Its RMSE is given in section 4.1 only. RMSE and R² together imply a target with a standard deviation of 67 cm.",
)


def build(inputs: ArtifactInputs) -> Table:
    """List interpolations, `full` and our own variants."""
    rows = [_row(method, inputs) for method in inputs.by_seed("summaries")]
    several = any(len(seeds) > 1 for seeds in inputs.by_seed("summaries").values())
    columns = [
        replace(column, visible=several) if column.key in ("seeds", "mae_seed_sd_cm") else column for column in _COLUMNS
    ]
    columns.sort(key=lambda column: not column.visible)
    notes = (*_ERRORS, *_physics_note(inputs.settings["climate_variables"]), *_REST, *_convergence_note(inputs))
    return inputs.table(rows, columns, *notes)


def _row(method: str, inputs: ArtifactInputs) -> Row:
    mae, bilinear = score(inputs, method, "mae_mm"), score(inputs, "bilinear", "mae_mm").mean
    untrained, ratio = _before_training(inputs, method)
    return {
        "method": method,
        "label": label(method, inputs.settings["variants"]),
        "mae_cm": mae,
        "mae_sd_cm": score(inputs, method, "mae_sd_mm"),
        "seeds": mae.seeds,
        "mae_seed_sd_cm": mae.sd,
        "rmse_cm": score(inputs, method, "rmse_mm"),
        "r2": score(inputs, method, "r2"),
        "physics": score(inputs, method, "physics"),
        "ratio_to_bilinear": mae.mean / bilinear if mae.mean is not None and bilinear else None,
        "untrained_mae_cm": untrained,
        "untrained_ratio_to_bilinear": ratio,
        "steps": steps(inputs, method),
        **paper_cells("table3", method, mae_cm="mae"),
        "paper_mae_sd_cm": SPREADS.get(f"table3:{method}:mae"),
        **paper_cells("table3", method, rmse_cm="rmse", r2="r2", physics="physics"),
    }


def _before_training(inputs: ArtifactInputs, method: str) -> tuple[Statistic, float | None]:
    """Return the MAE (cm) at epoch 0 and its ratio to bilinear's, on the validation patches."""
    mae = inputs.over_seeds("histories", method, "val_mae_mm", divisor=MM_PER_CM, epoch=0)
    network = inputs.numbers("histories", method, "val_mae_mm", epoch=0).values()
    bilinear = inputs.numbers("histories", method, "val_bilinear_mae_mm", epoch=0).values()
    ratios = [error / reference for error, reference in zip(network, bilinear, strict=True) if error and reference]
    return mae, mean_over_seeds(ratios).mean


def _physics_note(climate: Sequence[str]) -> tuple[str, ...]:
    terms = constraints_of(climate)
    if not terms:
        return ()
    whole = "the sum of the sign (smooth, as trained on), magnitude and regional terms, equations (12)–(14), "
    return (
        f"Physics loss: {whole if len(terms) == len(CONSTRAINTS) else ''}mean over the test patches whose previous "
        "month is present. The paper leaves it out for interpolation as “effectively infinite”; it is finite and given "
        "here for every method.",
    )


def _convergence_note(inputs: ArtifactInputs) -> tuple[str, ...]:
    trained = steps(inputs, "full").mean
    if trained is None or trained >= STEPS_IN_PAPER:
        return ()
    return (
        f"`full` had {trained:,} of the paper's {STEPS_IN_PAPER:,} steps: its error is that of a training cut short, "
        "not of the paper's method.",
    )
