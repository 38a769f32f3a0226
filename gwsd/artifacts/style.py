"""Style of all figures: size, fonts, colours, panel letters, line breaks and reproducible files."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from textwrap import fill, wrap
from typing import Any, TypeVar

import cmocean
import matplotlib
import numpy as np
import seaborn
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from numpy.typing import NDArray

from gwsd.artifacts.settings import Plot
from gwsd.errors import ConfigError, DataError

Data = TypeVar("Data")
Array = NDArray[np.floating[Any]]
MM_PER_INCH = 25.4
INK, COAST, NO_DATA = "#1a1a1a", "#4d4d4d", "#dcdcdc"
BLUE, _, GREEN, ORANGE, PURPLE = seaborn.color_palette("colorblind", 5).as_hex()
"""seaborn's palette after Okabe and Ito (2008), distinct with every common kind of colour blindness."""

# Dates, and versions of matplotlib where a file has a field for them, are left out.
METADATA: dict[str, dict[str, str | None]] = {
    ".pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
}
LETTERS_ACROSS = 4.6  # Letters of a line of the foot, per mm of width and point of size: 118 on 180 mm at 7 pt


@contextmanager
def applied(style: Plot) -> Iterator[None]:
    """Draw and save with matplotlib's defaults and this style, whatever the user's matplotlibrc sets."""
    try:
        findfont(style.font, fallback_to_default=False)
    except ValueError as unknown:
        raise ConfigError(f"plot.font: no font {style.font!r} is installed; DejaVu Sans always is.") from unknown
    parameters: Any = {key: value for key, value in matplotlib.rcParamsDefault.items() if key != "backend"}
    parameters |= {
        "font.family": style.font,
        **dict.fromkeys(("font.size", "axes.titlesize", "axes.labelsize"), style.font_size),
        **dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "legend.fontsize"), style.small),
        **dict.fromkeys(("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color"), INK),
        **dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width"), 0.6),
        **dict.fromkeys(("xtick.major.size", "ytick.major.size"), 2.5),
        **dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False),
        **dict.fromkeys(("figure.dpi", "savefig.dpi"), style.dpi),
        "axes.titlelocation": "left",
        "lines.linewidth": 1.2,
        "lines.markersize": 3.5,
        "pdf.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "gwsd",
    }
    with matplotlib.rc_context(parameters):
        yield


def styled(draw: Callable[[Data, Plot], Figure]) -> Callable[[Data, Plot], Figure]:
    """Decorate the `draw` of a figure: apply the style, break words that do not fit, and fix the layout."""

    @wraps(draw)
    def drawn(data: Data, style: Plot) -> Figure:
        with applied(style):
            figure = draw(data, style)
            fit_words(figure)
            # Each drawing would shift the layout a little; PDF and PNG must be the same.
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
        return figure

    return drawn


def anomaly_colours(style: Plot) -> Colormap:
    """Return diverging colours of cmocean (Thyng et al., 2016), loss red and gain blue."""
    return _colours(style.map, "plot.map").reversed()


def error_colours(style: Plot) -> Colormap:
    """Return sequential colours of cmocean, light where the error is small."""
    return _colours(style.error_map, "plot.error_map")


def _colours(name: str, key: str) -> Colormap:
    known: dict[str, Colormap] = cmocean.cm.cmap_d
    if name not in known:
        near = "".join(f"; did you mean {close!r}?" for close in get_close_matches(name, known, n=1))
        raise ConfigError(f"{key}: cmocean has no map {name!r}{near} It has: {', '.join(sorted(known))}.")
    return known[name]


def round_up(value: float) -> float:
    """Return the next plain number (1, 1.5, 2, 3 … times a power of ten) at which colours may end; 1 for nothing."""
    if not (np.isfinite(value) and value > 0.0):
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    steps = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
    return float(next(step for step in steps if step * power >= value * (1.0 - 1e-9)) * power)


def new_figure(style: Plot, *, height_mm: float, data_label: str, reported: str = "", note: str = "") -> Figure:
    """Open a figure with a foot that states the origin of its data, what the paper reports, and a further note.

    `height_mm` is that with a foot of two lines at 8 pt; it grows with the font and the foot.
    """
    letters = int(LETTERS_ACROSS * style.width_mm / style.small)
    lines = [line for text in (f"Data: {data_label}", reported, note) for line in wrap(text, letters)]
    line_mm = 1.3 * style.small / 72.0 * MM_PER_INCH
    height_mm *= 1.0 + 0.06 * max(0.0, style.font_size - 8.0)
    height_mm += max(0, len(lines) - 2) * line_mm
    foot = (len(lines) * line_mm + 1.5) / height_mm
    layout = ConstrainedLayoutEngine(rect=(0.0, foot, 1.0, 1.0 - foot))
    figure = Figure(figsize=(style.width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), layout=layout)
    FigureCanvasAgg(figure)
    look: Any = {"fontsize": style.small, "va": "bottom", "color": COAST, "linespacing": 1.2, "gid": "foot"}
    figure.text(2.0 / style.width_mm, 1.0 / height_mm, "\n".join(lines), **look)
    return figure


def panel_letter(axes: Axes, index: int, title: str = "") -> None:
    """Title a panel with its letter in bold, (a) for index 0, and words."""
    letter = rf"$\bf{{({chr(ord('a') + index)})}}$"
    axes.set_title(f"{letter} {title}".strip(), loc="left", pad=3.0)


def box_plot(axes: Axes, quantiles: Array, means: Array, positions: Any) -> None:
    """Draw boxes from their `predicted_patches.QUANTILES`, shape (boxes, 5), with diamonds at the means."""
    names = ("whislo", "q1", "med", "q3", "whishi", "mean")
    boxes = [dict(zip(names, box, strict=True)) for box in np.column_stack([quantiles, means])]
    line = {"color": INK, "linewidth": 0.7}
    axes.bxp(
        boxes,
        positions=positions,
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


def fit_words(figure: Figure) -> None:
    """Break titles and axis labels that would run off the page or into the next panel (narrow pages, large fonts)."""
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    figure.draw_without_rendering()
    renderer = canvas.get_renderer()
    boxes = {axes: axes.get_window_extent(renderer) for axes in figure.axes if axes.get_visible()}
    page, gap = figure.bbox, 0.01 * figure.bbox.width

    def meet(a: Sequence[float], b: Sequence[float]) -> bool:
        return min(a[1], b[1]) - max(a[0], b[0]) > 1.0

    def available(own: Sequence[float], others: list[Sequence[float]], low: float, high: float) -> float:
        # A label is centred on its panel and may reach halfway to the neighbours.
        middle = (own[0] + own[1]) / 2.0
        low = max([low, *((other[1] + own[0]) / 2.0 for other in others if other[1] <= own[0])])
        high = min([high, *((other[0] + own[1]) / 2.0 for other in others if other[0] >= own[1])])
        return 2.0 * min(middle - low, high - middle) - gap

    def shorten(text: Text, space: float, side: str) -> None:
        length = getattr(text.get_window_extent(renderer), side)
        if not text.get_text().strip() or length <= space:
            return
        letter, words = re.fullmatch(r"(\$\\bf\{\(\w\)\}\$)?(.*)", text.get_text(), re.DOTALL).groups("")  # type: ignore[union-attr]
        lines = f"{'(a)' if letter else ''}{words}".split("\n")
        letters = max(8, int(max(map(len, lines)) * space / length))
        broken = "\n".join(fill(line, letters, break_long_words=False) for line in lines)
        text.set_text(letter + broken.removeprefix("(a)") if letter else broken)

    for axes, box in boxes.items():
        others = {other: extent for other, extent in boxes.items() if other is not axes}
        right = [
            extent.x0
            for other, extent in others.items()
            if extent.x0 > box.x1 and meet(box.intervaly, extent.intervaly) and other.get_label() != "<colorbar>"
        ]
        title: Text = axes._left_title  # type: ignore[attr-defined]
        shorten(title, min([page.x1, *right]) - box.x0 - gap, "width")
        level = [extent.intervalx for extent in others.values() if meet(box.intervaly, extent.intervaly)]
        shorten(axes.xaxis.label, available(box.intervalx, level, page.x0, page.x1), "width")
        above = [extent.intervaly for extent in others.values() if meet(box.intervalx, extent.intervalx)]
        shorten(axes.yaxis.label, available(box.intervaly, above, page.y0, page.y1), "height")


def save_figure(figure: Figure, path: Path, style: Plot) -> None:
    """Write a figure as PDF (fonts embedded), PNG or SVG; the same figure gives the same bytes."""
    suffix = path.suffix.lower()
    if suffix not in METADATA:
        raise DataError(f"{path}: a figure can be written as {', '.join(METADATA)}, not as {suffix!r}.")
    with applied(style):
        figure.savefig(path, format=suffix[1:], dpi=style.dpi, metadata=METADATA[suffix])
