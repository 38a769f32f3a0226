"""Table 5: terms of the physics loss by epoch of the training of `full`."""

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.formatting import Column, Row, Statistic, Table, Value
from gwsd.artifacts.reported import REPORTED, paper_cells
from gwsd.artifacts.variants import training_note

_PAPER_EPOCHS = (1, 10, 30)

_TERMS = {
    "sign_as_written": "Sign, as written",
    "sign": "Sign, smooth",
    "magnitude": "Magnitude",
    "regional": "Regional",
    "physics": "Total",
}

_PREFIXES = {"validation": "val", "training": "train"}
"""Patches, and the prefix of their columns in a history."""

_COLUMNS = (
    Column("Epoch", "epoch"),
    *(Column(heading, f"validation_{term}", digits=3) for term, heading in _TERMS.items()),
    Column("Epoch", "paper_epoch", group=REPORTED),
    Column("Sign", "paper_sign", digits=2, group=REPORTED),
    Column("Magnitude", "paper_magnitude", digits=2, group=REPORTED),
    Column("Regional", "paper_regional", digits=2, group=REPORTED),
    Column("Total", "paper_physics", digits=2, group=REPORTED),
    Column("Seeds", "seeds", visible=False),
    *(
        Column(f"sd over seeds of {heading}", f"validation_{term}_seed_sd", digits=3, visible=False)
        for term, heading in _TERMS.items()
    ),
    *(
        Column(
            f"{heading}, training patches",
            f"training_{term}",
            digits=3,
            spread=f"training_{term}_seed_sd",
            visible=False,
        )
        for term, heading in _TERMS.items()
    ),
)

_SPLITS = (
    "On the validation patches at the end of each epoch; epoch 0 is before any training. The csv also holds the "
    "means over the training patches during the epoch. The paper does not state which of the two it lists."
)

_SIGNS = (
    "Sign, as written: equation (12) with the sign function, which has no gradient and cannot exceed 1. "
    "Sign, smooth: the surrogate that is trained on."
)

_TOTAL = " The total adds the smooth sign, the magnitude and the regional term."

_THE_PAPER = (
    "The paper's sign term of 1.42 to 1.02 cannot come from its equation (12), whose every summand is 0 or 1.",
    "The paper's total at epoch 30 is 2.99 in its Table 5, the sum of its terms; 3.39 in its text (section 4.5); and "
    "3.4 in its Tables 3 and 6.",
)


def build(inputs: ArtifactInputs) -> Table:
    """Read the terms at the paper's epochs, or the nearest ones, from the history of `full`; means over seeds."""
    histories = inputs.by_seed("histories")["full"].values()
    # Early stopping may end seeds at different epochs: a row needs all of them.
    common = sorted(set.intersection(*(set(history["epoch"]) for history in histories)))
    trained = [epoch for epoch in common if epoch > 0]
    nearest = {wanted: min(trained, key=lambda epoch: (abs(epoch - wanted), epoch)) for wanted in _PAPER_EPOCHS}
    rows = [_row(inputs, 0, None)] if 0 in common else []
    rows += [_row(inputs, epoch, wanted) for wanted, epoch in nearest.items()]
    notes = [_SPLITS, _SIGNS if inputs.left_out else _SIGNS + _TOTAL, *_THE_PAPER]
    if any(wanted != epoch for wanted, epoch in nearest.items()):
        notes.append(
            f"The training ran for {trained[-1]} epochs; each epoch of the paper is compared with the nearest one, so "
            "a row may occur twice."
        )
    return inputs.table(rows, _COLUMNS, *notes, *training_note(inputs, ["full"]))


def _row(inputs: ArtifactInputs, epoch: int, paper_epoch: int | None) -> Row:
    row: dict[str, Value | Statistic] = {
        # A key that does not change with the epoch at which a training stops.
        "row": "before_training" if paper_epoch is None else f"epoch_{paper_epoch}",
        "epoch": int(epoch),
        "paper_epoch": paper_epoch,
        "seeds": len(inputs.by_seed("histories")["full"]),
    }
    for split, prefix in _PREFIXES.items():
        for term in _TERMS:
            value = inputs.over_seeds("histories", "full", f"{prefix}_{term}", epoch=epoch)
            row[f"{split}_{term}"] = value
            row[f"{split}_{term}_seed_sd"] = value.sd
    terms = {term: term for term in ("sign", "magnitude", "regional", "physics")}
    return row | paper_cells("table5", str(paper_epoch), **terms)
