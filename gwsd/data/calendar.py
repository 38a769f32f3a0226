"""Monthly calendar: parsing, ranges, gaps, month lengths and mid-month dates."""

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gwsd.errors import ConfigError, DataError

Months = NDArray[np.datetime64]


def parse_month(text: str) -> np.datetime64:
    """Return the first day, datetime64[ns], of a month written YYYY-MM."""
    try:
        if len(text) != len("YYYY-MM"):
            raise ValueError
        return np.datetime64(text, "M").astype("datetime64[ns]")
    except ValueError:
        raise ConfigError(f"'{text}' is not a month. Expected YYYY-MM, such as 2002-04.") from None


def format_months(months: ArrayLike) -> list[str]:
    """Write months as YYYY-MM."""
    return [str(month) for month in np.atleast_1d(np.asarray(months)).astype("datetime64[M]")]


def month_range(start: str, end: str) -> Months:
    """Return every month from `start` to `end`, both included, shape (T,), datetime64[ns]."""
    first, last = parse_month(start).astype("datetime64[M]"), parse_month(end).astype("datetime64[M]")
    if last < first:
        raise ConfigError(f"The period ends ({end}) before it starts ({start}). Swap the two.")
    return np.arange(first, last + 1).astype("datetime64[ns]")


def days_in_month(months: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return the length of each month, days."""
    whole = months.astype("datetime64[M]")
    return ((whole + 1).astype("datetime64[D]") - whole.astype("datetime64[D]")).astype(np.int64)


def has_previous(months: Months) -> NDArray[np.bool_]:
    """Return whether the previous month is present too, shape (M,): storage changes never cross a gap."""
    whole = months.astype("datetime64[M]")
    return np.isin(whole - 1, whole)


def list_months(present: Months, start: str, end: str) -> pd.DataFrame:
    """List each month from `start` to `end` and whether it is present: columns month, present (0 or 1)."""
    months = month_range(start, end)
    return pd.DataFrame({"month": format_months(months), "present": np.isin(months, present).astype(int)})


def mid_month_day_of_year(months: Months) -> NDArray[np.float64]:
    """Return the day of the year, 1 to 366, of the middle day of each month, shape (T,)."""
    whole = months.astype("datetime64[M]")
    middle = whole.astype("datetime64[D]") + days_in_month(whole) // 2
    since = middle - middle.astype("datetime64[Y]").astype("datetime64[D]")
    return since.astype(np.float64) + 1.0


def select_period(dataset: xr.Dataset, start: str, end: str) -> xr.Dataset:
    """Select the months from `start` to `end` of a dataset; a DataError if there are none."""
    times = dataset["time"].values
    inside = np.isin(times, month_range(start, end))
    if not inside.any():
        held = f"{format_months(times.min())[0]} to {format_months(times.max())[0]}" if times.size else "no month"
        raise DataError(f"The data cover {held}, nothing from {start} to {end}: set period.start and period.end.")
    return dataset if inside.all() else dataset.isel(time=np.flatnonzero(inside))
