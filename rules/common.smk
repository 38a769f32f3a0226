# What the rules share: the validated settings, the paths of a scenario, the code that a job depends on.
# Needs: config. Makes: no file.

import difflib
import json
import os
import re
import sys
from pathlib import Path

ROOT = workflow.basedir
sys.path.insert(0, ROOT)
os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, [ROOT, os.getenv("PYTHONPATH")])))

from snakemake.cli import get_argument_parser
from snakemake.io import strip_wildcard_constraints

from gwsd.artifacts import ARTIFACTS, artifact
from gwsd.config import NAME_PATTERN, SHORT_NAMES, derive_seed, read_config
from gwsd.errors import ConfigError, DataError
from gwsd.provenance.closure import import_closure
from gwsd.provenance.locks import clear_dead_lock
from gwsd.provenance.records import read_records
from gwsd.provenance.root import root_hash
from gwsd.sources.credentials import find_credentials
from gwsd.sources.paths import expand as expand_paths
from gwsd.sources.products import CLIMATE, STORAGE, labels
from gwsd.tables.reported import figure_note

try:
    CONFIG = read_config(config)
except ConfigError as error:
    sys.exit(f"config: {error}")

if CONFIG.dask_scheduler is not None:
    os.environ.update(DASK_SCHEDULER_ADDRESS=CONFIG.dask_scheduler)
ALIVE = clear_dead_lock(Path.cwd())
SCENARIO = CONFIG.scenario
INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
COMPONENTS = ("full", "no_convlstm", "no_physics", "no_uncertainty")
MEMORY = ("memory_1", "memory_3", "full", "memory_12")
SPLITS = ("train", "validation", "test")
G3P_ZIP = "G3P_v1.12.zip"
G3P_NAME = "GWSA/gwsa_g3p_{start}_{end}_monthly_05_degree_250km_gauss_filtered_gravis.nc"


wildcard_constraints:
    scenario=NAME_PATTERN,
    variant=NAME_PATTERN,
    method=NAME_PATTERN,
    seed=r"\d+",
    year=r"\d{4}",
    area=r"(_-?\d+(\.\d+)?){4}|",
    figure=r"figure\d|quality_map",


def scenario_settings(wildcards):
    try:
        return CONFIG.settings(wildcards.scenario)
    except ConfigError as error:
        sys.exit(f"results/{wildcards.scenario}/: {error}")


def code(*programs):
    """Some programs (the first is run, the others it imports by name) and every module that they import."""
    imported = {path.as_posix() for program in programs for path in import_closure(Path(ROOT, program))}
    return [*programs, *sorted(imported - set(programs))]


def settings(*sections, **more):
    """The settings that a job reads, and no others, as JSON."""

    def select(wildcards):
        dump = scenario_settings(wildcards).for_jobs()
        extra = {name: value(wildcards) if callable(value) else value for name, value in more.items()}
        return json.dumps({**{name: dump[name] for name in sections}, **extra}, sort_keys=True)

    return select


def training_settings(wildcards):
    """What a training reads: the variant's model, loss and training settings, and the patches' size."""
    values = scenario_settings(wildcards)
    if wildcards.variant not in values.variants:
        near = ", ".join(difflib.get_close_matches(wildcards.variant, values.variants) or values.variants)
        sys.exit(f"models/{wildcards.variant}/: no such variant in config.yaml; near ones: {near}")
    return json.dumps(
        {
            "variant": wildcards.variant,
            **values.variant(wildcards.variant),
            "patch_size": values.patches.size,
            "data_label": values.data_label,
        },
        sort_keys=True,
    )


def evaluation_settings(wildcards):
    """What an evaluation reads; a network also brings its variant's model settings."""
    values = scenario_settings(wildcards)
    of = wildcards.method if wildcards.method in values.variants else "full"
    variant = values.variant(of)
    physics = values.model_dump()["loss"]  # every method is scored by the same physics
    return json.dumps(
        {
            "method": wildcards.method,
            "model": variant["model"],
            "loss": physics,
            "evaluation": {"batch_size": values.evaluation.batch_size},
            "patch_size": values.patches.size,
            "cpu_threads": values.training.cpu_threads,
            "device": values.training.device,
            "data_label": values.data_label,
        },
        sort_keys=True,
    )


def weights_of_method(wildcards):
    if wildcards.method in INTERPOLATIONS:
        return []
    return f"results/{wildcards.scenario}/models/{wildcards.method}/seed{wildcards.seed}/weights.safetensors"


def seed(stage):
    """The seed of a stage; a training's also depends on its replicate, never on the variant."""

    def select(wildcards):
        replicate = int(getattr(wildcards, "seed", 0))
        return derive_seed(scenario_settings(wildcards).seed, stage, replicate)

    return select


def cpu_threads(wildcards):
    return scenario_settings(wildcards).training.cpu_threads


def data_label(wildcards):
    return scenario_settings(wildcards).data_label


def climate_years(values):
    return range(int(values.period.climate_start[:4]), int(values.period.end[:4]) + 1)


def twin_files(name, values):
    """The raw files of a scenario's twin Earth, in the layout of the real products."""
    start, end = (month.replace("-", "") for month in (values.period.start, values.period.end))
    raw = f"results/{name}/raw"
    return {
        "storage": f"{raw}/g3p/{G3P_NAME.format(start=start, end=end)}",
        "climate": [f"{raw}/era5_land/era5_land_{year}.nc" for year in climate_years(values)],
    }


def source(of):
    """The module that opens a scenario's raw storage or climate; the twin Earth's files are like the real products'."""

    def select(wildcards):
        name = getattr(scenario_settings(wildcards).sources, of)
        product = {"storage": "g3p", "climate": "era5_land"}[of] if name == "twin" else name
        return f"gwsd/sources/{product}.py"

    return select


def raw_storage(wildcards):
    values = scenario_settings(wildcards)
    if values.sources.storage == "twin":
        return twin_files(wildcards.scenario, values)["storage"]
    if CONFIG.storage_path is not None:
        return own_files(wildcards, "storage_path")
    if values.sources.storage == "g3p":
        return f"{CONFIG.raw_dir}/g3p/{G3P_ZIP}"
    sys.exit(
        f"results/{wildcards.scenario}/ needs coarse storage: give a file, a folder or a glob, "
        f"snakemake --config scenario={wildcards.scenario} storage_path=FILE (or storage_path: in local.yaml)"
    )


def raw_climate(wildcards):
    values = scenario_settings(wildcards)
    if values.sources.climate == "twin":
        return twin_files(wildcards.scenario, values)["climate"]
    if CONFIG.climate_path is not None:
        return own_files(wildcards, "climate_path")
    if values.sources.climate != "era5_land":
        sys.exit(
            f"results/{wildcards.scenario}/ needs climate: give a file, a folder or a glob, "
            f"snakemake --config scenario={wildcards.scenario} climate_path=FILE (or climate_path: in local.yaml)"
        )
    files = era5_land_files(values)
    if not all(Path(path).is_file() for path in files):
        # Before anything runs, not after hours of other work.
        try:
            find_credentials()
        except DataError as error:
            sys.exit(
                f"results/{wildcards.scenario}/: {error} Or point at files that you hold already: --config climate_path=FOLDER"
            )
    return files


def era5_land_files(values):
    """ERA5-Land as it is downloaded: a file a year, of the scenario's region."""
    from gwsd.sources.era5_land_request import area_of, file_name  # opens NetCDF: not for every run

    return [f"{CONFIG.raw_dir}/era5_land/{file_name(year, area_of(values.region))}" for year in climate_years(values)]


def observed_storage(wildcards):
    """Storage to compare the twin Earth's with."""
    if CONFIG.storage_path is None:
        sys.exit(
            f"results/{wildcards.scenario}/twin/realism.csv needs observed storage: --config storage_path=FILE "
            "(or storage_path: in local.yaml)"
        )
    return own_files(wildcards, "storage_path")


def era5_land_request(wildcards):
    """What is asked of the Climate Data Store for one file: all variables, whatever a scenario uses of them."""
    sides = wildcards.area.split("_")[1:]  # empty for the globe; else north, west, south, east
    downloads = CONFIG.settings(SCENARIO).downloads
    return json.dumps(
        {
            "year": int(wildcards.year),
            "area": [float(side) for side in sides] or None,
            "variables": list(SHORT_NAMES.values()),
            "attempts": downloads.attempts,
            "wait_seconds": downloads.wait_seconds,
        }
    )


def years_ahead(wildcards):
    """Years that are not here yet: a download requests the next of them while it waits for its own."""
    values = CONFIG.settings(SCENARIO)
    files = zip(climate_years(values), era5_land_files(values), strict=True)
    return " ".join(str(year) for year, path in files if not Path(path).is_file())


def own_files(wildcards, setting):
    try:
        return [str(path) for path in expand_paths(getattr(CONFIG, setting), setting)]
    except DataError as error:
        sys.exit(f"results/{wildcards.scenario}/: {error}")


def product_years(values):
    return range(int(values.period.start[:4]), int(values.period.end[:4]) + 1)


def weights_of_product(wildcards):
    """Weights of the method that makes the product, of the first seed; none for an interpolation."""
    values = scenario_settings(wildcards)
    if values.product.method in INTERPOLATIONS:
        return []
    return f"results/{wildcards.scenario}/models/{values.product.method}/seed{values.seeds[0]}/weights.safetensors"


def truth_of_product(wildcards):
    """The twin Earth's truth, where storage and climate are both the twin's."""
    sources = scenario_settings(wildcards).sources
    return f"results/{wildcards.scenario}/twin/truth.nc" if sources.storage == sources.climate == "twin" else []


def product_settings(wildcards):
    """What a year of the product reads."""
    values = scenario_settings(wildcards)
    method = values.product.method
    if method not in methods(values):
        near = ", ".join(difflib.get_close_matches(method, methods(values)) or methods(values))
        sys.exit(f"product.method: {method!r} is no variant and no interpolation; near ones: {near}")
    product = values.model_dump()["product"]
    sources = {
        kind: {"name": name, "label": "twin Earth" if name == "twin" else labels(function)[name]}
        for kind, name, function in (
            ("storage", values.sources.storage, STORAGE),
            ("climate", values.sources.climate, CLIMATE),
        )
    }
    del product["check_months"]
    product["stride"] = max(1, round(product["stride"] * values.patches.size))
    return json.dumps(
        {
            "product": product,
            "model": values.variant(method if method in values.variants else "full")["model"],
            "patch_size": values.patches.size,
            "cpu_threads": values.training.cpu_threads,
            "device": values.training.device,
            "data_label": values.data_label,
            "scenario": wildcards.scenario,
            "title": values.title,
            "seed": values.seeds[0],
            "sources": sources,
            **({"year": int(wildcards.year)} if hasattr(wildcards, "year") else {}),
        },
        sort_keys=True,
    )


def product_check_settings(wildcards):
    """The same, and on how many months the product is checked."""
    months = scenario_settings(wildcards).product.check_months
    return json.dumps({**json.loads(product_settings(wildcards)), "check_months": months}, sort_keys=True)


def methods(values):
    return [*INTERPOLATIONS, *values.variants]


def seeds_of(values, method):
    """Interpolations have no seed: they are evaluated once, as replicate 0."""
    return [0] if method in INTERPOLATIONS else values.seeds


def results_of(pattern, names):
    """Files of some methods or variants (or what a function of the settings names), all seeds, where they are trained."""

    def select(wildcards):
        values = scenario_settings(wildcards)
        return [
            f"results/{wildcards.scenario}/{pattern.format(method=name, seed=replicate)}"
            for name in (names(values) if callable(names) else names)
            if name in methods(values)
            for replicate in seeds_of(values, name)
        ]

    return select


def first_seed(pattern):
    """A file of the scenario's first seed."""

    def select(wildcards):
        replicate = scenario_settings(wildcards).seeds[0]
        return f"results/{wildcards.scenario}/{pattern.format(seed=replicate)}"

    return select


def caption(name):
    """What the report says of an artifact; the map of reasons has no number and so no entry in the registry."""
    if name == "quality_map":
        return "Why each half-degree cell is in or out."
    one = artifact(name)
    return f"{one.kind.capitalize()} {one.number}: {one.caption}"


def figure_caption(name):
    """The caption alone, as a table's settings have it."""
    return caption(name) if name == "quality_map" else artifact(name).caption


def figure_data(wildcards):
    suffix = "nc" if wildcards.figure == "quality_map" else artifact(wildcards.figure).data_suffix
    return f"results/{wildcards.scenario}/figures/{wildcards.figure}.{suffix}"


def table_settings(name, *sections):
    """What a table reads: some sections, what its data are, and its caption."""
    return settings(
        *sections,
        data_label=data_label,
        caption=artifact(name).caption,
        label=f"tab:{name}",
        file=lambda wildcards: f"results/{wildcards.scenario}/tables/{name}.csv",
    )


def table_outputs(name):
    """The faces of a table: the HTML one is for the report, the JSON one lists its cells one by one."""
    stem = f"results/{{scenario}}/tables/{name}"
    page = report(
        f"{stem}.html",
        caption="report/artifact.rst",
        category="Tables",
        labels={"artifact": name, "scenario": "{scenario}"},
    )
    return {"csv": f"{stem}.csv", "tex": f"{stem}.tex", "md": f"{stem}.md", "html": page, "json": f"{stem}.json"}


PICTURES = [*(one.name for one in ARTIFACTS if one.kind == "figure"), "quality_map"]
PAGE_TABLES = [f"{one.kind}s/{one.name}" for one in ARTIFACTS if one.data_suffix == "csv"]


def page_templates():
    """The page's templates, style and scripts: code that no syntax tree of Python shows."""
    folder = Path("gwsd/page/templates")
    return sorted((folder / path.name).as_posix() for path in Path(ROOT, folder).iterdir() if path.is_file())


def page_settings(wildcards):
    """What the page says that no file says: the scenario's title, and the artifacts in their order."""
    scenario = wildcards.scenario
    artifacts = [
        {
            "name": one.name,
            "kind": one.kind,
            "heading": f"{one.kind.capitalize()} {one.number}: {one.title}",
            "caption": one.caption,
            "data_path": one.data_path(scenario),
        }
        for one in ARTIFACTS
    ]
    quality_map = {
        "name": "quality_map",
        "kind": "map",
        "heading": "Map of reasons",
        "caption": caption("quality_map"),
        "data_path": f"results/{scenario}/figures/quality_map.nc",
    }
    title = scenario_settings(wildcards).title
    results = f"results/{scenario}"
    return json.dumps({"artifacts": [*artifacts, quality_map], "results": results, "title": title}, sort_keys=True)


def workflow_text():
    """What a crate holds of the workflow: its rules and programs, its licence, how to cite it, its environment."""
    found = {path for folder in ("rules", "workflow_scripts") for path in Path(ROOT, folder).rglob("*.*")}
    texts = sorted(path.relative_to(ROOT).as_posix() for path in found if path.suffix in (".smk", ".py"))
    return ["Snakefile", *texts, "CITATION.cff", "LICENSE", "envs/requirements.lock"]


def crate_settings(wildcards):
    """What a crate says that no record says: the scenario in words, and the rules with their first outputs."""
    values = scenario_settings(wildcards)
    steps = [(one.name, strip_wildcard_constraints(str(one.output[0]))) for one in workflow.rules if one.output]
    own = ("results/{scenario}/", f"results/{wildcards.scenario}/")
    return json.dumps(
        {
            "scenario": wildcards.scenario,
            "title": values.title,
            "data_label": values.data_label,
            "steps": [step for step in steps if step[1].startswith(own)],
            "workflow": workflow_text(),
        },
        sort_keys=True,
    )


def say_root():
    """The root hash over the records behind the published numbers, at the end of a run that has them."""
    results = Path("results", SCENARIO)
    if not (results / "numbers.json").is_file():
        return
    try:
        records = read_records(results)
    except DataError as error:
        print(f"no root hash: {error}", file=sys.stderr)
        return
    root = root_hash(records)
    print(f"root {root}: check with gwsd verify {results} --root HASH", file=sys.stderr)
    printed = {one.notes["root"] for one in records if "root" in one.notes} - {root}
    if printed:
        # Code was edited and made the same bytes again: what prints the root was not planned.
        print(
            "the article and the page print an older root; renew them: snakemake --cores all --forcerun paper_files page_files",
            file=sys.stderr,
        )


PRINTED = [*(f"{one.kind}s/{one.name}" for one in ARTIFACTS), "figures/quality_map"]


def published_lists(wildcards):
    """What each artifact publishes, one value at a time."""
    names = [*PRINTED, "facts", "audit/claims"]
    return [f"results/{wildcards.scenario}/{name}.json" for name in names]


def published_files(wildcards):
    """The files in which those values stand; facts and claims stand in their lists."""
    data = [one.data_path(wildcards.scenario) for one in ARTIFACTS]
    return [*data, f"results/{wildcards.scenario}/figures/quality_map.nc"]


def refuse_unknown_targets():
    """Name the nearest targets where one is misspelt, before anything runs."""
    if Path(sys.argv[0]).stem not in ("snakemake", "__main__"):
        return
    for target in get_argument_parser().parse_known_args(sys.argv[1:])[0].targets:
        if target in workflow._rules or Path(target).exists():
            continue
        parts = Path(target).parts
        if len(parts) > 1 and parts[0] == "results" and parts[1] not in CONFIG.scenarios:
            try:
                CONFIG.settings(parts[1])
            except ConfigError as error:
                sys.exit(f"{target}: {error}")
        if any(one.is_producer(target) for one in workflow.rules):
            continue
        known = [name for name in workflow._rules if not name.startswith("_")]
        known += [path for one in ARTIFACTS for path in [*one.paths(SCENARIO), one.data_path(SCENARIO)]]
        near = difflib.get_close_matches(target, known, n=3, cutoff=0.4)
        sys.exit(f"{target}: no such target; near ones: {', '.join(near) or ', '.join(known)}")
