"""Figure 1, drawn: the world map of storage trends."""

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from gwsd.figures.colour_limits import round_up
from gwsd.figures.data_file import foot
from gwsd.figures.edges import region_of
from gwsd.figures.fitting import fit_words
from gwsd.figures.maps import WORLD, map_of
from gwsd.figures.printed import PrintedValues, number, words
from gwsd.figures.style import PlotStyle, new_figure

SHOWN = 96.0
"""Percentile of |trend| at which the colours end."""


def draw(data: xr.Dataset, style: PlotStyle) -> Figure:
    """Draw Figure 1.

    Parameters
    ----------
    data : xr.Dataset
        What `figure1_data.compute` returns.
    style : PlotStyle
        How figures look.
    """
    lat, lon = data["lat"].values, data["lon"].values
    west, _, east, _ = region_of(lat, lon)
    with style.applied():
        figure = new_figure(style, height_mm=108.0 if east - west > WORLD else 130.0, **foot(data))
        chart = map_of(figure, figure.add_gridspec(1, 1)[0], lat, lon)
        trend = data["trend"].values
        limit = round_up(float(np.nanpercentile(np.abs(trend), SHOWN)))
        land = data["land_fraction"].values
        chart.land(lat, lon, land)
        mesh = chart.cells(lat, lon, trend, style.anomaly_colours, Normalize(-limit, limit))
        chart.coast(lat, lon, land)
        unsure = np.isfinite(trend) & (data["significant"].values == 0)
        spacing = 2.0 if east - west > WORLD else (east - west) / 60.0
        chart.dots(lat, lon, unsure, spacing=spacing, size=0.9)
        bar = figure.colorbar(
            mesh, ax=chart.axes, orientation="horizontal", extend="both", shrink=0.6, aspect=40, pad=0.02
        )
        bar.set_label("Trend of groundwater storage (mm/yr water equivalent): red loss, blue gain")
        chart.axes.set_title(_summary(values(data)), fontsize=style.small)
        fit_words(figure)
    return figure


def values(data: xr.Dataset) -> PrintedValues:
    """Return what Figure 1 prints on itself.

    Parameters
    ----------
    data : xr.Dataset
        What `figure1_data.compute` returns.
    """
    facts = data.attrs
    losing, gaining = (100.0 * float(facts[f"share_of_area_{way}"]) for way in ("losing", "gaining"))
    mean = float(facts["mean_trend_mm_per_year"])
    return PrintedValues(
        (
            words("months", "first", str(facts["first_month"]), "First month"),
            words("months", "last", str(facts["last_month"]), "Last month"),
            number("months", "count", int(facts["months"]), "d", "months", "Months with storage"),
            number("trend", "significance", float(facts["significance"]), "g", "", "p from which a trend is unsure"),
            number("trend", "losing", losing, ".0f", "%", "Share of the valid area with significant loss"),
            number("trend", "gaining", gaining, ".0f", "%", "Share of the valid area with significant gain"),
            number("trend", "mean", mean, "+.1f", "mm/yr", "Mean trend"),
        )
    )


def _summary(printed: PrintedValues) -> str:
    text = printed.text
    return (
        f"{text('months', 'first')} to {text('months', 'last')}, {text('months', 'count')} months, season removed. "
        f"Dots: not significant (p ≥ {text('trend', 'significance')}); grey: land without valid data.\n"
        f"Significant loss on {text('trend', 'losing')} % and gain on {text('trend', 'gaining')} % of the valid area; "
        f"mean trend {text('trend', 'mean')} mm/yr."
    )
