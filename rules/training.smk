# Needs: inputs/ and patches/.
# Makes: models/<variant>/seed<k>/ with weights, history and timing. A killed training resumes from its last epoch.


rule train:
    message:
        "Training {wildcards.variant}, seed {wildcards.seed} ({wildcards.scenario})"
    input:
        storage="results/{scenario}/inputs/storage.nc",
        climate="results/{scenario}/inputs/climate.nc",
        mask="results/{scenario}/inputs/mask.nc",
        train="results/{scenario}/patches/train.csv",
        validation="results/{scenario}/patches/validation.csv",
        normalisation="results/{scenario}/patches/normalisation.json",
    output:
        weights="results/{scenario}/models/{variant}/seed{seed}/weights.safetensors",
        history="results/{scenario}/models/{variant}/seed{seed}/history.csv",
        timing="results/{scenario}/models/{variant}/seed{seed}/timing.json",
        record="results/{scenario}/models/{variant}/seed{seed}/weights.safetensors.record.json",
    params:
        settings=settings_of_training,
        seed=seed("training"),
        cpu_threads=cpu_threads,
        scratch="results/{scenario}/checkpoints",
        code=code("train"),
    log:
        "results/{scenario}/logs/train/{variant}_seed{seed}.log",
    benchmark:
        "results/{scenario}/benchmarks/train_{variant}_seed{seed}.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: cpu_threads
    resources:
        gpu=1,
        mem_mb=3000,
    shell:
        command(
            "train",
            "storage climate mask train validation normalisation",
            "weights history timing",
            "seed cpu_threads scratch",
        )
