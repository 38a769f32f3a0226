"""Quality control of the storage: which cells are in, which are out, and why."""

from importlib import import_module

from gwsd.provenance.job import Job, run


def quality_control(job: Job) -> None:
    """Decide for each coarse cell whether it is in; write the storage of those, the mask, reasons and months."""
    import xarray as xr

    from gwsd.grid import COARSE_SPACING, Grid
    from gwsd.inputs.calendar import list_months
    from gwsd.inputs.netcdf import write_inputs
    from gwsd.inputs.quality import QualitySettings, assess, compare_with_expected, count_reasons, keep_valid
    from gwsd.inputs.storage import align_storage, describe_grid

    period, quality = job.settings["period"], QualitySettings(**job.settings["quality"])
    sources = job.settings["sources"]
    product = import_module(".".join(job.input("source").with_suffix("").parts))
    raw = product.open_storage(
        job.inputs["raw_storage"], variable=sources["storage_variable"], units=sources["storage_units"]
    )
    for message in describe_grid(raw):
        job.report(message)
    grid = Grid(COARSE_SPACING, tuple(job.settings["region"]))
    storage = align_storage(raw, grid, start=period["start"], end=period["end"])
    del raw  # it may be many times as large
    with xr.open_dataset(job.input("climate")) as climate:
        mask = assess(storage, climate, quality)
    if comment := mask["reason"].attrs.get("comment"):
        job.report(f"NOTE: {comment}")
    for message in compare_with_expected(mask, storage.sizes["time"], quality):
        job.report(f"NOTE: {message}")
    label = {"data_label": job.settings["data_label"], "job_key": job.key}
    write_inputs(keep_valid(storage, mask).assign_attrs(label), job.outputs["storage"])
    write_inputs(mask.assign_attrs(label), job.outputs["mask"])
    reasons = count_reasons(mask)
    reasons.to_csv(job.outputs["reasons"], index=False, lineterminator="\n")
    months = list_months(storage["time"].values, period["start"], period["end"])
    months.to_csv(job.outputs["months"], index=False, lineterminator="\n")
    counts = ", ".join(f"{row.reason} {row.cells:,}" for row in reasons.itertuples() if row.cells)
    job.report(f"cells: {counts}; months: {storage.sizes['time']}")


if __name__ == "__main__":
    run(quality_control, inputs=["raw_storage", "source", "climate"], outputs=["storage", "mask", "reasons", "months"])
