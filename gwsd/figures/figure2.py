"""Figure 2, drawn: the network from left to right, its losses below, all from the list of its parts."""

from dataclasses import dataclass
from textwrap import wrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gwsd.figures.data_file import foot
from gwsd.figures.diagram import LINE, Box, Canvas
from gwsd.figures.printed import Printed, PrintedValues, number, words
from gwsd.figures.style import BLUE, INK, ORANGE, SMALLEST_TEXT, PlotStyle, new_figure

WIDTH, HEIGHT = 180.0, 128.0
"""Extent of the drawing in its own coordinates: mm at a width of 180 mm."""

TOP = 124.5
"""Where the headings of the upper parts stand."""

COLOURS = {
    "input": "#e8e8e8",
    "conv_lstm": "#cfe3f1",
    "fusion": "#ffffff",
    "encoder": "#d5ecdf",
    "bottleneck": "#b9dcc9",
    "decoder": "#d5ecdf",
    "head": "#f3dbe9",
    "upsampling": "#ffffff",
    "output": "#e8e8e8",
    "constraint": "#fbe3d0",
    "loss": "#ffffff",
    "total": "#ffffff",
}
"""Fill of each role's boxes."""


UNET = ("encoder", "decoder", "bottleneck")
"""Roles that are the U-Net's."""

COUNTED = ("conv_lstm", *UNET, "head")
"""Roles whose boxes say their parameters."""

SHAPED = ("input", "conv_lstm", "fusion", *UNET, "upsampling")
"""Roles whose boxes say the shape of their output."""


@dataclass(frozen=True)
class Part:
    """A row of the data file."""

    name: str
    detail: str
    level: int
    months: int
    channels: int
    height: int
    width: int
    parameters: int

    @property
    def key(self) -> str:
        """Its name in the list of numbers."""
        return self.name.lower().replace(" ", "_").replace("-", "_")

    @property
    def shape(self) -> str:
        """Shape of the output, months only where there are several."""
        sizes = (self.months, self.channels, self.height, self.width)
        return " × ".join(str(size) for size in (sizes if self.months > 1 else sizes[1:]))

    @property
    def counted(self) -> Printed:
        """Its parameters."""
        return _parameters(self.key, [self], self.name)

    @property
    def size(self) -> str:
        """Its parameters as its box says them."""
        return f"{self.counted.text} param."


def read_parts(data: pd.DataFrame) -> dict[str, list[Part]]:
    """Sort the rows of a data file by their role, in order."""
    parts: dict[str, list[Part]] = {}
    for row in data.fillna({"detail": ""}).to_dict("records"):
        numbers = {name: int(row[name]) for name in ("level", "months", "channels", "height", "width", "parameters")}
        part = Part(name=str(row["name"]), detail=str(row["detail"]), **numbers)
        parts.setdefault(str(row["role"]), []).append(part)
    return parts


def values(data: pd.DataFrame) -> PrintedValues:
    """Return what Figure 2 prints on itself: shapes, parameters, and the words of the losses.

    Parameters
    ----------
    data : DataFrame
        What `figure2_data.compute` returns.
    """
    parts = read_parts(data)
    months = parts["input"][0].months
    found = [number("climate", "months", months, "d", "months", "Months of climate")]
    for role, rows in parts.items():
        for row in rows:
            if role in SHAPED:
                found.append(words(row.key, "shape", row.shape, f"Shape of the output of {row.name}"))
            if role in COUNTED:
                found.append(row.counted)
            if role in ("loss", "constraint", "total"):
                found.append(words(row.key, "detail", row.detail, row.name))
    everything = [row for rows in parts.values() for row in rows]
    if layers := parts.get("conv_lstm"):
        found.append(_parameters("temporal_encoding", layers, "temporal encoding"))
    found += [
        _parameters("u_net", [row for role in UNET for row in parts[role]], "the U-Net"),
        _parameters("heads", parts["head"], "the heads"),
        _parameters("network", everything, "the network"),
    ]
    return PrintedValues(found)


def _parameters(key: str, parts: list[Part], name: str) -> Printed:
    return number(key, "parameters", sum(part.parameters for part in parts), ",d", "", f"Parameters of {name}")


def draw(data: pd.DataFrame, style: PlotStyle) -> Figure:
    """Draw Figure 2.

    Parameters
    ----------
    data : DataFrame
        What `figure2_data.compute` returns.
    style : PlotStyle
        How figures look.
    """
    with style.applied():
        figure = new_figure(style, height_mm=(HEIGHT + 6.0) * style.width_mm / WIDTH, **foot(data))
        axes = figure.add_subplot()
        axes.set(xlim=(0.0, WIDTH), ylim=(0.0, HEIGHT), aspect="equal")
        axes.set_axis_off()
        Drawing(axes, data, SMALLEST_TEXT * style.width_mm / WIDTH).draw()
    return figure


class Drawing:
    """The network on axes whose coordinates are mm at a width of 180 mm.

    Parameters
    ----------
    axes : Axes
        Where it is drawn.
    data : DataFrame
        The rows of the data file.
    size : float
        Of the text, points.
    """

    def __init__(self, axes: Axes, data: pd.DataFrame, size: float) -> None:
        self.axes = axes
        self.canvas = Canvas(axes, size)
        self.size = size
        self.parts = read_parts(data)
        self.printed = values(data)

    def draw(self) -> None:
        """Draw all of it."""
        climate, storage = self.parts["input"]
        details = climate.detail.split(", ")
        months = self.printed.text("climate", "months")
        # Never lower than with the paper's four variables: the arrow to the first layer starts at its side.
        inputs = Box(16.0, 103.0, 27.0, 4.0 + LINE * (2 + max(len(details), 4)))
        for card in range(min(climate.months, 12) - 1, 0, -1):
            self.canvas.card(COLOURS["input"], inputs, 0.55 * card)
        self.canvas.box(COLOURS["input"], inputs, [f"climate, {months} months", climate.shape, *details])
        coarse = Box(16.0, 66.0, 27.0, 4.0 + 3 * LINE)
        self.canvas.box(COLOURS["input"], coarse, ["coarse storage", "target month", storage.shape])

        fusion = Box(75.5, 112.0, 19.0, 4.0 + 2 * LINE)
        encoded = self._encoder(inputs)
        self.canvas.arrow((encoded.right[0], fusion.y), fusion.left)
        self.canvas.elbow(coarse.right, fusion.bottom, BLUE)
        self.canvas.box(COLOURS["fusion"], fusion, ["joined", self.parts["fusion"][0].shape])
        decoded = self._unet(fusion)
        output = self._heads(decoded)
        self._losses(inputs, coarse, output)
        total = self.printed.text("network", "parameters")
        self.axes.text(
            WIDTH,
            0.0,
            f"{total} parameters in all. Shapes: (months ×) channels × rows × columns",
            ha="right",
            va="bottom",
            fontsize=self.size,
        )

    def _encoder(self, inputs: Box) -> Box:
        layers = self.parts.get("conv_lstm", [])
        if not layers:
            self.canvas.heading(34.0, "a", "No temporal encoder", TOP)
            return inputs
        count = self.printed.text("temporal_encoding", "parameters")
        self.canvas.heading(34.0, "a", f"Temporal encoding: {count} param.", TOP)
        below = None
        for index, row in enumerate(layers):
            box = Box(47.5, 112.0 - 18.0 * (len(layers) - 1 - index), 27.0, 3.0 + 3 * LINE)
            self.canvas.box(COLOURS["conv_lstm"], box, [row.name, row.shape, row.size])
            if below is None:
                self.canvas.arrow((inputs.right[0], box.y), box.left)
            else:
                self.canvas.arrow(below.top, box.bottom)
            below = box
        assert below is not None
        return below

    def _unet(self, fusion: Box) -> Box:
        encoders = {row.level: row for row in self.parts["encoder"]}
        decoders = {row.level: row for row in self.parts["decoder"]}
        bottom = self.parts["bottleneck"][0]
        self.canvas.heading(90.0, "b", f"U-Net: {self.printed.text('u_net', 'parameters')} param.", TOP)
        step = 50.0 / len(encoders)
        height = min(3.0 + 3 * LINE, step - 2.0)
        above_left, above_right = fusion, None
        first = None
        for level in sorted(encoders):
            y = 112.0 - step * (level - 1)
            left, right = Box(102.0, y, 24.0, height), Box(137.0, y, 24.0, height)
            self.canvas.box(COLOURS["encoder"], left, [f"encoder {level}", encoders[level].shape, encoders[level].size])
            self.canvas.box(
                COLOURS["decoder"], right, [f"decoder {level}", decoders[level].shape, decoders[level].size]
            )
            self.canvas.arrow(left.right, right.left, dashes="--")
            if level == 1:
                self.canvas.arrow(above_left.right, left.left)
                self.axes.text(119.5, y + 1.0, "skip", ha="center", va="bottom", fontsize=self.size, color=BLUE)
                first = right
            else:
                self.canvas.arrow(above_left.bottom, left.top)
            if above_right is not None:
                self.canvas.arrow(right.top, above_right.bottom)
            above_left, above_right = left, right
        assert first is not None
        assert above_right is not None
        box = Box(119.5, 112.0 - step * len(encoders) + 1.0, 28.0, height)
        self.canvas.box(COLOURS["bottleneck"], box, ["bottleneck", bottom.shape, bottom.size])
        self.canvas.elbow(above_left.bottom, box.left, BLUE, upright=True)
        self.canvas.elbow(box.right, above_right.bottom, BLUE)
        return first

    def _heads(self, decoded: Box) -> Box:
        heads = self.parts["head"]
        self.canvas.heading(149.5, "d", f"Heads: {self.printed.text('heads', 'parameters')} param.", TOP)
        y = 112.0 + (3.0 + 3 * LINE) / 2.0
        previous = None
        for row in heads:
            lines = [row.name, "1 × 1 convolution", row.size, *_wrapped(row.detail, 19)]
            height = 3.0 + LINE * len(lines)
            box = Box(166.5, y - height / 2.0, 26.0, height)
            self.canvas.box(COLOURS["head"], box, lines)
            if previous is None:
                self.canvas.arrow((decoded.right[0], box.y), box.left)
            else:
                middle = (decoded.right[0] + box.left[0]) / 2.0
                self.canvas.line([(middle, previous.y), (middle, box.y)], BLUE)
                self.canvas.arrow((middle, box.y), box.left)
            y = box.bottom[1] - 3.5
            previous = box
        assert previous is not None
        row = self.parts["upsampling"][0]
        up = Box(166.5, y - (3.0 + 3 * LINE) / 2.0, 26.0, 3.0 + 3 * LINE)
        self.canvas.box(COLOURS["upsampling"], up, ["upsampling", "bilinear", row.shape])
        self.canvas.arrow(previous.bottom, up.top)
        words = "mean and variance" if len(heads) > 1 else "mean"
        output = Box(166.5, up.bottom[1] - 4.5 - (3.0 + 2 * LINE) / 2.0, 26.0, 3.0 + 2 * LINE)
        self.canvas.box(COLOURS["output"], output, ["fine storage:", words])
        self.canvas.arrow(up.bottom, output.top)
        return output

    def _losses(self, inputs: Box, coarse: Box, output: Box) -> None:
        constraints = self.parts.get("constraint", [])
        words = "Physics constraints and loss" if constraints else "Loss"
        self.canvas.heading(2.0, "c", f"{words}, in training", y=50.0)
        boxes = self._constraints(constraints, inputs, coarse, output) if constraints else []
        data, smoothness = self.parts["loss"]
        for index, row in enumerate((data, smoothness)):
            box = Box(140.5 + 26.0 * index + 0.5, 31.0, 22.0, 18.0)
            self.canvas.box(COLOURS["loss"], box, [row.name, *_wrapped(row.detail, 14)])
            boxes.append(box)
            self.canvas.line([(160.5, output.bottom[1]), (160.5, 42.5), (box.x, 42.5)], BLUE)
            self.canvas.arrow((box.x, 42.5), box.top)
        total = self.parts["total"][0]
        sum_box = Box(90.0, 11.0, 92.0, 3.0 + 2 * LINE)
        self.canvas.box(COLOURS["total"], sum_box, [total.name, total.detail])
        for index, box in enumerate(boxes):
            colour = ORANGE if index < len(constraints) else BLUE
            self.canvas.line([box.bottom, (box.x, 19.0), (sum_box.x, 19.0)], colour)
        self.canvas.arrow((sum_box.x, 19.0), sum_box.top, INK)

    def _constraints(self, rows: list[Part], inputs: Box, coarse: Box, output: Box) -> list[Box]:
        bus = 45.0
        # From climate and storage on the left and the prediction on the right to the constraints.
        self.canvas.line([(1.0, inputs.y), (1.0, bus), (149.5, bus), (149.5, output.y), output.left], ORANGE)
        self.canvas.line([(inputs.left[0], inputs.y), (1.0, inputs.y)], ORANGE)
        self.canvas.line([(coarse.left[0], coarse.y), (1.0, coarse.y)], ORANGE)
        forcing = ", ".join(symbol for symbol in ("P", "ET", "θ") if any(symbol in row.detail for row in rows))
        self.axes.text(
            77.0,
            bus + 1.0,
            f"ΔG = prediction − storage of the month before;  {forcing} of the target month",
            ha="center",
            va="bottom",
            fontsize=self.size,
            color=ORANGE,
        )
        boxes = []
        for index, row in enumerate(rows):
            box = Box(21.5 + 42.5 * index, 31.0, 39.0, 18.0)
            self.canvas.box(COLOURS["constraint"], box, [row.name, *_wrapped(row.detail, 25)])
            self.canvas.arrow((box.x, bus), box.top, ORANGE)
            boxes.append(box)
        return boxes


def _wrapped(words: str, width: int) -> list[str]:
    return wrap(words, width, break_long_words=False)
