"""Describe a finished run as a Workflow Run RO-Crate, beside its results."""

import shutil
from pathlib import Path

from gwsd.provenance.job import Job, run


def describe(job: Job) -> None:
    """Write ro-crate-metadata.json, a README and the text of the workflow into the results folder."""
    from gwsd.standards.crate import build_crate, crate_text
    from gwsd.standards.run import Run, Step

    workflow = {name: Path(name) for name in job.settings["workflow"]}
    about = Run(
        scenario=job.settings["scenario"],
        title=job.settings["title"],
        data_label=job.settings["data_label"],
        steps=tuple(Step(name, output) for name, output in job.settings["steps"]),
    )
    results = job.input("numbers").parent
    document, readme = build_crate(results, about, workflow)
    job.outputs["crate"].write_text(crate_text(document), encoding="utf-8")
    job.outputs["readme"].write_text(readme, encoding="utf-8")
    for source, copy in zip(workflow.values(), job.output_lists["workflow"], strict=True):
        shutil.copyfile(source, copy)
    job.report(f"{len(document['@graph'])} entities in the crate")


if __name__ == "__main__":
    run(
        describe,
        inputs=["numbers", "paper", "page"],
        outputs=["crate", "readme"],
        output_lists=["workflow"],
    )
