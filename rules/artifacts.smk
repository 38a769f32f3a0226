# Needs: inputs/, patches/, models/ and evaluation/, as gwsd/artifacts/registry.py declares for each table and figure.
# Makes: tables/tableN.{csv,tex,md,html,json}, figures/NAME.{nc|csv,pdf,png,json}, and the targets table1, figure4, tables ...


for NAME in (entry.name for entry in ARTIFACTS):

    rule:
        name:
            NAME
        message:
            artifact(NAME).label
        input:
            rests_on(NAME, SCENARIO),


rule tables:
    message:
        "All tables"
    input:
        [rests_on(entry.name, SCENARIO) for entry in TABLES],


rule figures:
    message:
        "All figures"
    input:
        [rests_on(entry.name, SCENARIO) for entry in FIGURES],


rule models:
    message:
        "All trainings"
    input:
        [*data_files(SCENARIO), *patch_files(SCENARIO), *weights_files(SCENARIO), *result_files(SCENARIO, "histories")],


rule table:
    message:
        "Making {wildcards.table} ({wildcards.scenario})"
    input:
        unpack(lambda wildcards: artifact_files(wildcards.table, wildcards.scenario)),
    output:
        csv="results/{scenario}/tables/{table}.csv",
        tex="results/{scenario}/tables/{table}.tex",
        md="results/{scenario}/tables/{table}.md",
        html=report(
            "results/{scenario}/tables/{table}.html",
            caption="report/artifact.rst",
            category="Tables",
            labels={"artifact": "{table}", "scenario": "{scenario}"},
        ),
        json="results/{scenario}/tables/{table}.json",
        record="results/{scenario}/tables/{table}.csv.record.json",
    params:
        caption=lambda wildcards: artifact(wildcards.table).caption,
        files=lambda wildcards, input: file_options(input),
        settings=lambda wildcards: settings(
            *artifact(wildcards.table).settings,
            artifact=wildcards.table,
            caption=artifact(wildcards.table).caption,
            file=artifact(wildcards.table).data_path(wildcards.scenario),
            data_label=data_label,
        )(wildcards),
        code=lambda wildcards: code("table", f"gwsd.artifacts.{wildcards.table}"),
    log:
        "results/{scenario}/logs/tables/{table}.log",
    benchmark:
        "results/{scenario}/benchmarks/{table}.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        command("table", outputs="csv tex md html json") + " {params.files}"


rule figure_data:
    message:
        "Computing {wildcards.data_file} ({wildcards.scenario})"
    input:
        unpack(lambda wildcards: artifact_files(Path(wildcards.data_file).stem, wildcards.scenario)),
    output:
        data="results/{scenario}/figures/{data_file}",
        record="results/{scenario}/figures/{data_file}.record.json",
    params:
        files=lambda wildcards, input: file_options(input),
        settings=lambda wildcards: settings(
            *artifact(Path(wildcards.data_file).stem).settings,
            artifact=Path(wildcards.data_file).stem,
            data_label=data_label,
        )(wildcards),
        code=lambda wildcards: code("figure_data", f"gwsd.artifacts.{Path(wildcards.data_file).stem}"),
    wildcard_constraints:
        data_file="|".join(rf"{entry.name}\.{entry.data_suffix}" for entry in FIGURES),
    log:
        "results/{scenario}/logs/figures/{data_file}.log",
    benchmark:
        "results/{scenario}/benchmarks/{data_file}.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        command("figure_data", outputs="data") + " {params.files}"


rule draw_figure:
    message:
        "Drawing {wildcards.figure} ({wildcards.scenario})"
    input:
        data=lambda wildcards: artifact(wildcards.figure).data_path(wildcards.scenario),
    output:
        pdf="results/{scenario}/figures/{figure}.pdf",
        png=report(
            "results/{scenario}/figures/{figure}.png",
            caption="report/artifact.rst",
            category="Figures",
            labels={"artifact": "{figure}", "scenario": "{scenario}"},
        ),
        json="results/{scenario}/figures/{figure}.json",
        record="results/{scenario}/figures/{figure}.pdf.record.json",
    params:
        caption=lambda wildcards: artifact(wildcards.figure).caption,
        settings=settings(
            "plot",
            artifact=lambda wildcards: wildcards.figure,
            caption=lambda wildcards: artifact(wildcards.figure).caption,
        ),
        code=lambda wildcards: code("draw_figure", f"gwsd.artifacts.{wildcards.figure}"),
    log:
        "results/{scenario}/logs/figures/{figure}.log",
    benchmark:
        "results/{scenario}/benchmarks/{figure}.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        command("draw_figure", "data", "pdf png json")
