"""Figure 5, drawn: error maps of four regions with coasts, degrees and a small globe each."""

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from gwsd.figures.colour_limits import round_up
from gwsd.figures.data_file import foot
from gwsd.figures.edges import region_of
from gwsd.figures.fitting import fit_words
from gwsd.figures.maps import degrees_east, degrees_north, locator_globe, regional_map
from gwsd.figures.printed import PrintedValues, number, significant, words
from gwsd.figures.style import MM_PER_CM, NO_DATA, PlotStyle, new_figure, panel_letter

SHOWN = 99.0
"""Percentile of the errors at which the colours end."""


def values(data: xr.Dataset) -> PrintedValues:
    """Return what Figure 5 prints on itself, region by region.

    Parameters
    ----------
    data : xr.Dataset
        What `figure5_data.compute` returns.
    """
    found = []
    for index in range(data.sizes["region"]):
        region = data.isel(region=index)
        west, south, east, north = region_of(region["lat"].values, region["lon"].values)
        name = str(region["name"].values) or (
            f"{degrees_north(south)} to {degrees_north(north)}, {degrees_east(west)} to {degrees_east(east)}"
        )
        mae = float(region["mae"]) / MM_PER_CM
        key = f"region_{index + 1}"
        found += [
            words(key, "name", name, f"Region {index + 1}"),
            number(key, "mae", mae, significant(mae), "cm", f"{name}: MAE"),
            number(key, "patches", int(region["patches"]), "d", "", f"{name}: test patches"),
        ]
    return PrintedValues(found)


def draw(data: xr.Dataset, style: PlotStyle) -> Figure:
    """Draw Figure 5.

    Parameters
    ----------
    data : xr.Dataset
        What `figure5_data.compute` returns.
    style : PlotStyle
        How figures look.
    """
    printed = values(data)
    count = data.sizes["region"]
    columns = min(2, count)
    rows = -(-count // columns)
    errors = data["error"].values / MM_PER_CM
    norm = Normalize(0.0, round_up(float(np.nanpercentile(errors, SHOWN))))
    with style.applied():
        figure = new_figure(style, height_mm=24.0 + 72.0 * rows, **foot(data))
        panels = figure.subplots(rows, columns, squeeze=False)
        for axes in panels.flat[count:]:
            axes.set_axis_off()
        for index, axes in enumerate(panels.flat[:count]):
            region = data.isel(region=index)
            lat, lon = region["lat"].values, region["lon"].values
            land = region["land_fraction"].values
            edges = region_of(lat, lon)
            chart = regional_map(axes, edges)
            chart.land(lat, lon, land, NO_DATA)
            mesh = chart.cells(lat, lon, errors[index], style.error_colours, norm)
            chart.coast(lat, lon, land, width=0.6)
            name, mae, patches = (printed.text(f"region_{index + 1}", one) for one in ("name", "mae", "patches"))
            panel_letter(axes, index, f"{name}: MAE {mae} cm, {patches} patches")
            if "world_land" in data:
                corner = _emptiest_corner(land)
                globe = axes.inset_axes((*corner, 0.26, 0.26))
                globe.set_zorder(6)
                locator_globe(
                    globe, edges, data["world_lat"].values, data["world_lon"].values, data["world_land"].values
                )
        bar = figure.colorbar(
            mesh, ax=list(panels.flat[:count]), orientation="horizontal", extend="max", shrink=0.6, aspect=40
        )
        bar.set_label(
            f"Mean |error| of {data.attrs['method']} over the test patches (cm water equivalent); grey: no test patch"
        )
        fit_words(figure)
    return figure


def _emptiest_corner(land: np.ndarray) -> tuple[float, float]:
    rows, columns = land.shape
    tall, wide = int(0.26 * rows), int(0.26 * columns)
    corners = {
        (0.01, 0.01): land[:tall, :wide],
        (0.73, 0.01): land[:tall, -wide:],
        (0.01, 0.73): land[-tall:, :wide],
        (0.73, 0.73): land[-tall:, -wide:],
    }
    return min(corners, key=lambda corner: (float(corners[corner].mean()), corner))
