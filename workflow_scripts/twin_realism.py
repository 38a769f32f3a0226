"""Compare the storage of the twin Earth with an observed field."""

from gwsd.provenance.job import Job, run


def twin_realism(job: Job) -> None:
    """Compare variability, autocorrelation, smoothness and interpolation errors with those of an observed field."""
    import xarray as xr

    from gwsd.data.inputs import open_storage
    from gwsd.data.storage import describe_grid, to_half_degrees
    from gwsd.twin.realism import common_part, compare, realism

    sources = job.settings["sources"]
    variable, units = sources["storage_variable"], sources["storage_units"]
    raw = open_storage(job.inputs["observed"], "local", variable=variable, units=units)
    for message in describe_grid(raw):
        job.report(message)
    with xr.open_dataset(job.input("storage")) as storage:
        fields = common_part(storage["storage"].load(), to_half_degrees(raw)["storage"])
    table = compare(*(realism(field, patches=500, min_valid_share=0.9, seed=job.seed) for field in fields))
    table.to_csv(job.outputs["realism"], index=False, lineterminator="\n")
    for line in table.to_string(index=False).splitlines():
        job.report(line)


if __name__ == "__main__":
    run(twin_realism, inputs=["storage", "observed"], outputs=["realism"])
