"""Align the storage with the grid and exclude cells that fail quality control."""

from gwsd.provenance.job import Job, run


def quality_control(job: Job) -> None:
    """Write the storage of the valid cells, the mask, the counts by reason and the months."""
    import xarray as xr

    from gwsd.data.calendar import list_months
    from gwsd.data.inputs import open_storage, prepare_storage
    from gwsd.data.netcdf_io import write_inputs
    from gwsd.data.quality import control_quality, count_reasons
    from gwsd.data.settings import Period, Quality, Sources
    from gwsd.data.storage import label_with_quantity
    from gwsd.grid import COARSE_SPACING, Grid

    period, sources = Period.from_job(job.settings["period"]), Sources.from_job(job.settings["sources"])
    storage = prepare_storage(
        open_storage(
            job.inputs["raw_storage"], sources.storage, variable=sources.storage_variable, units=sources.storage_units
        ),
        Grid(COARSE_SPACING, tuple(job.settings["region"])),
        start=period.start,
        end=period.end,
        report=job.report,
    )
    with xr.open_dataset(job.input("climate")) as climate:
        valid, mask = control_quality(storage, climate, Quality.from_job(job.settings["quality"]), job.report)
    data_label = label_with_quantity(job.settings["data_label"], storage["storage"].attrs["quantity"])
    attributes = {"data_label": data_label, "job_key": job.key}
    write_inputs(valid.assign_attrs(attributes), job.outputs["storage"])
    write_inputs(mask.assign_attrs(attributes), job.outputs["mask"])
    count_reasons(mask).to_csv(job.outputs["reasons"], index=False, lineterminator="\n")
    months = list_months(storage["time"].values, period.start, period.end)
    months.to_csv(job.outputs["months"], index=False, lineterminator="\n")


if __name__ == "__main__":
    run(quality_control, inputs=["raw_storage", "climate"], outputs=["storage", "mask", "reasons", "months"])
