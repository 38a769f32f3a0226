# Needs: all that was made, and its records.
# Makes: audit/index.html, the page that a reviewer opens, with copies of the pictures and tables that it shows.


rule audit:
    message:
        "The page that a reviewer opens"
    input:
        f"results/{SCENARIO}/audit/index.html",


rule page_files:
    message:
        "The page that a reviewer opens ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/page.py"),
        templates=page_templates(),
        numbers="results/{scenario}/numbers.json",
        sidecars=[f"results/{{scenario}}/{name}.json" for name in PRINTED],
        claims="results/{scenario}/audit/claims.json",
        claims_table="results/{scenario}/audit/claims.csv",
        pictures=expand("results/{{scenario}}/figures/{name}.png", name=PICTURES),
        data=expand("results/{{scenario}}/{table}.csv", table=PAGE_TABLES),
    output:
        page="results/{scenario}/audit/index.html",
        pictures=expand("results/{{scenario}}/audit/pictures/{name}.png", name=PICTURES),
        data=expand("results/{{scenario}}/audit/data/{name}.csv", name=[Path(table).name for table in PAGE_TABLES]),
    params:
        settings=page_settings,
    log:
        "results/{scenario}/logs/page.log",
    benchmark:
        "results/{scenario}/benchmarks/page.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --numbers {input.numbers} --sidecars {input.sidecars} --claims {input.claims} "
        "--pictures {input.pictures} --data {input.data} --templates {input.templates} --settings {params.settings:q} "
        "--page {output.page} --copied-pictures {output.pictures} --copied-data {output.data} --log {log}"
