"""Every published value of a scenario, with where it comes from."""

from gwsd.numbers.collecting import collect
from gwsd.provenance.hashing import sha256_of
from gwsd.provenance.job import Job, run


def numbers(job: Job) -> None:
    """Collect what tables, figures, facts and claims publish."""
    files = {path.as_posix(): sha256_of(path) for name in ("lists", "files") for path in job.inputs[name]}
    collect(
        job.outputs["numbers"],
        job.inputs["lists"],
        scenario=job.settings["scenario"],
        data_label=job.settings["data_label"],
        sha256=files,
    )


if __name__ == "__main__":
    run(numbers, inputs=["lists", "files"], outputs=["numbers"])
