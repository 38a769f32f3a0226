"""Facts of a scenario that its article's prose needs and no table or figure prints."""

from gwsd.numbers.entry import write_sidecar
from gwsd.numbers.facts import Facts, about_data, about_scores, about_trainings, by_method_and_seed
from gwsd.provenance.job import Job, run

SPLITS = ("train", "validation", "test")
BY_SEED = ("summaries", "histories", "timings")


def facts(job: Job) -> None:
    """Count in the files of months, cells, patches and trainings, and average the scores."""
    found = Facts(job.settings["file"])
    patches = {split: job.input(split) for split in SPLITS}
    about_data(
        found, months=job.input("months"), quality=job.input("quality"), patches=patches, overlap=job.input("overlap")
    )
    summaries, histories, timings = (by_method_and_seed(job.inputs[name]) for name in BY_SEED)
    about_trainings(found, histories=histories, timings=timings)
    about_scores(found, summaries=summaries)
    write_sidecar(
        job.outputs["json"],
        artifact="facts",
        caption="Facts that no table or figure prints.",
        data_label=job.settings["data_label"],
        values=found.values,
    )


if __name__ == "__main__":
    run(facts, inputs=["months", "quality", *SPLITS, "overlap", *BY_SEED], outputs=["json"])
