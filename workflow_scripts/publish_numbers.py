"""Collect the published values of a scenario into numbers.json."""

from gwsd.provenance.job import Job, run


def numbers(job: Job) -> None:
    """Collect the values of tables, figures, facts and claims, with the SHA-256 of their files."""
    from gwsd.artifacts.json_face import write_json
    from gwsd.provenance.hashing import sha256_of
    from gwsd.publication.numbers import collect

    files = [*job.inputs["lists"], *job.inputs["files"]]
    document = collect(job.inputs["lists"], sha256={path.as_posix(): sha256_of(path) for path in files}, **job.settings)
    write_json(job.outputs["numbers"], document)


if __name__ == "__main__":
    run(numbers, inputs=["lists", "files"], outputs=["numbers"])
