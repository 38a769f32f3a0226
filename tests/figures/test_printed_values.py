"""What figures publish: every number that they print on themselves, in the words of the drawing."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gwsd.figures.data_file import read_data
from gwsd.figures.drawing import DRAWN, draw_function, values_function
from gwsd.figures.printed import PrintedValues, number, significant
from gwsd.figures.style import PlotStyle, plain
from gwsd.numbers.of_figure import write_figure
from gwsd.numbers.published import text_agrees
from tests.figures.test_drawing import REPORTED, data_files  # noqa: F401 - a fixture

FIXED = (
    r"p ≥ 0\.05",
    r"5 to 95 %",
    r"90 % interval",
    r"± 1 s\.e\.",
    r"± 1 sd",
    r"\bQ\d",
    r"1 × 1 convolution",
    r"(encoder|decoder|ConvLSTM) \d",
    r"\(0: before training\)",
)
"""Numbers of a figure that are its words: what it always says, whatever the data."""


def words_of(figure: Figure) -> list[str]:
    """What is written on a figure beside its axes' ticks and its foot."""
    found = []
    for axes in figure.findobj(Axes):
        titles = (axes.get_title("left"), axes.get_title("center"), axes.get_xlabel(), axes.get_ylabel())
        legend = axes.get_legend()
        entries = [] if legend is None else [text.get_text() for text in legend.get_texts()]
        found += [*titles, *(text.get_text() for text in axes.texts), *entries]
    ticks = [text.get_text() for axes in figure.findobj(Axes) for text in axes.get_xticklabels()]
    found += [text for text in ticks if text.startswith("Q")]  # the quartiles of Figure 7
    # Long words are broken into lines.
    return [re.sub(r"\s+", " ", words) for words in found if words.strip()]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_prints_each_of_its_values_and_no_other_number(
    name: str,
    data_files: dict[str, Path],  # noqa: F811
    style: PlotStyle,
) -> None:
    data = read_data(data_files[name])
    written = words_of(draw_function(name)(data, style))
    values = list(values_function(name)(data))
    joined = " ".join(written)
    for one in values:
        assert squeezed(one.text) in joined, f"{one.row}:{one.column} says {one.text!r}, the figure does not"
    for words in written:
        if any(words in squeezed(one.text) for one in values):
            continue  # a line of a text that is broken into several
        left = re.sub("|".join(FIXED), "", words)
        for text in sorted({squeezed(one.text) for one in values}, key=len, reverse=True):
            left = re.sub(rf"(?<!\d){re.escape(text)}(?!\d)", "", left)
        assert not re.search(r"\d", left), f"{words!r} holds a number that is not published: {left!r}"


@pytest.mark.parametrize("name", DRAWN)
def test_the_file_of_a_figure_holds_its_values_and_its_foot(
    name: str,
    data_files: dict[str, Path],  # noqa: F811
    tmp_path: Path,
) -> None:
    data = read_data(data_files[name])
    values = values_function(name)(data)
    file = f"results/toy/figures/{name}{DRAWN[name]}"
    write_figure(tmp_path / "x.json", values, data, file=file, caption="A caption.")
    document = json.loads((tmp_path / "x.json").read_text())
    assert document["artifact"] == name
    assert document["data_label"] == "synthetic: made for a test"
    assert document["notes"] == [f"reported by the paper: {REPORTED}"]
    assert [one["id"] for one in document["values"]] == [f"{name}:{one.row}:{one.column}" for one in values]
    for one in document["values"]:
        assert one["file"] == file
        assert text_agrees(one), one
        assert one["label"]


def test_values_are_in_the_unit_that_is_printed(data_files: dict[str, Path]) -> None:  # noqa: F811
    data = read_data(data_files["figure7"])
    assert isinstance(data, xr.Dataset)
    found = {(one.row, one.column): one for one in values_function("figure7")(data)}
    assert found["error", "rmse"].value == pytest.approx(data.attrs["rmse_mm"] / 10.0)
    assert found["error", "rmse"].unit == "cm"
    assert found["interval_90", "coverage"].value == pytest.approx(100.0 * data.attrs["coverage_90"])
    assert found["correlation", "pearson"].text == f"{data.attrs['pearson']:.2f}".replace("-", "−")
    figure3 = read_data(data_files["figure3"])
    assert isinstance(figure3, xr.Dataset)
    of_first = {one.column: one.value for one in values_function("figure3")(figure3) if one.row == "example_1"}
    assert of_first["mae"] == pytest.approx(float(figure3["mae"][0]) / 10.0)


def test_a_correlation_that_does_not_exist_is_an_empty_value(
    data_files: dict[str, Path],  # noqa: F811
    tmp_path: Path,
) -> None:
    data = read_data(data_files["figure7"])
    assert isinstance(data, xr.Dataset)
    constant = data.assign_attrs(pearson=float("nan"), spearman=float("nan"))
    write_figure(tmp_path / "x.json", values_function("figure7")(constant), constant, file="f/figure7.nc", caption="")
    values = {one["id"]: one for one in json.loads((tmp_path / "x.json").read_text())["values"]}
    assert values["figure7:correlation:pearson"]["value"] is None
    assert values["figure7:correlation:pearson"]["text"] == "nan"


@pytest.mark.parametrize("value", [0.404, -1.34, 12.3, 123.4, 0.0, 0.000123, 9.99, 1e5, float("nan")])
@pytest.mark.parametrize("digits", [2, 3])
def test_significant_digits_have_a_format(value: float, digits: int) -> None:
    assert format(value, significant(value, digits)).replace("-", "−") == plain(value, digits)
    if np.isfinite(value) and value and abs(value) < 100:
        assert float(plain(value, digits).replace("−", "-")) == pytest.approx(value, rel=0.6 * 10.0 ** (1 - digits))


def test_thousands_stand_apart_by_a_narrow_space_unless_told() -> None:
    values = PrintedValues([number("a", "b", 57503, ",d"), number("a", "c", 57503, ",d", thousands=",")])
    assert values.text("a", "b") == "57\u202f503"
    assert values.text("a", "c") == "57,503"
