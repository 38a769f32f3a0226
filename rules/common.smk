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

from gwsd.artifacts import ARTIFACTS, artifact
from gwsd.config import NAME_PATTERN, derive_seed, read_config
from gwsd.errors import ConfigError
from gwsd.provenance.closure import import_closure
from gwsd.provenance.locks import clear_dead_lock
from gwsd.tables.reported import figure_note

try:
    CONFIG = read_config(config)
except ConfigError as error:
    sys.exit(f"config: {error}")

ALIVE = clear_dead_lock(Path.cwd())
SCENARIO = CONFIG.scenario
INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
COMPONENTS = ("full", "no_convlstm", "no_physics", "no_uncertainty")
MEMORY = ("memory_1", "memory_3", "full", "memory_12")
SPLITS = ("train", "validation", "test")
G3P_NAME = "GWSA/gwsa_g3p_{start}_{end}_monthly_05_degree_250km_gauss_filtered_gravis.nc"


wildcard_constraints:
    scenario=NAME_PATTERN,
    variant=NAME_PATTERN,
    method=NAME_PATTERN,
    seed=r"\d+",
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
        dump = scenario_settings(wildcards).model_dump()
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


def climate_variables(wildcards):
    return scenario_settings(wildcards).model.climate_variables


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


def raw_storage(wildcards):
    values = scenario_settings(wildcards)
    if values.sources.storage == "twin":
        return twin_files(wildcards.scenario, values)["storage"]
    if values.sources.storage == "local":
        return existing_file(
            CONFIG.storage_path,
            f"results/{wildcards.scenario}/ needs a coarse storage file: give its path, "
            "snakemake --config scenario=observed storage_path=FILE (or storage_path: in local.yaml)",
        )
    start, end = (month.replace("-", "") for month in (values.period.start, values.period.end))
    return raw_file(wildcards, f"g3p/{G3P_NAME.format(start=start, end=end)}")


def raw_climate(wildcards):
    values = scenario_settings(wildcards)
    if values.sources.climate == "twin":
        return twin_files(wildcards.scenario, values)["climate"]
    return [raw_file(wildcards, f"era5_land/era5_land_{year}.nc") for year in climate_years(values)]


def raw_file(wildcards, name):
    what = (
        f"results/{wildcards.scenario}/ needs raw files of G3P v1.12 (doi 10.5880/G3P.2024.001, the GWSA folder of its "
        "zip) under RAW/g3p/ and ERA5-Land monthly means (dataset reanalysis-era5-land-monthly-means of the Copernicus "
        "Climate Data Store, one file a year) as RAW/era5_land/era5_land_YEAR.nc; "
    )
    if CONFIG.raw_dir is None:
        sys.exit(f"{what}then say where: snakemake --config scenario=paper raw_dir=RAW")
    path = Path(CONFIG.raw_dir) / name
    if not path.is_file():
        sys.exit(f"{what}missing now: {path}")
    return str(path)


def existing_file(path, message):
    if path is None:
        sys.exit(message)
    if not Path(path).is_file():
        sys.exit(f"storage_path: {path}: no such file; {message}")
    return path


def methods(values):
    return [*INTERPOLATIONS, *values.variants]


def seeds_of(values, method):
    """Interpolations have no seed: they are evaluated once, as replicate 0."""
    return [0] if method in INTERPOLATIONS else values.seeds


def results_of(pattern, names):
    """Files of some methods or variants, all seeds; those that the scenario does not train are left out."""

    def select(wildcards):
        values = scenario_settings(wildcards)
        return [
            f"results/{wildcards.scenario}/{pattern.format(method=name, seed=replicate)}"
            for name in names
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
    )


def table_outputs(name):
    """The faces of a table; the HTML one is for the report."""
    stem = f"results/{{scenario}}/tables/{name}"
    page = report(
        f"{stem}.html",
        caption="report/artifact.rst",
        category="Tables",
        labels={"artifact": name, "scenario": "{scenario}"},
    )
    return {"csv": f"{stem}.csv", "tex": f"{stem}.tex", "md": f"{stem}.md", "html": page}


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
