"""Climate brought to the grid of the storage, and evapotranspiration."""

from importlib import import_module

from gwsd.provenance.job import Job, run


def climate(job: Job) -> None:
    """Regrid the climate that a product's module opens conservatively to half a degree; estimate evapotranspiration."""
    from gwsd.grid import COARSE_SPACING, Grid
    from gwsd.inputs.climate import align_climate

    product = import_module(".".join(job.input("source").with_suffix("").parts))
    period, variables = job.settings["period"], job.settings["climate_variables"]
    preliminary = align_climate(
        product.open_climate(job.inputs["raw_climate"], period["climate_start"], period["end"], variables),
        Grid(COARSE_SPACING, tuple(job.settings["region"])),
        job.outputs["climate"],
        climate_start=period["climate_start"],
        end=period["end"],
        variables=variables,
        **job.settings["evapotranspiration"],
        threads=job.threads,
        attributes={"data_label": job.settings["data_label"], "job_key": job.key},
    )
    if preliminary:
        job.note(preliminary_months=preliminary)
        job.report(
            f"NOTE: preliminary climate in {', '.join(preliminary)}; download these months again when the final fields "
            "are published, two or three months after"
        )


if __name__ == "__main__":
    run(climate, inputs=["raw_climate", "source"], outputs=["climate"])
