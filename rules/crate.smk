# Needs: all that was made, and its records.
# Makes: ro-crate-metadata.json, a Workflow Run RO-Crate; README.md; the text of the workflow in workflow/.


rule crate:
    message:
        "The run as a Workflow Run RO-Crate"
    input:
        f"results/{SCENARIO}/ro-crate-metadata.json",


rule crate_files:
    message:
        "The run as a Workflow Run RO-Crate ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/crate.py"),
        numbers="results/{scenario}/numbers.json",
        paper="results/{scenario}/paper.pdf",
        page="results/{scenario}/audit/index.html",
        workflow=workflow_text(),
    output:
        crate="results/{scenario}/ro-crate-metadata.json",
        readme="results/{scenario}/README.md",
        workflow=[f"results/{{scenario}}/workflow/{path}" for path in workflow_text()],
    params:
        settings=crate_settings,
    log:
        "results/{scenario}/logs/crate.log",
    benchmark:
        "results/{scenario}/benchmarks/crate.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --numbers {input.numbers} --paper {input.paper} --page {input.page} "
        "--settings {params.settings:q} --crate {output.crate} --readme {output.readme} --workflow {output.workflow} "
        "--log {log}"
