"""Figure 6: loss terms of each variant and validation scores by epoch."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.data_file import Printed, foot, labelled, number, texts
from gwsd.artifacts.settings import Plot
from gwsd.artifacts.style import BLUE, COAST, GREEN, INK, ORANGE, PURPLE, new_figure, panel_letter, styled
from gwsd.units import MM_PER_CM

TERMS = ("total", "data", "physics", "sign", "magnitude", "regional", "smoothness", "sign_as_written")
COLUMNS = ("epoch", "steps", *(f"{part}_{term}" for part in ("train", "val") for term in TERMS),
           "val_mae_mm", "val_rmse_mm", "val_r2", "val_bilinear_mae_mm")  # fmt: skip
"""Columns of a history that the data file has, in this order."""

LOSSES = {"total": INK, "data": BLUE, "physics": ORANGE}  # Terms that are drawn, and their colours
VARIANTS = (ORANGE, BLUE, GREEN, PURPLE)  # Colours of the variants, in the order of the table

PARTS: Any = (("train", "-", "training"), ("val", "--", "validation"))


def compute(inputs: ArtifactInputs) -> pd.DataFrame:
    """Join the histories: `variant`, `seed`, `COLUMNS` and the labels; losses without unit, errors in mm."""
    tables = []
    for variant, seeds in inputs.by_seed("histories").items():
        for seed, history in sorted(seeds.items()):
            table = history[list(COLUMNS)].sort_values("epoch")
            table.insert(0, "variant", variant)
            table.insert(1, "seed", seed)
            tables.append(table)
    joined = pd.concat(tables, ignore_index=True)
    return labelled(joined, "figure6", inputs)


def values(data: pd.DataFrame) -> list[Printed]:
    """Return the steps of each variant."""
    longest = data.groupby("variant", sort=False)["steps"].max()
    return [
        number(str(variant), "steps", int(steps), ",d", "", f"{variant}: steps") for variant, steps in longest.items()
    ]


@styled
def draw(data: pd.DataFrame, style: Plot) -> Figure:
    """Draw the loss terms of each variant above, validation scores of all of them below."""
    variants = list(dict.fromkeys(data["variant"]))
    text = texts(values(data))
    figure = new_figure(style, height_mm=128.0, **foot(data))
    outer = figure.add_gridspec(2, 1)
    top = outer[0].subgridspec(1, len(variants))
    for index, variant in enumerate(variants):
        axes = figure.add_subplot(top[index])
        _losses(axes, data[data["variant"] == variant])
        panel_letter(axes, index, f"{variant}: losses ({text[f'{variant}:steps']} steps)")
        if index == 0:
            # A term that no epoch has is left out of the loss, and the foot says why.
            kept = {term: colour for term, colour in LOSSES.items() if data[f"val_{term}"].notna().any()}
            handles = [Line2D([], [], color=colour, label=term) for term, colour in kept.items()]
            handles += [Line2D([], [], color=COAST, linestyle=dashes, label=label) for _, dashes, label in PARTS]
            axes.legend(handles=handles, loc="best", ncols=2, handlelength=1.8, columnspacing=1.0).set_in_layout(False)
    _scores(figure, outer[1].subgridspec(1, 3), data, variants)
    return figure


def _epochs(axes: Axes, label: str) -> None:
    axes.set(xlabel="Epoch (0: before training)", ylabel=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _losses(axes: Axes, history: pd.DataFrame) -> None:
    for _, run in history.groupby("seed"):
        for part, dashes, _ in PARTS:
            for term, colour in LOSSES.items():
                axes.plot(run["epoch"], run[f"{part}_{term}"], dashes, color=colour, marker=".", markersize=3)
    everything = history[[f"{part}_{term}" for part, _, _ in PARTS for term in LOSSES]].abs()
    # Before training a loss may be hundreds of times what it falls to: then the axis bends, so that both show.
    settled = float(everything[history["epoch"] > 0].quantile(0.9).max())
    if float(everything.max().max()) > 8.0 * max(settled, 1e-9):
        axes.set_yscale("symlog", linthresh=max(settled, 1e-3), linscale=2.0)
    axes.axhline(0.0, color=COAST, linewidth=0.4)
    _epochs(axes, "Loss (no unit)")


def _scores(figure: Figure, grid: GridSpecFromSubplotSpec, data: pd.DataFrame, variants: list[str]) -> None:
    for index, (column, label, scale) in enumerate(
        (
            ("val_mae_mm", "MAE (cm water equivalent)", 1.0 / MM_PER_CM),
            ("val_rmse_mm", "RMSE (cm water equivalent)", 1.0 / MM_PER_CM),
            ("val_r2", "R²", 1.0),
        )
    ):
        axes = figure.add_subplot(grid[index])
        for rank, variant in enumerate(variants):
            for replicate, (_, run) in enumerate(data[data["variant"] == variant].groupby("seed")):
                name, colour = variant if replicate == 0 else None, VARIANTS[rank % len(VARIANTS)]
                axes.plot(run["epoch"], run[column] * scale, color=colour, marker=".", label=name)
        if column == "val_mae_mm":
            bilinear = float(data["val_bilinear_mae_mm"].mean()) * scale
            axes.axhline(bilinear, color=INK, linewidth=0.9, linestyle=":", label="bilinear interpolation")
            axes.legend(loc="best", handlelength=1.8).set_in_layout(False)
        if column == "val_r2":
            axes.axhline(1.0, color=COAST, linewidth=0.4)
            if float(data.loc[data["epoch"] > 0, column].min()) < -1.0:
                axes.set_yscale("symlog", linthresh=1.0)
        else:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        _epochs(axes, label)
        panel_letter(axes, len(variants) + index, f"validation {label.split()[0]}")
