"""The claims of the paper and a verdict for each."""

import json

from gwsd.provenance.job import Job, run


def claims(job: Job) -> None:
    """Weigh every claim of the paper against itself, facts from outside, and this run's tables and figures."""
    from gwsd.claims.cells import read_cells
    from gwsd.claims.figure_values import figure_values
    from gwsd.claims.listing import csv_of, document_of
    from gwsd.claims.reading import read_ledger
    from gwsd.claims.verdicts import audit

    ledger = read_ledger(job.input("ledger"))
    results = f"results/{job.settings['scenario']}"
    computed = figure_values({path.stem: path for path in job.inputs["figures"]}, results)
    cells = read_cells(job.inputs["values"], computed, job.settings["data_label"])
    verdicts = audit(ledger, cells)
    document = document_of(verdicts, cells, computed, f"{results}/audit/claims.json")
    job.outputs["json"].write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    job.outputs["csv"].write_text(csv_of(verdicts))
    job.report(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in document["counts"].items()))


if __name__ == "__main__":
    run(claims, inputs=["ledger", "values", "figures"], outputs=["json", "csv"])
