"""Count the facts of a scenario that the article's prose needs and no table or figure prints."""

from gwsd.provenance.job import Job, run

SPLITS = ("train", "validation", "test")
BY_SEED = ("summaries", "histories", "timings")


def facts(job: Job) -> None:
    """Count months, cells, patches and trainings, and average the scores."""
    from gwsd.artifacts.json_face import write_face
    from gwsd.publication.facts import by_method_and_seed, scenario_facts

    values = scenario_facts(
        file=job.settings["file"],
        months=job.input("months"),
        quality=job.input("quality"),
        patches={split: job.input(split) for split in SPLITS},
        overlap=job.input("overlap"),
        **{name: by_method_and_seed(job.inputs[name]) for name in BY_SEED},
    )
    write_face(
        job.outputs["json"],
        artifact="facts",
        caption="Facts that no table or figure prints.",
        data_label=job.settings["data_label"],
        values=values,
    )


if __name__ == "__main__":
    run(facts, inputs=["months", "quality", *SPLITS, "overlap", *BY_SEED], outputs=["json"])
