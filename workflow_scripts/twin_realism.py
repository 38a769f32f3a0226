"""The twin Earth's coarse storage beside an observed one."""

from gwsd.provenance.job import Job, run


def twin_realism(job: Job) -> None:
    """Compare variability, memory, smoothness and interpolation errors of the twin's storage with an observed one's."""
    import xarray as xr

    from gwsd.evaluation.realism import common_part, compare, realism
    from gwsd.inputs.storage import describe_grid, to_half_degrees
    from gwsd.sources import local

    sources = job.settings.get("sources", {})
    raw = local.open_storage(
        job.inputs["observed"], variable=sources.get("storage_variable"), units=sources.get("storage_units")
    )
    for message in describe_grid(raw):
        job.report(message)
    with xr.open_dataset(job.input("storage")) as storage:
        twin, observed = common_part(storage["storage"].load(), to_half_degrees(raw)["storage"])
    results = [realism(one, patches=500, min_valid_share=0.9, seed=job.seed) for one in (twin, observed)]
    table = compare(*results)
    table.to_csv(job.outputs["realism"], index=False, lineterminator="\n")
    for line in table.to_string(index=False).splitlines():
        job.report(line)


if __name__ == "__main__":
    run(twin_realism, inputs=["storage", "observed"], outputs=["realism"])
