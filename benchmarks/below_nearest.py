"""Why the network stays above nearest-neighbour interpolation: one setting changed at a time, beside the paper's.

    python benchmarks/below_nearest.py --results results/demo
    python benchmarks/below_nearest.py --only paper residual --epochs 20

Reads the inputs and patches of a scenario that has run; all trainings have one seed and see the same patches in the
same order. Beside the validation MAE of the best epoch stand three of its kind that tell causes apart: with the
batches' own statistics in place of the running ones (only batch normalisation has them), on the outer ring of a patch,
where convolutions see zeros beyond the edge, and inside of it. The table goes to the screen and to
results/benchmarks/below_nearest.json.
"""

import argparse
import json
import multiprocessing
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

from gwsd.config import derive_seed
from gwsd.doctor import read_documents
from gwsd.grid import REFINEMENT
from gwsd.losses import LossSettings
from gwsd.model.downscaler import Downscaler
from gwsd.patches.files import open_cube
from gwsd.patches.gathering import Batch, Cube
from gwsd.resample import Kernel, upsample
from gwsd.training.engine import Engine
from gwsd.training.history import batches, spread
from gwsd.training.loop import train
from gwsd.training.settings import TrainingSettings

RING = 4
"""Coarse cells from a patch's edge that count as its ring."""


@dataclass(frozen=True)
class Departure:
    """What a training does otherwise than the paper."""

    name: str
    model: dict[str, Any] = field(default_factory=dict)
    loss: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)


ONE_CYCLE = {"schedule": "one_cycle", "learning_rate": 2.0e-3}
DEPARTURES = (
    Departure("paper"),
    Departure("rate 3e-4", training={"learning_rate": 3.0e-4}),
    Departure("rate 3e-3", training={"learning_rate": 3.0e-3}),
    Departure("one-cycle 2e-3", training=ONE_CYCLE),
    Departure("group normalisation", model={"normalisation": "group"}),
    Departure("no normalisation", model={"normalisation": "none"}),
    Departure("no variance head", model={"variance_head": False}),
    Departure("likelihood alone", loss={"physics_weight": 0.0, "smoothness_weight": 0.0}),
    Departure("none, one-cycle 2e-3", model={"normalisation": "none"}, training=ONE_CYCLE),
    Departure("residual", model={"normalisation": "group", "residual": True}, training={"schedule": "one_cycle"}),
)


@dataclass(frozen=True)
class Scores:
    """Mean absolute errors of one training on the validation patches, mm."""

    name: str
    best_epoch: int
    all: float
    batch_statistics: float | None
    ring: float
    inside: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results/demo"), help="a scenario's folder")
    parser.add_argument("--config", nargs="*", type=Path, default=[], help="files laid over config.yaml")
    parser.add_argument("--only", nargs="+", choices=[one.name for one in DEPARTURES], help="some of the trainings")
    parser.add_argument("--epochs", type=int, help="instead of the scenario's")
    parser.add_argument("--at-once", type=int, default=2, help="trainings side by side")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks/below_nearest.json"))
    options = parser.parse_args()
    if not (options.results / "patches/normalisation.json").is_file():
        parser.error(f"{options.results} has no inputs and patches yet; run snakemake first, or name another folder")
    settings = read_documents(Path.cwd(), options.config).settings(options.results.name)
    chosen = [one for one in DEPARTURES if options.only is None or one.name in options.only]
    work = partial(score, results=options.results, config=options.config, epochs=options.epochs)
    found = {"nearest": interpolated(options, Kernel.NEAREST), "bilinear": interpolated(options, Kernel.BILINEAR)}
    print(f"{'validation MAE, mm':24}{'epoch':>6}{'all':>9}{'batch stat.':>12}{'ring':>9}{'inside':>9}")
    for kernel, mae in found.items():
        print(f"{kernel:30}{mae['all']:9.3f}{'':12}{mae['ring']:9.3f}{mae['inside']:9.3f}", flush=True)
    rows = []
    with ProcessPoolExecutor(options.at_once, mp_context=multiprocessing.get_context("spawn")) as pool:
        for one in pool.map(work, chosen):
            rows.append(asdict(one))
            own = "" if one.batch_statistics is None else f"{one.batch_statistics:.3f}"
            print(f"{one.name:24}{one.best_epoch:6}{one.all:9.3f}{own:>12}{one.ring:9.3f}{one.inside:9.3f}", flush=True)
    report = {
        "results": str(options.results),
        "epochs": options.epochs,
        "interpolations": found,
        "trainings": rows,
        "data_label": settings.data_label,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{options.out}")


def score(departure: Departure, *, results: Path, config: list[Path], epochs: int | None) -> Scores:
    """Train as a departure says and score the weights of the best epoch."""
    settings, cube, (train_table, validation) = opened(results, config)
    variant = settings.variant("full")
    training = TrainingSettings(
        **{**variant["training"], **departure.training, **({"epochs": epochs} if epochs else {})}
    )
    model = {**variant["model"], **departure.model}
    with tempfile.TemporaryDirectory() as folder:
        result = train(
            cube,
            train_table,
            validation,
            size=settings.patches.size,
            model=model,
            loss=LossSettings(**{**variant["loss"], **departure.loss}),
            training=training,
            seed=derive_seed(settings.seed, "training", 0),
            device=torch.device("cpu"),
            checkpoint_dir=Path(folder),
            report=lambda line: None,
        )
    network = Downscaler(**model)
    network.load_state_dict(result.state_dict)
    engine = Engine(training.engine, torch.device("cpu"))
    engine.place(network)
    run = engine.runner(network)
    table = spread(validation, training.validation_patches)

    def errors(batch: Batch) -> torch.Tensor:
        return cube.storage_scale.restore(run(batch).mean) - batch.target_mm

    network.eval()
    said = by_place(cube, table, settings.patches.size, network.memory, errors)
    own = None
    if any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules()):
        network.train()
        own = by_place(cube, table, settings.patches.size, network.memory, errors)["all"]
    return Scores(departure.name, result.best_epoch, batch_statistics=own, **said)


def opened(results: Path, config: list[Path]) -> tuple[Any, Cube, tuple[pd.DataFrame, pd.DataFrame]]:
    """Open a scenario's settings, inputs and patch tables."""
    settings = read_documents(Path.cwd(), config).settings(results.name)
    files = {name: results / "inputs" / f"{name}.nc" for name in ("storage", "climate", "mask")}
    cube = open_cube(
        *files.values(),
        normalisation=json.loads((results / "patches/normalisation.json").read_text()),
        variables=settings.climate_variables,
        device="cpu",
    )
    return settings, cube, (pd.read_csv(results / "patches/train.csv"), pd.read_csv(results / "patches/validation.csv"))


def interpolated(options: argparse.Namespace, kernel: Kernel) -> dict[str, float]:
    """Score an interpolation on the same patches."""
    settings, cube, (_, validation) = opened(options.results, options.config)
    table = spread(validation, settings.training.validation_patches)
    size, memory = settings.patches.size, 1
    return by_place(cube, table, size, memory, lambda batch: upsample(batch.storage_mm, kernel) - batch.target_mm)


def by_place(cube: Cube, table: pd.DataFrame, size: int, memory: int, errors: Any) -> dict[str, float]:
    """Return the mean absolute error over all valid cells, on the ring of the patches and inside, mm."""
    ring = torch.ones(REFINEMENT * size, REFINEMENT * size, dtype=torch.bool)
    inner = slice(REFINEMENT * RING, REFINEMENT * (size - RING))
    ring[inner, inner] = False
    parts: dict[str, list[torch.Tensor]] = {"all": [], "ring": [], "inside": []}
    with torch.no_grad():
        for batch in batches(cube, table, batch_size=16, size=size, memory=memory):
            error = errors(batch).abs()
            places = {"all": batch.valid, "ring": batch.valid & ring, "inside": batch.valid & ~ring}
            for name, place in places.items():
                parts[name].append(error[place])
    return {name: statistics.fmean(torch.cat(part).double().tolist()) for name, part in parts.items()}


if __name__ == "__main__":
    main()
