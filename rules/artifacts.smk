# Needs: the tables' and figures' own rules.
# Makes: the targets that a person asks for by name, and the drawings.


rule tables:
    message:
        "All tables"
    input:
        [one.paths(SCENARIO) for one in ARTIFACTS if one.kind == "table"],


rule figures:
    message:
        "All figures"
    input:
        [one.paths(SCENARIO) for one in ARTIFACTS if one.kind == "figure"],


for ARTIFACT in ARTIFACTS:

    rule:
        name:
            ARTIFACT.name
        message:
            f"{ARTIFACT.name}: {ARTIFACT.title}"
        input:
            ARTIFACT.paths(SCENARIO),


rule models:
    message:
        "All trainings"
    input:
        [
            f"results/{SCENARIO}/models/{variant}/seed{replicate}/weights.safetensors"
            for variant in CONFIG.settings(SCENARIO).variants
            for replicate in CONFIG.settings(SCENARIO).seeds
        ],


rule draw_figure:
    message:
        "Drawing {wildcards.figure} ({wildcards.scenario})"
    input:
        code=lambda wildcards: code("workflow_scripts/draw_figure.py", f"gwsd/figures/{wildcards.figure}.py"),
        data=figure_data,
        drawing="gwsd/figures/{figure}.py",
    output:
        pdf="results/{scenario}/figures/{figure}.pdf",
        png=report(
            "results/{scenario}/figures/{figure}.png",
            caption="report/artifact.rst",
            category="Figures",
            labels={"artifact": "{figure}", "scenario": "{scenario}"},
        ),
        json="results/{scenario}/figures/{figure}.json",
    params:
        settings=settings("plot", caption=lambda wildcards: figure_caption(wildcards.figure)),
        caption=lambda wildcards: caption(wildcards.figure),
    log:
        "results/{scenario}/logs/draw/{figure}.log",
    benchmark:
        "results/{scenario}/benchmarks/draw_{figure}.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --drawing {input.drawing} --data {input.data} --settings {params.settings:q} "
        "--pdf {output.pdf} --png {output.png} --json {output.json} --log {log}"
