"""The page that a reviewer opens, with copies of the pictures and tables that it shows."""

import shutil
from pathlib import Path

from gwsd.provenance.job import Job, run

COPIES = {"pictures": "copied_pictures", "data": "copied_data"}
"""What is copied into a folder of its name beside the page: options of the originals and of the copies."""


def page(job: Job) -> None:
    """Build the page and copy what it shows beside it."""
    from gwsd.page.building import Shown, build_page
    from gwsd.page.material import read_material

    material = read_material(job.input("numbers"), job.inputs["sidecars"], job.input("claims"))
    images = {path.stem: path for path in job.inputs["pictures"]}
    tables = {path.stem: path for path in job.inputs["data"]}
    shown = [
        Shown(
            **artifact,
            picture=f"pictures/{images[name].name}" if (name := artifact["name"]) in images else None,
            data=f"data/{tables[name].name}" if name in tables else None,
            image=images.get(name),
        )
        for artifact in job.settings["artifacts"]
    ]
    text = build_page(
        material,
        Path(job.settings["results"]),
        shown,
        title=job.settings["title"],
        templates=job.inputs["templates"][0].parent,
        claims_file="claims.csv",
    )
    job.outputs["page"].write_text(text, encoding="utf-8")
    for originals, copies in COPIES.items():
        for source, copy in zip(job.inputs[originals], job.output_lists[copies], strict=True):
            shutil.copyfile(source, copy)
    job.report(f"{len(material.numbers)} numbers, {len(material.claims)} claims, {len(text) / 1e6:.1f} MB")


if __name__ == "__main__":
    run(
        page,
        inputs=["numbers", "sidecars", "claims", "pictures", "data", "templates"],
        outputs=["page"],
        output_lists=list(COPIES.values()),
    )
