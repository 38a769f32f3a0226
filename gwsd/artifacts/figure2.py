"""Figure 2: block diagram of the network and its losses, from the parts that the model object lists."""

from textwrap import wrap
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.data_file import Printed, foot, labelled, number, texts, words
from gwsd.artifacts.settings import Plot
from gwsd.artifacts.style import BLUE, COAST, INK, ORANGE, new_figure, styled
from gwsd.physics import Loss, constraints_of

WIDTH, HEIGHT = 180.0, 128.0  # Extent of the drawing in its own coordinates: mm at a width of 180 mm
TOP, LINE = 124.5, 3.4  # Height of the upper headings, and of a line of text at 7 points
COLOURS = {
    **dict.fromkeys(("fusion", "upsampling", "loss", "total"), "#ffffff"),
    **dict.fromkeys(("input", "output"), "#e8e8e8"),
    **dict.fromkeys(("encoder", "decoder"), "#d5ecdf"),
    "bottleneck": "#b9dcc9",
    "conv_lstm": "#cfe3f1",
    "head": "#f3dbe9",
    "constraint": "#fbe3d0",
}
"""Fill of the boxes by role."""

UNET = ("encoder", "decoder", "bottleneck")  # Roles of the U-Net's boxes
ROLES = {"ConvLSTM": "conv_lstm", "fusion": "fusion", "upsampling": "upsampling", "head": "head"}
"""Roles of the groups of `model.description`; the parts of the U-Net go by their names."""

Point = tuple[float, float]
Row = dict[str, str | int]
NO_SHAPE = (0, 0, 0, 0)


def compute(inputs: ArtifactInputs) -> pd.DataFrame:
    """List inputs and parts of the network in the order in which data pass through them, then the losses.

    Columns: `role`, `level` (layer or depth, from 1; 0 where there is one), `name`, `detail`, the output's `months`,
    `channels`, `height` and `width`, and `parameters`, which sum to the model's.
    """
    from gwsd.model.description import describe
    from gwsd.model.downscaler import Downscaler
    from gwsd.model.settings import Model

    variables = inputs.settings["climate_variables"]
    network = Downscaler(Model.from_job(inputs.settings["model"]), variables)
    size = int(inputs.settings["patches"]["size"])
    climate = (network.history_months, len(variables), size, size)
    rows = [
        _row("input", "climate", climate, detail=", ".join(name.replace("_", " ") for name in variables)),
        _row("input", "storage", (1, size, size), detail="coarse, target month"),
    ]
    details = {"variance head": "softplus + floor after upsampling"}
    if network.residual:
        details["mean head"] = "correction to bilinear interpolation"
    for part in describe(network, size=size):
        suffix = part.name.rsplit(" ", 1)[-1]
        role = ROLES.get(part.kind) or next(role for role in UNET if role in part.name)
        level = int(suffix) if suffix.isdigit() else 0
        rows.append(_row(role, part.name, part.output_shape, level, part.parameters, details.get(part.name, "")))
    rows += _loss_rows(Loss.from_job(inputs.settings["loss"]), variables)
    return labelled(pd.DataFrame(rows), "figure2", inputs)


def _row(role: str, name: str, shape: tuple[int, ...], level: int = 0, parameters: int = 0, detail: str = "") -> Row:
    sizes = dict(zip(("months", "channels", "height", "width"), (1, *shape)[-4:], strict=True))
    return {"role": role, "level": level, "name": name, "detail": detail, **sizes, "parameters": parameters}


def _loss_rows(loss: Loss, climate_variables: list[str]) -> list[Row]:
    low, slope = loss.infiltration
    pool = f"{loss.regional_pool}\u00a0×\u00a0{loss.regional_pool}"
    alpha = f"α\u00a0=\u00a0{low:g}\u00a0+\u00a0{slope:g}\u00a0θ"
    constraints = {
        "sign": ("sign agreement", "eq.\u00a012: signs of ΔG and of P\u00a0−\u00a0ET"),
        "magnitude": ("magnitude correlation", f"eq.\u00a013: ΔG and (P\u00a0−\u00a0ET)·α(θ), {alpha}"),
        "regional": ("regional balance", f"eq.\u00a014: means over {pool} cells"),
    }
    kept = [constraints[term] for term in constraints_of(climate_variables)]
    physics = f"{loss.physics_weight:g} · physics + " if kept else ""
    total = f"eq.\u00a010: data + {physics}{loss.smoothness_weight:g} · smoothness"
    return [
        _row("loss", "data", NO_SHAPE, detail="Gaussian likelihood, eq.\u00a011"),
        *(_row("constraint", name, NO_SHAPE, detail=detail) for name, detail in kept),
        _row("loss", "smoothness", NO_SHAPE, detail="total variation, eq.\u00a015"),
        _row("total", "total loss", NO_SHAPE, detail=total),
    ]


def read_parts(data: pd.DataFrame) -> dict[str, list[Any]]:
    """Group the rows of a data file by role, with their `key`, and `shape` and `size_text` as printed."""
    sizes = data[["months", "channels", "height", "width"]].to_numpy()
    parts = data.assign(
        detail=data["detail"].fillna(""),
        key=data["name"].str.lower().str.replace(r"[ -]", "_", regex=True),
        shape=[" × ".join(str(size) for size in (row if row[0] > 1 else row[1:])) for row in sizes],
        size_text=[f"{count:,} param." for count in data["parameters"]],
    )
    return {str(role): [*rows.itertuples()] for role, rows in parts.groupby("role", sort=False)}


def values(data: pd.DataFrame) -> list[Printed]:
    """Return shapes, parameters, and the words of the losses."""
    parts = read_parts(data)
    found = [number("climate", "months", int(parts["input"][0].months), "d", "months", "Months of climate")]
    for role, rows in parts.items():
        for row in rows:
            if role not in ("head", "loss", "constraint", "total"):
                found.append(words(row.key, "shape", row.shape, f"Shape of the output of {row.name}"))
            if role in ("conv_lstm", *UNET, "head"):
                found.append(_parameters(row.key, [row], row.name))
            if role in ("loss", "constraint", "total"):
                found.append(words(row.key, "detail", row.detail, row.name))
    if layers := parts.get("conv_lstm"):
        found.append(_parameters("temporal_encoding", layers, "temporal encoding"))
    return [
        *found,
        _parameters("u_net", [row for role in UNET for row in parts[role]], "the U-Net"),
        _parameters("heads", parts["head"], "the heads"),
        _parameters("network", [row for rows in parts.values() for row in rows], "the network"),
    ]


def _parameters(key: str, parts: list[Any], name: str) -> Printed:
    return number(key, "parameters", int(sum(part.parameters for part in parts)), ",d", "", f"Parameters of {name}")


@styled
def draw(data: pd.DataFrame, style: Plot) -> Figure:
    """Draw the network from left to right, its losses below."""
    figure = new_figure(style, height_mm=(HEIGHT + 6.0) * style.width_mm / WIDTH, **foot(data))
    axes = figure.add_subplot()
    axes.set(xlim=(0.0, WIDTH), ylim=(0.0, HEIGHT), aspect="equal")
    axes.set_axis_off()
    _Diagram(axes, data, 7.0 * style.width_mm / WIDTH).draw()
    return figure


class _Box:
    """Middle and extent of a box, and the middles of its sides."""

    def __init__(self, x: float, y: float, width: float, height: float) -> None:
        self.x, self.y, self.width, self.height = x, y, width, height
        self.left, self.right = (x - width / 2, y), (x + width / 2, y)
        self.bottom, self.top = (x, y - height / 2), (x, y + height / 2)


class _Diagram:
    """The network on axes whose coordinates are mm at a width of 180 mm; `size` is that of the text, points."""

    def __init__(self, axes: Axes, data: pd.DataFrame, size: float) -> None:
        self.axes = axes
        self.size = size
        self.parts = read_parts(data)
        self.text = texts(values(data))

    def write(self, x: float, y: float, text: str, ha: str = "center", colour: str = INK, larger: float = 0.0) -> None:
        self.axes.text(x, y, text, ha=ha, va="bottom", fontsize=self.size + larger, color=colour)

    def heading(self, x: float, letter: str, text: str, y: float = TOP) -> None:
        self.write(x, y, rf"$\bf{{({letter})}}$ {text}", "left", larger=0.5)

    def box(self, role: str, box: _Box, lines: list[str]) -> _Box:
        corner = (box.x - box.width / 2 + 1.0, box.y - box.height / 2 + 1.0)
        form: Any = {"boxstyle": "round,pad=1.0", "facecolor": COLOURS[role], "edgecolor": INK, "linewidth": 0.6}
        self.axes.add_patch(FancyBboxPatch(corner, box.width - 2.0, box.height - 2.0, zorder=3, **form))
        start = box.y + LINE * (len(lines) - 1) / 2.0
        place: Any = {"ha": "center", "va": "center_baseline", "fontsize": self.size, "zorder": 4}
        for index, line in enumerate(lines):
            weight = "bold" if index == 0 else "normal"
            self.axes.text(box.x, start - LINE * index, line, fontweight=weight, **place)
        return box

    def line(self, points: list[Point], colour: str = BLUE) -> None:
        self.axes.plot(*zip(*points, strict=True), color=colour, linewidth=1.0, zorder=2, solid_joinstyle="miter")

    def arrow(self, *points: Point, colour: str = BLUE, dashes: str = "-") -> None:
        if len(points) > 2:
            self.line([*points[:-1]], colour)
        form: Any = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.0, "linestyle": dashes, "mutation_scale": 7}
        properties = {**form, "shrinkA": 0, "shrinkB": 0}
        self.axes.annotate("", xy=points[-1], xytext=points[-2], zorder=2, arrowprops=properties)

    def draw(self) -> None:
        climate, storage = self.parts["input"]
        details = climate.detail.split(", ")
        # Never lower than with the paper's four variables: the arrow to the first layer starts at its side.
        inputs = _Box(16.0, 103.0, 27.0, 4.0 + LINE * (2 + max(len(details), 4)))
        corner = (inputs.x - inputs.width / 2, inputs.y - inputs.height / 2)
        for card in range(min(climate.months, 12) - 1, 0, -1):
            place = (corner[0] + 0.55 * card, corner[1] + 0.55 * card)
            sheet: Any = {"facecolor": COLOURS["input"], "edgecolor": COAST, "linewidth": 0.4}
            self.axes.add_patch(Rectangle(place, inputs.width, inputs.height, **sheet))
        self.box("input", inputs, [f"climate, {self.text['climate:months']} months", climate.shape, *details])
        lines = ["coarse storage", "target month", storage.shape]
        coarse = self.box("input", _Box(16.0, 66.0, 27.0, 4.0 + 3 * LINE), lines)

        encoded = self._encoder(inputs)
        lines = ["concatenated", self.parts["fusion"][0].shape]
        fusion = self.box("fusion", _Box(75.5, 112.0, 22.0, 4.0 + 2 * LINE), lines)
        self.arrow((encoded.right[0], fusion.y), fusion.left)
        self.arrow(coarse.right, (fusion.x, coarse.y), fusion.bottom)
        output = self._heads(self._unet(fusion))
        self._losses(inputs, coarse, output)
        total = self.text["network:parameters"]
        self.write(WIDTH, 0.0, f"{total} parameters in all. Shapes: (months ×) channels × rows × columns", "right")

    def _encoder(self, inputs: _Box) -> _Box:
        layers = self.parts.get("conv_lstm", [])
        count = self.text.get("temporal_encoding:parameters")
        self.heading(34.0, "a", f"Temporal encoding: {count} param." if layers else "No temporal encoder")
        last = inputs
        for index, row in enumerate(layers):
            box = _Box(47.5, 112.0 - 18.0 * (len(layers) - 1 - index), 27.0, 3.0 + 3 * LINE)
            self.box("conv_lstm", box, [row.name, row.shape, row.size_text])
            self.arrow(*((last.top, box.bottom) if index else ((inputs.right[0], box.y), box.left)))
            last = box
        return last

    def _unet(self, fusion: _Box) -> _Box:
        levels = sorted(row.level for row in self.parts["encoder"])
        bottom = self.parts["bottleneck"][0]
        self.heading(90.0, "b", f"U-Net: {self.text['u_net:parameters']} param.")
        step = 50.0 / len(levels)
        height = min(3.0 + 3 * LINE, step - 2.0)
        down: list[_Box] = []
        up: list[_Box] = []
        for level in levels:
            for role, x, column in (("encoder", 102.0, down), ("decoder", 137.0, up)):
                row = next(row for row in self.parts[role] if row.level == level)
                box = _Box(x, 112.0 - step * (level - 1), 24.0, height)
                column.append(self.box(role, box, [f"{role} {level}", row.shape, row.size_text]))
            self.arrow(down[-1].right, up[-1].left, dashes="--")
            if level > 1:
                self.arrow(down[-2].bottom, down[-1].top)
                self.arrow(up[-1].top, up[-2].bottom)
        self.arrow(fusion.right, down[0].left)
        self.write(119.5, down[0].y + 1.0, "skip", colour=BLUE)
        box = _Box(119.5, 112.0 - step * len(levels) + 1.0, 28.0, height)
        self.box("bottleneck", box, ["bottleneck", bottom.shape, bottom.size_text])
        self.arrow(down[-1].bottom, (down[-1].x, box.y), box.left)
        self.arrow(box.right, (up[-1].x, box.y), up[-1].bottom)
        return up[0]

    def _heads(self, decoded: _Box) -> _Box:
        heads = self.parts["head"]
        self.heading(149.5, "c", f"Heads: {self.text['heads:parameters']} param.")
        x, width, fork, edge = 165.75, 24.5, 151.25, 179.6
        y = decoded.y + (3.0 + 3 * LINE) / 2.0
        boxes: list[_Box] = []
        for row in heads:
            lines = [row.name, "1 × 1 convolution", row.size_text, *wrap(row.detail, 19, break_long_words=False)]
            height = 3.0 + LINE * len(lines)
            boxes.append(self.box("head", _Box(x, y - height / 2.0, width, height), lines))
            self.arrow(decoded.right, (fork, decoded.y), (fork, boxes[-1].y), boxes[-1].left)
            y = boxes[-1].bottom[1] - 3.5
        lines = ["upsampling", "bilinear", self.parts["upsampling"][0].shape]
        up = self.box("upsampling", _Box(x, y - (3.0 + 3 * LINE) / 2.0, width, 3.0 + 3 * LINE), lines)
        self.arrow(boxes[-1].bottom, up.top)
        for box in boxes[:-1]:
            self.arrow(box.right, (edge, box.y), (edge, up.y), up.right)
        lines = ["fine storage:", "mean and variance" if len(heads) > 1 else "mean"]
        output = _Box(166.5, up.bottom[1] - 4.5 - (3.0 + 2 * LINE) / 2.0, 26.0, 3.0 + 2 * LINE)
        self.arrow(up.bottom, (x, output.top[1]))
        return self.box("output", output, lines)

    def _losses(self, inputs: _Box, coarse: _Box, output: _Box) -> None:
        constraints = self.parts.get("constraint", [])
        title = "Physics constraints and loss" if constraints else "Loss"
        self.heading(2.0, "d", f"{title}, in training", y=50.0)
        boxes = self._constraints(constraints, inputs, coarse, output) if constraints else []
        for index, row in enumerate(self.parts["loss"]):
            box = _Box(141.0 + 26.0 * index, 31.0, 22.0, 18.0)
            boxes.append(self.box("loss", box, [row.name, *wrap(row.detail, 14, break_long_words=False)]))
            self.arrow((160.5, output.bottom[1]), (160.5, 42.5), (box.x, 42.5), box.top)
        total = self.parts["total"][0]
        sum_box = self.box("total", _Box(90.0, 11.0, 92.0, 3.0 + 2 * LINE), [total.name, total.detail])
        for index, box in enumerate(boxes):
            colour = ORANGE if index < len(constraints) else BLUE
            self.line([box.bottom, (box.x, 19.0), (sum_box.x, 19.0)], colour)
        self.arrow((sum_box.x, 19.0), sum_box.top, colour=INK)

    def _constraints(self, rows: list[Any], inputs: _Box, coarse: _Box, output: _Box) -> list[_Box]:
        bus = 45.0
        # From climate and storage on the left and the prediction on the right to the constraints.
        self.line([(1.0, inputs.y), (1.0, bus), (149.5, bus), (149.5, output.y), output.left], ORANGE)
        for box in (inputs, coarse):
            self.line([box.left, (1.0, box.y)], ORANGE)
        forcing = ", ".join(symbol for symbol in ("P", "ET", "θ") if any(symbol in row.detail for row in rows))
        words_above = f"ΔG = prediction − storage of the month before;  {forcing} of the target month"
        self.write(77.0, bus + 1.0, words_above, colour=ORANGE)
        boxes = []
        for index, row in enumerate(rows):
            box = _Box(21.5 + 42.5 * index, 31.0, 39.0, 18.0)
            boxes.append(self.box("constraint", box, [row.name, *wrap(row.detail, 25, break_long_words=False)]))
            self.arrow((box.x, bus), box.top, colour=ORANGE)
        return boxes
