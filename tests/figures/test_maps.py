"""Coasts, degrees, colours and numbers."""

import matplotlib
import numpy as np
import pytest
from cartopy import crs as ccrs
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from gwsd.figures.colour_limits import STEPS, round_up
from gwsd.figures.edges import cell_edges, region_of
from gwsd.figures.maps import Map, coast_lines, degrees_east, degrees_north, locator_globe
from gwsd.figures.style import PlotStyle, plain


def test_the_coast_is_where_half_is_land() -> None:
    lat, lon = np.arange(0.5, 10.0), np.arange(0.5, 20.0)
    fraction = np.broadcast_to(np.clip((lon - 5.0) / 4.0, 0.0, 1.0), (10, 20))
    (line,) = coast_lines(lat, lon, fraction)
    np.testing.assert_allclose(line[:, 0], 7.0)
    assert (line[:, 1].min(), line[:, 1].max()) == (0.5, 9.5)


def test_edges_and_region_enclose_the_cells() -> None:
    np.testing.assert_allclose(cell_edges(np.array([0.25, 0.75, 1.25])), [0.0, 0.5, 1.0, 1.5])
    assert region_of(np.array([-0.5, 0.5]), np.array([10.5, 11.5, 12.5])) == (10.0, -1.0, 13.0, 1.0)


def test_points_on_the_date_line_stay_on_their_side() -> None:
    world = Map(Figure().add_subplot(), ccrs.Robinson())
    x, _ = world.place(np.array([-180.0, 180.0]), np.zeros(2))
    assert x[0] < 0.0 < x[1]


def test_degrees_are_written_with_their_side() -> None:
    assert [degrees_east(v) for v in (-10.0, 0.0, 72.5, 190.0)] == ["10°W", "0°", "72.5°E", "170°W"]
    assert [degrees_north(v) for v in (-10.0, 0.0, 72.5)] == ["10°S", "0°", "72.5°N"]


def test_the_globe_shows_the_land_under_it() -> None:
    lat, lon = np.arange(-89.5, 90.0), np.arange(-179.5, 180.0)
    land = np.zeros((180, 360))
    land[95:115, 190:220] = 1.0  # 5 to 25°N, 10 to 40°E
    axes = Figure().add_subplot()
    locator_globe(axes, (10.0, 5.0, 40.0, 25.0), lat, lon, land)
    shade = axes.images[0].get_array()
    assert shade[120, 120] == 1.0  # the middle of the globe is the middle of the region
    assert shade[120, 10] == 0.0
    outline = axes.patches[0].get_xy()
    assert np.abs(outline).max() == pytest.approx(np.sin(np.deg2rad(15.0)), rel=0.05)


@given(st.floats(1e-6, 1e6))
def test_colours_end_at_a_plain_number_not_below(value: float) -> None:
    limit = round_up(value)
    assert value <= limit * (1.0 + 1e-6)
    assert limit <= 1.67 * value
    mantissa = limit / 10.0 ** np.floor(np.log10(limit) + 1e-9)
    assert np.isclose(mantissa, STEPS).any()


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_colours_of_nothing_end_at_one(value: float) -> None:
    assert round_up(value) == 1.0


def test_numbers_keep_their_significant_digits() -> None:
    written = [plain(value) for value in (0.4, -1.25, 12.0, 123.4, 0.0376, 0.0)]
    assert written == ["0.40", "−1.2", "12", "123", "0.038", "0"]


def test_the_style_leaves_matplotlib_as_it_was(style: PlotStyle) -> None:
    before = matplotlib.rcParams["pdf.fonttype"], matplotlib.rcParams["font.size"]
    with style.applied():
        assert matplotlib.rcParams["pdf.fonttype"] == 42
    assert (matplotlib.rcParams["pdf.fonttype"], matplotlib.rcParams["font.size"]) == before


def test_anomalies_are_red_below_zero_and_blue_above(style: PlotStyle) -> None:
    red, _, blue, _ = style.anomaly_colours(0.2)
    assert red > blue
    red, _, blue, _ = style.anomaly_colours(0.8)
    assert blue > red
    middle = np.array(style.anomaly_colours(0.5)[:3])
    assert middle.min() > 0.85
