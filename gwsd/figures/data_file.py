"""The data behind a figure: what every such file says of itself, and how it is written and read."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import xarray as xr

from gwsd.constraints import left_out_note
from gwsd.errors import DataError

FigureData = xr.Dataset | pd.DataFrame
"""A figure's content: a dataset (`.nc`) or a table (`.csv`)."""

LABELS = ("title", "data_label", "source")
"""What a data file says of itself: its title, where the data come from, the key of the job that made it."""


def labelled(
    data: xr.Dataset, *, title: str, data_label: str, source: str, reported: str = "", **more: str | float | int
) -> xr.Dataset:
    """Return the dataset with the attributes that every figure's data file bears.

    Parameters
    ----------
    data : xr.Dataset
        The figure's content.
    title : str
        What the file holds.
    data_label : str
        Where the data come from, drawn on the figure, such as "synthetic: twin Earth".
    source : str
        Key of the job that computed it.
    reported : str
        What the paper states of the same, drawn on the figure behind "paper:"; empty for nothing.
    **more : str, float or int
        Further attributes.
    """
    attributes = {"title": title, "data_label": data_label, "source": source, "Conventions": "CF-1.11"}
    return data.assign_attrs({**attributes, "reported": paper_note(reported), **more})


def labelled_table(
    table: pd.DataFrame, *, climate_variables: Sequence[str], data_label: str, source: str, reported: str = ""
) -> pd.DataFrame:
    """Return the table with columns that are the same in every row.

    Parameters
    ----------
    table : pd.DataFrame
        The figure's content.
    climate_variables : sequence of str
        The scenario's; where a constraint lacks one of them a column `note` says that it is left out.
    data_label, source, reported : str
        As in `labelled`: the columns of these names.
    """
    labels = {"data_label": data_label, "source": source, "reported": paper_note(reported)}
    note = " ".join(left_out_note(climate_variables)).replace("`", "").replace("eq. ", "eq.\u00a0")
    return table.assign(**labels, **({"note": note} if note else {}))


def paper_note(reported: str) -> str:
    """Mark a number of the paper's as such."""
    return f"reported by the paper: {reported}" if reported and not reported.startswith("reported by") else reported


def write_data(data: FigureData, path: Path) -> None:
    """Write a figure's data as netCDF (compressed) or CSV; the same data give the same bytes."""
    if isinstance(data, pd.DataFrame):
        data.to_csv(path, index=False, lineterminator="\n", float_format="%.9g")
        return
    packed = {
        str(name): {"zlib": True, "complevel": 4}
        for name, variable in data.variables.items()
        if variable.ndim > 0 and variable.dtype.kind in "fiu"
    }
    data.to_netcdf(path, engine="netcdf4", encoding=packed)


def read_data(path: Path) -> FigureData:
    """Read a figure's data file whole.

    Raises
    ------
    DataError
        If the file is missing, damaged, of another kind, or does not say where its data come from.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such data file; it is made by computing the figure's data first.")
    data: FigureData
    try:
        if path.suffix == ".nc":
            with xr.open_dataset(path, engine="netcdf4") as opened:
                data = opened.load()
        elif path.suffix == ".csv":
            data = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype={"reported": str})
        else:
            raise DataError(f"{path}: a figure's data file ends in .nc or .csv, not in {path.suffix!r}.")
    except (OSError, ValueError) as damaged:
        raise DataError(
            f"{path}: cannot be read as a figure's data ({damaged}); delete it and let it be made again."
        ) from damaged
    labels = data.attrs if isinstance(data, xr.Dataset) else data.columns
    missing = [name for name in LABELS if name not in labels and not (name == "title" and path.suffix == ".csv")]
    if missing:
        raise DataError(f"{path}: says nothing of {', '.join(missing)}; it is not a figure's data file.")
    return data


def foot(data: FigureData) -> dict[str, str]:
    """Return what the foot of a figure prints: `data_label`, `reported` and, of a table that has one, `note`."""
    if isinstance(data, xr.Dataset):
        return {"data_label": str(data.attrs["data_label"]), "reported": str(data.attrs.get("reported", ""))}
    reported = data["reported"].fillna("").iloc[0] if "reported" in data else ""
    note = {"note": str(data["note"].iloc[0])} if "note" in data else {}
    return {"data_label": str(data["data_label"].iloc[0]), "reported": str(reported), **note}


def need(data: xr.Dataset, names: dict[str, tuple[str, ...]], what: str) -> None:
    """Check that a dataset holds variables of the expected dimensions.

    Parameters
    ----------
    data : xr.Dataset
        The dataset to check.
    names : dict of str to tuple of str
        Dimensions of each variable that is needed.
    what : str
        The file's name in the workflow, for the message.

    Raises
    ------
    DataError
        If a variable is absent or has other dimensions.
    """
    for name, dims in names.items():
        if name not in data.variables:
            raise DataError(f"{what}: has no variable {name!r}; it has {', '.join(map(str, data.variables))}.")
        if data[name].dims != dims:
            raise DataError(f"{what}: {name} has the dimensions {data[name].dims}, expected {dims}.")
