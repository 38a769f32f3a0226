"""Compare the result of quality control with the known faults of the twin Earth."""

from gwsd.provenance.job import Job, run


def twin_check(job: Job) -> None:
    """Count the cells that quality control kept or excluded wrongly, and the months that are present."""
    import pandas as pd
    import xarray as xr

    with xr.open_dataset(job.input("mask")) as mask, xr.open_dataset(job.input("known")) as known:
        found, expected = mask["valid"].values == 1, known["valid"].values == 1
    months = pd.read_csv(job.input("months"))
    present = months["present"].astype(int)
    rows = {
        "valid cells known to the twin": expected.sum(),
        "valid cells found by quality control": found.sum(),
        "whole cells left out": (expected & ~found).sum(),
        "faulty cells let in": (found & ~expected).sum(),
        "months present": present.sum(),
        "months absent": (1 - present).sum(),
    }
    check = pd.DataFrame({"count": list(rows), "value": [int(value) for value in rows.values()]})
    check.to_csv(job.outputs["check"], index=False, lineterminator="\n")
    job.report(", ".join(f"{name}: {value:,}" for name, value in rows.items()))


if __name__ == "__main__":
    run(twin_check, inputs=["mask", "months", "known"], outputs=["check"])
