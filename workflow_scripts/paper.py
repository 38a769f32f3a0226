"""The article of a scenario: PDF, the numbers in it, and what LaTeX needs."""

import json

from gwsd.provenance.job import Job, run

SUFFIXES = (".typ", ".bib")


def paper(job: Job) -> None:
    """Inject the published numbers into the sources, typeset them, and list what was injected."""
    from gwsd.manuscript.article import build_article

    built = build_article(
        numbers=job.input("numbers"),
        tables=job.inputs["tables"],
        figures=job.inputs["figures"],
        images=job.inputs["images"],
        claims=job.input("claims"),
        sources=[path for path in job.inputs["sources"] if path.suffix in SUFFIXES],
        settings=job.settings,
    )
    for warning in built.warnings:
        job.report(f"Typst: {warning}")
    job.note(root=built.root)
    job.outputs["pdf"].write_bytes(built.pdf)
    job.outputs["placed"].write_text(json.dumps(built.placed, indent=0, ensure_ascii=False) + "\n")
    job.outputs["numbers_tex"].write_text(built.numbers_tex)
    job.outputs["tables_tex"].write_text(built.tables_tex)


if __name__ == "__main__":
    run(
        paper,
        inputs=["numbers", "tables", "figures", "images", "claims", "sources"],
        outputs=["pdf", "placed", "numbers_tex", "tables_tex"],
    )
