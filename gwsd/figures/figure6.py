"""Figure 6, drawn: loss terms of each variant above, validation scores of all of them below."""

from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from gwsd.figures.data_file import foot
from gwsd.figures.fitting import fit_words
from gwsd.figures.printed import PrintedValues, number
from gwsd.figures.style import BLUE, COAST, GREEN, INK, MM_PER_CM, ORANGE, PURPLE, PlotStyle, new_figure, panel_letter

LOSSES = (("total", INK), ("data", BLUE), ("physics", ORANGE))
"""Terms that are drawn, and their colours."""

VARIANTS = (ORANGE, BLUE, GREEN, PURPLE)
"""Colours of the variants, in the order of the table."""

PARTS: tuple[tuple[str, Literal["-", "--"], str], ...] = (("train", "-", "training"), ("val", "--", "validation"))


def values(data: pd.DataFrame) -> PrintedValues:
    """Return what Figure 6 prints on itself: the steps of each variant.

    Parameters
    ----------
    data : DataFrame
        What `figure6_data.compute` returns.
    """
    longest = data.groupby("variant", sort=False)["steps"].max()
    return PrintedValues(
        number(str(variant), "steps", int(steps), ",d", "", f"{variant}: steps") for variant, steps in longest.items()
    )


def draw(data: pd.DataFrame, style: PlotStyle) -> Figure:
    """Draw Figure 6.

    Parameters
    ----------
    data : DataFrame
        What `figure6_data.compute` returns.
    style : PlotStyle
        How figures look.
    """
    variants = list(dict.fromkeys(data["variant"]))
    printed = values(data)
    with style.applied():
        figure = new_figure(style, height_mm=128.0, **foot(data))
        outer = figure.add_gridspec(2, 1)
        top = outer[0].subgridspec(1, len(variants))
        bottom = outer[1].subgridspec(1, 3)
        for index, variant in enumerate(variants):
            axes = figure.add_subplot(top[index])
            _losses(axes, data[data["variant"] == variant])
            panel_letter(axes, index, f"{variant}: losses ({printed.text(variant, 'steps')} steps)")
            axes.set_ylabel("Loss (no unit)")
            if index == 0:
                _legend(axes, data)
        _scores(figure, bottom, data, variants)
        fit_words(figure)
    return figure


def _epochs(axes: Axes) -> None:
    axes.set_xlabel("Epoch (0: before training)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _losses(axes: Axes, history: pd.DataFrame) -> None:
    for _, run in history.groupby("seed"):
        for part, dashes, _ in PARTS:
            for term, colour in LOSSES:
                axes.plot(run["epoch"], run[f"{part}_{term}"], dashes, color=colour, marker=".", markersize=3)
    columns = [f"{part}_{term}" for part, _, _ in PARTS for term, _ in LOSSES]
    values = history.loc[history["epoch"] > 0, columns]
    everything = history[columns]
    # Before training a loss may be hundreds of times what it falls to: then the axis bends, so that both show.
    settled = float(values.abs().quantile(0.9).max())
    if float(everything.abs().max().max()) > 8.0 * max(settled, 1e-9):
        axes.set_yscale("symlog", linthresh=max(settled, 1e-3), linscale=2.0)
    axes.axhline(0.0, color=COAST, linewidth=0.4)
    _epochs(axes)


def _legend(axes: Axes, data: pd.DataFrame) -> None:
    # A term that no epoch has is left out of the loss, and the foot says why.
    handles = [Line2D([], [], color=colour, label=term) for term, colour in LOSSES if data[f"val_{term}"].notna().any()]
    handles += [Line2D([], [], color=COAST, linestyle=dashes, label=words) for _, dashes, words in PARTS]
    axes.legend(handles=handles, loc="best", ncols=2, handlelength=1.8, columnspacing=1.0).set_in_layout(False)


def _scores(figure: Figure, grid: GridSpecFromSubplotSpec, data: pd.DataFrame, variants: list[str]) -> None:
    letter = len(variants)
    colours = {variant: VARIANTS[index % len(VARIANTS)] for index, variant in enumerate(variants)}
    for index, (column, label, scale) in enumerate(
        (
            ("val_mae_mm", "MAE (cm water equivalent)", 1.0 / MM_PER_CM),
            ("val_rmse_mm", "RMSE (cm water equivalent)", 1.0 / MM_PER_CM),
            ("val_r2", "R²", 1.0),
        )
    ):
        axes = figure.add_subplot(grid[index])
        for variant in variants:
            for seed, run in data[data["variant"] == variant].groupby("seed"):
                axes.plot(
                    run["epoch"],
                    run[column] * scale,
                    color=colours[variant],
                    marker=".",
                    label=variant if seed == 0 else None,
                )
        if column == "val_mae_mm":
            bilinear = float(data["val_bilinear_mae_mm"].mean()) * scale
            axes.axhline(bilinear, color=INK, linewidth=0.9, linestyle=":", label="bilinear interpolation")
        if column == "val_r2":
            axes.axhline(1.0, color=COAST, linewidth=0.4)
            low = float(data.loc[data["epoch"] > 0, column].min())
            if low < -1.0:
                axes.set_yscale("symlog", linthresh=1.0)
        else:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylabel(label)
        _epochs(axes)
        panel_letter(axes, letter + index, f"validation {label.split()[0]}")
        if index == 0:
            axes.legend(loc="best", handlelength=1.8).set_in_layout(False)
