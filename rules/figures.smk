# Needs: inputs/, evaluation/ and models/.
# Makes: figures/figureN.{nc,csv}, the data behind each figure, computed apart from its drawing.


rule figure1_data:
    message:
        "Trend of each cell ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/figure_data.py", "gwsd/figures/figure1_data.py"),
        computing="gwsd/figures/figure1_data.py",
        storage="results/{scenario}/inputs/storage.nc",
        mask="results/{scenario}/inputs/mask.nc",
        land="results/{scenario}/inputs/land.nc",
    output:
        data="results/{scenario}/figures/figure1.nc",
    params:
        settings=settings("trend", data_label=data_label, reported=figure_note("figure1")),
    log:
        "results/{scenario}/logs/figures/figure1_data.log",
    benchmark:
        "results/{scenario}/benchmarks/figures_figure1_data.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --computing {input.computing} --storage {input.storage} --mask {input.mask} --land {input.land} "
        "--settings {params.settings:q} --data {output.data} --log {log}"


rule figure2_data:
    message:
        "Layers of the model object ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/figure_data.py", "gwsd/figures/figure2_data.py"),
        computing="gwsd/figures/figure2_data.py",
    output:
        data="results/{scenario}/figures/figure2.csv",
    params:
        settings=settings("model", "patches", "loss", data_label=data_label, reported=figure_note("figure2")),
    log:
        "results/{scenario}/logs/figures/figure2_data.log",
    benchmark:
        "results/{scenario}/benchmarks/figures_figure2_data.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --computing {input.computing}  "
        "--settings {params.settings:q} --data {output.data} --log {log}"


rule figure3_data:
    message:
        "Three test patches ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/figure_data.py", "gwsd/figures/figure3_data.py"),
        computing="gwsd/figures/figure3_data.py",
        predictions=first_seed("evaluation/full/seed{seed}/predictions.nc"),
        land="results/{scenario}/inputs/land.nc",
    output:
        data="results/{scenario}/figures/figure3.nc",
    params:
        settings=settings("evaluation", data_label=data_label, reported=figure_note("figure3")),
    log:
        "results/{scenario}/logs/figures/figure3_data.log",
    benchmark:
        "results/{scenario}/benchmarks/figures_figure3_data.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --computing {input.computing} --predictions {input.predictions} --land {input.land} "
        "--settings {params.settings:q} --data {output.data} --log {log}"


rule figure4_data:
    message:
        "Error by month, seasonal cycle by hemisphere ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/figure_data.py", "gwsd/figures/figure4_data.py"),
        computing="gwsd/figures/figure4_data.py",
        predictions=first_seed("evaluation/full/seed{seed}/predictions.nc"),
        storage="results/{scenario}/inputs/storage.nc",
        mask="results/{scenario}/inputs/mask.nc",
        land="results/{scenario}/inputs/land.nc",
    output:
        data="results/{scenario}/figures/figure4.nc",
    params:
        settings=settings(data_label=data_label, reported=figure_note("figure4")),
    log:
        "results/{scenario}/logs/figures/figure4_data.log",
    benchmark:
        "results/{scenario}/benchmarks/figures_figure4_data.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --computing {input.computing} --predictions {input.predictions} --storage {input.storage} --mask {input.mask} --land {input.land} "
        "--settings {params.settings:q} --data {output.data} --log {log}"


rule figure5_data:
    message:
        "Error maps of four regions ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/figure_data.py", "gwsd/figures/figure5_data.py"),
        computing="gwsd/figures/figure5_data.py",
        predictions=first_seed("evaluation/full/seed{seed}/predictions.nc"),
        land="results/{scenario}/inputs/land.nc",
    output:
        data="results/{scenario}/figures/figure5.nc",
    params:
        settings=settings(data_label=data_label, reported=figure_note("figure5")),
    log:
        "results/{scenario}/logs/figures/figure5_data.log",
    benchmark:
        "results/{scenario}/benchmarks/figures_figure5_data.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --computing {input.computing} --predictions {input.predictions} --land {input.land} "
        "--settings {params.settings:q} --data {output.data} --log {log}"


rule figure6_data:
    message:
        "Losses and scores by epoch ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/figure_data.py", "gwsd/figures/figure6_data.py"),
        computing="gwsd/figures/figure6_data.py",
        histories=results_of("models/{method}/seed{seed}/history.csv", ("full", "residual")),
    output:
        data="results/{scenario}/figures/figure6.csv",
    params:
        settings=settings("climate_variables", data_label=data_label, reported=figure_note("figure6")),
    log:
        "results/{scenario}/logs/figures/figure6_data.log",
    benchmark:
        "results/{scenario}/benchmarks/figures_figure6_data.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --computing {input.computing} --histories {input.histories} "
        "--settings {params.settings:q} --data {output.data} --log {log}"


rule figure7_data:
    message:
        "Predicted uncertainty and actual error ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/figure_data.py", "gwsd/figures/figure7_data.py"),
        computing="gwsd/figures/figure7_data.py",
        predictions=first_seed("evaluation/full/seed{seed}/predictions.nc"),
    output:
        data="results/{scenario}/figures/figure7.nc",
    params:
        settings=settings("evaluation", data_label=data_label, reported=figure_note("figure7")),
    log:
        "results/{scenario}/logs/figures/figure7_data.log",
    benchmark:
        "results/{scenario}/benchmarks/figures_figure7_data.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --computing {input.computing} --predictions {input.predictions} "
        "--settings {params.settings:q} --data {output.data} --log {log}"


rule quality_map_data:
    message:
        "Why cells are in or out ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/figure_data.py", "gwsd/figures/quality_map_data.py"),
        computing="gwsd/figures/quality_map_data.py",
        mask="results/{scenario}/inputs/mask.nc",
        land="results/{scenario}/inputs/land.nc",
    output:
        data="results/{scenario}/figures/quality_map.nc",
    params:
        settings=settings(data_label=data_label),
    log:
        "results/{scenario}/logs/figures/quality_map_data.log",
    benchmark:
        "results/{scenario}/benchmarks/figures_quality_map_data.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "python {input.code[0]} --computing {input.computing} --mask {input.mask} --land {input.land} "
        "--settings {params.settings:q} --data {output.data} --log {log}"
