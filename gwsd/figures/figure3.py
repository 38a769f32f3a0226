"""Figure 3, drawn: a row for each example, its coarse storage, target, prediction and |error|."""

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from gwsd.figures.colour_limits import round_up
from gwsd.figures.data_file import foot
from gwsd.figures.edges import region_of
from gwsd.figures.fitting import fit_words
from gwsd.figures.maps import Map, degrees_east, degrees_north, name_degrees
from gwsd.figures.printed import PrintedValues, number, significant, words
from gwsd.figures.style import MM_PER_CM, NO_DATA, PlotStyle, new_figure, panel_letter

SHOWN = 99.0
"""Percentile of |storage| and of |error| at which the colours end."""

HEADINGS = ("coarse", "target", "prediction")


def draw(data: xr.Dataset, style: PlotStyle) -> Figure:
    """Draw Figure 3.

    Parameters
    ----------
    data : xr.Dataset
        What `figure3_data.compute` returns.
    style : PlotStyle
        How figures look.
    """
    rows = data.sizes["example"]
    fields = [data[name].values / MM_PER_CM for name in ("coarse", "target", "prediction", "absolute_error")]
    limit = round_up(float(np.nanpercentile(np.abs(np.concatenate([f.ravel() for f in fields[:3]])), SHOWN)))
    largest = round_up(float(np.nanpercentile(fields[3], SHOWN)))
    norms = [Normalize(-limit, limit)] * 3 + [Normalize(0.0, largest)]
    colours = [style.anomaly_colours] * 3 + [style.error_colours]
    printed = values(data)
    with style.applied():
        figure = new_figure(style, height_mm=26.0 + 43.5 * rows * style.width_mm / 180.0, **foot(data))
        panels = figure.subplots(rows, 4, squeeze=False)
        meshes = []
        for example in range(rows):
            lat, lon = data["lat"].values[example], data["lon"].values[example]
            west, south, east, north = region_of(lat, lon)
            for column, axes in enumerate(panels[example]):
                chart = Map(axes)
                field = fields[column][example]
                step = len(lat) // field.shape[0]
                cell_lat = lat.reshape(-1, step).mean(axis=1)
                cell_lon = lon.reshape(-1, step).mean(axis=1)
                axes.set_facecolor(NO_DATA)
                meshes.append(chart.cells(cell_lat, cell_lon, field, colours[column], norms[column]))
                chart.coast(lat, lon, data["land_fraction"].values[example])
                axes.set(xlim=(west, east), ylim=(south, north), aspect="equal")
                name_degrees(axes, columns=3 if style.width_mm > 22.0 * style.font_size else 1, rows=4)
                axes.tick_params(labelleft=column == 0)
                name = f"example_{example + 1}"
                heading = HEADINGS[column] if column < 3 else f"MAE {printed.text(name, 'mae')} cm"
                panel_letter(axes, 4 * example + column, heading)
            place = f"{printed.text(name, 'latitude')}, {printed.text(name, 'longitude')}"
            panels[example, 0].set_ylabel(
                f"{printed.text(name, 'month')} at {place}\nMAE above {printed.text(name, 'rank')} % of patches",
                fontsize=style.small,
            )
        left = figure.colorbar(
            meshes[0], ax=list(panels[:, :3].flat), orientation="horizontal", extend="both", shrink=0.7, aspect=40
        )
        left.set_label("Groundwater storage anomaly (cm water equivalent)")
        right = figure.colorbar(
            meshes[3], ax=list(panels[:, 3]), orientation="horizontal", extend="max", shrink=0.95, aspect=20
        )
        right.set_label(f"|error| of {data.attrs['method']} (cm)")
        fit_words(figure)
    return figure


def values(data: xr.Dataset) -> PrintedValues:
    """Return what Figure 3 prints on itself, example by example.

    Parameters
    ----------
    data : xr.Dataset
        What `figure3_data.compute` returns.
    """
    found = []
    for example in range(data.sizes["example"]):
        key, name = f"example_{example + 1}", f"Example {example + 1}"
        west, south, east, north = region_of(data["lat"].values[example], data["lon"].values[example])
        mae = float(data["mae"].values[example]) / MM_PER_CM
        rank = float(data["rank"].values[example])
        found += [
            words(key, "month", str(data["month"].values[example]), f"{name}: month"),
            words(key, "latitude", degrees_north(round((south + north) / 2.0, 1)), f"{name}: latitude"),
            words(key, "longitude", degrees_east(round((west + east) / 2.0, 1)), f"{name}: longitude"),
            number(key, "mae", mae, significant(mae), "cm", f"{name}: MAE"),
            number(key, "rank", rank, ".0f", "%", f"{name}: share of patches with a smaller MAE"),
        ]
    return PrintedValues(found)
