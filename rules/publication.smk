# Needs: tables/, figures/, patches/, models/, evaluation/, paper/ and the records of all jobs.
# Makes: facts.json, audit/claims.*, numbers.json, lineage.json and root.txt, paper.pdf, audit/index.html, the RO-Crate.

for NAME, FILE in TARGETS.items():

    rule:
        name:
            NAME
        message:
            f"Making {FILE}"
        input:
            f"results/{SCENARIO}/{FILE}",


rule facts_file:
    message:
        "Counting facts for the article's prose ({wildcards.scenario})"
    input:
        months="results/{scenario}/inputs/months.csv",
        quality="results/{scenario}/inputs/quality.csv",
        train="results/{scenario}/patches/train.csv",
        validation="results/{scenario}/patches/validation.csv",
        test="results/{scenario}/patches/test.csv",
        overlap="results/{scenario}/patches/overlap.csv",
        summaries=results_of("summaries"),
        histories=results_of("histories"),
        timings=results_of("timings"),
    output:
        json="results/{scenario}/facts.json",
        record="results/{scenario}/facts.json.record.json",
    params:
        settings=settings(data_label=data_label, file=lambda wildcards: f"results/{wildcards.scenario}/facts.json"),
        code=code("facts"),
    log:
        "results/{scenario}/logs/facts.log",
    benchmark:
        "results/{scenario}/benchmarks/facts.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=500,
    shell:
        command("facts", "months quality train validation test overlap summaries histories timings", "json")


rule claims_file:
    message:
        "Comparing the claims of the paper with the results ({wildcards.scenario})"
    input:
        ledger=source_file("paper/claims.yaml"),
        values=faces([*TABLES, *NUMBERED]),
        figures=[entry.data_path("{scenario}") for entry in NUMBERED],
    output:
        json="results/{scenario}/audit/claims.json",
        csv=report(
            "results/{scenario}/audit/claims.csv",
            caption="report/claims.rst",
            category="Claims",
            labels={"artifact": "claims", "scenario": "{scenario}"},
        ),
        record="results/{scenario}/audit/claims.json.record.json",
    params:
        settings=settings(data_label=data_label, scenario=lambda wildcards: wildcards.scenario),
        code=code("claims"),
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
        command("claims", "ledger values figures", "json csv")


rule numbers_file:
    message:
        "Collecting the published values ({wildcards.scenario})"
    input:
        lists=[*faces(ARTIFACTS), "results/{scenario}/facts.json", "results/{scenario}/audit/claims.json"],
        files=[entry.data_path("{scenario}") for entry in ARTIFACTS],
    output:
        numbers="results/{scenario}/numbers.json",
        record="results/{scenario}/numbers.json.record.json",
    params:
        settings=settings(scenario=lambda wildcards: wildcards.scenario, data_label=data_label, trained=trained_files),
        code=code("publish_numbers"),
    log:
        "results/{scenario}/logs/numbers.log",
    benchmark:
        "results/{scenario}/benchmarks/numbers.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=500,
    shell:
        command("publish_numbers", "lists files", "numbers")


rule lineage:
    message:
        "Collecting the provenance records ({wildcards.scenario})"
    input:
        records=lambda wildcards: [*records(wildcards), f"results/{wildcards.scenario}/numbers.json.record.json"],
    output:
        lineage="results/{scenario}/lineage.json",
        root="results/{scenario}/root.txt",
        record="results/{scenario}/lineage.json.record.json",
    params:
        settings=settings(),
        code=code("lineage"),
    log:
        "results/{scenario}/logs/lineage.log",
    benchmark:
        "results/{scenario}/benchmarks/lineage.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=500,
    shell:
        command("lineage", "records", "lineage root")


rule paper_files:
    message:
        "Typesetting the article ({wildcards.scenario})"
    input:
        numbers="results/{scenario}/numbers.json",
        root="results/{scenario}/root.txt",
        claims="results/{scenario}/audit/claims.json",
        tables=faces(TABLES),
        figures=faces(NUMBERED),
        images=[entry.path("{scenario}", "pdf") for entry in NUMBERED],
        sources=PAPER,
    output:
        pdf="results/{scenario}/paper.pdf",
        placed="results/{scenario}/paper.numbers.json",
        numbers_tex="results/{scenario}/numbers.tex",
        tables_tex="results/{scenario}/paper_tables.tex",
        record="results/{scenario}/paper.pdf.record.json",
    params:
        settings=settings("sources", "twin", "period", "patches", "loss", "evapotranspiration", "training", "seeds"),
        code=code("paper"),
    log:
        "results/{scenario}/logs/paper.log",
    benchmark:
        "results/{scenario}/benchmarks/paper.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    shell:
        command("paper", "numbers root claims tables figures images sources", "pdf placed numbers_tex tables_tex")


rule page_files:
    message:
        "Building the audit page ({wildcards.scenario})"
    input:
        numbers="results/{scenario}/numbers.json",
        lineage="results/{scenario}/lineage.json",
        claims="results/{scenario}/audit/claims.json",
        claims_table="results/{scenario}/audit/claims.csv",
        faces=faces(ARTIFACTS),
        pictures=[entry.path("{scenario}", "png") for entry in FIGURES],
        data=[entry.data_path("{scenario}") for entry in ARTIFACTS if entry.data_suffix == "csv"],
        templates=TEMPLATES,
    output:
        page="results/{scenario}/audit/index.html",
        copied_pictures=[f"results/{{scenario}}/audit/pictures/{entry.name}.png" for entry in FIGURES],
        copied_data=[
            f"results/{{scenario}}/audit/data/{entry.name}.csv" for entry in ARTIFACTS if entry.data_suffix == "csv"
        ],
        record="results/{scenario}/audit/index.html.record.json",
    params:
        settings=settings(
            artifacts=page_artifacts,
            results=lambda wildcards: f"results/{wildcards.scenario}",
            title=lambda wildcards: scenario_settings(wildcards).title,
        ),
        code=code("page"),
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
        command(
            "page",
            "numbers lineage claims faces pictures data templates",
            "page copied_pictures copied_data",
        )


rule crate_files:
    message:
        "Describing the run as a Workflow Run RO-Crate ({wildcards.scenario})"
    input:
        lineage="results/{scenario}/lineage.json",
        records=[
            f"results/{{scenario}}/{name}.record.json" for name in ("lineage.json", "paper.pdf", "audit/index.html")
        ],
        workflow=[source_file(path) for path in WORKFLOW],
    output:
        crate="results/{scenario}/ro-crate-metadata.json",
        readme="results/{scenario}/README.md",
        copies=[f"results/{{scenario}}/workflow/{path}" for path in WORKFLOW],
        record="results/{scenario}/ro-crate-metadata.json.record.json",
    params:
        settings=settings(
            scenario=lambda wildcards: wildcards.scenario,
            title=lambda wildcards: scenario_settings(wildcards).title,
            data_label=data_label,
        ),
        code=code("crate"),
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
        command("crate", "lineage records workflow", "crate readme copies")
