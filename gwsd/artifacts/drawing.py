"""Draw any figure from its data file alone: `gwsd draw`."""

from importlib import import_module
from pathlib import Path

from gwsd.artifacts.data_file import read_data
from gwsd.artifacts.registry import FIGURES, artifact
from gwsd.artifacts.settings import Plot
from gwsd.artifacts.style import save_figure
from gwsd.errors import DataError


def draw_figure(name: str, data_path: Path, out_path: Path, style: Plot) -> None:
    """Draw a figure from its data file alone and write it as PDF, PNG or SVG."""
    entry = artifact(name)
    if entry not in FIGURES or data_path.suffix != f".{entry.data_suffix}":
        raise DataError(f"{data_path}: not the data of a figure {name}; expected {name}.{entry.data_suffix}.")
    data = read_data(data_path)
    try:
        figure = import_module(f"gwsd.artifacts.{name}").draw(data, style)
    except KeyError as absent:
        raise DataError(f"{data_path}: not the data of {name}: {absent.args[0]} is missing.") from absent
    save_figure(figure, out_path, style)
