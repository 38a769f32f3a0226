"""What is drawn: the same bytes, from the data file alone, legible, and labelled."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from gwsd.errors import ConfigError, DataError
from gwsd.figures import (
    figure1_data,
    figure2_data,
    figure3_data,
    figure4_data,
    figure5_data,
    figure6_data,
    figure7_data,
    quality_map_data,
)
from gwsd.figures.data_file import read_data, write_data
from gwsd.figures.drawing import DRAWN, draw_figure, draw_function
from gwsd.figures.style import PlotStyle
from tests.figures.conftest import LABELS
from tests.figures.test_tables_data import CLIMATE, SETTINGS, SMALL

REPORTED = "1.64 cm"


@pytest.fixture(scope="session")
def data_files(
    tmp_path_factory: pytest.TempPathFactory,
    storage: xr.Dataset,
    mask: xr.Dataset,
    land: xr.Dataset,
    predictions: xr.Dataset,
    histories: dict[str, dict[int, pd.DataFrame]],
) -> dict[str, Path]:
    evaluation = {"figure_patches": 2, "pixel_sample": 3000}
    labels = LABELS | {"reported": REPORTED}
    contents = {
        "figure1": figure1_data.compute(storage, mask, land, trend={"significance": 0.05}, **labels),
        "figure2": figure2_data.compute(model=SMALL, patches={"size": 16}, loss=SETTINGS["loss"], **labels),
        "figure3": figure3_data.compute(predictions, land, evaluation=evaluation, **labels),
        "figure4": figure4_data.compute(predictions, storage, mask, land, **labels),
        "figure5": figure5_data.compute(predictions, land, **labels),
        "figure6": figure6_data.compute(histories, climate_variables=CLIMATE, **labels),
        "figure7": figure7_data.compute(predictions, evaluation=evaluation, **labels),
        "quality_map": quality_map_data.compute(mask, land, **labels),
    }
    folder = tmp_path_factory.mktemp("figures")
    paths = {name: folder / f"{name}{DRAWN[name]}" for name in contents}
    for name, content in contents.items():
        write_data(content, paths[name])
        again = folder / f"again{DRAWN[name]}"
        write_data(content, again)
        assert again.read_bytes() == paths[name].read_bytes(), name
    return paths


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data file of Figure 1 that goes round the world, in cells of four degrees."""
    lat, lon = np.arange(-88.0, 90.0, 4.0), np.arange(-178.0, 180.0, 4.0)
    land = (np.sin(np.deg2rad(3 * lon))[None, :] * np.cos(np.deg2rad(lat))[:, None] > 0.0).astype(np.float32)
    trend = np.where(land > 0.5, 20.0 * np.sin(np.deg2rad(lat))[:, None], np.nan)
    cells = ("lat", "lon")
    data = xr.Dataset(
        {
            "trend": (cells, trend),
            "significant": (cells, (np.abs(trend) > 5.0).astype(np.int8)),
            "land_fraction": (cells, land),
        },
        {"lat": lat, "lon": lon},
        {
            **LABELS, "title": "t", "reported": "", "significance": 0.05, "first_month": "2002-04", "months": 225,
            "last_month": "2023-09", "share_of_area_losing": 0.3, "share_of_area_gaining": 0.2,
            "mean_trend_mm_per_year": -1.0,
        },
    )  # fmt: skip
    path = tmp_path_factory.mktemp("world") / "figure1.nc"
    write_data(data, path)
    return path


def visible_texts(figure: Figure) -> list[Text]:
    """Texts that are drawn; ticks outside the limits of their axes hold a text but are not."""
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


@pytest.mark.parametrize("name", [*DRAWN, "world"])
def test_texts_are_legible_whole_and_apart(
    name: str, data_files: dict[str, Path], world: Path, style: PlotStyle
) -> None:
    path = world if name == "world" else data_files[name]
    figure = draw_function("figure1" if name == "world" else name)(read_data(path), style)
    assert_legible(figure, style)
    if name != "world":
        assert foot_of(figure) == f"Data: {LABELS['data_label']}\nreported by the paper: {REPORTED}"


@pytest.mark.parametrize("climate", [["temperature", "precipitation"], ["soil_moisture"]])
def test_figures_of_a_poorer_climate_say_and_draw_what_is_left_of_the_loss(
    climate: list[str], histories: dict[str, dict[int, pd.DataFrame]], style: PlotStyle, tmp_path: Path
) -> None:
    absent = "sign|magnitude|regional|physics" if "precipitation" not in climate else "magnitude|regional"
    poorer = {
        variant: {
            seed: history.assign(**dict.fromkeys(history.filter(regex=absent), np.nan))
            for seed, history in of_seeds.items()
        }
        for variant, of_seeds in histories.items()
    }
    model = SMALL | {"climate_variables": climate}
    labels = LABELS | {"reported": REPORTED}
    words = {}
    for name, data in {
        "figure2": figure2_data.compute(model=model, patches={"size": 16}, loss=SETTINGS["loss"], **labels),
        "figure6": figure6_data.compute(poorer, climate_variables=climate, **labels),
    }.items():
        write_data(data, tmp_path / "x.csv")
        figure = draw_function(name)(read_data(tmp_path / "x.csv"), style)
        assert_legible(figure, style)
        assert "constraints are left out" in foot_of(figure).replace("\n", " ")
        words[name] = {text.get_text() for text in figure.findobj(Text)}
    forcing = "ΔG = prediction − storage of the month before;  P, ET of the target month"
    assert (forcing in words["figure2"]) == ("physics" in words["figure6"]) == ("precipitation" in climate)
    assert not any("θ" in text for text in words["figure2"])
    assert "data" in words["figure6"]


def foot_of(figure: Figure) -> str:
    return next(text.get_text() for text in figure.texts if text.get_gid() == "foot")


def assert_legible(figure: Figure, style: PlotStyle) -> None:
    with style.applied():
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
        page = figure.bbox
        boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in visible_texts(figure)]
    assert len(boxes) > 8
    for text in visible_texts(figure):
        assert text.get_fontsize() >= 7.0, text.get_text()
    for words, box in boxes:
        assert box.x0 >= page.x0 - 1 and box.y0 >= page.y0 - 1, f"{words!r} runs off the page"  # noqa: PT018
        assert box.x1 <= page.x1 + 1 and box.y1 <= page.y1 + 1, f"{words!r} runs off the page"  # noqa: PT018
    for index, (words, box) in enumerate(boxes):
        for other_words, other in boxes[index + 1 :]:
            wide = min(box.x1, other.x1) - max(box.x0, other.x0)
            tall = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert wide <= 1.0 or tall <= 1.5, f"{words!r} lies on {other_words!r}"


@pytest.mark.parametrize(("name", "suffix"), [("figure1", ".pdf"), ("figure2", ".svg")])
def test_two_drawings_are_the_same_bytes(
    name: str, suffix: str, data_files: dict[str, Path], tmp_path: Path, style: PlotStyle
) -> None:
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    draw_figure(name, data_files[name], first, style)
    draw_figure(name, data_files[name], second, style)
    assert first.read_bytes() == second.read_bytes()


def test_pdf_has_its_fonts_inside_and_no_date(data_files: dict[str, Path], tmp_path: Path, style: PlotStyle) -> None:
    path = tmp_path / "figure6.pdf"
    draw_figure("figure6", data_files["figure6"], path, style)
    content = path.read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    assert b"CreationDate" not in content
    box = re.search(rb"/MediaBox \[ *0 0 ([\d.]+) ", content)
    assert box is not None
    assert float(box.group(1)) == pytest.approx(180.0 / 25.4 * 72.0, rel=1e-3)


def test_drawing_needs_neither_torch_nor_the_network_and_another_process_draws_the_same(
    data_files: dict[str, Path], world: Path, tmp_path: Path, style: PlotStyle
) -> None:
    files = data_files | {"figure1": world}
    program = f"""
import socket, sys
from pathlib import Path
def refuse(*args, **kwargs):
    raise OSError("the network was asked for")
socket.socket.connect = refuse
from gwsd.figures.drawing import draw_figure
from gwsd.figures.style import PlotStyle
style = {style!r}
for name, data in { ({name: str(path) for name, path in files.items()})!r}.items():
    draw_figure(name, Path(data), Path({str(tmp_path)!r}) / (name + ".png"), style)
assert "torch" not in sys.modules, "torch was imported"
assert not any(name.startswith("snakemake") for name in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("figure1", "figure3", "figure4", "figure7"):
        draw_figure(name, files[name], tmp_path / "here.png", style)
        assert (tmp_path / "here.png").read_bytes() == (tmp_path / f"{name}.png").read_bytes(), name


def test_a_misspelt_figure_gets_the_near_one(tmp_path: Path, style: PlotStyle) -> None:
    with pytest.raises(DataError, match="figure_4: there is no such figure; did you mean figure4"):
        draw_figure("figure_4", tmp_path / "x.nc", tmp_path / "x.pdf", style)


def test_a_missing_file_is_named(tmp_path: Path, style: PlotStyle) -> None:
    with pytest.raises(DataError, match=r"x\.nc: there is no such data file"):
        draw_figure("figure4", tmp_path / "x.nc", tmp_path / "x.pdf", style)


def test_a_damaged_file_is_named(tmp_path: Path, style: PlotStyle) -> None:
    (tmp_path / "x.nc").write_bytes(b"not a netCDF file")
    with pytest.raises(DataError, match=r"x\.nc: cannot be read as a figure's data"):
        draw_figure("figure4", tmp_path / "x.nc", tmp_path / "x.pdf", style)


def test_the_data_of_another_figure_are_refused(data_files: dict[str, Path], tmp_path: Path, style: PlotStyle) -> None:
    with pytest.raises(DataError, match=r"is not the data of figure4: .*is missing"):
        draw_figure("figure4", data_files["figure7"], tmp_path / "x.pdf", style)
    with pytest.raises(DataError, match=r"the data of figure2 end in \.csv"):
        draw_figure("figure2", data_files["figure7"], tmp_path / "x.pdf", style)


def test_a_file_that_does_not_say_its_origin_is_refused(tmp_path: Path, style: PlotStyle) -> None:
    xr.Dataset({"trend": ("x", [1.0])}).to_netcdf(tmp_path / "x.nc")
    with pytest.raises(DataError, match="says nothing of title, data_label, source"):
        draw_figure("figure1", tmp_path / "x.nc", tmp_path / "x.pdf", style)


def test_an_unknown_format_is_refused(data_files: dict[str, Path], tmp_path: Path, style: PlotStyle) -> None:
    with pytest.raises(DataError, match=r"can be written as \.pdf, \.png, \.svg, not as '\.jpg'"):
        draw_figure("figure6", data_files["figure6"], tmp_path / "x.jpg", style)


def test_an_unknown_colour_map_gets_the_near_one(data_files: dict[str, Path], tmp_path: Path) -> None:
    wrong = PlotStyle(width_mm=180.0, font="DejaVu Sans", font_size=8.0, map="balence", error_map="amp", dpi=60)
    with pytest.raises(ConfigError, match=r"plot\.map: cmocean has no map 'balence'; did you mean 'balance'"):
        draw_figure("figure1", data_files["figure1"], tmp_path / "x.png", wrong)


def test_an_unknown_font_is_refused(data_files: dict[str, Path], tmp_path: Path) -> None:
    wrong = PlotStyle(width_mm=180.0, font="No Such Font", font_size=8.0, map="balance", error_map="amp", dpi=60)
    with pytest.raises(ConfigError, match=r"plot\.font: no font of the family 'No Such Font'"):
        draw_figure("figure6", data_files["figure6"], tmp_path / "x.png", wrong)


@pytest.mark.parametrize("changes", [{"temporal_encoder": "none"}, {"variance_head": False}, {"residual": True}])
def test_variants_of_the_network_are_drawn(changes: dict[str, object], style: PlotStyle) -> None:
    table = figure2_data.compute(model=SMALL | changes, patches={"size": 16}, loss=SETTINGS["loss"], **LABELS)
    words = " ".join(text.get_text() for text in draw_function("figure2")(table, style).findobj(Text))
    assert ("variance head" in words) == changes.get("variance_head", True)
    assert ("ConvLSTM" in words) == (changes.get("temporal_encoder") != "none")
    assert ("correction" in words) == changes.get("residual", False)
