"""One style for all figures: size, fonts, colours, panel letters, and files that are the same bytes each time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from textwrap import wrap
from typing import Any

import cmocean
import matplotlib
import seaborn
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from matplotlib.layout_engine import ConstrainedLayoutEngine

from gwsd.errors import ConfigError, DataError
from gwsd.figures.printed import significant

MM_PER_INCH = 25.4
"""Millimetres in an inch; matplotlib measures in inches."""

MM_PER_CM = 10.0
"""Storage is mm inside and in the data files; Figures 3 to 7 print the paper's unit, cm."""

SMALLEST_TEXT = 7.0
"""Points; no text of a figure is smaller at its final size."""

LETTERS_ACROSS = 4.6
"""Letters of a note in a line, for each mm of width and point of size: 118 on 180 mm at 7 points."""

SIGNIFICANT_LINE = 1.2
"""Width of lines that carry data, points."""

INK = "#1a1a1a"
COAST = "#4d4d4d"
NO_DATA = "#dcdcdc"
BLUE, _, GREEN, ORANGE, PURPLE = seaborn.color_palette("colorblind", 5).as_hex()
"""seaborn's palette after Okabe and Ito (2008): told apart with every common kind of colour blindness."""

SUFFIXES = (".pdf", ".png", ".svg")
"""What a figure can be written as."""


@dataclass(frozen=True)
class PlotStyle:
    """How figures look: the `plot` section of the settings.

    Parameters
    ----------
    width_mm : float
        Width of every figure, mm.
    font : str
        Family of all text.
    font_size : float
        Size of axis labels and titles, points; ticks and notes are one point smaller, never below 7.
    map : str
        cmocean map of anomalies and trends. It is turned round, so that loss is red as in the paper.
    error_map : str
        cmocean map of errors.
    dpi : int
        Dots per inch of PNG files, and of the cells of maps inside PDF and SVG files.
    """

    width_mm: float
    font: str
    font_size: float
    map: str
    error_map: str
    dpi: int

    @property
    def small(self) -> float:
        """Size of ticks, legends and notes, points."""
        return max(SMALLEST_TEXT, self.font_size - 1.0)

    @property
    def anomaly_colours(self) -> Colormap:
        """Diverging colours, loss red and gain blue."""
        return colour_map(self.map, "plot.map").reversed()

    @property
    def error_colours(self) -> Colormap:
        """Sequential colours of errors, light where the error is small."""
        return colour_map(self.error_map, "plot.error_map")

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Draw and save under this style; matplotlib's own settings come back afterwards."""
        try:
            findfont(self.font, fallback_to_default=False)
        except ValueError as unknown:
            raise ConfigError(
                f"plot.font: no font of the family {self.font!r} is installed; DejaVu Sans always is."
            ) from unknown
        # Whatever a person's own matplotlibrc says must not change a figure's bytes.
        plain_settings = {key: value for key, value in matplotlib.rcParamsDefault.items() if key != "backend"}
        parameters: Any = {**plain_settings, **self._parameters()}
        with matplotlib.rc_context(parameters):
            yield

    def _parameters(self) -> dict[str, Any]:
        return {
            "font.family": self.font,
            "font.size": max(SMALLEST_TEXT, self.font_size),
            "axes.titlesize": max(SMALLEST_TEXT, self.font_size),
            "axes.labelsize": max(SMALLEST_TEXT, self.font_size),
            "xtick.labelsize": self.small,
            "ytick.labelsize": self.small,
            "legend.fontsize": self.small,
            "legend.frameon": False,
            "axes.linewidth": 0.6,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "xtick.major.size": 2.5,
            "ytick.major.size": 2.5,
            "lines.linewidth": SIGNIFICANT_LINE,
            "lines.markersize": 3.5,
            "figure.dpi": self.dpi,
            "savefig.dpi": self.dpi,
            "pdf.fonttype": 42,
            "svg.fonttype": "path",
            "svg.hashsalt": "gwsd",
        }


def colour_map(name: str, key: str) -> Colormap:
    """Return a map of cmocean (Thyng et al., 2016).

    Parameters
    ----------
    name : str
        Its name; with `_r` behind it the map is reversed.
    key : str
        The setting that names it, for the message.

    Raises
    ------
    ConfigError
        If cmocean has no such map.
    """
    known = cmocean.cm.cmap_d
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{key}: cmocean has no map {name!r}{hint} It has: {', '.join(sorted(known))}.")
    colours: Colormap = known[name]
    return colours


def new_figure(style: PlotStyle, *, height_mm: float, data_label: str, reported: str = "", note: str = "") -> Figure:
    """Open a figure of the style's width with a foot that says what data it shows.

    Call it, and everything that draws, inside `style.applied()`.

    Parameters
    ----------
    style : PlotStyle
        How figures look.
    height_mm : float
        Height with the foot at 8 points, mm; it grows with the font.
    data_label : str
        Where the data come from, printed at the bottom.
    reported : str
        What the paper states, already marked as its own; printed below the label, in as many lines as it takes.
    note : str
        What else must be said; printed below, in as many lines as it takes.
    """
    letters = int(LETTERS_ACROSS * style.width_mm / style.small)
    stated, wrapped = wrap(reported, letters), wrap(note, letters)
    lines = [f"Data: {data_label}", *stated, *wrapped]
    # Larger text takes room from the panels, so the page grows with it.
    height_mm *= 1.0 + 0.06 * max(0.0, style.font_size - 8.0)
    line_mm = 1.3 * style.small / 72.0 * MM_PER_INCH
    height_mm += (len(wrapped) + max(0, len(stated) - 1)) * line_mm
    foot = (len(lines) * line_mm + 1.5) / height_mm
    figure = Figure(
        figsize=(style.width_mm / MM_PER_INCH, height_mm / MM_PER_INCH),
        layout=ConstrainedLayoutEngine(rect=(0.0, foot, 1.0, 1.0 - foot)),
    )
    FigureCanvasAgg(figure)
    figure.text(
        2.0 / style.width_mm,
        1.0 / height_mm,
        "\n".join(lines),
        fontsize=style.small,
        va="bottom",
        color=COAST,
        linespacing=1.2,
        gid="foot",
    )
    return figure


def plain(value: float, digits: int = 2) -> str:
    """Write a number with so many significant digits, no exponent, and a true minus sign: 0.40, −1.3, 12."""
    return format(value, significant(value, digits)).replace("-", "−")


def panel_letter(axes: Axes, index: int, title: str = "") -> None:
    """Head a panel with its letter in bold, (a) for index 0, and a title behind it."""
    letter = rf"$\bf{{({chr(ord('a') + index)})}}$"
    axes.set_title(f"{letter} {title}".strip(), loc="left", pad=3.0)


def save_figure(figure: Figure, path: Path, style: PlotStyle) -> None:
    """Write a figure as PDF (fonts embedded), PNG or SVG; the same figure gives the same bytes.

    Parameters
    ----------
    figure : Figure
        What to write.
    path : Path
        Where to; its suffix says as what.
    style : PlotStyle
        The style that the figure was drawn in.

    Raises
    ------
    DataError
        If the suffix is not one of `.pdf`, `.png`, `.svg`.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(f"{path}: a figure can be written as {', '.join(SUFFIXES)}, not as {suffix!r}.")
    # Dates, and versions of matplotlib where its files hold them in a field of their own, are left out.
    fields: dict[str, dict[str, str | None]] = {
        ".pdf": {"CreationDate": None, "Producer": None, "Creator": None},
        ".png": {"Software": None},
        ".svg": {"Date": None, "Creator": None},
    }
    with style.applied():
        figure.savefig(path, format=suffix[1:], dpi=style.dpi, metadata=fields[suffix])
