"""Sample the patches of each split and fit the normalisation."""

import json

from gwsd.provenance.job import Job, run


def patches(job: Job) -> None:
    """Sample the patches of each split, count their overlap, and fit the normalisation on the training patches."""
    import numpy as np
    import xarray as xr

    from gwsd.patches.normalisation import fit_normalisation
    from gwsd.patches.sampling import note_shortage, sample, tabulate_overlap
    from gwsd.patches.settings import Patches

    settings = Patches.from_job(job.settings["patches"])
    with (
        xr.open_dataset(job.input("storage")) as storage,
        xr.open_dataset(job.input("climate")) as climate,
        xr.open_dataset(job.input("mask")) as mask,
    ):
        valid = mask["valid"].values == 1
        rng = np.random.Generator(np.random.PCG64(job.seed))
        tables = sample(valid, storage["time"].values, mask["lat"].values, mask["lon"].values, settings, rng)
        normalisation = fit_normalisation(
            storage["storage"],
            climate,
            tables["train"],
            valid,
            size=settings.size,
            variables=job.settings["climate_variables"],
        )
    overlap = tabulate_overlap(tables, size=settings.size, valid=valid)
    for name, table in {**tables, "overlap": overlap}.items():
        table.to_csv(job.outputs[name], index=False, lineterminator="\n")
    job.outputs["normalisation"].write_text(json.dumps(normalisation, indent=1, sort_keys=True) + "\n")
    job.report(", ".join(f"{name} {len(table):,} patches" for name, table in tables.items()))
    if note := note_shortage(tables, settings):
        job.report(f"NOTE: {note}")


if __name__ == "__main__":
    run(
        patches,
        inputs=["storage", "climate", "mask"],
        outputs=["train", "validation", "test", "overlap", "normalisation"],
    )
