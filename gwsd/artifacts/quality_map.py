"""Supplementary map of the quality control: the reason of every half-degree cell."""

from itertools import cycle

import numpy as np
import xarray as xr
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.data_file import Printed, foot, labelled, number, texts, world_land
from gwsd.artifacts.maps import is_world, map_of
from gwsd.artifacts.settings import Plot
from gwsd.artifacts.style import COAST, new_figure, styled
from gwsd.grid import COARSE_SPACING

KNOWN = {"valid": "#a6cee3", "ocean": "#ffffff", "ice": "#8c8c8c"}  # Colours of the reasons that cover most of the map
OTHERS = ("#d55e00", "#1a1a1a", "#cc79a7", "#e69f00", "#009e73", "#f0e442", "#0072b2")  # Of the others, in their order


def compute(inputs: ArtifactInputs) -> xr.Dataset:
    """Collect `reason` and `land_fraction` (lat, lon), and per flag its `meaning` and number of `cells`."""
    mask = inputs.dataset("mask")
    reason = mask["reason"]
    flags = np.atleast_1d(reason.attrs["flag_values"])
    data = xr.Dataset(
        {
            "reason": (("lat", "lon"), reason.values.astype(np.int8)),
            "land_fraction": (("lat", "lon"), world_land(inputs.dataset("land"), COARSE_SPACING).values),
            "meaning": ("flag", reason.attrs["flag_meanings"].split()),
            "cells": ("flag", [int((reason.values == flag).sum()) for flag in flags]),
        },
        {"lat": mask["lat"].values, "lon": mask["lon"].values, "flag": flags.astype(np.int8)},
    )
    return labelled(data, "quality_map", inputs, title="Quality control: why each cell is included or excluded")


def values(data: xr.Dataset) -> list[Printed]:
    """Return the number of cells of each reason."""
    return [
        number(str(meaning), "cells", int(cells), ",d", "", f"Half-degree cells: {str(meaning).replace('_', ' ')}")
        for meaning, cells in zip(data["meaning"].values, data["cells"].values, strict=True)
    ]


@styled
def draw(data: xr.Dataset, style: Plot) -> Figure:
    """Draw the map of reasons."""
    lat, lon, reason = data["lat"].values, data["lon"].values, data["reason"].values
    meanings = [str(meaning) for meaning in data["meaning"].values]
    text = texts(values(data))
    others = cycle(OTHERS)
    colours = [KNOWN.get(meaning) or next(others) for meaning in meanings]
    figure = new_figure(style, height_mm=101.0 if is_world(lon) else 130.0, **foot(data))
    chart = map_of(figure, lat, lon)
    order = np.searchsorted(data["flag"].values, reason)
    shown = np.where(np.array(meanings)[order] == "ocean", np.nan, order)
    chart.cells(lat, lon, shown, ListedColormap(colours), Normalize(-0.5, len(colours) - 0.5))
    handles = []
    for flag, meaning, colour in zip(data["flag"].values, meanings, colours, strict=True):
        if meaning not in KNOWN:
            # Dots mark excluded cells, which are too small to be seen when they are isolated.
            rows, columns = np.nonzero(reason == flag)
            x, y = chart.project(lon[columns], lat[rows])
            chart.axes.scatter(x, y, s=2.5, color=colour, linewidths=0.0, zorder=3, rasterized=True)
        label = f"{meaning.replace('_', ' ')}: {text[f'{meaning}:cells']}"
        handles.append(Patch(facecolor=colour, edgecolor=COAST, linewidth=0.4, label=label))
    chart.coast(lat, lon, data["land_fraction"].values, width=0.3)
    chart.axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.07),
        ncols=4,
        handlelength=1.2,
        title="Half-degree cells by the reason why they are included or excluded",
        title_fontsize=style.small,
    )
    return figure
