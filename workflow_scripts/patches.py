"""The patches of each split, their overlap, and the normalisation."""

import json

from gwsd.provenance.job import Job, run


def patches(job: Job) -> None:
    """Draw the patches of each split, count how much they overlap, fit the normalisation on the training patches."""
    import numpy as np
    import xarray as xr

    from gwsd.patches.blocks import Blocks
    from gwsd.patches.normalisation import fit_normalisation
    from gwsd.patches.sampling import SPLITS, note_shortage, sample, tabulate_overlap

    settings = dict(job.settings["patches"])
    blocks = Blocks(**settings.pop("blocks"))
    with (
        xr.open_dataset(job.input("storage")) as storage,
        xr.open_dataset(job.input("climate")) as climate,
        xr.open_dataset(job.input("mask")) as mask,
    ):
        valid = mask["valid"].values == 1
        tables = sample(
            valid,
            storage["time"].values,
            mask["lat"].values,
            mask["lon"].values,
            **settings,
            blocks=blocks,
            rng=np.random.Generator(np.random.PCG64(job.seed)),
        )
        normalisation = fit_normalisation(
            storage["storage"],
            climate,
            tables["train"],
            valid,
            size=settings["size"],
            variables=job.settings["climate_variables"],
        )
    for name, table in tables.items():
        table.to_csv(job.outputs[name], index=False, lineterminator="\n")
    overlap = tabulate_overlap(tables, size=settings["size"], valid=valid)
    overlap.to_csv(job.outputs["overlap"], index=False, lineterminator="\n")
    job.outputs["normalisation"].write_text(json.dumps(normalisation, indent=1, sort_keys=True) + "\n")
    job.report(", ".join(f"{name} {len(table):,} patches" for name, table in tables.items()))
    for message in note_shortage(tables, **{name: settings[name] for name in SPLITS}):
        job.report(f"NOTE: {message}")


if __name__ == "__main__":
    run(
        patches,
        inputs=["storage", "climate", "mask"],
        outputs=["train", "validation", "test", "overlap", "normalisation"],
    )
