"""One method, scored on the test patches."""

import json

from gwsd.provenance.job import Job, run


def evaluate(job: Job) -> None:
    """Predict every test patch with a method, score each, and pool the scores."""
    import pandas as pd
    import torch

    from gwsd.constraints import left_out_note
    from gwsd.evaluation.evaluate import evaluate
    from gwsd.evaluation.predictions import write_predictions
    from gwsd.losses import LossSettings
    from gwsd.methods.interpolation import Interpolation
    from gwsd.methods.network import Network
    from gwsd.patches.files import open_cube
    from gwsd.resample import Kernel
    from gwsd.training.devices import lease_device

    settings, model = job.settings, job.settings["model"]
    torch.set_num_threads(settings["cpu_threads"])
    for note in left_out_note(model["climate_variables"]):
        job.report(note)
    is_network = bool(job.inputs["weights"])
    requested = settings["device"] if is_network else "cpu"
    with lease_device(requested, report=job.report) as device:
        cube = open_cube(
            job.input("storage"),
            job.input("climate"),
            job.input("mask"),
            normalisation=json.loads(job.input("normalisation").read_text()),
            variables=model["climate_variables"],
            device=device,
        )
        if is_network:
            method = Network.from_weights(
                settings["method"], job.input("weights"), model, scale=cube.storage_scale, device=device
            )
        else:
            method = Interpolation(Kernel(settings["method"]))
        result = evaluate(
            method,
            cube,
            pd.read_csv(job.input("test")),
            size=settings["patch_size"],
            memory=model["memory"],
            loss=LossSettings(**settings["loss"]),
            batch_size=settings["evaluation"]["batch_size"],
        )
    job.note(device=str(device), requested_device=requested)
    label = {"data_label": settings["data_label"], "job_key": job.key}
    write_predictions(result.predictions.assign_attrs(label), job.outputs["predictions"])
    result.scores.to_csv(job.outputs["scores"], index=False, lineterminator="\n")
    job.outputs["summary"].write_text(json.dumps(result.summary, indent=1, sort_keys=True) + "\n")
    job.outputs["timing"].write_text(json.dumps(result.timing, indent=1, sort_keys=True) + "\n")
    job.report(f"{settings['method']}: mean absolute error {result.summary['mae_mm']:.3f} mm")


if __name__ == "__main__":
    run(
        evaluate,
        inputs=["storage", "climate", "mask", "test", "normalisation", "weights"],
        outputs=["summary", "scores", "predictions", "timing"],
    )
