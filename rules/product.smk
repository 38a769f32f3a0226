# Needs: inputs/, and models/ if the method is a network; the check also patches/test.csv and the twin's truth.nc.
# Makes: product/gwsa_0p125_<year>.nc, global fields of each month that the storage has; product/check_*.csv.


rule product:
    message:
        "The product, all years"
    input:
        product_files(SCENARIO),


rule product_year:
    message:
        "Downscaling {wildcards.year} ({wildcards.scenario})"
    input:
        storage="results/{scenario}/inputs/storage.nc",
        climate="results/{scenario}/inputs/climate.nc",
        mask="results/{scenario}/inputs/mask.nc",
        weights=product_weights,
    output:
        product="results/{scenario}/product/gwsa_0p125_{year}.nc",
        record="results/{scenario}/product/gwsa_0p125_{year}.nc.record.json",
    params:
        settings=settings(
            "product",
            "sources",
            "title",
            year=lambda wildcards: int(wildcards.year),
            scenario=lambda wildcards: wildcards.scenario,
            **product_execution(),
        ),
        cpu_threads=cpu_threads,
        code=code("product"),
    log:
        "results/{scenario}/logs/product/{year}.log",
    benchmark:
        "results/{scenario}/benchmarks/product_{year}.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: cpu_threads
    resources:
        gpu=product_gpus,
        mem_mb=3000,
    shell:
        command("product", "storage climate mask weights", "product", "cpu_threads")


rule product_check:
    message:
        "Checking the product ({wildcards.scenario})"
    input:
        storage="results/{scenario}/inputs/storage.nc",
        climate="results/{scenario}/inputs/climate.nc",
        mask="results/{scenario}/inputs/mask.nc",
        test="results/{scenario}/patches/test.csv",
        weights=product_weights,
        truth=product_truth,
    output:
        inference="results/{scenario}/product/check_inference.csv",
        seams="results/{scenario}/product/check_seams.csv",
        correction="results/{scenario}/product/check_correction.csv",
        errors="results/{scenario}/product/check_errors.csv",
        record="results/{scenario}/product/check_inference.csv.record.json",
    params:
        settings=settings("product", **product_execution()),
        cpu_threads=cpu_threads,
        code=code("product_check"),
    log:
        "results/{scenario}/logs/product/check.log",
    benchmark:
        "results/{scenario}/benchmarks/product_check.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: cpu_threads
    resources:
        gpu=product_gpus,
        mem_mb=4000,
    shell:
        command(
            "product_check",
            "storage climate mask test weights truth",
            "inference seams correction errors",
            "cpu_threads",
        )
