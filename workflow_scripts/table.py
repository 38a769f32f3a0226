"""Build one table and write it as CSV, LaTeX, Markdown, HTML and JSON."""

from importlib import import_module

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.json_face import write_table
from gwsd.artifacts.registry import INPUTS, RESULTS
from gwsd.provenance.job import Job, run


def table(job: Job) -> None:
    """Build the table that the settings name and write its files."""
    name, caption, file = (job.settings[key] for key in ("artifact", "caption", "file"))
    inputs = ArtifactInputs(job.inputs, job.settings, job.settings["data_label"], job.key)
    built = import_module(f"gwsd.artifacts.{name}").build(inputs)
    job.outputs["csv"].write_text(built.csv(), encoding="utf-8")
    job.outputs["tex"].write_text(built.latex(caption, f"tab:{name}"), encoding="utf-8")
    job.outputs["md"].write_text(built.markdown(caption), encoding="utf-8")
    job.outputs["html"].write_text(built.html(caption), encoding="utf-8")
    write_table(job.outputs["json"], built, artifact=name, caption=caption, file=file)


if __name__ == "__main__":
    run(
        table,
        inputs=[*INPUTS, *RESULTS],
        outputs=["csv", "tex", "md", "html", "json"],
        modules=lambda settings: [f"gwsd.artifacts.{settings['artifact']}"],
    )
