# Needs: paper/claims.yaml, the values that lie beside tables/ and figures/, and the data of the figures.
# Makes: audit/claims.csv and audit/claims.json, each claim of the paper with its verdict.


rule claims:
    message:
        "Every claim of the paper"
    input:
        f"results/{SCENARIO}/audit/claims.csv",


rule claims_file:
    message:
        "Every claim of the paper, weighed ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/claims.py"),
        ledger="paper/claims.yaml",
        values=[f"results/{{scenario}}/{one.kind}s/{one.name}.json" for one in ARTIFACTS],
        figures=[one.data_path("{scenario}") for one in ARTIFACTS if one.kind == "figure"],
    output:
        json="results/{scenario}/audit/claims.json",
        csv=report(
            "results/{scenario}/audit/claims.csv",
            caption="report/claims.rst",
            category="Claims",
            labels={"artifact": "claims", "scenario": "{scenario}"},
        ),
    params:
        settings=settings(data_label=data_label, scenario=lambda wildcards: wildcards.scenario),
    log:
        "results/{scenario}/logs/claims.log",
    benchmark:
        "results/{scenario}/benchmarks/claims.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=500,
    shell:
        "python {input.code[0]} --ledger {input.ledger} --values {input.values} --figures {input.figures} --settings {params.settings:q} "
        "--json {output.json} --csv {output.csv} --log {log}"
