"""Check the product on some months."""

from gwsd.provenance.job import Job, run


def product_check(job: Job) -> None:
    """Compare tiled and full-field inference with each other, with test patches, the target and the twin's storage."""
    from contextlib import nullcontext

    import numpy as np
    import pandas as pd
    import torch
    import xarray as xr

    from gwsd.devices import lease_device
    from gwsd.product.check import check_product, months_with_most_patches
    from gwsd.product.estimator import open_estimator
    from gwsd.product.grid_batch import ValidCells, grid_of
    from gwsd.product.months import open_cube
    from gwsd.product.settings import Product
    from gwsd.twin.truth import Truth

    settings = Product.from_job(job.settings["product"])
    torch.set_num_threads(job.settings["cpu_threads"])
    patches = pd.read_csv(job.input("test"))
    months = months_with_most_patches(patches, settings.check_months)
    weights = next(iter(job.inputs["weights"]), None)
    requested = job.settings["device"] if weights else "cpu"
    with (
        lease_device(requested, report=job.report) as device,
        xr.open_dataset(job.input("storage")) as storage,
        xr.open_dataset(job.input("climate")) as climate,
        xr.open_dataset(job.input("mask")) as mask,
        Truth(job.input("truth")) if job.inputs["truth"] else nullcontext() as truth,
    ):
        estimator = open_estimator(
            weights,
            method=settings.method,
            patch_size=job.settings["patch_size"],
            precision=settings.precision,
            device=device,
        )
        rows, cols = (slice(0, length) for length in grid_of(mask).refined().shape)

        def read_truth(month: np.datetime64) -> torch.Tensor:
            assert truth is not None
            return torch.from_numpy(truth.patch(month, rows, cols)).to(device)

        # One month at a time: the months are years apart, and all climate between them would be read.
        tables = check_product(
            estimator,
            lambda month: open_cube(storage, climate, mask, np.array([month]), estimator),
            months,
            patches,
            ValidCells.of(open_cube(storage, climate, mask, months[:1], estimator), grid_of(mask)),
            settings,
            truth=read_truth if truth else None,
            report=job.report,
        )
        data_label = storage.attrs["data_label"]
    job.note(device=str(device), requested_device=requested, months=[str(month) for month in months])
    for name, path in job.outputs.items():
        table = tables[name].assign(data_label=data_label)
        table.to_csv(path, index=False, lineterminator="\n", float_format="%.6g")


if __name__ == "__main__":
    run(
        product_check,
        inputs=["storage", "climate", "mask", "test", "weights", "truth"],
        outputs=["inference", "seams", "correction", "errors"],
    )
