"""Table 3: methods of downscaling, against the bicubic target on the test patches."""

from collections.abc import Mapping, Sequence

from gwsd.constraints import CONSTRAINTS, constraints_of, left_out_note
from gwsd.tables.formatting import Column, Table, Value
from gwsd.tables.recomputing import SCORES, Source, Sources, scores
from gwsd.tables.replicates import (
    MM_A_CM,
    Histories,
    Spread,
    Summaries,
    evaluated,
    label,
    over_seeds,
    score,
    steps,
    steps_sources,
)
from gwsd.tables.reported import REPORTED, STEPS_IN_PAPER, reported

ORDER = ("nearest", "bilinear", "bicubic", "full", "residual")
"""Rows; any further method follows by name."""

_COLUMNS = (
    Column("Method", "label", text=True),
    Column("MAE (cm)", "mae_cm", digits=3, spread="mae_sd_cm"),
    Column("RMSE (cm)", "rmse_cm", digits=3),
    Column("R²", "r2", digits=5),
    Column("Physics loss", "physics", digits=3),
    Column("MAE / bilinear's", "ratio_to_bilinear", digits=2),
    Column("the same before training", "untrained_ratio_to_bilinear", digits=2),
    Column("Steps", "steps"),
    Column("MAE (cm)", "paper_mae_cm", digits=2, spread="paper_mae_sd_cm", group=REPORTED),
    Column("RMSE (cm)", "paper_rmse_cm", digits=2, group=REPORTED),
    Column("R²", "paper_r2", digits=4, group=REPORTED),
    Column("Physics loss", "paper_physics", digits=1, group=REPORTED),
)

_SEEDS = (
    Column("Seeds", "seeds"),
    Column("sd of MAE over seeds (cm)", "mae_seed_sd_cm", digits=3),
)

_CSV_ONLY = (Column("MAE before training, validation patches (cm)", "untrained_mae_cm", digits=3),)

_ABOUT_ERRORS = (
    "Errors in cm (the paper's unit) over the valid fine cells. MAE: mean ± standard deviation over test patches, "
    "each patch counting once, its valid cells alike (not weighted by area: the paper's mean is over pixels). "
    "RMSE and R²: all valid cells of all test patches pooled.",
    "The target is the bicubic upsampling of the coarse storage: bicubic scores 0 by construction and any smooth "
    "interpolation an R² near 1. A high R² is no evidence of skill; the ratio to bilinear's MAE says more.",
)

_ABOUT_THE_REST = (
    "Before training: the ratio on the validation patches at epoch 0, with the weights as initialised.",
    "The paper's Table 3 prints “± -” and “± 0.9983” where R² belongs: a “±” has slipped out of the column before. "
    "Its RMSE stands in section 4.1 only. RMSE and R² together imply a target with a standard deviation of 67 cm.",
)


def build(
    *, summaries: Summaries, histories: Histories, climate_variables: Sequence[str], provenance_note: str
) -> Table:
    """Set every method beside the others and beside the paper.

    Parameters
    ----------
    summaries : mapping
        `evaluation.scores.summary` by method and seed; `nearest`, `bilinear`, `bicubic` and `full` at least.
    histories : mapping
        History of each training by variant and seed: steps and the score before training.
    climate_variables : sequence of str
        The scenario's: constraints that lack one of them are left out, and the table says so.
    provenance_note : str
        Which Earth the numbers speak of.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        Where a method that the table needs was not evaluated.
    """
    for method in ORDER[:4]:
        evaluated(summaries, method)
    methods = [method for method in ORDER if method in summaries]
    methods += sorted(set(summaries) - set(ORDER))
    rows = tuple(_row(method, summaries, histories) for method in methods)
    several = any(isinstance(row["seeds"], int) and row["seeds"] > 1 for row in rows)
    columns = (*_COLUMNS[:2], *_SEEDS, *_COLUMNS[2:]) if several else _COLUMNS
    csv_only = _CSV_ONLY if several else (*_CSV_ONLY, *_SEEDS)
    notes = (*left_out_note(climate_variables), *_ABOUT_ERRORS, *_physics_note(climate_variables), *_ABOUT_THE_REST)
    sources = _sources(methods, histories)
    return Table(rows, columns, (*notes, *_convergence_notes(rows)), provenance_note, csv_only, sources)


def _sources(methods: Sequence[str], histories: Histories) -> Sources:
    untrained = {
        (method, "untrained_mae_cm"): Source("histories", method, "val_mae_mm", 1.0 / MM_A_CM, epoch=0)
        for method in methods
        if method in histories
    }
    return {**scores(methods, SCORES), **untrained, **steps_sources(histories, methods)}


def _row(method: str, summaries: Summaries, histories: Histories) -> Mapping[str, Value]:
    mae = score(summaries, method, "mae_mm", MM_A_CM)
    untrained_mae, untrained_ratio = _before_training(histories, method)
    paper_mae = reported("table3", method, "mae")
    return {
        "method": method,
        "label": label(method),
        "mae_cm": mae.mean,
        "mae_sd_cm": score(summaries, method, "mae_sd_mm", MM_A_CM).mean,
        "seeds": mae.seeds,
        "mae_seed_sd_cm": mae.sd,
        "rmse_cm": score(summaries, method, "rmse_mm", MM_A_CM).mean,
        "r2": score(summaries, method, "r2").mean,
        "physics": score(summaries, method, "physics").mean,
        "ratio_to_bilinear": _ratio(mae, score(summaries, "bilinear", "mae_mm", MM_A_CM)),
        "untrained_mae_cm": untrained_mae.mean,
        "untrained_ratio_to_bilinear": untrained_ratio.mean,
        "steps": steps(histories, method),
        "paper_mae_cm": None if paper_mae is None else paper_mae.value,
        "paper_mae_sd_cm": None if paper_mae is None else paper_mae.spread,
        **{
            key: None if entry is None else entry.value
            for key, entry in {
                "paper_rmse_cm": reported("table3", method, "rmse"),
                "paper_r2": reported("table3", method, "r2"),
                "paper_physics": reported("table3", method, "physics"),
            }.items()
        },
    }


def _ratio(mae: Spread, bilinear: Spread) -> float | None:
    if mae.mean is None or not bilinear.mean:
        return None
    return mae.mean / bilinear.mean


def _before_training(histories: Histories, method: str) -> tuple[Spread, Spread]:
    """MAE (cm) and its ratio to bilinear's at epoch 0, on the validation patches."""
    mae: list[float | None] = []
    ratio: list[float | None] = []
    for _, history in sorted(histories.get(method, {}).items()):
        start = history.loc[history["epoch"] == 0]
        if start.empty:
            return Spread(None, None, 0), Spread(None, None, 0)
        first = start.iloc[0]
        mae.append(float(first["val_mae_mm"]) / MM_A_CM)
        ratio.append(float(first["val_mae_mm"]) / float(first["val_bilinear_mae_mm"]))
    return over_seeds(mae), over_seeds(ratio)


def _physics_note(climate_variables: Sequence[str]) -> tuple[str, ...]:
    terms = constraints_of(climate_variables)
    if not terms:
        return ()
    whole = len(terms) == len(CONSTRAINTS)
    summed = "the sum of the sign (smooth, as trained on), magnitude and regional terms, equations (12)–(14), "
    return (
        f"Physics loss: {summed if whole else ''}mean over the test patches whose month before is present. The paper "
        "leaves it out for interpolation as “effectively infinite”; it is finite and stands here for every method.",
    )


def _convergence_notes(rows: tuple[Mapping[str, Value], ...]) -> tuple[str, ...]:
    return tuple(
        f"`{row['method']}` had {row['steps']:,} of the paper's {STEPS_IN_PAPER:,} steps: its error is that of a "
        "training cut short, not of the paper's method."
        for row in rows
        if row["method"] == "full" and isinstance(row["steps"], int) and row["steps"] < STEPS_IN_PAPER
    )
