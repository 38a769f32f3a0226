"""Downscale one year of the product."""

from gwsd.provenance.job import Job, run


def product(job: Job) -> None:
    """Downscale the months of a year that the storage has, one by one, and write them as they are made."""
    from gwsd.model.execution import use_huge_pages

    use_huge_pages()

    import torch
    import xarray as xr

    from gwsd.data.inputs import CLIMATE, STORAGE
    from gwsd.devices import lease_device
    from gwsd.product.attributes import GROUNDWATER, InputSource, describe_product
    from gwsd.product.estimator import open_estimator
    from gwsd.product.months import months_of_year, resolve_inference, write_months
    from gwsd.product.settings import Product

    settings, sources = Product.from_job(job.settings["product"]), job.settings["sources"]
    torch.set_num_threads(job.settings["cpu_threads"])
    weights = next(iter(job.inputs["weights"]), None)
    requested = job.settings["device"] if weights else "cpu"
    with (
        lease_device(requested, report=job.report) as device,
        xr.open_dataset(job.input("storage")) as storage,
        xr.open_dataset(job.input("climate")) as climate,
        xr.open_dataset(job.input("mask")) as mask,
    ):
        estimator = open_estimator(
            weights,
            method=settings.method,
            patch_size=job.settings["patch_size"],
            precision=settings.precision,
            device=device,
        )
        months = months_of_year(storage, job.settings["year"])
        inference = resolve_inference(settings, estimator)
        attributes = describe_product(
            settings,
            [
                InputSource(kind, name, labels[name].label, name == "twin" or "synthetic" in data.attrs)
                for kind, name, labels, data in (
                    ("storage", sources["storage"], STORAGE, storage),
                    ("climate", sources["climate"], CLIMATE, climate),
                )
            ],
            inference=inference,
            method=settings.method,
            period=str(job.settings["year"]),
            scenario=job.settings["scenario"],
            title=job.settings["title"],
            data_label=storage.attrs["data_label"],
            job_key=job.key,
            quantity=storage["storage"].attrs.get("quantity", GROUNDWATER),
            weights=estimator.origin,
        )

        def progress(made):
            for fine, difference in made:
                yield fine, difference
                job.report(f"{fine.month}: written")

        largest = write_months(
            job.outputs["product"],
            estimator,
            storage,
            climate,
            mask,
            months,
            settings,
            attributes,
            progress=progress,
        )
    job.report(f"{months.size} months; largest difference between a half-degree mean and its input: {largest:.2g} mm")
    job.note(
        device=str(device), requested_device=requested, inference=inference, months=[str(month) for month in months]
    )


if __name__ == "__main__":
    run(product, inputs=["storage", "climate", "mask", "weights"], outputs=["product"])
