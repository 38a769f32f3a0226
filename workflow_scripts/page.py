"""Build the audit page, with copies of the pictures and tables that it shows."""

import shutil

from gwsd.provenance.job import Job, run


def page(job: Job) -> None:
    """Build the audit page and copy the pictures and tables into its folder."""
    from gwsd.publication.page import build_page

    text = build_page(
        numbers=job.input("numbers"),
        lineage=job.input("lineage"),
        claims=job.input("claims"),
        faces=job.inputs["faces"],
        pictures=job.inputs["pictures"],
        data=job.inputs["data"],
        **job.settings,
        templates=job.inputs["templates"][0].parent,
    )
    job.outputs["page"].write_text(text, encoding="utf-8")
    for name in ("pictures", "data"):
        for source, copy in zip(job.inputs[name], job.output_lists[f"copied_{name}"], strict=True):
            shutil.copyfile(source, copy)
    job.report(f"{len(text) / 1e6:.1f} MB")


if __name__ == "__main__":
    run(
        page,
        inputs=["numbers", "lineage", "claims", "faces", "pictures", "data", "templates"],
        outputs=["page"],
        output_lists=["copied_pictures", "copied_data"],
    )
