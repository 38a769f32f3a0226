"""The product, checked on some months."""

import json

from gwsd.provenance.job import Job, run


def product_check(job: Job) -> None:
    """Make some months by tiles and as a field; hold them against test patches, target and, on the twin, the truth."""
    from contextlib import nullcontext
    from functools import partial

    import numpy as np
    import pandas as pd
    import torch
    import xarray as xr

    from gwsd.product.check import check_product, months_with_most_patches, truth_on
    from gwsd.product.estimators import open_estimator
    from gwsd.product.months import Correction, resolved
    from gwsd.product.tiles import Tiling
    from gwsd.product.whole_grid import Cells, grid_of, open_months
    from gwsd.sources.twin.truth import Truth
    from gwsd.training.devices import lease_device

    settings, model, how = job.settings, job.settings["model"], job.settings["product"]
    torch.set_num_threads(settings["cpu_threads"])
    table = pd.read_csv(job.input("test"))
    months = months_with_most_patches(table, settings["check_months"])
    weights = job.inputs["weights"]
    requested = settings["device"] if weights else "cpu"
    normalisation = json.loads(job.input("normalisation").read_text())
    with xr.open_dataset(job.input("mask")) as mask:
        grid = grid_of(mask)
    with (
        lease_device(requested, report=job.report) as device,
        Truth(job.input("truth")) if job.inputs["truth"] else nullcontext() as truth,
    ):
        estimator = open_estimator(
            how["method"], weights, model, normalisation=normalisation, precision=how["precision"], device=device
        )
        # A month at a time: the months lie years apart, and all climate between them would be read.
        cubes = partial(
            open_months,
            {name: job.input(name) for name in ("storage", "climate", "mask")},
            memory=model["memory"],
            normalisation=normalisation,
            variables=model["climate_variables"],
            device=device,
        )
        check = check_product(
            estimator,
            lambda month: cubes(np.array([month])),
            months,
            table,
            Cells.of(cubes(months[:1]), grid),
            memory=model["memory"],
            way=resolved(how["way"], estimator),
            tiling=Tiling(settings["patch_size"], how["stride"], how["batch_size"]),
            correction=Correction(how["correction"], how["error_correlation"]),
            truth=None if truth is None else truth_on(truth, grid.refined(), device),
            report=job.report,
        )
    job.note(device=str(device), requested_device=requested, months=[str(month) for month in months])
    for name in job.outputs:
        found = getattr(check, name).assign(data_label=settings["data_label"])
        found.to_csv(job.outputs[name], index=False, lineterminator="\n", float_format="%.6g")


if __name__ == "__main__":
    run(
        product_check,
        inputs=["storage", "climate", "mask", "test", "normalisation", "weights", "truth"],
        outputs=["ways", "seams", "correction", "errors"],
    )
