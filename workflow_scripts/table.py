"""One table, from the results behind it."""

import inspect
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from gwsd.numbers.of_table import write_table
from gwsd.provenance.job import Job, run

BY_SEED = ("summaries", "histories", "timings", "inference")
DATASETS = ("storage", "mask")
SPLITS = ("train", "validation", "test")


def table(job: Job) -> None:
    """Build a table with the module that is named and write its faces."""
    builder = import_module(".".join(job.input("builder").with_suffix("").parts)).build
    built = builder(**{name: value_of(name, job) for name in inspect.signature(builder).parameters})
    caption, label, file = (job.settings[name] for name in ("caption", "label", "file"))
    job.outputs["csv"].write_text(built.csv())
    job.outputs["tex"].write_text(built.latex(caption, label))
    job.outputs["md"].write_text(built.markdown(caption))
    job.outputs["html"].write_text(built.html(caption))
    files = {name: by_name_and_seed(job.inputs[name], Path) for name in BY_SEED}
    write_table(job.outputs["json"], built, file=file, caption=caption, files=files)


def value_of(name: str, job: Job) -> Any:
    """Return what a builder asks for by the name of its argument."""
    import pandas as pd
    import xarray as xr

    from gwsd.model.downscaler import Downscaler

    if name in BY_SEED:
        return by_name_and_seed(job.inputs[name], pd.read_csv if name == "histories" else read_json)
    if name in DATASETS:
        return xr.open_dataset(job.input(name))
    if name == "overlap":
        return pd.read_csv(job.input(name))
    if name == "patches":
        return {split: pd.read_csv(job.input(split)) for split in SPLITS}
    if name == "network":
        return Downscaler(**job.settings["model"])
    if name == "size":
        return job.settings["patches"]["size"]
    if name == "hardware":
        from gwsd.provenance.environment import processor_name

        return processor_name()
    if name == "provenance_note":
        return job.settings["data_label"]
    return job.settings[name]


def by_name_and_seed(paths: list[Path], read: Callable[[Path], Any]) -> dict[str, dict[int, Any]]:
    """Read files named …/<method or variant>/seed<k>/<file>."""
    found: dict[str, dict[int, Any]] = {}
    for path in paths:
        *_, method, seed, _file = path.parts
        found.setdefault(method, {})[int(seed.removeprefix("seed"))] = read(path)
    return found


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text())


if __name__ == "__main__":
    run(
        table, inputs=["builder", *BY_SEED, *DATASETS, *SPLITS, "overlap"], outputs=["csv", "tex", "md", "html", "json"]
    )
