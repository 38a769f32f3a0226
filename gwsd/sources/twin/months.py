"""The calendar of the storage product: which months there are."""

import numpy as np
from numpy.typing import NDArray

Months = NDArray[np.datetime64]
"""Months as numpy `datetime64[M]`."""

ABSENT_MONTHS: tuple[str, ...] = (
    *("2002-06", "2002-07", "2003-06", "2011-01", "2011-06", "2012-05", "2012-10", "2013-03", "2013-08"),
    *("2013-09", "2014-02", "2014-07", "2014-12", "2015-06", "2015-10", "2015-11", "2016-04", "2016-09"),
    *("2016-10", "2017-02", "2017-07", "2017-08", "2017-09", "2017-10", "2017-11", "2017-12", "2018-01"),
    *("2018-02", "2018-03", "2018-04", "2018-05", "2018-08", "2018-09"),
)
"""Months without a gravity field between 2002-04 and 2023-09 (GRACE's failing battery, then the gap before
GRACE-FO); 258 - 33 = 225 months remain."""

BASELINE = ("2004-01", "2009-12")
"""First and last month of the mean that the products take away."""


def months_between(first: str, last: str) -> Months:
    """List the months from `first` to `last`, both included; each as "YYYY-MM"."""
    return np.arange(np.datetime64(first, "M"), np.datetime64(last, "M") + 1)


def storage_months(first: str, last: str) -> Months:
    """List the months that the storage product has between `first` and `last`."""
    months = months_between(first, last)
    return months[~np.isin(months, np.array(ABSENT_MONTHS, dtype="datetime64[M]"))]


def baseline_of(months: Months) -> NDArray[np.bool_]:
    """Mark the months of the baseline; all of them where the period holds none of it."""
    inside = (months >= np.datetime64(BASELINE[0], "M")) & (months <= np.datetime64(BASELINE[1], "M"))
    return inside if inside.any() else np.ones(len(months), dtype=bool)


def days_in(month: np.datetime64) -> int:
    """Count the days of a month."""
    first = month.astype("datetime64[M]")
    return int(((first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")).astype(int))


def calendar_month(month: np.datetime64) -> int:
    """Give the place of a month in its year, January 0."""
    return _number(month) % 12


def year_of(month: np.datetime64) -> int:
    """Give the year of a month."""
    return 1970 + _number(month) // 12


def _number(month: np.datetime64) -> int:
    """Count the months since January 1970."""
    return int(month.astype("datetime64[M]").astype(int))
