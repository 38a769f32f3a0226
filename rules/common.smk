# Shared by all rules: validated settings, paths of a scenario, code hashes and command lines.

import difflib
import json
import os
import shlex
import sys
from pathlib import Path

ROOT = Path(str(workflow.current_basedir)).resolve().parent
sys.path.insert(0, str(ROOT))
os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, [str(ROOT), os.getenv("PYTHONPATH")])))

from gwsd.artifacts.registry import FIGURES, INTERPOLATIONS, TABLES
from gwsd.config import NAME_PATTERN, derive_seed, read_config
from gwsd.errors import ConfigError, GwsdError
from gwsd.physics import Physics
from gwsd.provenance.closure import code_hash

try:
    CONFIG = read_config(config)
except ConfigError as error:
    sys.exit(f"config: {error}")

if CONFIG.dask_scheduler is not None:
    os.environ.update(DASK_SCHEDULER_ADDRESS=CONFIG.dask_scheduler)
SCENARIO = CONFIG.scenario
SPLITS = ("train", "validation", "test")


wildcard_constraints:
    scenario=NAME_PATTERN,
    variant=NAME_PATTERN,
    method=NAME_PATTERN,
    seed=r"\d+",
    year=r"\d{4}",
    table="|".join(entry.name for entry in TABLES),
    figure="|".join(entry.name for entry in FIGURES),


def fail(path, error):
    """Stop with one line: an input function cannot raise without a traceback."""
    sys.exit(f"{path}: {error}")


def settings_of(scenario):
    """The settings of a scenario."""
    try:
        return CONFIG.settings(scenario)
    except ConfigError as error:
        fail(f"results/{scenario}/", error)


def scenario_settings(wildcards):
    """The settings of the scenario in a path."""
    return settings_of(wildcards.scenario)


def settings(*sections, **more):
    """The settings that a job reads, and no others, as JSON; `more` are values or functions of the wildcards."""

    def select(wildcards):
        whole = scenario_settings(wildcards).for_jobs()
        extra = {name: value(wildcards) if callable(value) else value for name, value in more.items()}
        return json.dumps({**{name: whole[name] for name in sections}, **extra}, sort_keys=True)

    return select


def data_label(wildcards):
    return scenario_settings(wildcards).data_label


def cpu_threads(wildcards):
    return scenario_settings(wildcards).training.cpu_threads


def seed(stage):
    """The seed of a stage; that of a training also depends on its replicate, never on the variant."""

    def select(wildcards):
        replicate = int(getattr(wildcards, "seed", 0))
        return derive_seed(scenario_settings(wildcards).seed, stage, replicate)

    return select


def code(script, *modules):
    """Hash of the code that a script depends on, without comments, docstrings and messages."""
    return code_hash(script, *modules)


def source_file(path):
    """A file of the project, also where the workflow is imported as a module into another folder."""
    return os.path.relpath(ROOT / path)


def command(script, inputs="", outputs="", options="", settings=True):
    """The shell command of a workflow script; every path is quoted.

    `inputs` and `outputs` are names of the rule's files; `options` are out of seed, scratch, threads, cpu_threads.
    """
    words = [f"python -m workflow_scripts.{script}"]
    for kind, names in (("input", inputs), ("output", outputs)):
        words += [f"--{name.replace('_', '-')} {{{kind}.{name}:q}}" for name in names.split()]
    words += ["--settings {params.settings:q}"] if settings else []
    for name in options.split():
        value = "{threads}" if name == "threads" else f"{{params.{name}:q}}"
        words.append(f"--{name.replace('_', '-')} {value}")
    return " ".join([*words, "--record {output.record:q}", "--log {log:q}"])


def settings_of_training(wildcards):
    """Settings that a training reads: the variant's model, loss and training, and the patches' size."""
    values = scenario_settings(wildcards)
    try:
        variant = values.variant(wildcards.variant)
    except ConfigError as error:
        fail(f"models/{wildcards.variant}/", error)
    shared = {"climate_variables": values.climate_variables, "patch_size": values.patches.size}
    labels = {"variant": wildcards.variant, "data_label": values.data_label}
    return json.dumps({**variant, **shared, **labels}, sort_keys=True)


def settings_of_method(wildcards):
    """Settings that an evaluation reads; those of the network only if the method is one."""
    values = scenario_settings(wildcards)
    chosen = {
        "method": wildcards.method,
        "climate_variables": values.climate_variables,
        "physics": {name: getattr(values.loss, name) for name in Physics.model_fields},
        "patch_size": values.patches.size,
        "batch_size": values.evaluation.batch_size,
        "data_label": values.data_label,
    }
    if wildcards.method not in INTERPOLATIONS:
        try:
            chosen["model"] = values.variant(wildcards.method)["model"]
        except ConfigError as error:
            fail(f"evaluation/{wildcards.method}/", error)
        chosen["device"] = values.training.device
        chosen["cpu_threads"] = values.training.cpu_threads
    return json.dumps(chosen, sort_keys=True)


def threads_of_method(wildcards):
    return 1 if wildcards.method in INTERPOLATIONS else cpu_threads(wildcards)


def trained_files(wildcards):
    """Folders and files whose numbers depend on a training."""
    results = f"results/{wildcards.scenario}"
    variants = [f"evaluation/{variant}" for variant in scenario_settings(wildcards).variants]
    data = [entry.data_path(wildcards.scenario) for entry in ARTIFACTS if entry.trains]
    return [*(f"{results}/{folder}/" for folder in ("models", *variants)), *data]


def page_artifacts(wildcards):
    """The artifacts in the order of the audit page."""
    return [
        {
            "name": entry.name,
            "kind": entry.kind,
            "heading": entry.label,
            "caption": entry.caption,
            "data_path": entry.data_path(wildcards.scenario),
        }
        for entry in ARTIFACTS
    ]


def product_gpus(wildcards):
    return 1 if product_weights(wildcards) else 0


def product_execution():
    """Settings of the jobs below that are in other sections."""
    return {
        "cpu_threads": cpu_threads,
        "device": lambda wildcards: scenario_settings(wildcards).training.device,
        "patch_size": lambda wildcards: scenario_settings(wildcards).patches.size,
    }


def climate_source(wildcards):
    return scenario_settings(wildcards).sources.climate
