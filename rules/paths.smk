# Paths of a scenario: raw files, results of methods, what an artifact rests on, and records.

from gwsd.artifacts.registry import ARTIFACTS, FIGURES, INTERPOLATIONS, RESULTS, TABLES, artifact, file_options
from gwsd.artifacts.registry import INPUTS as INPUT_FILES
from gwsd.data.credentials import find_credentials
from gwsd.data.era5_land_download import area_of, file_name
from gwsd.data.inputs import expand as expand_path

TARGETS = {
    "claims": "audit/claims.csv",
    "numbers": "numbers.json",
    "paper": "paper.pdf",
    "audit": "audit/index.html",
    "crate": "ro-crate-metadata.json",
}
NUMBERED = [entry for entry in FIGURES if entry.label.startswith("Figure")]
TEMPLATES = sorted(source_file(path.relative_to(ROOT)) for path in (ROOT / "gwsd/publication/templates").iterdir())
PAPER = sorted(
    source_file(path.relative_to(ROOT)) for path in (ROOT / "paper").iterdir() if path.suffix in (".typ", ".bib")
)
WORKFLOW = [
    "Snakefile",
    *sorted(
        path.relative_to(ROOT).as_posix()
        for pattern in ("rules/*.smk", "workflow_scripts/*.py")
        for path in ROOT.glob(pattern)
    ),
    "CITATION.cff",
    "LICENSE",
    "envs/requirements.txt",
]


def climate_years(values):
    return range(int(values.period.climate_start[:4]), int(values.period.end[:4]) + 1)


def twin_storage(values):
    """The twin's storage, in the layout of G3P; {scenario} stays a wildcard."""
    start, end = (month.replace("-", "") for month in (values.period.start, values.period.end))
    name = f"gwsa_g3p_{start}_{end}_monthly_05_degree_250km_gauss_filtered_gravis.nc"
    return f"results/{{scenario}}/raw/g3p/GWSA/{name}"


def twin_climate(values):
    """The twin's climate, in the layout of ERA5-Land; {scenario} stays a wildcard."""
    return [f"results/{{scenario}}/raw/era5_land/era5_land_{year}.nc" for year in climate_years(values)]


def raw_files(scenario):
    """The raw files of a scenario's twin Earth; none without one."""
    values = settings_of(scenario)
    files = [twin_storage(values), *twin_climate(values)] if values.is_synthetic else []
    return [path.format(scenario=scenario) for path in files]


def twin_records(scenario):
    """The file whose record is that of the twin Earth; none without one."""
    return [f"results/{scenario}/twin/truth.nc"] if settings_of(scenario).is_synthetic else []


def twin_checks(scenario):
    """The check of quality control against the known faults; none without a twin Earth's storage."""
    is_twin = settings_of(scenario).sources.storage == "twin"
    return [f"results/{scenario}/twin/quality_check.csv"] if is_twin else []


def given_files(wildcards, setting):
    """Files that `storage_path` or `climate_path` names."""
    if getattr(CONFIG, setting) is None:
        fail(
            f"results/{wildcards.scenario}/",
            f"{setting} is not set. Give a file, a folder or a glob: snakemake --config {setting}=PATH "
            f"(or {setting}: in local.yaml)",
        )
    try:
        files = expand_path(getattr(CONFIG, setting), setting)
    except GwsdError as error:
        fail(f"results/{wildcards.scenario}/", error)
    for path in files:
        if "{" in str(path):
            fail(path, "Snakemake reads braces in a file name as a wildcard; rename the file")
    return [str(path) for path in files]


def raw_storage(wildcards):
    values = scenario_settings(wildcards)
    if values.sources.storage == "twin":
        return twin_storage(values)
    if values.sources.storage == "g3p" and CONFIG.storage_path is None:
        return f"{CONFIG.raw_dir}/g3p/G3P_v1.12.zip"
    return given_files(wildcards, "storage_path")


def raw_climate(wildcards):
    values = scenario_settings(wildcards)
    if values.sources.climate == "twin":
        return twin_climate(values)
    if values.sources.climate != "era5_land" or CONFIG.climate_path is not None:
        return given_files(wildcards, "climate_path")
    files = [f"{CONFIG.raw_dir}/era5_land/{file_name(year, area_of(values.region))}" for year in climate_years(values)]
    if not all(Path(path).is_file() for path in files):
        try:
            find_credentials()  # before hours of other work
        except GwsdError as error:
            fail(f"results/{wildcards.scenario}/", f"{error} Or use files that you have: --config climate_path=FOLDER")
    return files


def seeds_of(values, method):
    """Interpolations have no seed: they are evaluated once, as replicate 0."""
    return [0] if method in INTERPOLATIONS else values.seeds


def result_files(scenario, name, methods=None, first_seed=False):
    """Files of `registry.RESULTS` of some methods or groups (all by default), for all seeds."""
    values = settings_of(scenario)
    chosen = values.methods if methods is None else values.select_methods(*methods)
    if name in ("histories", "timings"):  # of trainings
        chosen = [method for method in chosen if method not in INTERPOLATIONS]
    return [
        f"results/{scenario}/{RESULTS[name].format(method=method, seed=replicate)}"
        for method in chosen
        for replicate in (seeds_of(values, method)[:1] if first_seed else seeds_of(values, method))
    ]


def results_of(name, methods=None):
    """Input function: see `result_files`."""
    return lambda wildcards: result_files(wildcards.scenario, name, methods)


def weights_of(scenario, method, replicate):
    """The weights of a trained method; none for an interpolation."""
    if method in INTERPOLATIONS:
        return []
    return f"results/{scenario}/models/{method}/seed{replicate}/weights.safetensors"


def artifact_files(name, scenario):
    """Files that an artifact reads, by the names of `registry.INPUTS` and `registry.RESULTS`."""
    entry = artifact(name)
    return {
        **{file: f"results/{scenario}/{INPUT_FILES[file]}" for file in entry.files},
        **{file: result_files(scenario, file, methods, entry.first_seed) for file, methods in entry.results.items()},
    }


def data_files(scenario):
    """Raw files of the twin and the inputs stage."""
    names = ("land.nc", "climate.nc", "storage.nc", "mask.nc", "quality.csv", "months.csv")
    return [*raw_files(scenario), *(f"results/{scenario}/inputs/{name}" for name in names)]


def patch_files(scenario):
    """The patch tables and the normalisation."""
    names = (*(f"{split}.csv" for split in SPLITS), "overlap.csv", "normalisation.json")
    return [f"results/{scenario}/patches/{name}" for name in names]


def weights_files(scenario):
    """The weights of all trainings."""
    values = settings_of(scenario)
    return [weights_of(scenario, variant, k) for variant in values.variants for k in values.seeds]


def rests_on(name, scenario):
    """The files of an artifact and all intermediates that it rests on.

    A target that lists them makes a missing one again, even if the files made from it exist: Snakemake alone
    would not, after a failed or killed job.
    """
    entry = artifact(name)
    files = artifact_files(name, scenario)
    results = [path for kind in entry.results for path in files[kind]]
    runs = sorted({Path(path).parts[-3:-1] for path in results})  # (method, seed<k>)
    return [
        *entry.paths(scenario),
        entry.path(scenario, "json"),
        entry.data_path(scenario),
        *(data_files(scenario) if files else []),
        *(patch_files(scenario) if results or "patches/" in str(files) else []),
        *(weights_of(scenario, method, k.removeprefix("seed")) for method, k in runs if method not in INTERPOLATIONS),
        *results,
    ]


def records(wildcards):
    """Records of all jobs whose results numbers.json rests on."""
    scenario = wildcards.scenario
    first = [
        *twin_records(scenario),
        f"results/{scenario}/inputs/land.nc",
        f"results/{scenario}/inputs/climate.nc",
        f"results/{scenario}/inputs/storage.nc",
        f"results/{scenario}/patches/train.csv",
        *weights_files(scenario),
        *result_files(scenario, "summaries"),
        *(entry.path(scenario, "csv") for entry in TABLES),
        *(entry.data_path(scenario) for entry in FIGURES),
        *(entry.path(scenario, "pdf") for entry in FIGURES),
        f"results/{scenario}/facts.json",
        f"results/{scenario}/audit/claims.json",
    ]
    return [f"{path}.record.json" for path in first]


def published(scenario):
    """The final files of a scenario."""
    return [f"results/{scenario}/{name}" for name in (*TARGETS.values(), "lineage.json", "root.txt")]


def faces(entries):
    """The JSON files of artifacts."""
    return [entry.path("{scenario}", "json") for entry in entries]


def product_files(scenario):
    period = settings_of(scenario).period
    years = range(int(period.start[:4]), int(period.end[:4]) + 1)
    return [f"results/{scenario}/product/gwsa_0p125_{year}.nc" for year in years]


def product_weights(wildcards):
    """The weights of the method that makes the product, for the first seed; none for an interpolation."""
    values = scenario_settings(wildcards)
    return weights_of(wildcards.scenario, values.product.method, values.seeds[0])


def product_truth(wildcards):
    """The twin's fine storage, if both storage and climate are the twin's."""
    sources = scenario_settings(wildcards).sources
    return f"results/{wildcards.scenario}/twin/truth.nc" if sources.storage == sources.climate == "twin" else []
