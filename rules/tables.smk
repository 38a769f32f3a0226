# Needs: inputs/, patches/, models/ and evaluation/.
# Makes: tables/tableN.{csv,tex,md,html,json}. Tables print the paper's unit (cm) and mark what it reports.


rule table1_files:
    message:
        "Table 1: Configuration of the network and its training ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/table.py", "gwsd/tables/table1.py"),
        builder="gwsd/tables/table1.py",
    output:
        **table_outputs("table1"),
    params:
        settings=table_settings("table1", "model", "loss", "training", "patches"),
        caption=caption("table1"),
    log:
        "results/{scenario}/logs/tables/table1.log",
    benchmark:
        "results/{scenario}/benchmarks/tables_table1.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --builder {input.builder} "
        "--settings {params.settings:q} --csv {output.csv} --tex {output.tex} --md {output.md} --html {output.html} --json {output.json} --log {log}"


rule table2_files:
    message:
        "Table 2: The dataset, counted in the files ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/table.py", "gwsd/tables/table2.py"),
        builder="gwsd/tables/table2.py",
        storage="results/{scenario}/inputs/storage.nc",
        mask="results/{scenario}/inputs/mask.nc",
        train="results/{scenario}/patches/train.csv",
        validation="results/{scenario}/patches/validation.csv",
        test="results/{scenario}/patches/test.csv",
        overlap="results/{scenario}/patches/overlap.csv",
    output:
        **table_outputs("table2"),
    params:
        settings=table_settings("table2", "climate_variables", "patches"),
        caption=caption("table2"),
    log:
        "results/{scenario}/logs/tables/table2.log",
    benchmark:
        "results/{scenario}/benchmarks/tables_table2.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --builder {input.builder} --storage {input.storage} --mask {input.mask} --train {input.train} --validation {input.validation} --test {input.test} --overlap {input.overlap} "
        "--settings {params.settings:q} --csv {output.csv} --tex {output.tex} --md {output.md} --html {output.html} --json {output.json} --log {log}"


rule table3_files:
    message:
        "Table 3: Methods ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/table.py", "gwsd/tables/table3.py"),
        builder="gwsd/tables/table3.py",
        summaries=results_of("evaluation/{method}/seed{seed}/summary.json", (*INTERPOLATIONS, "full", "residual")),
        histories=results_of("models/{method}/seed{seed}/history.csv", ("full", "residual")),
    output:
        **table_outputs("table3"),
    params:
        settings=table_settings("table3", "climate_variables"),
        caption=caption("table3"),
    log:
        "results/{scenario}/logs/tables/table3.log",
    benchmark:
        "results/{scenario}/benchmarks/tables_table3.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --builder {input.builder} --summaries {input.summaries} --histories {input.histories} "
        "--settings {params.settings:q} --csv {output.csv} --tex {output.tex} --md {output.md} --html {output.html} --json {output.json} --log {log}"


rule table4_files:
    message:
        "Table 4: Comparison with others ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/table.py", "gwsd/tables/table4.py"),
        builder="gwsd/tables/table4.py",
        summaries=results_of("evaluation/{method}/seed{seed}/summary.json", ("full", "bilinear", "nearest")),
        histories=results_of("models/{method}/seed{seed}/history.csv", ("full",)),
    output:
        **table_outputs("table4"),
    params:
        settings=table_settings("table4", "model", "loss"),
        caption=caption("table4"),
    log:
        "results/{scenario}/logs/tables/table4.log",
    benchmark:
        "results/{scenario}/benchmarks/tables_table4.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --builder {input.builder} --summaries {input.summaries} --histories {input.histories} "
        "--settings {params.settings:q} --csv {output.csv} --tex {output.tex} --md {output.md} --html {output.html} --json {output.json} --log {log}"


rule table5_files:
    message:
        "Table 5: Physics terms by epoch ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/table.py", "gwsd/tables/table5.py"),
        builder="gwsd/tables/table5.py",
        histories=results_of("models/{method}/seed{seed}/history.csv", ("full",)),
    output:
        **table_outputs("table5"),
    params:
        settings=table_settings("table5", "climate_variables"),
        caption=caption("table5"),
    log:
        "results/{scenario}/logs/tables/table5.log",
    benchmark:
        "results/{scenario}/benchmarks/tables_table5.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --builder {input.builder} --histories {input.histories} "
        "--settings {params.settings:q} --csv {output.csv} --tex {output.tex} --md {output.md} --html {output.html} --json {output.json} --log {log}"


rule table6_files:
    message:
        "Table 6: Components ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/table.py", "gwsd/tables/table6.py"),
        builder="gwsd/tables/table6.py",
        summaries=results_of("evaluation/{method}/seed{seed}/summary.json", COMPONENTS),
        histories=results_of("models/{method}/seed{seed}/history.csv", COMPONENTS),
    output:
        **table_outputs("table6"),
    params:
        settings=table_settings("table6", "climate_variables"),
        caption=caption("table6"),
    log:
        "results/{scenario}/logs/tables/table6.log",
    benchmark:
        "results/{scenario}/benchmarks/tables_table6.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --builder {input.builder} --summaries {input.summaries} --histories {input.histories} "
        "--settings {params.settings:q} --csv {output.csv} --tex {output.tex} --md {output.md} --html {output.html} --json {output.json} --log {log}"


rule table7_files:
    message:
        "Table 7: Memory windows ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/table.py", "gwsd/tables/table7.py"),
        builder="gwsd/tables/table7.py",
        summaries=results_of("evaluation/{method}/seed{seed}/summary.json", MEMORY),
        histories=results_of("models/{method}/seed{seed}/history.csv", MEMORY),
        timings=results_of("models/{method}/seed{seed}/timing.json", MEMORY),
    output:
        **table_outputs("table7"),
    params:
        settings=table_settings("table7", "climate_variables"),
        caption=caption("table7"),
    log:
        "results/{scenario}/logs/tables/table7.log",
    benchmark:
        "results/{scenario}/benchmarks/tables_table7.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --builder {input.builder} --summaries {input.summaries} --histories {input.histories} --timings {input.timings} "
        "--settings {params.settings:q} --csv {output.csv} --tex {output.tex} --md {output.md} --html {output.html} --json {output.json} --log {log}"


rule table8_files:
    message:
        "Table 8: Cost ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/table.py", "gwsd/tables/table8.py"),
        builder="gwsd/tables/table8.py",
        timings=results_of("models/{method}/seed{seed}/timing.json", ("full", "residual")),
        inference=results_of("evaluation/{method}/seed{seed}/timing.json", ("bilinear", "full", "residual")),
    output:
        **table_outputs("table8"),
    params:
        settings=table_settings("table8", "climate_variables"),
        caption=caption("table8"),
    log:
        "results/{scenario}/logs/tables/table8.log",
    benchmark:
        "results/{scenario}/benchmarks/tables_table8.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --builder {input.builder} --timings {input.timings} --inference {input.inference} "
        "--settings {params.settings:q} --csv {output.csv} --tex {output.tex} --md {output.md} --html {output.html} --json {output.json} --log {log}"
