"""Regrid the climate to the grid of the storage and estimate evapotranspiration."""

from gwsd.provenance.job import Job, run


def climate(job: Job) -> None:
    """Write the climate of the period on half-degree cells."""
    from gwsd.data.climate import prepare_climate
    from gwsd.data.inputs import open_climate
    from gwsd.data.settings import Evapotranspiration, Period
    from gwsd.grid import COARSE_SPACING, Grid

    period = Period.from_job(job.settings["period"])
    months = {"start": period.climate_start, "end": period.end, "variables": job.settings["climate_variables"]}
    preliminary = prepare_climate(
        open_climate(job.inputs["raw_climate"], job.settings["source"], **months),
        Grid(COARSE_SPACING, tuple(job.settings["region"])),
        job.outputs["climate"],
        **months,
        evapotranspiration=Evapotranspiration.from_job(job.settings["evapotranspiration"]),
        threads=job.threads,
        attributes={"data_label": job.settings["data_label"], "job_key": job.key},
        report=job.report,
    )
    if preliminary:
        job.note(preliminary_months=preliminary)


if __name__ == "__main__":
    run(climate, inputs=["raw_climate"], outputs=["climate"])
