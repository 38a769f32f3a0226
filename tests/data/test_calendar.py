"""Months: names, gaps and dates."""

import numpy as np
import pytest
import xarray as xr

from gwsd.data import calendar
from gwsd.errors import ConfigError, DataError


def months(*names):
    return np.array(names, dtype="datetime64[ns]")


def test_month_range_and_names():
    names = ["2002-11", "2002-12", "2003-01", "2003-02"]
    assert calendar.format_months(calendar.month_range("2002-11", "2003-02")) == names
    assert calendar.parse_month("2002-04") == np.datetime64("2002-04-01", "ns")
    with pytest.raises(ConfigError, match="before it starts"):
        calendar.month_range("2003-01", "2002-12")


@pytest.mark.parametrize("text", ["2002", "2002-13", "2002-4", "04-2002", "2002-04-16"])
def test_other_texts_are_refused(text):
    with pytest.raises(ConfigError, match=r"is not a month\. Expected YYYY-MM"):
        calendar.parse_month(text)


def test_the_33_absent_months_of_the_satellites():
    gaps = {
        2002: (6, 7),
        2003: (6,),
        2011: (1, 6),
        2012: (5, 10),
        2013: (3, 8, 9),
        2014: (2, 7, 12),
        2015: (6, 10, 11),
        2016: (4, 9, 10),
        2017: (2, *range(7, 13)),
        2018: (*range(1, 6), 8, 9),
    }
    absent = [f"{year}-{month:02d}" for year, there in gaps.items() for month in there]
    assert len(absent) == 33
    present = np.setdiff1d(calendar.month_range("2002-04", "2023-09"), months(*absent))
    assert len(present) == 225
    table = calendar.list_months(present, "2002-04", "2023-09")
    assert table["present"].sum() == 225
    assert list(table.loc[table["present"] == 0, "month"]) == absent


def test_a_month_after_a_gap_has_no_previous_one():
    have = calendar.has_previous(months("2002-04", "2002-05", "2002-08", "2002-12", "2003-01"))
    assert have.tolist() == [False, True, False, False, True]


def test_month_lengths_and_middles():
    some = months("2003-01", "2003-02", "2004-02", "2003-12")
    assert calendar.days_in_month(some).tolist() == [31, 28, 29, 31]
    # 16 January, 15 February, 15 February of a leap year, 16 December.
    assert calendar.mid_month_day_of_year(some).tolist() == [16.0, 46.0, 46.0, 350.0]


def test_a_period_is_selected():
    dataset = xr.Dataset({"x": ("time", [1.0, 2.0, 3.0])}, coords={"time": months("2002-01", "2002-04", "2002-06")})
    assert calendar.select_period(dataset, "2002-02", "2002-05")["x"].values.tolist() == [2.0]
    with pytest.raises(DataError, match="cover 2002-01 to 2002-06, nothing from 2010-01 to 2010-12"):
        calendar.select_period(dataset, "2010-01", "2010-12")
