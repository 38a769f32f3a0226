"""Breaks titles and labels into lines where the settings leave them too little room."""

import re
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

GAP = 0.01
"""Room that stays free between neighbours, share of the figure's width."""

LETTER = re.compile(r"\$\\bf\{(\(\w\))\}\$")
"""A panel letter as `panel_letter` writes it."""


def fit_words(figure: Figure) -> None:
    """Break titles and axis labels that would run off the page or into the next panel.

    At the settings' default width and font nothing is too long; at a smaller width or a larger font this keeps
    every word on the page. Call it last, inside `style.applied()`.
    """
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    figure.draw_without_rendering()
    renderer = canvas.get_renderer()
    boxes = {axes: axes.get_window_extent(renderer) for axes in figure.axes if axes.get_visible()}
    page = figure.bbox
    gap = GAP * page.width
    for axes, box in boxes.items():
        others = [other for one, other in boxes.items() if one is not axes]
        panels = [other for one, other in boxes.items() if one is not axes and not _is_colour_bar(one)]
        title = _left_title(axes)
        beside = [other.x0 for other in panels if other.x0 > box.x1 and _overlap(box.intervaly, other.intervaly)]
        _break(title, min([page.x1, *beside]) - box.x0 - gap, "x", renderer)

        level = [other for other in others if _overlap(box.intervaly, other.intervaly)]
        middle = (box.x0 + box.x1) / 2.0
        left = max([page.x0, *((other.x1 + box.x0) / 2.0 for other in level if other.x1 <= box.x0)])
        right = min([page.x1, *((other.x0 + box.x1) / 2.0 for other in level if other.x0 >= box.x1)])
        _break(axes.xaxis.label, 2.0 * min(middle - left, right - middle) - gap, "x", renderer)

        above = [other for other in others if _overlap(box.intervalx, other.intervalx)]
        middle = (box.y0 + box.y1) / 2.0
        low = max([page.y0, *((other.y1 + box.y0) / 2.0 for other in above if other.y1 <= box.y0)])
        high = min([page.y1, *((other.y0 + box.y1) / 2.0 for other in above if other.y0 >= box.y1)])
        _break(axes.yaxis.label, 2.0 * min(middle - low, high - middle) - gap, "y", renderer)


def _left_title(axes: Axes) -> Text:
    # matplotlib keeps three titles; only the left one is used here.
    title: Text = axes._left_title  # type: ignore[attr-defined]
    return title


def _is_colour_bar(axes: Axes) -> bool:
    return axes.get_label() == "<colorbar>"


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return bool(min(one[1], other[1]) - max(one[0], other[0]) > 1.0)


def _break(text: Text, room: float, along: str, renderer: RendererBase) -> None:
    words = text.get_text()
    if not words.strip() or not text.get_visible():
        return
    extent: Bbox = text.get_window_extent(renderer)
    length = extent.width if along == "x" else extent.height
    if length <= room:
        return
    lines = LETTER.sub(r"\1", words).split("\n")
    characters = max(8, int(max(len(line) for line in lines) * room / length))
    broken = "\n".join(fill(line, characters, break_long_words=False) for line in lines)
    letter = LETTER.match(words)
    text.set_text(broken if letter is None else broken.replace(letter.group(1), letter.group(0), 1))
