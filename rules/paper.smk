# Needs: numbers.json, tables/, figures/, audit/claims.json and paper/.
# Makes: paper.pdf, the numbers that stand in it, and what LaTeX needs.


rule paper:
    message:
        "The article about this reproduction"
    input:
        f"results/{SCENARIO}/paper.pdf",


rule paper_files:
    message:
        "Typesetting the article ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/paper.py"),
        sources=sorted(str(path) for suffix in ("typ", "bib") for path in Path("paper").glob(f"*.{suffix}")),
        numbers="results/{scenario}/numbers.json",
        claims="results/{scenario}/audit/claims.json",
        tables=[f"results/{{scenario}}/tables/{one.name}.json" for one in ARTIFACTS if one.kind == "table"],
        figures=[f"results/{{scenario}}/figures/{one.name}.json" for one in ARTIFACTS if one.kind == "figure"],
        images=[f"results/{{scenario}}/figures/{one.name}.pdf" for one in ARTIFACTS if one.kind == "figure"],
        latex=[f"results/{{scenario}}/tables/{one.name}.tex" for one in ARTIFACTS if one.kind == "table"],
    output:
        pdf="results/{scenario}/paper.pdf",
        placed="results/{scenario}/paper.numbers.json",
        numbers_tex="results/{scenario}/numbers.tex",
        tables_tex="results/{scenario}/paper_tables.tex",
    params:
        settings=settings(
            "sources",
            "twin",
            "period",
            "patches",
            "loss",
            "evapotranspiration",
            "training",
            "seeds",
            data_label=data_label,
        ),
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
        "python {input.code[0]} --numbers {input.numbers} --claims {input.claims} --tables {input.tables} "
        "--figures {input.figures} --images {input.images} --sources {input.sources} --settings {params.settings:q} "
        "--pdf {output.pdf} --placed {output.placed} --numbers-tex {output.numbers_tex} --tables-tex {output.tables_tex} "
        "--log {log}"
