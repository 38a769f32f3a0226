# Needs: inputs/, patches/, models/ (for a network).
# Makes: evaluation/<method>/seed<k>/ with scores by patch, predictions and their summary; the same columns for all.


rule evaluate:
    message:
        "Evaluating {wildcards.method}, seed {wildcards.seed} ({wildcards.scenario})"
    input:
        storage="results/{scenario}/inputs/storage.nc",
        climate="results/{scenario}/inputs/climate.nc",
        mask="results/{scenario}/inputs/mask.nc",
        test="results/{scenario}/patches/test.csv",
        normalisation="results/{scenario}/patches/normalisation.json",
        weights=lambda wildcards: weights_of(wildcards.scenario, wildcards.method, wildcards.seed),
    output:
        summary="results/{scenario}/evaluation/{method}/seed{seed}/summary.json",
        scores="results/{scenario}/evaluation/{method}/seed{seed}/scores.csv",
        predictions="results/{scenario}/evaluation/{method}/seed{seed}/predictions.nc",
        timing="results/{scenario}/evaluation/{method}/seed{seed}/timing.json",
        record="results/{scenario}/evaluation/{method}/seed{seed}/summary.json.record.json",
    params:
        settings=settings_of_method,
        cpu_threads=threads_of_method,
        code=code("evaluate"),
    log:
        "results/{scenario}/logs/evaluate/{method}_seed{seed}.log",
    benchmark:
        "results/{scenario}/benchmarks/evaluate_{method}_seed{seed}.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: threads_of_method
    resources:
        gpu=lambda wildcards: 0 if wildcards.method in INTERPOLATIONS else 1,
        mem_mb=3000,
    shell:
        command(
            "evaluate",
            "storage climate mask test normalisation weights",
            "summary scores predictions timing",
            "cpu_threads",
        )
