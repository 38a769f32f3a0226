import numpy as np
import pytest
import xarray as xr

from gwsd.errors import ConfigError, DataError
from gwsd.inputs import calendar


def months(*names):
    return np.array(names, dtype="datetime64[ns]")


def test_names_and_dates_are_each_others_inverse():
    assert calendar.format_months(calendar.month_range("2002-11", "2003-02")) == [
        "2002-11",
        "2002-12",
        "2003-01",
        "2003-02",
    ]
    assert calendar.parse_month("2002-04") == np.datetime64("2002-04-01", "ns")


@pytest.mark.parametrize("text", ["2002", "2002-13", "2002-4", "04-2002", "2002-04-16"])
def test_what_is_no_month_is_refused(text):
    with pytest.raises(ConfigError, match=r"is no month\. Expected YYYY-MM"):
        calendar.parse_month(text)


def test_a_period_that_ends_before_it_starts():
    with pytest.raises(ConfigError, match="before it starts"):
        calendar.month_range("2003-01", "2002-12")


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
        2017: (2, 7, 8, 9, 10, 11, 12),
        2018: (1, 2, 3, 4, 5, 8, 9),
    }
    absent = [f"{year}-{month:02d}" for year, months_ in gaps.items() for month in months_]
    assert len(absent) == 33
    every = calendar.month_range("2002-04", "2023-09")
    present = np.setdiff1d(every, months(*absent))
    assert len(present) == 225
    assert calendar.format_months(calendar.absent_months(present, "2002-04", "2023-09")) == absent
    table = calendar.list_months(present, "2002-04", "2023-09")
    assert list(table.columns) == ["month", "present"]
    assert table["present"].sum() == 225
    assert list(table.loc[table["present"] == 0, "month"]) == absent


def test_a_month_after_a_gap_has_no_previous_one():
    have = calendar.has_previous(months("2002-04", "2002-05", "2002-08", "2002-12", "2003-01"))
    assert have.tolist() == [False, True, False, False, True]


def test_the_middle_of_a_month():
    middle = calendar.mid_month_day_of_year(months("2003-01", "2003-02", "2004-03", "2003-12"))
    # 16 January, 15 February, 16 March of a leap year, 16 December.
    assert middle.tolist() == [16.0, 46.0, 76.0, 350.0]


def test_a_period_is_cut_out_and_an_empty_one_refused():
    dataset = xr.Dataset({"x": ("time", [1.0, 2.0, 3.0])}, coords={"time": months("2002-01", "2002-04", "2002-06")})
    assert calendar.select_period(dataset, "2002-02", "2002-05")["x"].values.tolist() == [2.0]
    with pytest.raises(DataError, match="hold 2002-01 to 2002-06, and nothing from 2010-01 to 2010-12"):
        calendar.select_period(dataset, "2010-01", "2010-12")
