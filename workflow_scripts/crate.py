"""Describe a finished run as a Workflow Run RO-Crate in its results folder."""

import json
import shutil

from gwsd.provenance.job import Job, run


def describe(job: Job) -> None:
    """Write ro-crate-metadata.json, README.md and copies of the workflow's text."""
    from gwsd.provenance.closure import ROOT
    from gwsd.provenance.crate import Crate
    from gwsd.provenance.lineage import read_lineage
    from gwsd.provenance.record import read_record

    lineage = read_lineage(job.input("lineage"))
    later = [read_record(path) for path in job.inputs["records"]]
    workflow = {path.resolve().relative_to(ROOT).as_posix(): path for path in job.inputs["workflow"]}
    crate = Crate([*lineage.records, *later], workflow, root=lineage.root, **job.settings)
    document = crate.build()
    job.outputs["crate"].write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    job.outputs["readme"].write_text(crate.readme(), encoding="utf-8")
    for source, copy in zip(workflow.values(), job.output_lists["copies"], strict=True):
        shutil.copyfile(source, copy)
    job.report(f"{len(document['@graph'])} entities in the crate")


if __name__ == "__main__":
    run(
        describe,
        inputs=["lineage", "records", "workflow"],
        outputs=["crate", "readme"],
        output_lists=["copies"],
    )
