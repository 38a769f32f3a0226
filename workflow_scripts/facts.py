"""Count the facts of a scenario that the article's prose needs and no table or figure prints."""

from gwsd.provenance.job import Job, run

INPUTS = ("months", "quality", "train", "validation", "test", "overlap", "summaries", "histories", "timings")


def facts(job: Job) -> None:
    """Count months, cells, patches and trainings, and average the scores."""
    from gwsd.artifacts.artifact_inputs import ArtifactInputs
    from gwsd.artifacts.json_face import write_face
    from gwsd.publication.facts import scenario_facts

    label, caption = job.settings["data_label"], "Facts that no table or figure prints."
    values = scenario_facts(ArtifactInputs(job.inputs, {}, label), job.settings["file"])
    write_face(job.outputs["json"], artifact="facts", caption=caption, data_label=label, values=values)


if __name__ == "__main__":
    run(facts, inputs=INPUTS, outputs=["json"])
