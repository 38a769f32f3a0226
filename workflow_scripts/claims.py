"""Find a verdict for each claim of the paper."""

import json

from gwsd.provenance.job import Job, run


def claims(job: Job) -> None:
    """Join the findings of paper/claims.yaml with the values of tables and figures."""
    from gwsd.publication.audit import RunValues, audit, claims_csv
    from gwsd.publication.claims import read_claims
    from gwsd.publication.figure_statistics import figure_statistics

    results = f"results/{job.settings['scenario']}"
    computed = figure_statistics({path.stem: path for path in job.inputs["figures"]}, results)
    values = RunValues.read(job.inputs["values"], computed, job.settings["data_label"])
    document = audit(read_claims(job.input("ledger")), values, computed, f"{results}/audit/claims.json")
    job.outputs["json"].write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    job.outputs["csv"].write_text(claims_csv(document["claims"]), encoding="utf-8")
    job.report(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in document["counts"].items()))


if __name__ == "__main__":
    run(claims, inputs=["ledger", "values", "figures"], outputs=["json", "csv"])
