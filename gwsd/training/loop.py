"""Training loop (section 3.4): resumable, reproducible, stopping at divergence."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from gwsd.devices import device_name
from gwsd.errors import TrainingError
from gwsd.losses import TERMS, Loss, total_loss
from gwsd.model.downscaler import Downscaler, count_parameters
from gwsd.model.execution import Executor
from gwsd.model.settings import Model
from gwsd.patches.gathering import Batch, Cube, gather
from gwsd.training.checkpoints import Checkpoints
from gwsd.training.history import Averages, HistoryRow, history_frame, spread, validate
from gwsd.training.schedule import EarlyStopping, Schedule
from gwsd.training.settings import Training

STEPS_IN_PAPER = 30 * 8_000 // 16
"""Steps of the paper's training: epochs times patches over the batch (Table 1, section 3.4)."""

STEPS_BETWEEN_CHECKS = 50
"""Check for NaNs every 50 steps on a GPU; every step would force a synchronisation."""

EXPLODED_GRADIENT = 1.0e8
"""Gradient norm before clipping above which training is considered diverged."""


@dataclass(frozen=True)
class TrainingResult:
    """Result of a training."""

    state_dict: dict[str, Tensor]
    """Weights of the epoch with the smallest validation loss, on the CPU."""
    best_epoch: int
    history: pd.DataFrame
    """One row per epoch; epoch 0 is before training."""
    timing: dict[str, float | int | str]
    """Content of `timing.json`: seconds, steps, device, threads, parameters."""
    resumed: bool
    """True if training resumed from a checkpoint."""


def train(
    cube: Cube,
    train_table: pd.DataFrame,
    validation_table: pd.DataFrame,
    *,
    size: int,
    model: Model,
    loss: Loss,
    training: Training,
    seed: int,
    checkpoint_dir: Path,
    report: Callable[[str], None],
) -> TrainingResult:
    """Train one variant on the cube's device, or resume where an earlier process stopped.

    On the CPU the result has the same bytes whether or not the training was interrupted.

    Parameters
    ----------
    cube : Cube
        Inputs; its model variables are the network's climate variables.
    train_table, validation_table : DataFrame
        Patch tables, of `size` coarse cells a side.
    seed : int
        Of the initial weights and of the order of patches: the same for all variants, so that all see the same
        patches in the same order.
    checkpoint_dir : Path
        Folder for checkpoints, named after everything that the result depends on.
    report : callable
        Takes a line for the log.

    Raises
    ------
    TrainingError
        If training diverges, or a checkpoint cannot be written.
    """
    checkpoints = Checkpoints(checkpoint_dir, report)
    with checkpoints.locked(), _reproducible(training, cube.device):
        run = _Run(cube, train_table, validation_table, size, model, loss, training, seed, checkpoints, report)
        return run.finish()


@dataclass
class _Run:
    """State of a training between epochs."""

    cube: Cube
    train_table: pd.DataFrame
    validation_table: pd.DataFrame
    size: int
    model: Model
    loss: Loss
    settings: Training
    seed: int
    checkpoints: Checkpoints
    report: Callable[[str], None]

    def __post_init__(self) -> None:
        training = self.settings
        self.validation_table = spread(self.validation_table, training.validation_patches)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network = Downscaler(self.model, self.cube.model_variables)
        execution = Executor.of(training.execution, self.cube.device)
        execution.to_device(self.network)
        self.forward = execution.forward(self.network)
        self.optimiser = execution.optimiser(
            self.network.parameters(), learning_rate=training.learning_rate, weight_decay=training.weight_decay
        )
        self.schedule = Schedule(
            self.optimiser, training, steps_per_epoch=math.ceil(len(self.train_table) / training.batch_size)
        )
        self.stopping = EarlyStopping(training.early_stopping_patience)
        self.best_weights = _weights(self.network)
        self.best_epoch = 0
        self.epoch = 0
        self.steps = 0
        self.seconds = 0.0
        self.step_seconds = 0.0
        self.rows: list[HistoryRow] = []
        self.unchecked: list[Tensor] = []

    def finish(self) -> TrainingResult:
        """Train all remaining epochs."""
        state = self.checkpoints.restore()
        if state is None:
            start = time.perf_counter()
            self.rows.append({"epoch": 0, "steps": 0, "learning_rate": self.schedule.learning_rate, **self._score()})
            self.seconds += time.perf_counter() - start
            self.report(f"epoch 0/{self.settings.epochs} (before training): {_summary(self.rows[-1])}")
        else:
            self._load(state)
            self.report(f"resuming after epoch {self.epoch} of {self.settings.epochs} ({self.steps} steps)")
        while self.epoch < self.settings.epochs and not self.stopping.exhausted:
            self._one_epoch()
        if self.epoch < self.settings.epochs:
            self.report(
                f"stopped after epoch {self.epoch}: no better validation loss for {self.stopping.waited} epochs"
            )
        self.report(f"kept the weights of epoch {self.best_epoch}: validation loss {self.stopping.best:.4g}")
        self.checkpoints.keep(1)
        return TrainingResult(
            state_dict=self.best_weights,
            best_epoch=self.best_epoch,
            history=history_frame(self.rows),
            timing={
                "seconds": self.seconds,
                "seconds_per_step": self.step_seconds / max(self.steps, 1),
                "steps": self.steps,
                "epochs": self.epoch,
                "steps_in_paper": STEPS_IN_PAPER,
                "device": device_name(self.cube.device),
                "threads": torch.get_num_threads(),
                "parameters": count_parameters(self.network),
            },
            resumed=state is not None,
        )

    def _one_epoch(self) -> None:
        start = time.perf_counter()
        epoch = self.epoch + 1
        averages = Averages()
        self.network.train()
        batch_size = self.settings.batch_size
        # From seed and epoch alone: a resumed training sees the order of an uninterrupted one.
        order = np.random.Generator(np.random.PCG64([self.seed, epoch])).permutation(len(self.train_table))
        spans = range(0, len(order), batch_size)
        for first in tqdm(spans, desc=f"epoch {epoch}", leave=False, disable=not sys.stderr.isatty()):
            rows = self.train_table.iloc[order[first : first + batch_size]]
            batch = gather(self.cube, rows, size=self.size, history_months=self.network.history_months)
            learning_rate = self.schedule.learning_rate
            averages.add(self._step(batch, epoch), len(rows))
        self._check(epoch)
        self.step_seconds += time.perf_counter() - start
        row = {"epoch": epoch, "steps": self.steps, "learning_rate": learning_rate}
        row |= averages.means("train") | self._score()
        validation_loss = row["val_total"]
        if not math.isfinite(validation_loss):
            raise TrainingError(self._diverged(epoch, f"the validation loss is {validation_loss}"))
        self.schedule.after_epoch(validation_loss)
        if self.stopping.improved(validation_loss):
            self.best_weights = _weights(self.network)
            self.best_epoch = epoch
        self.rows.append(row)
        self.epoch = epoch
        elapsed = time.perf_counter() - start
        self.seconds += elapsed
        self.checkpoints.save(epoch, self._state())
        self.report(
            f"epoch {epoch}/{self.settings.epochs}: {_summary(row)}, learning rate {learning_rate:.2e}, {elapsed:.1f} s"
        )

    def _step(self, batch: Batch, epoch: int) -> dict[str, Tensor]:
        self.optimiser.zero_grad(set_to_none=True)
        total, terms = total_loss(self.forward(batch), batch, self.cube.storage_scale, self.loss)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip_norm)
        self.unchecked.append(torch.stack([norm, *terms.values()]))
        if self.cube.device.type == "cpu" or len(self.unchecked) == STEPS_BETWEEN_CHECKS:
            self._check(epoch)
        self.optimiser.step()
        self.schedule.after_step()
        self.steps += 1
        return terms

    def _check(self, epoch: int) -> None:
        """Raise if a step since the last check diverged; reading the values waits for the device."""
        values = torch.stack(self.unchecked).tolist() if self.unchecked else []
        self.unchecked.clear()
        for norm, *terms in values:
            if not (math.isfinite(terms[0]) and norm < EXPLODED_GRADIENT):
                listed = ", ".join(f"{name} {term:.3g}" for name, term in zip(TERMS, terms, strict=True))
                raise TrainingError(self._diverged(epoch, f"gradient norm {norm:.3g}, loss terms: {listed}"))

    def _score(self) -> HistoryRow:
        return validate(
            self.network,
            self.forward,
            self.cube,
            self.validation_table,
            loss=self.loss,
            batch_size=self.settings.batch_size,
            size=self.size,
        )

    def _diverged(self, epoch: int, symptom: str) -> str:
        kept = "no epoch was finished"
        if self.epoch:
            kept = f"the checkpoint of epoch {self.epoch} is kept in {self.checkpoints.folder}"
        return (
            f"training diverged in epoch {epoch}, after {self.steps} steps: {symptom}; {kept}. "
            "Lower training.learning_rate or training.clip_norm, or look for implausible values in the inputs."
        )

    def _state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "stopping": {"best": self.stopping.best, "waited": self.stopping.waited},
            **{name: getattr(self, name) for name in _PLAIN_STATE},
        }

    def _load(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.stopping.best, self.stopping.waited = state["stopping"]["best"], state["stopping"]["waited"]
        for name in _PLAIN_STATE:
            setattr(self, name, state[name])


_PLAIN_STATE = ("best_weights", "best_epoch", "epoch", "steps", "seconds", "step_seconds", "rows")


@contextmanager
def _reproducible(training: Training, device: torch.device) -> Iterator[None]:
    """Set torch's threads and, on the CPU, deterministic algorithms; restore both.

    Deterministic torch also fills all memory that it allocates with NaN, for programs that read uninitialised memory.
    No layer does, and filling takes 5 % of a step.
    """
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    fills = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.set_num_threads(training.cpu_threads)
    torch.use_deterministic_algorithms(deterministic or device.type == "cpu")
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
        torch.utils.deterministic.fill_uninitialized_memory = fills  # type: ignore[attr-defined]


def _weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}


def _summary(row: HistoryRow) -> str:
    trained = f"loss {row['train_total']:.4g}, " if "train_total" in row else ""
    return (
        f"{trained}validation loss {row['val_total']:.4g}, MAE {row['val_mae_mm']:.3g} mm "
        f"(bilinear {row['val_bilinear_mae_mm']:.3g} mm)"
    )
