"""Figure 7, drawn: four panels on the predicted uncertainty."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from gwsd.figures.data_file import foot
from gwsd.figures.fitting import fit_words
from gwsd.figures.printed import PrintedValues, number, significant
from gwsd.figures.style import BLUE, COAST, INK, MM_PER_CM, ORANGE, PlotStyle, new_figure, panel_letter, plain

SHOWN = 99.5
"""Percentile of sd and of |error| at which panel (a) ends."""

HALF_NORMAL = float(np.sqrt(2.0 / np.pi))
"""Mean |error| of a Gaussian of standard deviation 1: what a calibrated forecast has, not 1."""

SD_LABEL = "Predicted standard deviation (cm)"
ERROR_LABEL = "|error| (cm)"


def draw(data: xr.Dataset, style: PlotStyle) -> Figure:
    """Draw Figure 7.

    Parameters
    ----------
    data : xr.Dataset
        What `figure7_data.compute` returns.
    style : PlotStyle
        How figures look.
    """
    printed = values(data)
    with style.applied():
        figure = new_figure(style, height_mm=138.0, **foot(data))
        panels = figure.subplots(2, 2)
        _scatter(figure, panels[0, 0], data, printed, style)
        _histogram(panels[0, 1], data, printed)
        _curve(panels[1, 0], data, printed)
        _boxes(panels[1, 1], data, printed)
        fit_words(figure)
    return figure


def values(data: xr.Dataset) -> PrintedValues:
    """Return what Figure 7 prints on itself; errors and standard deviations in cm.

    Parameters
    ----------
    data : xr.Dataset
        What `figure7_data.compute` returns.
    """
    facts = {name: float(value) for name, value in data.attrs.items() if isinstance(value, int | float | np.number)}
    mean, rmse, crps = (facts[f"{name}_mm"] / MM_PER_CM for name in ("mean_sd", "rmse", "crps"))
    coverage = 100.0 * facts["coverage_90"]
    low, high = data["quartile_low"].values / MM_PER_CM, data["quartile_high"].values / MM_PER_CM
    # As many digits as tell the ends of each quartile apart.
    ends = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    digits = next((n for n in (2, 3, 4) if all(plain(a, n) != plain(b, n) for a, b in ends)), 2)
    name = "sd and |error| of the drawn cells"
    return PrintedValues(
        (
            number("correlation", "pearson", facts["pearson"], ".2f", "", f"Correlation of {name}"),
            number("correlation", "spearman", facts["spearman"], ".2f", "", f"Rank correlation of {name}"),
            number("cells", "count", data.sizes["cell"], ",d", "", "Drawn cells", thousands=","),
            number("sd", "mean", mean, significant(mean, 3), "cm", "Mean predicted sd"),
            number("error", "rmse", rmse, significant(rmse, 3), "cm", "RMSE of the drawn cells"),
            number("interval_90", "coverage", coverage, ".0f", "%", "Errors inside the 90 % interval"),
            number("crps", "mean", crps, significant(crps), "cm", "CRPS of the drawn cells"),
            *(
                number(
                    f"quartile_{q}", end, value, significant(value, digits), "cm", f"{end.title()} end of quartile {q}"
                )
                for q, pair in enumerate(ends, start=1)
                for end, value in zip(("low", "high"), pair, strict=True)
            ),
        )
    )


def _scatter(figure: Figure, axes: Axes, data: xr.Dataset, printed: PrintedValues, style: PlotStyle) -> None:
    sd, error = data["sd"].values / MM_PER_CM, data["absolute_error"].values / MM_PER_CM
    low, high = np.percentile(sd, [100.0 - SHOWN, SHOWN])
    room = 0.05 * max(high - low, 0.1 * high)
    low, high = max(0.0, float(low - room)), float(high + room)
    top = max(float(np.percentile(error, SHOWN)), 1.05 * low)
    inside = (sd >= low) & (sd <= high) & (error <= top)
    cells = axes.hexbin(
        sd[inside],
        error[inside],
        gridsize=45,
        extent=(low, high, 0.0, top),
        mincnt=1,
        norm=LogNorm(),
        cmap=style.error_colours,
        linewidths=0.2,
        edgecolors="face",
        rasterized=True,
    )
    _lines(axes, low, high)
    axes.set(xlim=(low, high), ylim=(0.0, top), xlabel=SD_LABEL, ylabel=ERROR_LABEL)
    axes.legend(loc="upper right", handlelength=1.8, frameon=True, framealpha=0.85, edgecolor="none").set_in_layout(
        False
    )
    bar = figure.colorbar(cells, ax=axes, pad=0.02, aspect=25)
    bar.set_label("Cells")
    pearson, spearman = (printed.text("correlation", kind) for kind in ("pearson", "spearman"))
    panel_letter(axes, 0, f"r = {pearson}, rank r = {spearman}, n = {printed.text('cells', 'count')}")


def _lines(axes: Axes, low: float, high: float) -> None:
    ends = np.array([low, high])
    axes.plot(ends, ends, "--", color=INK, linewidth=0.9, label="|error| = sd")
    axes.plot(ends, HALF_NORMAL * ends, ":", color=BLUE, linewidth=1.1, label="calibrated Gaussian, mean |error|")


def _histogram(axes: Axes, data: xr.Dataset, printed: PrintedValues) -> None:
    share = 100.0 * data["histogram"].values / data["histogram"].values.sum()
    axes.stairs(share, data["edge"].values / MM_PER_CM, fill=True, color="#9cc3df")
    attributes = data.attrs
    mean, rmse = attributes["mean_sd_mm"] / MM_PER_CM, attributes["rmse_mm"] / MM_PER_CM
    axes.axvline(mean, color=ORANGE, linestyle="--", label=f"mean sd {printed.text('sd', 'mean')} cm")
    edge = data["edge"].values / MM_PER_CM
    words = f"RMSE {printed.text('error', 'rmse')} cm"
    if edge[0] <= rmse <= edge[-1]:
        axes.axvline(rmse, color=INK, linestyle=":", label=words)
    else:
        axes.plot([], [], color=INK, linestyle=":", label=f"{words} (off the axis)")
    # A few cells with a large sd would press all others into one corner.
    axes.set_xlim(edge[0], max(float(np.percentile(data["sd"], 99.9)) / MM_PER_CM, edge[1]))
    axes.set(xlabel=SD_LABEL, ylabel="Share of cells (%)")
    axes.legend(loc="best", handlelength=1.8, frameon=True, framealpha=0.9, edgecolor="none").set_in_layout(False)
    panel_letter(axes, 1, f"{attributes['method']}: predicted sd")


def _curve(axes: Axes, data: xr.Dataset, printed: PrintedValues) -> None:
    sd = data["bin_sd"].values / MM_PER_CM
    error = data["bin_error"].values / MM_PER_CM
    spread = data["bin_error_sd"].values / MM_PER_CM
    _lines(axes, 0.0, float(sd.max()) * 1.05)
    axes.errorbar(
        sd,
        error,
        [np.minimum(spread, error), spread],
        color=ORANGE,
        marker="o",
        elinewidth=0.8,
        capsize=2.0,
        label="mean |error| ± 1 sd in the bin",
    )
    room = 0.08 * (float(np.ptp(sd)) or float(sd.max()))
    axes.set(xlim=(max(0.0, float(sd.min()) - room), float(sd.max()) + room), xlabel=SD_LABEL, ylabel=ERROR_LABEL)
    axes.set_ylim(bottom=0.0)
    axes.legend(loc="upper left", handlelength=1.8).set_in_layout(False)
    coverage, crps = printed.text("interval_90", "coverage"), printed.text("crps", "mean")
    panel_letter(axes, 2, f"90 % interval covers {coverage} %, CRPS {crps} cm")


def _boxes(axes: Axes, data: xr.Dataset, printed: PrintedValues) -> None:
    quantiles = data["quartile_error"].values / MM_PER_CM
    boxes = [
        {"whislo": q[0], "q1": q[1], "med": q[2], "q3": q[3], "whishi": q[4], "mean": mean, "fliers": []}
        for q, mean in zip(quantiles, data["quartile_mean"].values / MM_PER_CM, strict=True)
    ]
    line = {"color": INK, "linewidth": 0.7}
    axes.bxp(
        boxes,
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
    ranges = [
        f"Q{q}\n{printed.text(f'quartile_{q}', 'low')}–{printed.text(f'quartile_{q}', 'high')}"
        for q in range(1, len(boxes) + 1)
    ]
    axes.set_xticks(range(1, len(boxes) + 1), ranges)
    axes.set(xlabel="Quartile of predicted sd (its range, cm)", ylabel=ERROR_LABEL)
    axes.set_ylim(bottom=0.0)
    axes.axhline(data.attrs["mae_mm"] / MM_PER_CM, color=COAST, linewidth=0.6, linestyle=":")
    panel_letter(axes, 3, "diamond mean, whiskers 5 to 95 %")
