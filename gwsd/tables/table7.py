"""Table 7: months of climate memory, with the training time that a clock measured."""

from collections.abc import Mapping, Sequence

from gwsd.constraints import left_out_note
from gwsd.tables.formatting import Column, Table, Value
from gwsd.tables.recomputing import Source, scores
from gwsd.tables.replicates import (
    MM_A_CM,
    Histories,
    Summaries,
    Timings,
    comparison_note,
    devices,
    over_seeds,
    score,
    steps,
    steps_sources,
)
from gwsd.tables.reported import REPORTED, reported_value

VARIANTS = {"memory_1": 1, "memory_3": 3, "full": 6, "memory_12": 12}
"""Rows and their months; six months is `full` itself."""

_COLUMNS = (
    Column("Memory (months)", "memory_months"),
    Column("MAE (cm)", "mae_cm", digits=3, spread="mae_seed_sd_cm"),
    Column("Physics loss", "physics", digits=3, spread="physics_seed_sd"),
    Column("Steps", "steps"),
    Column("Measured training time (min)", "measured_training_minutes", digits=1),
    Column("MAE (cm)", "paper_mae_cm", digits=2, group=REPORTED),
    Column("Physics loss", "paper_physics", digits=1, group=REPORTED),
    Column("Training time (h)", "paper_training_hours", digits=0, group=REPORTED),
)

_CSV_ONLY = (Column("Seeds", "seeds"), Column("Measured training time (h)", "measured_training_hours", digits=3))

_NOTES = (
    "MAE in cm against the bicubic target, mean over test patches; six months is `full`.",
    "The training time is that of one training here, in minutes, for the steps in its row; the paper's is in hours.",
    "In the paper six months differ from twelve by 0.02 cm, less than what it calls a minimal impact in its "
    "Table 6 (0.03 cm), and it gives no spread. Its text speaks of diminishing returns beyond six months; its "
    "numbers grow worse.",
)


def build(
    *,
    summaries: Summaries,
    histories: Histories,
    timings: Timings,
    climate_variables: Sequence[str],
    provenance_note: str,
) -> Table:
    """Set the memory windows beside each other.

    Parameters
    ----------
    summaries : mapping
        By variant and seed: `VARIANTS`.
    histories : mapping
        The same, for their steps.
    timings : mapping
        The same: `seconds`, `device` and `threads` of each training.
    climate_variables : sequence of str
        The scenario's: constraints that lack one of them are left out, and the table says so.
    provenance_note : str
        Which Earth the numbers speak of.

    Returns
    -------
    Table
        By months of memory, never ranked. Keys of clock readings begin with `measured_`.

    Raises
    ------
    DataError
        Where a variant was not evaluated.
    """
    rows = tuple(_row(variant, summaries, histories, timings) for variant in VARIANTS)
    notes = (*comparison_note(histories, list(VARIANTS)), *_NOTES, *_hardware_notes(timings))
    sources = {
        **scores(VARIANTS, ("mae_cm", "physics")),
        **steps_sources(histories, list(VARIANTS)),
        **_clock_sources(),
    }
    notes = (*left_out_note(climate_variables), *notes)
    return Table(rows, _COLUMNS, notes, provenance_note, _CSV_ONLY, sources)


def _clock_sources() -> dict[tuple[str, str], Source]:
    return {
        (variant, f"measured_training_{unit}"): Source("timings", variant, "seconds", 1.0 / seconds)
        for variant in VARIANTS
        for unit, seconds in (("minutes", 60.0), ("hours", 3600.0))
    }


def _row(variant: str, summaries: Summaries, histories: Histories, timings: Timings) -> Mapping[str, Value]:
    mae = score(summaries, variant, "mae_mm", MM_A_CM)
    physics = score(summaries, variant, "physics")
    seconds = over_seeds([float(timing["seconds"]) for _, timing in sorted(timings.get(variant, {}).items())])
    return {
        "variant": variant,
        "memory_months": VARIANTS[variant],
        "seeds": mae.seeds,
        "mae_cm": mae.mean,
        "mae_seed_sd_cm": mae.sd,
        "physics": physics.mean,
        "physics_seed_sd": physics.sd,
        "steps": steps(histories, variant),
        "measured_training_minutes": None if seconds.mean is None else seconds.mean / 60.0,
        "measured_training_hours": None if seconds.mean is None else seconds.mean / 3600.0,
        "paper_mae_cm": reported_value("table7", variant, "mae"),
        "paper_physics": reported_value("table7", variant, "physics"),
        "paper_training_hours": reported_value("table7", variant, "training"),
    }


def _hardware_notes(timings: Timings) -> tuple[str, ...]:
    named = devices([timing for variant in VARIANTS for timing in timings.get(variant, {}).values()])
    if not named:
        return ()
    return (f"Trained on {'; '.join(named)}; other trainings may have run on the machine at the same time.",)
