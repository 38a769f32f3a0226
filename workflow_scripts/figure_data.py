"""The data behind one figure, computed apart from its drawing."""

import inspect
from importlib import import_module
from typing import Any

from gwsd.provenance.job import Job, run

DATASETS = ("predictions", "storage", "mask", "land")


def figure_data(job: Job) -> None:
    """Compute the data of a figure with the module that is named."""
    import pandas as pd
    import xarray as xr

    from gwsd.figures.data_file import write_data

    histories: dict[str, dict[int, Any]] = {}
    for path in job.inputs["histories"]:
        *_, variant, seed, _file = path.parts
        histories.setdefault(variant, {})[int(seed.removeprefix("seed"))] = pd.read_csv(path)
    known: dict[str, Any] = {
        **{name: xr.open_dataset(path) for name in DATASETS for path in job.inputs[name]},
        "histories": histories,
        **job.settings,
        "source": job.key,
    }
    compute = import_module(".".join(job.input("computing").with_suffix("").parts)).compute
    parameters = inspect.signature(compute).parameters
    data = compute(
        **{name: known[name] for name, one in parameters.items() if name in known or one.default is one.empty}
    )
    write_data(data, job.outputs["data"])


if __name__ == "__main__":
    run(figure_data, inputs=["computing", *DATASETS, "histories"], outputs=["data"])
