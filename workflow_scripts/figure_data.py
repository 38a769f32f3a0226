"""Compute the data of one figure."""

from importlib import import_module

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.data_file import write_data
from gwsd.artifacts.registry import INPUTS, RESULTS
from gwsd.provenance.job import Job, run


def figure_data(job: Job) -> None:
    """Compute the data of the figure that the settings name and write its data file."""
    inputs = ArtifactInputs(job.inputs, job.settings, job.settings["data_label"], job.key)
    data = import_module(f"gwsd.artifacts.{job.settings['artifact']}").compute(inputs)
    write_data(data, job.outputs["data"])


if __name__ == "__main__":
    run(
        figure_data,
        inputs=[*INPUTS, *RESULTS],
        outputs=["data"],
        modules=lambda settings: [f"gwsd.artifacts.{settings['artifact']}"],
    )
