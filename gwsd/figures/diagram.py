"""Boxes, lines and arrows of a block diagram."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle

from gwsd.figures.style import BLUE, COAST, INK

Point = tuple[float, float]
"""x and y in the diagram's coordinates."""

LINE = 3.4
"""Height of a line of text, mm at a width of 180 mm and 7 points."""


@dataclass(frozen=True)
class Box:
    """A drawn box; middle and extent in the drawing's coordinates."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> Point:
        """Middle of the left side."""
        return self.x - self.width / 2, self.y

    @property
    def right(self) -> Point:
        """Middle of the right side."""
        return self.x + self.width / 2, self.y

    @property
    def top(self) -> Point:
        """Middle of the upper side."""
        return self.x, self.y + self.height / 2

    @property
    def bottom(self) -> Point:
        """Middle of the lower side."""
        return self.x, self.y - self.height / 2


class Canvas:
    """Axes to draw a diagram on; its coordinates are mm at a width of 180 mm.

    Parameters
    ----------
    axes : Axes
        Where it is drawn.
    size : float
        Of the text, points.
    """

    def __init__(self, axes: Axes, size: float) -> None:
        self.axes = axes
        self.size = size

    def heading(self, x: float, letter: str, words: str, y: float) -> None:
        """Write the heading of a part: its letter in bold, then words."""
        self.axes.text(x, y, rf"$\bf{{({letter})}}$ {words}", ha="left", va="bottom", fontsize=self.size + 0.5)

    def card(self, fill: str, box: Box, shift: float) -> None:
        """Draw a plain sheet behind a box, shifted up and to the right."""
        self.axes.add_patch(
            Rectangle(
                (box.x - box.width / 2 + shift, box.y - box.height / 2 + shift),
                box.width,
                box.height,
                facecolor=fill,
                edgecolor=COAST,
                linewidth=0.4,
            )
        )

    def box(self, fill: str, box: Box, lines: list[str]) -> None:
        """Draw a box with its lines of text, the first in bold."""
        self.axes.add_patch(
            FancyBboxPatch(
                (box.x - box.width / 2 + 1.0, box.y - box.height / 2 + 1.0),
                box.width - 2.0,
                box.height - 2.0,
                boxstyle="round,pad=1.0",
                facecolor=fill,
                edgecolor=INK,
                linewidth=0.6,
                zorder=3,
            )
        )
        start = box.y + LINE * (len(lines) - 1) / 2.0
        for number, line in enumerate(lines):
            self.axes.text(
                box.x,
                start - LINE * number,
                line,
                ha="center",
                va="center_baseline",
                fontsize=self.size,
                zorder=4,
                fontweight="bold" if number == 0 else "normal",
            )

    def line(self, points: list[Point], colour: str, dashes: str = "-") -> None:
        """Draw a line through points."""
        x, y = zip(*points, strict=True)
        self.axes.plot(x, y, dashes, color=colour, linewidth=1.0, zorder=2, solid_joinstyle="miter")

    def arrow(self, start: Point, end: Point, colour: str = BLUE, dashes: str = "-") -> None:
        """Draw an arrow."""
        self.axes.annotate(
            "",
            xy=end,
            xytext=start,
            zorder=2,
            arrowprops={
                "arrowstyle": "-|>",
                "color": colour,
                "linewidth": 1.0,
                "linestyle": dashes,
                "shrinkA": 0,
                "shrinkB": 0,
                "mutation_scale": 7,
            },
        )

    def elbow(self, start: Point, end: Point, colour: str, *, upright: bool = False) -> None:
        """Draw an arrow round a corner: first across, or first up or down where `upright`."""
        corner = (start[0], end[1]) if upright else (end[0], start[1])
        self.line([start, corner], colour)
        self.arrow(corner, end, colour)
