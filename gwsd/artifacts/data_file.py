"""Data file of a figure, and the values that the figure prints on itself."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.formatting import format_number
from gwsd.artifacts.reported import figure_note
from gwsd.errors import DataError

Content = TypeVar("Content", xr.Dataset, pd.DataFrame)
FigureData = xr.Dataset | pd.DataFrame  # Content of a data file: a dataset (`.nc`) or a table (`.csv`)


def labelled(data: Content, name: str, inputs: ArtifactInputs, **facts: Any) -> Content:
    """Add to the data of figure `name`, as attributes or as columns of a table, what every data file states.

    These are the origin of the data, the key of the job, what the paper reports, and further `facts`; of a table also
    a `note` if constraints are left out.
    """
    reported = f"reported by the paper: {figure_note(name)}" if figure_note(name) else ""
    facts |= {"data_label": inputs.data_label, "source": inputs.key, "reported": reported}
    if isinstance(data, xr.Dataset):
        return data.assign_attrs(Conventions="CF-1.11", **facts)
    note = " ".join(inputs.left_out).replace("`", "").replace("eq. ", "eq.\u00a0")
    return data.assign(**facts, **({"note": note} if note else {}))


def quantity_of(storage: xr.Dataset) -> str:
    """Return what `storage` is an anomaly of, such as "groundwater storage" or "total water storage"."""
    return str(storage["storage"].attrs.get("quantity", "groundwater storage anomaly")).removesuffix(" anomaly")


def write_data(data: FigureData, path: Path) -> None:
    """Write a data file as netCDF (compressed) or CSV; the same data give the same bytes."""
    if isinstance(data, pd.DataFrame):
        data.to_csv(path, index=False, lineterminator="\n", float_format="%.9g")
        return
    numeric = [name for name, variable in data.variables.items() if variable.ndim > 0 and variable.dtype.kind in "fiu"]
    data.to_netcdf(path, engine="netcdf4", encoding={name: {"zlib": True, "complevel": 4} for name in numeric})


def read_data(path: Path) -> FigureData:
    """Read a data file into memory; a DataError if it is missing, damaged or without the origin of its data."""
    if not path.is_file():
        raise DataError(f"{path}: no such data file; it is made with the figure (snakemake <figure>).")
    data: FigureData
    try:
        if path.suffix == ".csv":
            data = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype={"reported": str})
        else:
            data = xr.load_dataset(path, engine="netcdf4")
    except (OSError, ValueError) as damaged:
        raise DataError(f"{path}: not readable as the data of a figure ({damaged}); delete it and rerun.") from damaged
    if "data_label" not in (data.attrs if isinstance(data, xr.Dataset) else data.columns):
        raise DataError(f"{path}: has no data_label; it is not the data file of a figure.")
    return data


def foot(data: FigureData) -> dict[str, str]:
    """Return what the foot of a figure prints: `data_label`, `reported` and `note`; empty where it has none."""
    facts = data.attrs if isinstance(data, xr.Dataset) else data.fillna("").iloc[0]
    return {name: str(facts.get(name, "")) for name in ("data_label", "reported", "note")}


def world_land(land: xr.Dataset, spacing: float) -> xr.DataArray:
    """Average the land fraction over boxes of a wider spacing, degrees, for coasts and small maps."""
    factor = max(1, round(spacing / float(np.diff(land["lon"].values[:2])[0])))
    fraction: xr.DataArray = land["land_fraction"].coarsen(lat=factor, lon=factor, boundary="trim").mean()
    return fraction.astype(np.float32)


class Printed(NamedTuple):
    """A value that a figure prints: `value` in the printed unit, its `text` without the unit, and its `format`."""

    row: str
    column: str
    value: float | int | str
    text: str
    unit: str = ""
    format: str = ""
    label: str = ""


def number(row: str, column: str, value: float, form: str, unit: str = "", label: str = "") -> Printed:
    """Return a printed number."""
    return Printed(row, column, value, format_number(value, form), unit, form, label)


def words(row: str, column: str, text: str, label: str = "") -> Printed:
    """Return printed words."""
    return Printed(row, column, text, text, label=label)


def texts(values: Iterable[Printed]) -> dict[str, str]:
    """Return the texts of printed values by `row:column`."""
    return {f"{value.row}:{value.column}": value.text for value in values}


def significant(value: float, digits: int = 2) -> str:
    """Return the format with a number of significant digits and no exponent: 0.40, −1.3, 12."""
    if value == 0.0 or value != value:
        return "g"
    return f".{max(0, digits - 1 - int(f'{abs(value):e}'.split('e')[1]))}f"
