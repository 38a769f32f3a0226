# Needs: inputs/{storage,climate,mask}.nc.
# Makes: patches/{train,validation,test}.csv, their overlap, and the normalisation fitted on the training patches.


rule patches:
    message:
        "Sampling patches ({wildcards.scenario})"
    input:
        storage="results/{scenario}/inputs/storage.nc",
        climate="results/{scenario}/inputs/climate.nc",
        mask="results/{scenario}/inputs/mask.nc",
    output:
        train="results/{scenario}/patches/train.csv",
        validation="results/{scenario}/patches/validation.csv",
        test="results/{scenario}/patches/test.csv",
        overlap="results/{scenario}/patches/overlap.csv",
        normalisation="results/{scenario}/patches/normalisation.json",
        record="results/{scenario}/patches/train.csv.record.json",
    params:
        settings=settings("patches", "climate_variables"),
        seed=seed("patches"),
        code=code("patches"),
    log:
        "results/{scenario}/logs/patches.log",
    benchmark:
        "results/{scenario}/benchmarks/patches.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=2500,
    shell:
        command("patches", "storage climate mask", "train validation test overlap normalisation", "seed")
