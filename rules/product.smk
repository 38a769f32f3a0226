# Needs: inputs/, patches/normalisation.json, models/ (for a network); for the check also patches/test.csv and twin/truth.nc.
# Makes: product/gwsa_0p125_<year>.nc, global fields of each month that the storage has; product/check_*.csv.


rule product:
    message:
        "The product, all years"
    input:
        [f"results/{SCENARIO}/product/gwsa_0p125_{year}.nc" for year in product_years(CONFIG.settings(SCENARIO))],


rule product_year:
    message:
        "Product of {wildcards.year} ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/product.py"),
        storage="results/{scenario}/inputs/storage.nc",
        climate="results/{scenario}/inputs/climate.nc",
        mask="results/{scenario}/inputs/mask.nc",
        normalisation="results/{scenario}/patches/normalisation.json",
        weights=weights_of_product,
    output:
        product="results/{scenario}/product/gwsa_0p125_{year}.nc",
    params:
        settings=product_settings,
        cpu_threads=cpu_threads,
    wildcard_constraints:
        year=r"\d{4}",
    log:
        "results/{scenario}/logs/product/{year}.log",
    benchmark:
        "results/{scenario}/benchmarks/product_{year}.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: cpu_threads
    resources:
        gpu=lambda wildcards: 1 if weights_of_product(wildcards) else 0,
        mem_mb=3000,
    shell:
        "OMP_NUM_THREADS={params.cpu_threads} python {input.code[0]} --storage {input.storage} "
        "--climate {input.climate} --mask {input.mask} --normalisation {input.normalisation} "
        "--weights {input.weights} --settings {params.settings:q} --product {output.product} --log {log}"


rule product_check:
    message:
        "Product against patches, tiles, field and truth ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/product_check.py"),
        storage="results/{scenario}/inputs/storage.nc",
        climate="results/{scenario}/inputs/climate.nc",
        mask="results/{scenario}/inputs/mask.nc",
        test="results/{scenario}/patches/test.csv",
        normalisation="results/{scenario}/patches/normalisation.json",
        weights=weights_of_product,
        truth=truth_of_product,
    output:
        ways="results/{scenario}/product/check_ways.csv",
        seams="results/{scenario}/product/check_seams.csv",
        correction="results/{scenario}/product/check_correction.csv",
        errors="results/{scenario}/product/check_errors.csv",
    params:
        settings=product_check_settings,
        cpu_threads=cpu_threads,
    log:
        "results/{scenario}/logs/product/check.log",
    benchmark:
        "results/{scenario}/benchmarks/product_check.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: cpu_threads
    resources:
        gpu=lambda wildcards: 1 if weights_of_product(wildcards) else 0,
        mem_mb=4000,
    shell:
        "OMP_NUM_THREADS={params.cpu_threads} python {input.code[0]} --storage {input.storage} "
        "--climate {input.climate} --mask {input.mask} --test {input.test} --normalisation {input.normalisation} "
        "--weights {input.weights} --truth {input.truth} --settings {params.settings:q} --ways {output.ways} "
        "--seams {output.seams} --correction {output.correction} --errors {output.errors} --log {log}"
