# From raw files to every table and figure. Read rules/ in the order of the includes: it is the way down the DAG.
#
#   snakemake --cores all                      everything, for the scenario that config.yaml names
#   snakemake --cores all figure4 table3       some artifacts
#   snakemake --cores all results/twin/figures/figure4.pdf     of another scenario: the path says which

from snakemake.utils import min_version

min_version("9.21.1")


configfile: "config.yaml"


if os.path.exists("local.yaml"):

    configfile: "local.yaml"


include: "rules/common.smk"


rule all:
    message:
        "All tables and figures, the article, the page of the audit, the crate"
    input:
        [one.paths(SCENARIO) for one in ARTIFACTS],
        f"results/{SCENARIO}/paper.pdf",
        f"results/{SCENARIO}/audit/index.html",
        f"results/{SCENARIO}/ro-crate-metadata.json",
        f"results/{SCENARIO}/figures/quality_map.png",
        [f"results/{SCENARIO}/twin/quality_check.csv"] if CONFIG.settings(SCENARIO).sources.storage == "twin" else [],


onsuccess:
    say_root()


include: "rules/downloads.smk"
include: "rules/inputs.smk"
include: "rules/patches.smk"
include: "rules/training.smk"
include: "rules/evaluation.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/artifacts.smk"
include: "rules/claims.smk"
include: "rules/numbers.smk"
include: "rules/paper.smk"
include: "rules/page.smk"
include: "rules/crate.smk"
include: "rules/product.smk"


refuse_unknown_targets()
