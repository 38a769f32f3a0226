"""One variant, trained."""

import json

from gwsd.provenance.job import Job, run


def train(job: Job) -> None:
    """Train a variant; where a checkpoint of the same inputs, code, settings and seed exists, go on from it."""
    from gwsd.memory import use_huge_pages

    use_huge_pages()

    import pandas as pd

    from gwsd.constraints import constraints_of, left_out_note
    from gwsd.losses import LossSettings
    from gwsd.patches.files import open_cube
    from gwsd.training.devices import lease_device
    from gwsd.training.duration import cpu_seconds
    from gwsd.training.engine import NO_COMPILER, Engine
    from gwsd.training.loop import train
    from gwsd.training.settings import TrainingSettings
    from gwsd.training.weights import write_weights

    model, training = job.settings["model"], TrainingSettings(**job.settings["training"])
    size = job.settings["patch_size"]
    for note in left_out_note(model["climate_variables"]):
        job.report(note)
    tables = {name: pd.read_csv(job.input(name)) for name in ("train", "validation")}
    normalisation = json.loads(job.input("normalisation").read_text())
    with lease_device(
        training.device,
        cpu_seconds=lambda: cpu_seconds(model, training, train_patches=len(tables["train"]), size=size),
        sharing=training.engine["cuda"]["trainings_at_once"],
        report=job.report,
    ) as device:
        engine = Engine(training.engine, device)
        if engine.settings.compile and not engine.compiles:
            job.report(NO_COMPILER)
            job.note(uncompiled=NO_COMPILER)
        cube = open_cube(
            job.input("storage"),
            job.input("climate"),
            job.input("mask"),
            normalisation=normalisation,
            variables=model["climate_variables"],
            device=device,
        )
        result = train(
            cube,
            tables["train"],
            tables["validation"],
            size=size,
            model=model,
            loss=LossSettings(**job.settings["loss"]),
            training=training,
            seed=job.seed,
            device=device,
            checkpoint_dir=job.scratch / job.key,
            report=job.report,
        )
    job.note(
        device=str(device),
        requested_device=training.device,
        resumed=result.resumed,
        constraints=list(constraints_of(model["climate_variables"])),
    )
    metadata = {
        "variant": job.settings["variant"],
        "model": json.dumps(model, sort_keys=True),
        "normalisation": json.dumps(normalisation, sort_keys=True),
        "patch_size": str(size),
        "data_label": job.settings["data_label"],
        "job_key": job.key,
    }
    write_weights(job.outputs["weights"], result.state_dict, metadata)
    result.history.to_csv(job.outputs["history"], index=False, lineterminator="\n")
    job.outputs["timing"].write_text(json.dumps(result.timing, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    run(
        train,
        inputs=["storage", "climate", "mask", "train", "validation", "normalisation"],
        outputs=["weights", "history", "timing"],
    )
