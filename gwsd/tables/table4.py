"""Table 4: comparison with methods of others, whose numbers are the paper's and not computed here."""

from collections.abc import Mapping
from typing import Any

from gwsd.constraints import constraints_of, left_out_note
from gwsd.tables.formatting import DATA, Column, Table, Value
from gwsd.tables.recomputing import scores
from gwsd.tables.replicates import MM_A_CM, Histories, Summaries, label, score, steps
from gwsd.tables.reported import REPORTED, STEPS_IN_PAPER, reported_value

COMPUTED = "computed here"
"""The mark of a row that is not the paper's."""

_OTHERS = {
    "miro_famiglietti_2018": "Miro & Famiglietti (2018)",
    "data_assimilation": "Data assimilation",
}

_INTERPOLATIONS = ("bilinear", "nearest")

_COLUMNS = (
    Column("Method", "label", text=True),
    Column("Source", "source", text=True),
    Column("MAE (cm)", "mae_cm", digits=3),
    Column("Physics", "physics", text=True),
    Column("Temporal", "temporal", text=True),
    Column("Uncertainty", "uncertainty", text=True),
    Column("MAE (cm)", "paper_mae_cm", digits=2, group=REPORTED),
)

_NOTES = (
    f"Rows marked “{REPORTED}” were not computed here: the paper names neither their data nor their region, target or "
    "unit of evaluation, so their errors compare with nothing in this table.",
    "MAE in cm against the bicubic target, mean over test patches, for the rows computed here.",
    "Physics, temporal, uncertainty: whether the method uses a physics constraint, a memory of months, and states an "
    "uncertainty; for the full model read from its settings.",
    "In the paper's own table bilinear interpolation (0.54 cm) has a third of the error of its method (1.64 cm). "
    "Miro & Famiglietti (2018) is missing from its list of references, and the data assimilation is not identified.",
)


def build(
    *,
    summaries: Summaries,
    histories: Histories,
    model: Mapping[str, Any],
    loss: Mapping[str, Any],
    provenance_note: str,
) -> Table:
    """Set what was computed beside what the paper reports of others.

    Parameters
    ----------
    summaries : mapping
        By method and seed: `full`, `bilinear`, `nearest`.
    histories : mapping
        Of `full`, by seed: its steps.
    model, loss : mapping
        Settings of `full`; constraints that lack one of the model's climate variables are left out, and the table
        says so.
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
    abilities = {
        "physics": float(loss["physics_weight"]) > 0 and bool(constraints_of(model["climate_variables"])),
        "temporal": model["temporal_encoder"] != "none",
        "uncertainty": bool(model["variance_head"]),
    }
    rows = [_computed("full", summaries, abilities)]
    rows += [_reported(method, name) for method, name in _OTHERS.items()]
    rows += [_computed(method, summaries, dict.fromkeys(abilities, False)) for method in _INTERPOLATIONS]
    trained = steps(histories, "full")
    cut_short = (
        (f"The full model had {trained:,} of the paper's {STEPS_IN_PAPER:,} steps.",)
        if trained is not None and trained < STEPS_IN_PAPER
        else ()
    )
    notes = (*left_out_note(model["climate_variables"]), *_NOTES, *cut_short)
    sources = scores(("full", *_INTERPOLATIONS), ("mae_cm",))
    return Table(tuple(rows), _COLUMNS, notes, provenance_note, sources=sources)


def _computed(method: str, summaries: Summaries, abilities: Mapping[str, bool]) -> Mapping[str, Value]:
    return {
        "method": method,
        "label": label(method),
        "source": COMPUTED,
        "mae_cm": score(summaries, method, "mae_mm", MM_A_CM).mean,
        **abilities,
        "paper_mae_cm": reported_value("table4", method, "mae"),
    }


def _reported(method: str, name: str) -> Mapping[str, Value]:
    return {
        "method": method,
        "label": name,
        "source": REPORTED,
        "mae_cm": None,
        **{key: reported_value("table4", method, key) for key in ("physics", "temporal", "uncertainty")},
        "paper_mae_cm": reported_value("table4", method, "mae"),
        DATA: REPORTED,
    }
