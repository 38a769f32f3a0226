"""Figure 4, drawn: errors by calendar month above, the seasonal cycles of both hemispheres below."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gwsd.figures.data_file import foot
from gwsd.figures.fitting import fit_words
from gwsd.figures.printed import PrintedValues, number
from gwsd.figures.style import BLUE, COAST, INK, MM_PER_CM, ORANGE, PlotStyle, new_figure, panel_letter

MONTHS = tuple("JFMAMJJASOND")


def values(data: xr.Dataset) -> PrintedValues:
    """Return what Figure 4 prints on itself: numbers of patches.

    Parameters
    ----------
    data : xr.Dataset
        What `figure4_data.compute` returns.
    """
    found = [
        number(f"month_{month}", "patches", int(count), "d", "", f"Test patches in calendar month {month}")
        for month, count in enumerate(data["patches"].values, start=1)
    ]
    for name, counts in zip(data["hemisphere"].values, data["hemisphere_patches"].values, strict=True):
        label = f"patches of a month in the {name} hemisphere"
        found += [
            number(str(name), "fewest_patches", int(counts.min()), "d", "", f"Fewest {label}"),
            number(str(name), "most_patches", int(counts.max()), "d", "", f"Most {label}"),
        ]
    return PrintedValues(found)


def draw(data: xr.Dataset, style: PlotStyle) -> Figure:
    """Draw Figure 4.

    Parameters
    ----------
    data : xr.Dataset
        What `figure4_data.compute` returns.
    style : PlotStyle
        How figures look.
    """
    printed = values(data)
    with style.applied():
        figure = new_figure(style, height_mm=120.0, **foot(data))
        grid = figure.add_gridspec(2, 2)
        _errors(figure.add_subplot(grid[0, :]), data, printed, style)
        first = figure.add_subplot(grid[1, 0])
        second = figure.add_subplot(grid[1, 1], sharey=first)
        for half, axes in enumerate((first, second)):
            _cycle(axes, data.isel(hemisphere=half), half, printed, style)
        first.set_ylabel("Mean storage anomaly\n(cm water equivalent)")
        first.legend(loc="best", handlelength=1.8).set_in_layout(False)
        fit_words(figure)
    return figure


def _errors(axes: Axes, data: xr.Dataset, printed: PrintedValues, style: PlotStyle) -> None:
    quantiles = data["mae_quantile"].values / MM_PER_CM
    mean = data["mae_mean"].values / MM_PER_CM
    full = np.flatnonzero(np.isfinite(mean))
    boxes = [
        {"whislo": q[0], "q1": q[1], "med": q[2], "q3": q[3], "whishi": q[4], "mean": mean[month], "fliers": []}
        for month, q in zip(full, quantiles[full], strict=True)
    ]
    line = {"color": INK, "linewidth": 0.7}
    axes.bxp(
        boxes,
        positions=full + 1,
        widths=0.55,
        showmeans=True,
        showfliers=False,
        patch_artist=True,
        boxprops={"facecolor": "#cfe3f1", "edgecolor": INK, "linewidth": 0.7},
        medianprops={"color": INK, "linewidth": 1.2},
        whiskerprops=line,
        capprops=line,
        meanprops={"marker": "D", "markerfacecolor": ORANGE, "markeredgecolor": "none", "markersize": 4},
    )
    axes.set_xlim(0.4, 12.6)
    top = float(np.nanmax(quantiles)) if len(full) else 1.0
    axes.set_ylim(0.0, 1.12 * top)
    for month in range(1, 13):
        words = f"n = {printed.text(f'month_{month}', 'patches')}"
        axes.text(month, 1.11 * top, words, ha="center", va="top", fontsize=style.small, color=COAST)
    axes.set_xticks(range(1, 13), MONTHS)
    axes.set_xlabel("Calendar month")
    axes.set_ylabel("MAE of a patch\n(cm water equivalent)")
    panel_letter(
        axes,
        0,
        f"method {data.attrs['method']}: box quartiles, line median, diamond mean, whiskers 5 to 95 %; n patches",
    )


def _cycle(axes: Axes, data: xr.Dataset, half: int, printed: PrintedValues, style: PlotStyle) -> None:
    month = np.arange(1, 13)
    axes.axhline(0.0, color=COAST, linewidth=0.5)
    axes.plot(
        month, data["all_cells"] / MM_PER_CM, color=COAST, linewidth=1.0, linestyle=":", label="all cells, all months"
    )
    for name, colour, marker, shift, words in (
        ("observed", BLUE, "o", -0.12, "observed, test patches (± 1 s.e.)"),
        ("predicted", ORANGE, "s", 0.12, "predicted, test patches (± 1 s.e.)"),
    ):
        axes.errorbar(
            month + shift,
            data[name] / MM_PER_CM,
            np.nan_to_num(data[f"{name}_se"] / MM_PER_CM),
            color=colour,
            marker=marker,
            linestyle="-" if name == "observed" else "--",
            elinewidth=0.7,
            capsize=1.5,
            label=words,
        )
    axes.set_xticks(month, MONTHS)
    axes.set_xlim(0.4, 12.6)
    axes.set_xlabel("Calendar month")
    name = str(data["hemisphere"].values)
    fewest, most = printed.text(name, "fewest_patches"), printed.text(name, "most_patches")
    if not data["hemisphere_patches"].values.any():
        axes.text(6.5, 0.0, "no test patch lies here", ha="center", va="bottom", fontsize=style.small, color=COAST)
    range_of = f"{fewest} to {most}" if fewest != most else fewest
    panel_letter(axes, half + 1, f"{name.capitalize()} hemisphere, {range_of} patches a month")
