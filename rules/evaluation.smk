# Needs: inputs/, patches/, models/ (for a network).
# Makes: evaluation/<method>/seed<k>/ with scores by patch, predictions and pooled metrics; the same columns for all.


rule evaluate:
    message:
        "Scoring {wildcards.method}, seed {wildcards.seed} ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/evaluate.py"),
        storage="results/{scenario}/inputs/storage.nc",
        climate="results/{scenario}/inputs/climate.nc",
        mask="results/{scenario}/inputs/mask.nc",
        test="results/{scenario}/patches/test.csv",
        normalisation="results/{scenario}/patches/normalisation.json",
        weights=weights_of_method,
    output:
        summary="results/{scenario}/evaluation/{method}/seed{seed}/summary.json",
        scores="results/{scenario}/evaluation/{method}/seed{seed}/scores.csv",
        predictions="results/{scenario}/evaluation/{method}/seed{seed}/predictions.nc",
        timing="results/{scenario}/evaluation/{method}/seed{seed}/timing.json",
    params:
        settings=evaluation_settings,
        cpu_threads=cpu_threads,
    log:
        "results/{scenario}/logs/evaluate/{method}_seed{seed}.log",
    benchmark:
        "results/{scenario}/benchmarks/evaluate_{method}_seed{seed}.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: cpu_threads
    resources:
        gpu=lambda wildcards: 0 if wildcards.method in INTERPOLATIONS else 1,
        mem_mb=3000,
    shell:
        "OMP_NUM_THREADS={params.cpu_threads} python {input.code[0]} --storage {input.storage} "
        "--climate {input.climate} --mask {input.mask} --test {input.test} --normalisation {input.normalisation} "
        "--weights {input.weights} --settings {params.settings:q} --summary {output.summary} "
        "--scores {output.scores} --predictions {output.predictions} --timing {output.timing} --log {log}"
