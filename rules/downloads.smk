# Needs: the internet and, for ERA5-Land, an account of the Climate Data Store. Makes: the raw files under raw_dir.
# What is asked for stands in the file's name. Settings are given as resources and code is no input: so no edit of
# either fetches a file again. Compute nodes often have no internet: downloads run where Snakemake runs.


localrules:
    download_g3p,
    download_era5_land,


rule download_g3p:
    message:
        "Downloading G3P v1.12"
    output:
        zip=f"{CONFIG.raw_dir}/g3p/{G3P_ZIP}",
    log:
        f"{CONFIG.raw_dir}/logs/download_g3p.log",
    benchmark:
        f"{CONFIG.raw_dir}/benchmarks/download_g3p.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        settings=json.dumps(CONFIG.settings(SCENARIO).downloads.model_dump(), sort_keys=True),
    shell:
        "python workflow_scripts/download_g3p.py --settings {resources.settings:q} --zip {output.zip} --log {log}"


rule download_era5_land:
    message:
        "Downloading ERA5-Land of {wildcards.year}"
    output:
        climate=f"{CONFIG.raw_dir}/era5_land/era5_land_{{year}}{{area}}.nc",
    log:
        f"{CONFIG.raw_dir}/logs/download_era5_land_{{year}}{{area}}.log",
    benchmark:
        f"{CONFIG.raw_dir}/benchmarks/download_era5_land_{{year}}{{area}}.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        settings=era5_land_request,
        ahead=years_ahead,
        at_once=CONFIG.settings(SCENARIO).downloads.requests_at_once,
    shell:
        "GWSD_YEARS_AHEAD={resources.ahead:q} GWSD_REQUESTS_AT_ONCE={resources.at_once} "
        "python workflow_scripts/download_era5_land.py --settings {resources.settings:q} --climate {output.climate} --log {log}"
