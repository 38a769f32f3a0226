"""Months: their names, which are absent, whether the one before is present, and where their middle lies."""

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gwsd.errors import ConfigError, DataError
from gwsd.sources.reading import days_in_month

Months = NDArray[np.datetime64]


def parse_month(text: str) -> np.datetime64:
    """Return the first day, datetime64[ns], of a month written YYYY-MM.

    Raises
    ------
    ConfigError
        If the text is no month.
    """
    try:
        if len(text) != len("YYYY-MM"):
            raise ValueError
        return np.datetime64(text, "M").astype("datetime64[ns]")
    except ValueError:
        raise ConfigError(f"'{text}' is no month. Expected YYYY-MM, such as 2002-04.") from None


def format_months(months: ArrayLike) -> list[str]:
    """Write months as YYYY-MM."""
    return [str(month) for month in np.atleast_1d(np.asarray(months)).astype("datetime64[M]")]


def month_range(start: str, end: str) -> Months:
    """Every month from `start` to `end`, both included, shape (T,), datetime64[ns].

    Raises
    ------
    ConfigError
        If the end lies before the start.
    """
    first, last = parse_month(start).astype("datetime64[M]"), parse_month(end).astype("datetime64[M]")
    if last < first:
        raise ConfigError(f"The period ends ({end}) before it starts ({start}). Exchange the two.")
    return np.arange(first, last + 1).astype("datetime64[ns]")


def absent_months(present: Months, start: str, end: str) -> Months:
    """Months from `start` to `end` that are not among `present`."""
    return np.setdiff1d(month_range(start, end), present.astype("datetime64[ns]"))


def has_previous(months: Months) -> NDArray[np.bool_]:
    """Whether the month before each is present too, shape (M,).

    A storage change exists only where it is: one across a gap would be that of several months.
    """
    whole = np.asarray(months).astype("datetime64[M]")
    return np.isin(whole - 1, whole)


def list_months(present: Months, start: str, end: str) -> pd.DataFrame:
    """Tell for each month from `start` to `end` whether the storage has it: columns month, present."""
    months = month_range(start, end)
    held = np.isin(months, present.astype("datetime64[ns]"))
    return pd.DataFrame({"month": format_months(months), "present": held.astype(int)})


def mid_month_day_of_year(months: Months) -> NDArray[np.float64]:
    """Day of the year, 1 to 366, of the middle day of each month, shape (T,)."""
    whole = np.asarray(months).astype("datetime64[M]")
    middle = whole.astype("datetime64[D]") + days_in_month(whole) // 2
    since = middle - middle.astype("datetime64[Y]").astype("datetime64[D]")
    return since.astype(np.float64) + 1.0


def select_period(dataset: xr.Dataset, start: str, end: str) -> xr.Dataset:
    """Keep the months from `start` to `end`.

    Raises
    ------
    DataError
        If none of the dataset's months lies between them.
    """
    times = dataset["time"].values
    inside = np.isin(times, month_range(start, end))
    if not inside.any():
        held = f"{format_months(times.min())[0]} to {format_months(times.max())[0]}" if times.size else "no month"
        raise DataError(
            f"The data hold {held}, and nothing from {start} to {end}. Choose another file, or set "
            "period.start and period.end in the config."
        )
    return dataset if inside.all() else dataset.isel(time=np.flatnonzero(inside))
