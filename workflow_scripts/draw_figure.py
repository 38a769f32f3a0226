"""One figure, drawn from its data file alone."""

from gwsd.provenance.job import Job, run


def draw(job: Job) -> None:
    """Draw a figure as PDF and PNG."""
    from gwsd.figures.drawing import draw_figure
    from gwsd.figures.style import PlotStyle

    style = PlotStyle(**job.settings["plot"])
    name = job.input("drawing").stem
    for kind in ("pdf", "png"):
        draw_figure(name, job.input("data"), job.outputs[kind], style)


if __name__ == "__main__":
    run(draw, inputs=["drawing", "data"], outputs=["pdf", "png"])
