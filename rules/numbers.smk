# Needs: inputs/, patches/, models/, evaluation/, tables/, figures/ and audit/claims.csv.
# Makes: facts.json, what no table or figure prints; numbers.json, every published value with where it comes from.


rule numbers:
    message:
        "All published values"
    input:
        f"results/{SCENARIO}/numbers.json",


rule facts_file:
    message:
        "Facts for the article's prose ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/facts.py"),
        months="results/{scenario}/inputs/months.csv",
        quality="results/{scenario}/inputs/quality.csv",
        train="results/{scenario}/patches/train.csv",
        validation="results/{scenario}/patches/validation.csv",
        test="results/{scenario}/patches/test.csv",
        overlap="results/{scenario}/patches/overlap.csv",
        summaries=results_of("evaluation/{method}/seed{seed}/summary.json", methods),
        histories=results_of("models/{method}/seed{seed}/history.csv", lambda values: values.variants),
        timings=results_of("models/{method}/seed{seed}/timing.json", lambda values: values.variants),
    output:
        json="results/{scenario}/facts.json",
    params:
        settings=settings(data_label=data_label, file=lambda wildcards: f"results/{wildcards.scenario}/facts.json"),
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
        "python {input.code[0]} --months {input.months} --quality {input.quality} --train {input.train} "
        "--validation {input.validation} --test {input.test} --overlap {input.overlap} "
        "--summaries {input.summaries} --histories {input.histories} --timings {input.timings} "
        "--settings {params.settings:q} --json {output.json} --log {log}"


rule numbers_file:
    message:
        "Every published value, with where it comes from ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/publish_numbers.py"),
        lists=published_lists,
        files=published_files,
    output:
        numbers="results/{scenario}/numbers.json",
    params:
        settings=settings(scenario=lambda wildcards: wildcards.scenario, data_label=data_label),
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
        "python {input.code[0]} --lists {input.lists} --files {input.files} "
        "--settings {params.settings:q} --numbers {output.numbers} --log {log}"
