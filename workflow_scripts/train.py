"""Train one variant."""

import json

from gwsd.provenance.job import Job, run


def train(job: Job) -> None:
    """Train a variant, or resume from a checkpoint of the same inputs, code, settings and seed."""
    import pandas as pd

    from gwsd.devices import lease_device
    from gwsd.model.execution import NO_COMPILER, Executor, use_huge_pages
    from gwsd.model.settings import Model
    from gwsd.model.weights import write_weights
    from gwsd.patches.gathering import open_cube
    from gwsd.physics import Loss, constraints_of
    from gwsd.provenance.environment import processor_name
    from gwsd.training.duration import cpu_seconds
    from gwsd.training.loop import train
    from gwsd.training.settings import Training

    use_huge_pages()
    settings = job.settings
    model, training = Model.from_job(settings["model"]), Training.from_job(settings["training"])
    variables, size = settings["climate_variables"], settings["patch_size"]
    constraints = constraints_of(variables)
    job.report(f"physical constraints: {', '.join(constraints) or 'none, for lack of climate variables'}")
    tables = {name: pd.read_csv(job.input(name)) for name in ("train", "validation")}
    normalisation = json.loads(job.input("normalisation").read_text())
    with lease_device(
        training.device,
        cpu_seconds=lambda: cpu_seconds(model, variables, training, train_patches=len(tables["train"]), size=size),
        sharing=training.execution.cuda.max_trainings_per_device,
        report=job.report,
    ) as device:
        execution = Executor.of(training.execution, device)
        job.report(f"running in {execution.precision}{', compiled' * execution.compiles} on {device}")
        if execution.settings.compile and not execution.compiles:
            job.report(NO_COMPILER)
            job.note(uncompiled=NO_COMPILER)
        cube = open_cube(
            *(job.input(name) for name in ("storage", "climate", "mask")),
            normalisation=normalisation,
            variables=variables,
            device=device,
        )
        result = train(
            cube,
            tables["train"],
            tables["validation"],
            size=size,
            model=model,
            loss=Loss.from_job(settings["loss"]),
            training=training,
            seed=job.seed,
            checkpoint_dir=job.scratch / job.key,
            report=job.report,
        )
    job.note(
        device=str(device),
        requested_device=training.device,
        execution=execution.describe(),
        resumed=result.resumed,
        constraints=list(constraints),
    )
    metadata = {
        "variant": settings["variant"],
        "model": json.dumps(model.model_dump(), sort_keys=True),
        "climate_variables": json.dumps(variables),
        "normalisation": json.dumps(normalisation, sort_keys=True),
        "patch_size": str(size),
        "data_label": settings["data_label"],
        "job_key": job.key,
    }
    write_weights(job.outputs["weights"], result.state_dict, metadata)
    result.history.to_csv(job.outputs["history"], index=False, lineterminator="\n")
    timing = result.timing | {"machine": processor_name()}
    job.outputs["timing"].write_text(json.dumps(timing, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    run(
        train,
        inputs=["storage", "climate", "mask", "train", "validation", "normalisation"],
        outputs=["weights", "history", "timing"],
    )
