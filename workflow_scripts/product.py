"""One year of the global product."""

import json

from gwsd.provenance.job import Job, run


def product(job: Job) -> None:
    """Downscale the months of a year that the storage has, one by one, and write them as they come."""
    from gwsd.memory import use_huge_pages

    use_huge_pages()

    import torch
    import xarray as xr

    from gwsd.product.estimators import open_estimator
    from gwsd.product.months import Correction, downscale_months, resolved
    from gwsd.product.netcdf import new_product
    from gwsd.product.origin import describe_origin
    from gwsd.product.tiles import Tiling
    from gwsd.product.whole_grid import Cells, grid_of, months_of_year, open_months
    from gwsd.training.devices import lease_device

    settings, model, how = job.settings, job.settings["model"], job.settings["product"]
    torch.set_num_threads(settings["cpu_threads"])
    files = {name: job.input(name) for name in ("storage", "climate", "mask")}
    weights = job.inputs["weights"]
    with xr.open_dataset(files["storage"]) as storage, xr.open_dataset(files["mask"]) as mask:
        months, grid = months_of_year(storage, settings["year"]), grid_of(mask)
    correction = Correction(how["correction"], how["error_correlation"])
    requested = settings["device"] if weights else "cpu"
    with lease_device(requested, report=job.report) as device:
        normalisation = json.loads(job.input("normalisation").read_text())
        estimator = open_estimator(
            how["method"], weights, model, normalisation=normalisation, precision=how["precision"], device=device
        )
        way = resolved(how["way"], estimator)
        origin = describe_origin(
            {**settings, "method": how["method"], "precision": how["precision"]},
            year=settings["year"],
            way=way,
            correction=correction,
            has_sd=estimator.states_sd,
            job_key=job.key,
        )
        with new_product(job.outputs["product"], grid.refined(), origin, with_sd=estimator.states_sd) as file:
            if months.size == 0:
                job.report(f"{settings['year']}: the storage has no month of this year; the file holds none")
            else:
                cube = open_months(
                    files,
                    months,
                    memory=model["memory"],
                    normalisation=normalisation,
                    variables=model["climate_variables"],
                    device=device,
                )
                for fine in downscale_months(
                    estimator,
                    cube,
                    months,
                    Cells.of(cube, grid),
                    memory=model["memory"],
                    way=way,
                    tiling=Tiling(settings["patch_size"], how["stride"], how["batch_size"]),
                    correction=correction,
                ):
                    file.append(fine)
                    job.report(f"{fine.month}: written")
    job.note(device=str(device), requested_device=requested, way=str(way), months=[str(month) for month in months])


if __name__ == "__main__":
    run(
        product,
        inputs=["storage", "climate", "mask", "normalisation", "weights"],
        outputs=["product"],
    )
