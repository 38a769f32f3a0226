"""What is drawn: the same bytes, from the data file alone, legible, labelled, with every number published."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from cartopy import crs as ccrs
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from gwsd.artifacts import figure2, figure4
from gwsd.artifacts.data_file import foot, number, read_data, significant, write_data
from gwsd.artifacts.drawing import draw_figure
from gwsd.artifacts.maps import Map, coast_lines, degrees_east, degrees_north, locator_globe, region_of
from gwsd.artifacts.registry import FIGURES
from gwsd.artifacts.settings import Plot
from gwsd.artifacts.style import anomaly_colours, applied, round_up, save_figure
from gwsd.errors import ConfigError, DataError
from tests.artifacts.conftest import FIGURE_SETTINGS, LABELS, STYLE, Changed, Drawn

NAMES = [entry.name for entry in FIGURES]
FIXED = (
    r"p ≥ 0\.05", r"5 to 95 %", r"90 % interval", r"± 1 s\.e\.", r"± 1 sd", r"\bQ\d", r"1 × 1 convolution",
    r"(encoder|decoder|ConvLSTM) \d", r"\(0: before training\)",
)  # fmt: skip
"""Numbers that a figure prints whatever the data."""


def visible_texts(figure: Figure) -> list[Text]:
    """Texts that are drawn; ticks outside the limits of their axes have a text but are not."""
    hidden: set[int] = set()
    for axes in figure.findobj(Axes):
        for axis, along in ((axes.xaxis, 0), (axes.yaxis, 1)):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks() + axis.get_minor_ticks():
                for label in (tick.label1, tick.label2):
                    if not (axes.axison and low - 1e-9 <= label.get_position()[along] <= high + 1e-9):
                        hidden.add(id(label))
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [text for text in texts if id(text) not in hidden]


def assert_legible(figure: Figure, style: Plot = STYLE) -> None:
    with applied(style):
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
        texts = visible_texts(figure)
        boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts]
    assert len(boxes) > 8
    assert min(text.get_fontsize() for text in texts) >= 7.0
    page = figure.bbox.padded(1.0)
    for index, (words, box) in enumerate(boxes):
        assert page.fully_containsx(box.x0) and page.fully_containsx(box.x1), f"{words!r} runs off the page"  # noqa: PT018
        assert page.fully_containsy(box.y0) and page.fully_containsy(box.y1), f"{words!r} runs off the page"  # noqa: PT018
        for other_words, other in boxes[index + 1 :]:
            wide = min(box.x1, other.x1) - max(box.x0, other.x0)
            tall = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert wide <= 1.0 or tall <= 1.5, f"{words!r} overlaps {other_words!r}"


def foot_of(figure: Figure) -> str:
    return next(text.get_text() for text in figure.texts if text.get_gid() == "foot")


@pytest.mark.parametrize("name", [*NAMES, "world"])
def test_texts_are_legible_whole_and_apart(name: str, drawn: Drawn) -> None:
    _, data, figure = drawn[name]
    assert_legible(figure)
    label = foot(data)
    assert foot_of(figure).replace("\n", " ").strip() == f"Data: {LABELS['data_label']} {label['reported']}".strip()
    assert (name in ("figure1", "figure3", "figure4", "figure6", "figure7")) == ("reported by" in label["reported"])


def test_narrow_pages_with_large_letters_are_legible(drawn: Drawn) -> None:
    narrow = STYLE.model_copy(update={"width_mm": 150.0, "font_size": 9.0})
    assert_legible(figure4.draw(drawn["figure4"][1], narrow), narrow)


def test_labels_name_the_quantity_of_the_storage_and_the_target(drawn: Drawn) -> None:
    for name, words in (
        ("figure1", "Trend of total water storage (mm/yr"),
        ("world", "Trend of groundwater storage (mm/yr"),
        ("figure3", "Total water storage anomaly (cm"),
        ("figure4", "target, test patches"),
    ):
        assert any(text.get_text().startswith(words) for text in visible_texts(drawn[name][2])), name


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_prints_each_of_its_values_and_no_other_number(name: str, drawn: Drawn) -> None:
    _, data, figure = drawn[name]
    panels = figure.findobj(Axes)
    found = [text for axes in panels for text in (axes._left_title, axes.title, *axes.texts)]  # type: ignore[attr-defined]
    found += [axis.label for axes in panels for axis in (axes.xaxis, axes.yaxis)]
    found += [text for axes in panels if axes.get_legend() for text in axes.get_legend().get_texts()]
    found += [text for axes in panels for text in axes.get_xticklabels() if text.get_text()[:1] == "Q"]
    written = [" ".join(text.get_text().split()) for text in found]
    values = {" ".join(value.text.split()) for value in import_module(f"gwsd.artifacts.{name}").values(data)}
    for text in values:
        assert text in " ".join(written)
    for words in written:
        if any(words in text for text in values):
            continue  # a line of a text that is broken into several
        left = re.sub("|".join(FIXED), "", words)
        for text in sorted(values, key=len, reverse=True):
            left = re.sub(rf"(?<!\d){re.escape(text)}(?!\d)", "", left)
        assert not re.search(r"\d", left), f"{words!r} has a number that is not published: {left!r}"


@pytest.mark.parametrize(
    ("model", "climate", "drawn_words", "absent"),
    [
        ({"temporal_encoder": "none"}, None, "no temporal encoder", "convlstm"),
        ({"variance_head": False}, None, "mean head", "variance head"),
        ({"residual": True}, None, "correction to", "no temporal encoder"),
        ({}, ["temperature", "precipitation"], "p, et of the target month", "θ"),
        ({}, ["soil_moisture"], "constraints are left out", "physics constraints"),
    ],
)
def test_variants_of_network_and_climate_are_drawn(
    model: dict[str, object], climate: list[str] | None, drawn_words: str, absent: str, changed: Changed, tmp_path: Path
) -> None:
    settings = {"model": FIGURE_SETTINGS["model"] | model}
    settings |= {"climate_variables": climate} if climate else {}
    write_data(figure2.compute(changed(settings)), tmp_path / "x.csv")
    figure = figure2.draw(read_data(tmp_path / "x.csv"), STYLE)
    assert_legible(figure)
    words = " ".join(" ".join(text.get_text().split()) for text in figure.findobj(Text)).lower()
    assert drawn_words in words
    assert absent not in words


def test_drawing_in_another_process_needs_no_torch_and_gives_the_same_bytes(drawn: Drawn, tmp_path: Path) -> None:
    program = f"""
import sys
from importlib import import_module
from pathlib import Path
from gwsd.artifacts.drawing import draw_figure
from gwsd.artifacts.settings import Plot
for name in {NAMES!r}:
    import_module("gwsd.artifacts." + name)
draw_figure("figure3", Path({str(drawn["figure3"][0])!r}), Path({str(tmp_path / "there.png")!r}), {STYLE!r})
assert "torch" not in sys.modules, "torch was imported"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    save_figure(drawn["figure3"][2], tmp_path / "here.png", STYLE)
    assert (tmp_path / "here.png").read_bytes() == (tmp_path / "there.png").read_bytes()


def test_pdf_and_svg_are_reproducible_and_embed_their_fonts(drawn: Drawn, tmp_path: Path) -> None:
    figure = drawn["figure4"][2]
    for name in ("a.svg", "b.svg", "a.pdf", "b.pdf"):
        save_figure(figure, tmp_path / name, STYLE)
    content = (tmp_path / "a.pdf").read_bytes()
    assert content == (tmp_path / "b.pdf").read_bytes()
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert b"/FontFile2" in content
    assert not re.search(b"/Type3|CreationDate", content)


@pytest.mark.parametrize(
    ("name", "data", "out", "change", "error"),
    [
        ("figure_4", "figure4", "x.pdf", {}, "figure_4: no such table or figure"),
        ("figure4", "missing.nc", "x.pdf", {}, r"missing\.nc: no such data file"),
        ("figure4", "damaged.nc", "x.pdf", {}, r"damaged\.nc: not readable"),
        ("figure4", "figure7", "x.pdf", {}, "not the data of figure4: .*is missing"),
        ("figure2", "figure7", "x.pdf", {}, r"expected figure2\.csv"),
        ("figure1", "origin.nc", "x.pdf", {}, "has no data_label"),
        ("figure6", "figure6", "x.jpg", {}, r"can be written as \.pdf, \.png, \.svg, not as '\.jpg'"),
        ("figure1", "figure1", "x.png", {"map": "balence"}, r"plot\.map: cmocean has no map 'balence'; did you mean"),
        ("figure6", "figure6", "x.png", {"font": "None such"}, r"plot\.font: no font 'None such'"),
    ],
)
def test_mistakes_are_named(
    name: str, data: str, out: str, change: dict[str, str], error: str, drawn: Drawn, tmp_path: Path
) -> None:
    (tmp_path / "damaged.nc").write_bytes(b"not a netCDF file")
    xr.Dataset({"trend": ("x", [1.0])}).to_netcdf(tmp_path / "origin.nc")
    path = drawn[data][0] if data in drawn else tmp_path / data
    with pytest.raises((DataError, ConfigError), match=error):
        draw_figure(name, path, tmp_path / out, STYLE.model_copy(update=change))


def test_coasts_cells_and_degrees() -> None:
    lat, lon = np.arange(0.5, 10.0), np.arange(0.5, 20.0)
    (line,) = coast_lines(lat, lon, np.broadcast_to(np.clip((lon - 5.0) / 4.0, 0.0, 1.0), (10, 20)))
    np.testing.assert_allclose(line[:, 0], 7.0)  # where half is land
    assert region_of(lat, lon) == (0.0, 0.0, 20.0, 10.0)
    assert [degrees_east(v) for v in (-10.0, 0.0, 72.5, 190.0)] == ["10°W", "0°", "72.5°E", "170°W"]
    assert [degrees_north(v) for v in (-10.0, 0.0, 72.5)] == ["10°S", "0°", "72.5°N"]
    x, _ = Map(Figure().add_subplot(), ccrs.Robinson()).project(np.array([-180.0, 180.0]), np.zeros(2))
    assert x[0] < 0.0 < x[1]  # the date line on both sides


def test_the_globe_is_centred_on_the_region() -> None:
    lat, lon = np.arange(-89.5, 90.0), np.arange(-179.5, 180.0)
    land = ((lat[:, None] > 5.0) & (lat[:, None] < 25.0) & (lon > 10.0) & (lon < 40.0)).astype(float)
    globe = locator_globe(Figure().add_subplot(), (0.0, 0.0), (10.0, 5.0, 40.0, 25.0), lat, lon, land)
    assert globe.images[0].get_array()[[120, 120], [120, 10]].tolist() == [1.0, 0.0]
    width = np.abs(globe.lines[0].get_xdata()).max() / globe.projection.x_limits[1]
    assert width == pytest.approx(np.sin(np.deg2rad(15.0)), rel=0.05)


@given(st.floats(1e-6, 1e6))
def test_colours_end_at_a_plain_number_not_below(value: float) -> None:
    limit = round_up(value)
    assert value <= limit * (1.0 + 1e-6) <= 1.67 * value
    assert float(f"{limit:.1e}") == pytest.approx(limit)
    assert round_up(-value) == round_up(np.nan) == 1.0


def test_numbers_have_significant_digits_and_true_minus_signs() -> None:
    texts = [number("a", "b", value, significant(value)).text for value in (0.4, -1.25, 12.0, 123.4, 0.0376, 0.0)]
    assert texts == ["0.40", "−1.2", "12", "123", "0.038", "0"]
    assert number("a", "b", 57503, ",d").text == "57,503"


def test_anomalies_are_red_below_zero_and_blue_above() -> None:
    (red, _, blue, _), (redder, _, bluer, _) = (anomaly_colours(STYLE)(share) for share in (0.2, 0.8))
    assert red > blue
    assert bluer > redder
    assert min(anomaly_colours(STYLE)(0.5)[:3]) > 0.85
