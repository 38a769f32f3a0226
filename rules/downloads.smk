# Needs: the internet and, for ERA5-Land, an account of the Climate Data Store. Makes: the raw files under raw_dir.
# The request is in the file name. A params function that takes `output` does not trigger reruns, and library code is no
# param: changed settings or code download nothing again. A changed shell command does; to keep the files, run
# `snakemake --touch FILES` after it. Compute nodes often have no internet: downloads run where Snakemake runs, without
# a core, since they only wait.


localrules:
    download_g3p,
    download_era5_land,


if "cds_requests" not in workflow.global_resources:  # unless given by --resources
    workflow.register_resource("cds_requests", CONFIG.settings(SCENARIO).downloads.max_concurrent_requests)


rule download_g3p:
    message:
        "Downloading G3P v1.12"
    output:
        zip=f"{CONFIG.raw_dir}/g3p/G3P_v1.12.zip",
        record=f"{CONFIG.raw_dir}/g3p/G3P_v1.12.zip.record.json",
    params:
        settings=lambda wildcards, output: CONFIG.settings(SCENARIO).downloads.model_dump_json(),
    log:
        f"{CONFIG.raw_dir}/logs/download_g3p.log",
    benchmark:
        f"{CONFIG.raw_dir}/benchmarks/download_g3p.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 0
    resources:
        mem_mb=1500,
    retries: 2
    shell:
        command("download_g3p", "", "zip")


rule download_era5_land:
    message:
        "Downloading ERA5-Land {wildcards.year}"
    output:
        climate=f"{CONFIG.raw_dir}/era5_land/era5_land_{{year}}{{area}}.nc",
        record=f"{CONFIG.raw_dir}/era5_land/era5_land_{{year}}{{area}}.nc.record.json",
    params:
        settings=lambda wildcards, output: CONFIG.settings(SCENARIO).downloads.model_dump_json(),
    wildcard_constraints:
        year=r"\d{4}",
        area=r"(_-?\d+(\.\d+)?){4}|",
    log:
        f"{CONFIG.raw_dir}/logs/download_era5_land_{{year}}{{area}}.log",
    benchmark:
        f"{CONFIG.raw_dir}/benchmarks/download_era5_land_{{year}}{{area}}.tsv"
    conda:
        "../envs/gwsd.yaml"
    threads: 0
    resources:
        mem_mb=1500,
        cds_requests=1,
    retries: 2
    shell:
        command("download_era5_land", "", "climate")
