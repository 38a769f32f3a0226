"""The twin Earth: a synthetic water balance, written as the real products come."""

from gwsd.provenance.job import Job, run


def twin_earth(job: Job) -> None:
    """Simulate the twin Earth and write its raw files, its truth and what it knows of its faults."""
    import xarray as xr

    from gwsd.sources.twin.build import build_twin
    from gwsd.sources.twin.settings import TwinSettings

    first_year = int(job.settings["period"]["climate_start"][:4])
    climate = dict(enumerate(job.output_lists["climate"], start=first_year))
    with xr.open_dataset(job.input("land")) as land:
        build_twin(
            land=land["land_fraction"].load(),
            settings=TwinSettings(**job.settings["twin"]),
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
