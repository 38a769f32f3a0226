"""The map of the quality control, drawn."""

import numpy as np
import xarray as xr
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gwsd.figures.data_file import foot
from gwsd.figures.edges import region_of
from gwsd.figures.fitting import fit_words
from gwsd.figures.maps import WORLD, map_of
from gwsd.figures.printed import PrintedValues, number
from gwsd.figures.style import PlotStyle, new_figure

KNOWN = {"valid": "#a6cee3", "ocean": "#ffffff", "ice": "#8c8c8c"}
"""Colours of the reasons that cover most of the map."""

OTHERS = ("#d55e00", "#1a1a1a", "#cc79a7", "#e69f00", "#009e73", "#f0e442", "#0072b2")
"""Colours of all other reasons, in the order of the flags."""


def values(data: xr.Dataset) -> PrintedValues:
    """Return what the map prints on itself: the cells of each reason.

    Parameters
    ----------
    data : xr.Dataset
        What `quality_map_data.compute` returns.
    """
    return PrintedValues(
        number(str(meaning), "cells", int(cells), ",d", "", f"Half-degree cells: {str(meaning).replace('_', ' ')}")
        for meaning, cells in zip(data["meaning"].values, data["cells"].values, strict=True)
    )


def draw(data: xr.Dataset, style: PlotStyle) -> Figure:
    """Draw the map of reasons.

    Parameters
    ----------
    data : xr.Dataset
        What `quality_map_data.compute` returns.
    style : PlotStyle
        How figures look.
    """
    lat, lon = data["lat"].values, data["lon"].values
    west, _, east, _ = region_of(lat, lon)
    is_world = east - west > WORLD
    printed = values(data)
    others = iter(OTHERS * 20)
    colours = [KNOWN.get(str(meaning)) or next(others) for meaning in data["meaning"].values]
    with style.applied():
        figure = new_figure(style, height_mm=101.0 if is_world else 130.0, **foot(data))
        chart = map_of(figure, figure.add_gridspec(1, 1)[0], lat, lon)
        reason = data["reason"].values
        order = np.searchsorted(data["flag"].values, reason).astype(np.float64)
        shown = np.isin(data["meaning"].values, ["ocean"], invert=True)[order.astype(int)]
        count = len(colours)
        chart.cells(lat, lon, np.where(shown, order, np.nan), ListedColormap(colours), Normalize(-0.5, count - 0.5))
        handles = []
        for flag, meaning, colour in zip(data["flag"].values, data["meaning"].values, colours, strict=True):
            if str(meaning) not in KNOWN:
                # A cell that is out may stand alone, too small to be seen: a dot marks it.
                rows, columns = np.nonzero(reason == flag)
                x, y = chart.place(lon[columns], lat[rows])
                chart.axes.scatter(x, y, s=2.5, color=colour, linewidths=0.0, zorder=3, rasterized=True)
            words = f"{str(meaning).replace('_', ' ')}: {printed.text(str(meaning), 'cells')}"
            handles.append(Patch(facecolor=colour, edgecolor="#4d4d4d", linewidth=0.4, label=words))
        chart.coast(lat, lon, data["land_fraction"].values, width=0.3)
        chart.axes.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, -0.07),
            ncols=4,
            handlelength=1.2,
            title="Half-degree cells by the reason why they are in or out",
            title_fontsize=style.small,
        )
        fit_words(figure)
    return figure
