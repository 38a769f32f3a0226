"""Typeset the article of a scenario, list the numbers in it, and write the LaTeX files."""

import json

from gwsd.provenance.job import Job, run

INPUTS = ("numbers", "root", "claims", "tables", "figures", "images", "sources")


def paper(job: Job) -> None:
    """Inject the published numbers into the sources and typeset them."""
    from gwsd.publication.article import build_article

    built = build_article(
        numbers=job.input("numbers"),
        claims=job.input("claims"),
        **{name: job.inputs[name] for name in ("tables", "figures", "images", "sources")},
        settings=job.settings,
        root=job.input("root").read_text().strip(),
    )
    for warning in built.warnings:
        job.report(f"Typst: {warning}")
    job.outputs["pdf"].write_bytes(built.pdf)
    placed = json.dumps(built.placed, indent=0, ensure_ascii=False)
    job.outputs["placed"].write_text(placed + "\n", encoding="utf-8")
    job.outputs["numbers_tex"].write_text(built.numbers_tex, encoding="utf-8")
    job.outputs["tables_tex"].write_text(built.tables_tex, encoding="utf-8")


if __name__ == "__main__":
    run(paper, inputs=INPUTS, outputs=["pdf", "placed", "numbers_tex", "tables_tex"])
