# Needs: nothing (twin Earth), or the raw files of G3P and ERA5-Land, or a storage file of the user's own.
# Makes: inputs/land.nc, raw/ and twin/ (twin Earth), inputs/{storage,climate,mask}.nc with the reasons why cells are out.


rule land_fraction:
    message:
        "Land fraction of the fine grid ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/land_fraction.py"),
    output:
        land="results/{scenario}/inputs/land.nc",
    params:
        settings=settings("region"),
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
        "python {input.code[0]} --settings {params.settings:q} --land {output.land} --log {log}"


for NAME, VALUES in CONFIG.scenarios.items():
    if not VALUES.is_synthetic:
        continue

    rule:
        name:
            f"twin_earth_{NAME}"
        message:
            "Twin Earth: water balance and raw files"
        input:
            code=code("workflow_scripts/twin_earth.py"),
            land=f"results/{NAME}/inputs/land.nc",
        output:
            **twin_files(NAME, VALUES),
            truth=f"results/{NAME}/twin/truth.nc",
            climate_blocks=f"results/{NAME}/twin/climate_blocks.nc",
            balance=f"results/{NAME}/twin/balance.nc",
            known=f"results/{NAME}/twin/known.nc",
            faults=f"results/{NAME}/twin/faults.csv",
        params:
            settings=json.dumps(
                {
                    "twin": VALUES.model_dump()["twin"],
                    "region": VALUES.region,
                    "period": VALUES.model_dump()["period"],
                    "name": NAME,
                },
                sort_keys=True,
            ),
            seed=derive_seed(VALUES.seed, "twin"),
        log:
            f"results/{NAME}/logs/twin_earth.log",
        benchmark:
            f"results/{NAME}/benchmarks/twin_earth.tsv"
        conda:
            "../envs/gwsd.yaml"
        threads: 2
        resources:
            mem_mb=3000,
        shell:
            "python {input.code[0]} --land {input.land} --settings {params.settings:q} --seed {params.seed} "
            "--storage {output.storage} --climate {output.climate} --truth {output.truth} "
            "--climate-blocks {output.climate_blocks} --balance {output.balance} --known {output.known} "
            "--faults {output.faults} --log {log}"


rule climate:
    message:
        "Climate on the grid of the storage ({wildcards.scenario})"
    input:
        code=lambda wildcards: code("workflow_scripts/climate.py", source("climate")(wildcards)),
        source=source("climate"),
        climate=raw_climate,
    output:
        climate="results/{scenario}/inputs/climate.nc",
    params:
        settings=settings("period", "region", "evapotranspiration", "climate_variables", data_label=data_label),
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
        "python {input.code[0]} --source {input.source} --raw-climate {input.climate} "
        "--settings {params.settings:q} --threads {threads} --climate {output.climate} --log {log}"


rule quality_control:
    message:
        "Which cells are in, which are out, and why ({wildcards.scenario})"
    input:
        code=lambda wildcards: code("workflow_scripts/quality_control.py", source("storage")(wildcards)),
        source=source("storage"),
        storage=raw_storage,
        climate="results/{scenario}/inputs/climate.nc",
    output:
        storage="results/{scenario}/inputs/storage.nc",
        mask="results/{scenario}/inputs/mask.nc",
        reasons="results/{scenario}/inputs/quality.csv",
        months="results/{scenario}/inputs/months.csv",
    params:
        settings=settings("sources", "period", "region", "quality", data_label=data_label),
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
        "python {input.code[0]} --source {input.source} --raw-storage {input.storage} --climate {input.climate} "
        "--settings {params.settings:q} --storage {output.storage} --mask {output.mask} "
        "--reasons {output.reasons} --months {output.months} --log {log}"


rule water_balance:
    message:
        "Change of storage beside P - ET ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/water_balance.py"),
        storage="results/{scenario}/inputs/storage.nc",
        climate="results/{scenario}/inputs/climate.nc",
    output:
        balance="results/{scenario}/inputs/water_balance.csv",
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
        "python {input.code[0]} --storage {input.storage} --climate {input.climate} --balance {output.balance} "
        "--log {log}"


rule twin_check:
    message:
        "Quality control against what the twin Earth knows ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/twin_check.py"),
        mask="results/{scenario}/inputs/mask.nc",
        months="results/{scenario}/inputs/months.csv",
        known="results/{scenario}/twin/known.nc",
    output:
        check="results/{scenario}/twin/quality_check.csv",
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
        "python {input.code[0]} --mask {input.mask} --months {input.months} --known {input.known} "
        "--check {output.check} --log {log}"


rule twin_realism:
    message:
        "The twin Earth's storage beside an observed one ({wildcards.scenario})"
    input:
        code=code("workflow_scripts/twin_realism.py"),
        storage="results/{scenario}/inputs/storage.nc",
        observed=observed_storage,
    output:
        realism="results/{scenario}/twin/realism.csv",
    params:
        settings=settings("sources"),
        seed=seed("realism"),
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
        "python {input.code[0]} --storage {input.storage} --observed {input.observed} "
        "--settings {params.settings:q} --seed {params.seed} --realism {output.realism} --log {log}"
