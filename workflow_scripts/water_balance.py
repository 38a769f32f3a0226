"""Correlate storage changes with P - ET."""

from gwsd.provenance.job import Job, run


def water_balance(job: Job) -> None:
    """Write the lagged correlations over the valid cells."""
    import xarray as xr

    from gwsd.data.water_balance import compare_with_net_input

    with xr.open_dataset(job.input("storage")) as storage, xr.open_dataset(job.input("climate")) as climate:
        table = compare_with_net_input(storage, climate)
    table.to_csv(job.outputs["balance"], index=False, float_format="%.6g", lineterminator="\n")
    job.report(table.to_string(index=False))


if __name__ == "__main__":
    run(water_balance, inputs=["storage", "climate"], outputs=["balance"])
