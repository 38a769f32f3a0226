"""Collect the provenance records of a scenario into lineage.json, with their root hash."""

import json

from gwsd.provenance.job import Job, run


def collect_records(job: Job) -> None:
    """Write lineage.json and root.txt."""
    from gwsd.provenance.lineage import collect

    document = collect(job.inputs["records"])
    job.outputs["lineage"].write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    job.outputs["root"].write_text(document["root"] + "\n", encoding="utf-8")
    job.report(f"{len(document['records'])} records, root hash {document['root']}")


if __name__ == "__main__":
    run(collect_records, inputs=["records"], outputs=["lineage", "root"])
