"""One figure, drawn from its data file alone."""

from gwsd.provenance.job import Job, run


def draw(job: Job) -> None:
    """Draw a figure as PDF and PNG, and list the values that it prints on itself."""
    from gwsd.figures.data_file import read_data
    from gwsd.figures.drawing import draw_figure, values_function
    from gwsd.figures.style import PlotStyle
    from gwsd.numbers.of_figure import write_figure

    style = PlotStyle(**job.settings["plot"])
    name = job.input("drawing").stem
    for kind in ("pdf", "png"):
        draw_figure(name, job.input("data"), job.outputs[kind], style)
    data = read_data(job.input("data"))
    file, caption = job.input("data").as_posix(), job.settings["caption"]
    write_figure(job.outputs["json"], values_function(name)(data), data, file=file, caption=caption)


if __name__ == "__main__":
    run(draw, inputs=["drawing", "data"], outputs=["pdf", "png", "json"])
