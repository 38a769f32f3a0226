"""Published values of a made-up scenario."""

import json

import pytest

from gwsd.numbers.entry import entry

FILE = "results/toy/tables/table3.csv"


def a_value(row, column, value, form=",.3f", **more):
    text = format(value, form) if form else str(value)
    return entry(artifact="table3", row=row, column=column, value=value, text=text, format=form, file=FILE, **more)


def some_values(mae=1.25, hours=2.0):
    return [
        a_value("full", "label", "Full model", ""),
        a_value("full", "mae_cm", mae, unit="cm"),
        a_value("full", "mae_sd_cm", 0.5, unit="cm"),
        a_value("full", "steps", 384, ",d"),
        a_value("full", "measured_hours", hours, unit="h", measured=True),
        a_value("bilinear", "mae_cm", 0.035, unit="cm"),
    ]


def write_numbers(folder, values, name="numbers.json"):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    document = {"schema": 1, "scenario": "toy", "data_label": "synthetic: made up", "values": values}
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def values():
    return some_values


@pytest.fixture
def value():
    return a_value


@pytest.fixture
def written():
    return write_numbers
