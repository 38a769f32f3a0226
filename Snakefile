# From raw files to every table and figure. The includes follow the DAG from top to bottom.
#
#   snakemake --cores all                                    everything, for the scenario that config.yaml names
#   snakemake --cores all figure4 table3                     some artifacts
#   snakemake --cores all results/twin/figures/figure4.pdf   an artifact of another scenario

import os
from pathlib import Path
from snakemake.utils import min_version

min_version("9.21.1")


configfile: os.path.relpath(Path(str(workflow.current_basedir), "config.yaml"))


if Path("local.yaml").is_file():

    configfile: "local.yaml"


include: "rules/common.smk"
include: "rules/paths.smk"
include: "rules/downloads.smk"
include: "rules/data.smk"
include: "rules/patches.smk"
include: "rules/training.smk"
include: "rules/evaluation.smk"
include: "rules/artifacts.smk"
include: "rules/publication.smk"
include: "rules/product.smk"


rule all:
    default_target: True
    message:
        "All tables and figures, the article, the audit page and the crate"
    input:
        [rests_on(entry.name, SCENARIO) for entry in ARTIFACTS],
        [result_files(SCENARIO, name) for name in RESULTS],
        weights_files(SCENARIO),
        twin_checks(SCENARIO),
        published(SCENARIO),


onerror:
    print("A job failed; its message is above. Correct the cause and type the same command: it continues from here.")
