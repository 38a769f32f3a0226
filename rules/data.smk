# Needs: nothing (twin Earth), the downloads of G3P and ERA5-Land, or files given by storage_path and climate_path.
# Makes: raw/ and twin/ (twin Earth), inputs/{land,storage,climate,mask}.nc, and the reasons why cells are excluded.


rule land_fraction:
    message:
        "Land fraction of the fine grid ({wildcards.scenario})"
    output:
        land="results/{scenario}/inputs/land.nc",
        record="results/{scenario}/inputs/land.nc.record.json",
    params:
        settings=settings("region"),
        code=code("land_fraction"),
    log:
        "results/{scenario}/logs/land_fraction.log",
    benchmark:
        "results/{scenario}/benchmarks/land_fraction.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=2500,
    shell:
        command("land_fraction", "", "land")


# The period of a scenario decides which files its twin Earth consists of, hence one rule per scenario.
for NAME, VALUES in CONFIG.scenarios.items():
    if not VALUES.is_synthetic:
        continue

    rule:
        name:
            f"twin_earth_{NAME}"
        message:
            "Simulating the twin Earth ({wildcards.scenario})"
        input:
            land="results/{scenario}/inputs/land.nc",
        output:
            storage=twin_storage(VALUES),
            climate=twin_climate(VALUES),
            truth="results/{scenario}/twin/truth.nc",
            climate_blocks="results/{scenario}/twin/climate_blocks.nc",
            balance="results/{scenario}/twin/balance.nc",
            known="results/{scenario}/twin/known.nc",
            faults="results/{scenario}/twin/faults.csv",
            record="results/{scenario}/twin/truth.nc.record.json",
        params:
            settings=settings("twin", "region", "period", name=lambda wildcards: wildcards.scenario),
            seed=seed("twin"),
            code=code("twin_earth"),
        wildcard_constraints:
            scenario=NAME,
        log:
            "results/{scenario}/logs/twin_earth.log",
        benchmark:
            "results/{scenario}/benchmarks/twin_earth.tsv"
        conda:
            "../envs/gwsd.yaml"
        threads: 2
        resources:
            mem_mb=3000,
        shell:
            command("twin_earth", "land", "storage climate truth climate_blocks balance known faults", "seed")


rule climate:
    message:
        "Regridding the climate to the grid of the storage ({wildcards.scenario})"
    input:
        raw_climate=raw_climate,
    output:
        climate="results/{scenario}/inputs/climate.nc",
        record="results/{scenario}/inputs/climate.nc.record.json",
    params:
        settings=settings(
            "period",
            "region",
            "evapotranspiration",
            "climate_variables",
            source=climate_source,
            data_label=data_label,
        ),
        code=code("climate"),
    log:
        "results/{scenario}/logs/climate.log",
    benchmark:
        "results/{scenario}/benchmarks/climate.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 2
    resources:
        mem_mb=3000,
    shell:
        command("climate", "raw_climate", "climate", "threads")


rule quality_control:
    message:
        "Aligning the storage and excluding cells that fail quality control ({wildcards.scenario})"
    input:
        raw_storage=raw_storage,
        climate="results/{scenario}/inputs/climate.nc",
    output:
        storage="results/{scenario}/inputs/storage.nc",
        mask="results/{scenario}/inputs/mask.nc",
        reasons="results/{scenario}/inputs/quality.csv",
        months="results/{scenario}/inputs/months.csv",
        record="results/{scenario}/inputs/storage.nc.record.json",
    params:
        settings=settings("sources", "period", "region", "quality", data_label=data_label),
        code=code("quality_control"),
    log:
        "results/{scenario}/logs/quality_control.log",
    benchmark:
        "results/{scenario}/benchmarks/quality_control.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=3000,
    shell:
        command("quality_control", "raw_storage climate", "storage mask reasons months")


rule water_balance:
    message:
        "Correlating storage changes with P - ET ({wildcards.scenario})"
    input:
        storage="results/{scenario}/inputs/storage.nc",
        climate="results/{scenario}/inputs/climate.nc",
    output:
        balance="results/{scenario}/inputs/water_balance.csv",
        record="results/{scenario}/inputs/water_balance.csv.record.json",
    params:
        code=code("water_balance"),
    log:
        "results/{scenario}/logs/water_balance.log",
    benchmark:
        "results/{scenario}/benchmarks/water_balance.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=3500,
    shell:
        command("water_balance", "storage climate", "balance", settings=False)


rule twin_check:
    message:
        "Comparing quality control with the known faults of the twin Earth ({wildcards.scenario})"
    input:
        mask="results/{scenario}/inputs/mask.nc",
        months="results/{scenario}/inputs/months.csv",
        known="results/{scenario}/twin/known.nc",
    output:
        check="results/{scenario}/twin/quality_check.csv",
        record="results/{scenario}/twin/quality_check.csv.record.json",
    params:
        code=code("twin_check"),
    log:
        "results/{scenario}/logs/twin_check.log",
    benchmark:
        "results/{scenario}/benchmarks/twin_check.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        command("twin_check", "mask months known", "check", settings=False)


rule twin_realism:
    message:
        "Comparing the storage of the twin Earth with an observed one ({wildcards.scenario})"
    input:
        storage="results/{scenario}/inputs/storage.nc",
        observed=lambda wildcards: given_files(wildcards, "storage_path"),
    output:
        realism="results/{scenario}/twin/realism.csv",
        record="results/{scenario}/twin/realism.csv.record.json",
    params:
        settings=settings("sources"),
        seed=seed("realism"),
        code=code("twin_realism"),
    log:
        "results/{scenario}/logs/twin_realism.log",
    benchmark:
        "results/{scenario}/benchmarks/twin_realism.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        command("twin_realism", "storage observed", "realism", "seed")
