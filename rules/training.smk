# Needs: inputs/ and patches/.
# Makes: models/<variant>/seed<k>/ with weights, history and seconds. A killed training resumes from its last epoch.


rule train:
    message:
        "Training {wildcards.variant}, seed {wildcards.seed} ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/train.py"),
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
    params:
        settings=training_settings,
        seed=seed("training"),
        cpu_threads=cpu_threads,
        scratch="results/{scenario}/checkpoints",
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
        "OMP_NUM_THREADS={params.cpu_threads} python {input.code[0]} --storage {input.storage} "
        "--climate {input.climate} --mask {input.mask} --train {input.train} --validation {input.validation} "
        "--normalisation {input.normalisation} --settings {params.settings:q} --seed {params.seed} "
        "--scratch {params.scratch} --weights {output.weights} --history {output.history} "
        "--timing {output.timing} --log {log}"
