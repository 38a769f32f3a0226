"""Draw one figure from its data file."""

from importlib import import_module

from gwsd.artifacts.data_file import foot, read_data
from gwsd.artifacts.json_face import write_figure
from gwsd.artifacts.settings import Plot
from gwsd.artifacts.style import save_figure
from gwsd.provenance.job import Job, run


def draw_figure(job: Job) -> None:
    """Draw the figure that the settings name as PDF and PNG, and list the values that it prints."""
    name, caption = job.settings["artifact"], job.settings["caption"]
    figure, style = import_module(f"gwsd.artifacts.{name}"), Plot.from_job(job.settings["plot"])
    data = read_data(job.input("data"))
    drawing = figure.draw(data, style)
    for suffix in ("pdf", "png"):
        save_figure(drawing, job.outputs[suffix], style)
    below = foot(data)
    write_figure(
        job.outputs["json"],
        figure.values(data),
        artifact=name,
        caption=caption,
        file=job.input("data").as_posix(),
        data_label=below.pop("data_label"),
        notes=[note for note in below.values() if note],
    )


if __name__ == "__main__":
    run(
        draw_figure,
        inputs=["data"],
        outputs=["pdf", "png", "json"],
        modules=lambda settings: [f"gwsd.artifacts.{settings['artifact']}"],
    )
