"""What a figure publishes: `figures/figureN.json`."""

from pathlib import Path

from gwsd.figures.data_file import FigureData, foot
from gwsd.figures.printed import PrintedValues
from gwsd.numbers.entry import entry, write_sidecar


def write_figure(path: Path, values: PrintedValues, data: FigureData, *, file: str, caption: str) -> None:
    """Write every value that a figure prints on itself.

    Parameters
    ----------
    path : Path
        Where to.
    values : PrintedValues
        What the figure's `values` returns.
    data : Dataset or DataFrame
        The figure's data.
    file : str
        Its data file, relative to the project's root; the stem names the artifact.
    caption : str
        The figure's.
    """
    artifact = Path(file).stem
    below = foot(data)
    write_sidecar(
        path,
        artifact=artifact,
        caption=caption,
        data_label=below["data_label"],
        values=[
            entry(
                artifact=artifact,
                row=one.row,
                column=one.column,
                value=one.value,
                text=one.text,
                unit=one.unit,
                format=one.format,
                label=one.label,
                file=file,
            )
            for one in values
        ],
        notes=[words for name, words in below.items() if name != "data_label" and words],
    )
