"""Table 2: the dataset, counted in the files."""

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.formatting import UNIT, Column, Row, Table, Value
from gwsd.artifacts.reported import REPORTED, reported
from gwsd.grid import REFINEMENT
from gwsd.physics import constraints_of

_SPLITS = {"train": "Training patches", "validation": "Validation patches", "test": "Test patches"}

_COLUMNS = (
    Column("Parameter", "label", text=True),
    Column("Value", "value"),
    Column("Description", "description", text=True),
    Column("Value", "paper_value", group=REPORTED),
)

_NOTES = (
    "Counted in the files. A difference from the paper is reported, not corrected.",
    "Test cells also in training: valid coarse cells of test patches that a training patch holds in the same month. "
    "The paper calls its test patches held out and independent; it draws training patches by random spatiotemporal "
    "sampling and does not state how the others are kept apart from them.",
)


def build(inputs: ArtifactInputs) -> Table:
    """Count months, cells and patches, and the share of test cells that also occur in training patches."""
    storage, mask, overlap = inputs.dataset("storage"), inputs.dataset("mask"), inputs.frame("overlap")
    climate, size = inputs.settings["climate_variables"], inputs.settings["patches"]["size"]
    months = storage["time"].to_numpy().astype("datetime64[M]")
    calendar = int((months[-1] - months[0]).astype(int)) + 1
    absent = f"of {calendar} calendar months; {calendar - len(months)} are absent"
    valid = mask["valid"].to_numpy() == 1
    spacing = abs(float(mask["lat"][1] - mask["lat"][0]))
    years = f"{str(months[0])[:4]}-{str(months[-1])[:4]}"
    shared = overlap.loc[overlap["split"] == "test"].iloc[0].to_dict()
    shared_cells = (
        f"{int(shared['shared_cell_months']):,} of {int(shared['cell_months']):,} cells and months of test patches; "
        f"whatever the month {100.0 * float(shared['shared_cells_share']):.1f} % of their cells"
    )
    patches = []
    for split, label in _SPLITS.items():
        table = inputs.frame(split)
        constrained = int(table["has_previous"].astype(bool).sum()) if constraints_of(climate) else 0
        description = f"{size}×{size} coarse cells; {constrained:,} enter constraints on ΔG"
        patches.append(_row(f"{split}_patches", label, len(table), description))
    enhancement = f"{REFINEMENT}× enhancement from {spacing:g}°"
    rows = (
        _row("temporal_coverage", "Temporal coverage", years, f"{months[0]} to {months[-1]}"),
        _row("months", "Months with storage", len(months), absent),
        _row("valid_cells", "Valid grid cells", int(valid.sum()), f"of {valid.size:,} cells of {spacing:g}°"),
        *patches,
        _row("overlap", "Test cells also in training (%)", 100.0 * float(shared["shared_share"]), shared_cells, "%"),
        _row("patch_size", "Patch size", f"{size}×{size}", "coarse cells"),
        _row("climate_variables", "Climate variables", len(climate), ", ".join(climate).replace("_", " ")),
        _row("target_resolution", "Target resolution", f"{spacing / REFINEMENT:g}°", enhancement),
    )
    return inputs.table(rows, _COLUMNS, *_NOTES)


def _row(parameter: str, label: str, value: Value, description: str, unit: str = "") -> Row:
    return {
        "parameter": parameter,
        "label": label,
        "value": value,
        "description": description,
        "paper_value": reported("table2", parameter, "value"),
        UNIT: unit,
    }
