"""Table 2: the dataset, counted in the files, beside the paper's."""

from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr

from gwsd.constraints import constraints_of, left_out_note
from gwsd.errors import DataError
from gwsd.grid import REFINEMENT
from gwsd.tables.formatting import UNIT, Column, Table, Value
from gwsd.tables.reported import REPORTED, reported_value

SPLITS = {"train": "Training patches", "validation": "Validation patches", "test": "Test patches"}
"""The patch tables, in order."""

_COLUMNS = (
    Column("Parameter", "label", text=True),
    Column("Value", "value"),
    Column("Description", "description", text=True),
    Column("Value", "paper_value", group=REPORTED),
)

_NOTES = (
    "Counted in the files. A difference from the paper is reported, not mended.",
    "Test cells also in training: valid coarse cells of test patches that a training patch holds in the same month. "
    "The paper calls its test patches held out and independent; its training patches it draws by random "
    "spatiotemporal sampling, and how the others are kept apart from them it does not say.",
)


def build(
    *,
    storage: xr.Dataset,
    mask: xr.Dataset,
    patches: Mapping[str, pd.DataFrame],
    overlap: pd.DataFrame,
    size: int,
    climate_variables: Sequence[str],
    provenance_note: str,
) -> Table:
    """Count what the files hold.

    Parameters
    ----------
    storage : Dataset
        `inputs/storage.nc`: `time` (months present), `lat`, `lon`.
    mask : Dataset
        `inputs/mask.nc`: `valid` (lat, lon).
    patches : mapping of str to DataFrame
        Patch tables `train`, `validation`, `test`: one row a patch, with `has_previous`.
    overlap : DataFrame
        `patches/overlap.csv`: see `gwsd.patches.sampling.overlap`.
    size : int
        Coarse cells along a patch's side.
    climate_variables : sequence of str
        What the network sees; constraints that lack one of them are left out, and the table says so.
    provenance_note : str
        Which Earth the numbers speak of.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        Where a patch table or its overlap is missing.
    """
    for split in SPLITS:
        if split not in patches:
            raise DataError(
                f"Table 2 needs the patch table {split!r}; there are: {', '.join(sorted(patches)) or 'none'}."
            )
    if "test" not in set(overlap["split"]):
        raise DataError("Table 2: patches/overlap.csv has no row for 'test'; make the patch tables again.")
    months = storage["time"].to_numpy().astype("datetime64[M]")
    calendar = int((months[-1] - months[0]).astype(int)) + 1
    valid = mask["valid"].transpose("lat", "lon").to_numpy() == 1
    spacing = abs(float(mask["lat"][1] - mask["lat"][0]))
    years = f"{str(months[0])[:4]}-{str(months[-1])[:4]}"
    rows = [
        _row("temporal_coverage", "Temporal coverage", years, f"{months[0]} to {months[-1]}"),
        _row(
            "months",
            "Months with storage",
            len(months),
            f"of {calendar} calendar months; {calendar - len(months)} are absent",
        ),
        _row("valid_cells", "Valid grid cells", int(valid.sum()), f"of {valid.size:,} cells of {spacing:g}°"),
    ]
    for split, name in SPLITS.items():
        table = patches[split]
        constrained = int(table["has_previous"].astype(bool).sum()) if constraints_of(climate_variables) else 0
        description = f"{size}×{size} coarse cells; {constrained:,} enter constraints on ΔG"
        rows.append(_row(f"{split}_patches", name, len(table), description))
    shared = overlap.loc[overlap["split"] == "test"].iloc[0].to_dict()
    rows += [
        _row(
            "overlap",
            "Test cells also in training (%)",
            100.0 * float(shared["shared_share"]),
            f"{int(shared['shared_cell_months']):,} of {int(shared['cell_months']):,} cells and months of test "
            f"patches; whatever the month {100.0 * float(shared['shared_cells_share']):.1f} % of their cells",
            unit="%",
        ),
        _row("patch_size", "Patch size", f"{size}×{size}", "coarse cells"),
        _row(
            "climate_variables",
            "Climate variables",
            len(climate_variables),
            ", ".join(climate_variables).replace("_", " "),
        ),
        _row(
            "target_resolution",
            "Target resolution",
            f"{spacing / REFINEMENT:g}°",
            f"{REFINEMENT}× enhancement from {spacing:g}°",
        ),
    ]
    return Table(tuple(rows), _COLUMNS, (*left_out_note(climate_variables), *_NOTES), provenance_note)


def _row(parameter: str, label: str, value: Value, description: str, unit: str = "") -> Mapping[str, Value]:
    return {
        "parameter": parameter,
        "label": label,
        "value": value,
        "description": description,
        "paper_value": reported_value("table2", parameter, "value"),
        UNIT: unit,
    }
