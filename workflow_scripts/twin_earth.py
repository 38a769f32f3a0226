"""Simulate the twin Earth and write its files in the formats of the real products."""

from gwsd.provenance.job import Job, run


def twin_earth(job: Job) -> None:
    """Simulate the twin Earth; write its raw files, its truth and its known faults."""
    import xarray as xr

    from gwsd.twin.build import build_twin
    from gwsd.twin.settings import Twin

    first_year = int(job.settings["period"]["climate_start"][:4])
    climate = dict(enumerate(job.output_lists["climate"], start=first_year))
    with xr.open_dataset(job.input("land")) as land:
        build_twin(
            land=land["land_fraction"].load(),
            settings=Twin.from_job(job.settings["twin"]),
            region=tuple(job.settings["region"]),
            **job.settings["period"],
            seed=job.seed,
            outputs={**job.outputs, "climate": climate},
            scenario_title=job.settings["name"],
            report=job.report,
        )


if __name__ == "__main__":
    run(
        twin_earth,
        inputs=["land"],
        outputs=["storage", "truth", "climate_blocks", "balance", "known", "faults"],
        output_lists=["climate"],
    )
