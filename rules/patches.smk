# Needs: inputs/{storage,climate,mask}.nc.
# Makes: patches/{train,validation,test}.csv, how much they overlap, and the normalisation fitted on training patches.


rule patches:
    message:
        "Patches of each split ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/patches.py"),
        storage="results/{scenario}/inputs/storage.nc",
        climate="results/{scenario}/inputs/climate.nc",
        mask="results/{scenario}/inputs/mask.nc",
    output:
        train="results/{scenario}/patches/train.csv",
        validation="results/{scenario}/patches/validation.csv",
        test="results/{scenario}/patches/test.csv",
        overlap="results/{scenario}/patches/overlap.csv",
        normalisation="results/{scenario}/patches/normalisation.json",
    params:
        settings=settings("patches", "climate_variables"),
        seed=seed("patches"),
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
        "python {input.code[0]} --storage {input.storage} --climate {input.climate} --mask {input.mask} "
        "--settings {params.settings:q} --seed {params.seed} --train {output.train} "
        "--validation {output.validation} --test {output.test} --overlap {output.overlap} "
        "--normalisation {output.normalisation} --log {log}"
