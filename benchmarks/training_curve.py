"""The curve of a training, finished or not: its history so far, beside interpolations of the same patches."""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carried_packages import missing
from frozen_plan import PlannedJob
from job_state import State

WIDTH_MM, HEIGHT_MM = 120.0, 85.0


@dataclass(frozen=True)
class Curve:
    """Files of one training's curve.

    Parameters
    ----------
    folder : Path
        Where they lie.
    variant : str
        The training's.
    partial : bool
        Whether it is not finished: the files' names say so.
    """

    folder: Path
    variant: str
    partial: bool

    def file(self, suffix: str) -> Path:
        """Return a file's path, such as history_full_partial.csv."""
        return self.folder / f"history_{self.variant}{'_partial' * self.partial}{suffix}"


def write_curve(job: PlannedJob, root: Path, folder: Path, note: str = "", *, partial: bool) -> Path | None:
    """Write history, record and figure of a training.

    Parameters
    ----------
    job : PlannedJob
        A training that has a checkpoint.
    root : Path
        The project's root.
    folder : Path
        Where to.
    note : str
        What else the record shall say, such as what the machine did besides.
    partial : bool
        Whether the training is not finished.

    Returns
    -------
    Path or None
        The history; None where there is no checkpoint yet.
    """
    from gwsd.training.checkpoints import Checkpoints
    from gwsd.training.history import history_frame

    checkpoints = State(root).checkpoints(job)
    state = Checkpoints(checkpoints, print).restore() if checkpoints.is_dir() else None
    if state is None:
        return None
    history = history_frame(state["rows"])
    record = {"partial": partial, **describe(job, state, checkpoints.name), "note": note}
    record["validation_mae_mm"] = interpolated(job, root)
    curve = Curve(folder, job.settings["variant"], partial)
    folder.mkdir(parents=True, exist_ok=True)
    record["validation_mae_mm"][job.settings["variant"]] = {
        str(row["epoch"]): round(row["val_mae_mm"], 4) for row in history.to_dict("records")
    }
    history.to_csv(curve.file(".csv"), index=False, lineterminator="\n")
    curve.file(".json").write_text(json.dumps(record, indent=1) + "\n")
    if lacking := missing(("matplotlib", "seaborn", "cmocean")):
        print(f"the curve is not drawn: this Python lacks {', '.join(lacking)}")
    else:
        draw(history, record, curve)
    return curve.file(".csv")


def describe(job: PlannedJob, state: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Say what was trained, how far, and on what."""
    import torch

    from gwsd.provenance.environment import processor_name

    training = job.settings["training"]
    cuda = torch.cuda.is_available()
    epochs = state["epoch"]
    of_steps = state["step_seconds"] / epochs if epochs else 0.0
    of_score = (state["seconds"] - state["step_seconds"]) / (epochs + 1)  # scored before training too
    return {
        "variant": job.settings["variant"],
        "data_label": job.settings["data_label"],
        "job_key": key,
        "epochs": epochs,
        "epochs_of_the_setting": training["epochs"],
        "steps": state["steps"],
        "batch_size": training["batch_size"],
        "seconds": round(state["seconds"], 1),
        "seconds_an_epoch": round(of_steps + of_score, 1),
        "seconds_a_step": round(state["step_seconds"] / state["steps"], 4) if state["steps"] else None,
        "precision": training["engine"]["cuda" if cuda else "cpu"]["precision"],
        "hardware": torch.cuda.get_device_name() if cuda else processor_name(),
        "threads": None if cuda else training["cpu_threads"],
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def interpolated(job: PlannedJob, root: Path) -> dict[str, Any]:
    """Score nearest neighbour and bilinear interpolation on the validation patches that the training scores, mm."""
    import pandas as pd

    from gwsd.patches.files import open_cube
    from gwsd.resample import Kernel, upsample
    from gwsd.training.history import ErrorStatistics, batches, spread

    settings = job.settings
    files = {name: root / job.option(f"--{name}")[0] for name in ("storage", "climate", "mask")}
    cube = open_cube(
        *files.values(),
        normalisation=json.loads((root / job.option("--normalisation")[0]).read_text()),
        variables=settings["model"]["climate_variables"],
        device="cpu",
    )
    table = pd.read_csv(root / job.option("--validation")[0])
    table = spread(table, settings["training"]["validation_patches"])
    errors = {kernel: ErrorStatistics() for kernel in (Kernel.NEAREST, Kernel.BILINEAR)}
    for batch in batches(cube, table, batch_size=16, size=settings["patch_size"], memory=1):
        for kernel, one in errors.items():
            one.add(upsample(batch.storage_mm, kernel), batch)
    return {"patches": len(table), **{str(kernel): round(one.mae_mm, 4) for kernel, one in errors.items()}}


def draw(history: Any, record: Mapping[str, Any], curve: Curve) -> None:
    """Draw validation error by epoch, with the interpolations as lines."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    from gwsd.figures.style import BLUE, GREEN, INK, ORANGE, PlotStyle, new_figure, save_figure

    style = PlotStyle(WIDTH_MM, "DejaVu Sans", 8.0, "balance", "amp", 200)
    scores = record["validation_mae_mm"]
    said = "partial: " if record["partial"] else ""
    note = (
        f"{said}{record['epochs']} of {record['epochs_of_the_setting']} epochs, {record['steps']:,} steps of "
        f"{record['batch_size']} patches; {record['hardware']}, {record['precision']}, "
        f"{record['seconds_an_epoch']} s an epoch with validation on {scores['patches']:,} patches."
    )
    with style.applied():
        figure = new_figure(style, height_mm=HEIGHT_MM, data_label=record["data_label"], note=note)
        axes = figure.add_subplot()
        axes.plot(history["epoch"], history["val_mae_mm"], color=ORANGE, marker=".", label=record["variant"])
        for name, colour in (("nearest", GREEN), ("bilinear", BLUE)):
            axes.axhline(scores[name], color=colour, linestyle=":", label=f"{name}: {scores[name]:.2f} mm")
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("Epoch (0: before training)")
        axes.set_ylabel("Validation MAE (mm water equivalent)")
        axes.tick_params(colors=INK)
        axes.legend(loc="best")
        for suffix in (".pdf", ".png"):
            save_figure(figure, curve.file(suffix), style)
