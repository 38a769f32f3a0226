"""Draws any figure from its data file alone: neither torch, nor raw data, nor the workflow."""

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from matplotlib.figure import Figure

from gwsd.errors import DataError
from gwsd.figures.data_file import FigureData, read_data
from gwsd.figures.printed import PrintedValues
from gwsd.figures.style import PlotStyle, save_figure

DRAWN = {
    "figure1": ".nc",
    "figure2": ".csv",
    "figure3": ".nc",
    "figure4": ".nc",
    "figure5": ".nc",
    "figure6": ".csv",
    "figure7": ".nc",
    "quality_map": ".nc",
}
"""The figures, and what their data file ends in."""


def draw_function(name: str) -> Callable[[FigureData, PlotStyle], Figure]:
    """Return the function that draws a figure.

    The module is imported by its name when it is asked for, so that an edit of one figure's module
    concerns that figure alone.

    Raises
    ------
    DataError
        If there is no such figure.
    """
    if name not in DRAWN:
        near = get_close_matches(name, DRAWN, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise DataError(f"{name}: there is no such figure; {hint}There are {', '.join(DRAWN)}.")
    draw: Callable[[FigureData, PlotStyle], Figure] = import_module(f"gwsd.figures.{name}").draw
    return draw


def values_function(name: str) -> Callable[[FigureData], PrintedValues]:
    """Return the function that lists what a figure prints on itself (see `draw_function`)."""
    draw_function(name)
    values: Callable[[FigureData], PrintedValues] = import_module(f"gwsd.figures.{name}").values
    return values


def draw_figure(name: str, data_path: Path, out_path: Path, style: PlotStyle) -> None:
    """Draw a figure from its data file.

    Parameters
    ----------
    name : str
        Which one: a key of `DRAWN`.
    data_path : Path
        Its data file.
    out_path : Path
        Where to write; the suffix (`.pdf`, `.png`, `.svg`) says as what.
    style : PlotStyle
        How figures look.

    Raises
    ------
    DataError
        If there is no such figure, the data file is missing, damaged or of another figure, or the suffix is
        unknown.
    """
    draw = draw_function(name)
    data = read_data(data_path)
    if data_path.suffix != DRAWN[name]:
        raise DataError(f"{data_path}: the data of {name} end in {DRAWN[name]}; give {name}{DRAWN[name]}.")
    try:
        figure = draw(data, style)
    except KeyError as absent:
        raise DataError(
            f"{data_path}: is not the data of {name}: {absent.args[0]} is missing; check that the name and the "
            "file belong together."
        ) from absent
    save_figure(figure, out_path, style)
