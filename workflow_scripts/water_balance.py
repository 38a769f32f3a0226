"""The change of storage beside P - ET."""

from gwsd.provenance.job import Job, run


def water_balance(job: Job) -> None:
    """Correlate the change of storage with P - ET over the valid cells."""
    import xarray as xr

    from gwsd.evaluation.water_balance import compare_with_net_input

    with xr.open_dataset(job.input("storage")) as storage, xr.open_dataset(job.input("climate")) as climate:
        table = compare_with_net_input(storage, climate)
    table.to_csv(job.outputs["balance"], index=False, float_format="%.6g", lineterminator="\n")
    for line in table.to_string(index=False).splitlines():
        job.report(line)


if __name__ == "__main__":
    run(water_balance, inputs=["storage", "climate"], outputs=["balance"])
