"""Climate brought to the grid of the storage, and evapotranspiration."""

from gwsd.provenance.job import Job, run


def climate(job: Job) -> None:
    """Regrid the yearly climate files conservatively to half a degree and estimate evapotranspiration."""
    from gwsd.grid import COARSE_SPACING, Grid
    from gwsd.inputs.climate import align_climate
    from gwsd.inputs.netcdf import write_inputs
    from gwsd.sources.era5_land import open_climate

    period = job.settings["period"]
    years = open_climate(job.inputs["raw_climate"], period["climate_start"], period["end"])
    aligned = align_climate(
        years,
        Grid(COARSE_SPACING, tuple(job.settings["region"])),
        climate_start=period["climate_start"],
        end=period["end"],
        **job.settings["evapotranspiration"],
    )
    write_inputs(aligned.assign_attrs(data_label=job.settings["data_label"], job_key=job.key), job.outputs["climate"])


if __name__ == "__main__":
    run(climate, inputs=["raw_climate"], outputs=["climate"])
