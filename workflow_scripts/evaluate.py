"""Evaluate one method on the test patches."""

import json

from gwsd.provenance.job import Job, run


def evaluate(job: Job) -> None:
    """Predict every test patch with a method, score each, and summarise the scores."""
    import pandas as pd
    import torch

    from gwsd.devices import lease_device
    from gwsd.evaluation.evaluate import evaluate
    from gwsd.evaluation.predictions import write_predictions
    from gwsd.methods.interpolation import Interpolation
    from gwsd.methods.method import Method
    from gwsd.methods.network import Network
    from gwsd.model.settings import Model
    from gwsd.patches.gathering import open_cube
    from gwsd.physics import Physics
    from gwsd.provenance.environment import processor_name
    from gwsd.resample import Kernel

    settings = job.settings
    name, variables = settings["method"], settings["climate_variables"]
    torch.set_num_threads(settings.get("cpu_threads", 1))
    requested = settings.get("device", "cpu")
    with lease_device(requested, report=job.report) as device:
        cube = open_cube(
            *(job.input(name) for name in ("storage", "climate", "mask")),
            normalisation=json.loads(job.input("normalisation").read_text()),
            variables=variables,
            device=device,
        )
        method: Method
        if "model" in settings:
            model = Model.from_job(settings["model"])
            history_months = model.history_months
            method = Network.from_weights(
                name, job.input("weights"), model, variables, scale=cube.storage_scale, device=device
            )
        else:
            method, history_months = Interpolation(Kernel(name)), 1
        result = evaluate(
            method,
            cube,
            pd.read_csv(job.input("test")),
            size=settings["patch_size"],
            history_months=history_months,
            physics=Physics.from_job(settings["physics"]),
            batch_size=settings["batch_size"],
        )
    job.note(device=str(device), requested_device=requested)
    label = {"data_label": settings["data_label"], "job_key": job.key}
    write_predictions(result.predictions.assign_attrs(label), job.outputs["predictions"])
    result.scores.to_csv(job.outputs["scores"], index=False, lineterminator="\n")
    timing = result.timing | {"machine": processor_name()}
    for output, content in (("summary", result.summary), ("timing", timing)):
        job.outputs[output].write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    job.report(f"{name}: mean absolute error {result.summary['mae_mm']:.3f} mm")


if __name__ == "__main__":
    run(
        evaluate,
        inputs=["storage", "climate", "mask", "test", "normalisation", "weights"],
        outputs=["summary", "scores", "predictions", "timing"],
    )
