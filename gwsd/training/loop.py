"""The training loop (section 3.4): resumable, reproducible, and loud when it fails."""

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from gwsd.errors import TrainingError
from gwsd.losses import LossSettings, total_loss
from gwsd.model.downscaler import Downscaler, count_parameters
from gwsd.patches.gathering import Batch, Cube, gather
from gwsd.training.checkpoints import Checkpoints
from gwsd.training.engine import Engine
from gwsd.training.history import Averages, HistoryRow, history_frame, spread, validate
from gwsd.training.schedule import EarlyStopping, Schedule
from gwsd.training.settings import TrainingSettings

STEPS_IN_PAPER = 30 * 8_000 // 16
"""Steps of the paper's training: epochs times patches over the batch (Table 1, section 3.4)."""

STEPS_BETWEEN_CHECKS = 50
"""Steps on a GPU after which it is seen whether all is well: to look each time would keep it waiting."""

EXPLODED_GRADIENT = 1.0e8
"""Norm of a gradient, before clipping, that no longer points anywhere."""


@dataclass(frozen=True)
class TrainingResult:
    """What a training leaves.

    Parameters
    ----------
    state_dict : dict of str to Tensor
        Weights of the epoch with the smallest validation loss, on the CPU.
    best_epoch : int
        That epoch.
    history : DataFrame
        One row an epoch, epoch 0 before any training.
    timing : dict
        Seconds, steps, device, threads, parameters: what `timing.json` holds.
    resumed : bool
        Whether a checkpoint was gone on from.
    """

    state_dict: dict[str, Tensor]
    best_epoch: int
    history: pd.DataFrame
    timing: dict[str, float | int | str]
    resumed: bool


def train(
    cube: Cube,
    train_table: pd.DataFrame,
    validation_table: pd.DataFrame,
    *,
    size: int,
    model: Mapping[str, Any],
    loss: LossSettings,
    training: TrainingSettings,
    seed: int,
    device: torch.device,
    checkpoint_dir: Path,
    report: Callable[[str], None],
) -> TrainingResult:
    """Train one variant, or go on where an earlier process stopped.

    Parameters
    ----------
    cube : Cube
        Inputs, on `device`.
    train_table, validation_table : DataFrame
        Patch tables.
    size : int
        Coarse cells along a patch's side.
    model : mapping
        Settings of the `Downscaler`.
    loss : LossSettings
        Settings of the loss.
    training : TrainingSettings
        Settings of the loop.
    seed : int
        Of the first weights and of the order of patches: the same for all variants, so that all see the same
        patches in the same order.
    device : torch.device
        What to train on.
    checkpoint_dir : Path
        Folder for checkpoints, named after everything that the result depends on.
    report : callable
        Takes a line for the log.

    Returns
    -------
    TrainingResult
        On the CPU the same bytes whether or not the training was interrupted.

    Raises
    ------
    TrainingError
        If the loss or its gradient is lost, or a checkpoint cannot be written.
    """
    checkpoints = Checkpoints(checkpoint_dir, report)
    with checkpoints.held(), _reproducible(training, device):
        run = _Run(
            cube,
            train_table,
            validation_table,
            size,
            model,
            loss,
            training,
            seed,
            device,
            checkpoints,
            report,
        )
        return run.finish()


class _Run:
    """One training under way: what changes from step to step, and what a checkpoint keeps of it."""

    def __init__(
        self,
        cube: Cube,
        train_table: pd.DataFrame,
        validation_table: pd.DataFrame,
        size: int,
        model: Mapping[str, Any],
        loss: LossSettings,
        training: TrainingSettings,
        seed: int,
        device: torch.device,
        checkpoints: Checkpoints,
        report: Callable[[str], None],
    ) -> None:
        self.cube = cube
        self.train_table = train_table
        self.validation_table = spread(validation_table, training.validation_patches)
        self.size = size
        self.loss = loss
        self.settings = training
        self.seed = seed
        self.device = device
        self.checkpoints = checkpoints
        self.report = report
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = Downscaler(**model)
        self.engine = Engine(training.engine, device)
        self.engine.place(self.network)
        self.forward = self.engine.runner(self.network)
        self.optimiser = self.engine.optimiser(
            self.network.parameters(), learning_rate=training.learning_rate, weight_decay=training.weight_decay
        )
        self.schedule = Schedule(
            self.optimiser, training, steps_an_epoch=math.ceil(len(train_table) / training.batch_size)
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
        """Train all epochs that are left."""
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
        self.checkpoints.keep_last()
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
                "device": _device_name(self.device),
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
        # From seed and epoch alone: a resumed training meets the order of an undisturbed one.
        order = np.random.Generator(np.random.PCG64([self.seed, epoch])).permutation(len(self.train_table))
        spans = range(0, len(order), batch_size)
        for first in tqdm(spans, desc=f"epoch {epoch}", leave=False, disable=not sys.stderr.isatty()):
            rows = self.train_table.iloc[order[first : first + batch_size]]
            batch = gather(self.cube, rows, size=self.size, memory=self.network.memory)
            learning_rate = self.schedule.learning_rate
            terms = self._step(batch, epoch)
            averages.add(terms, len(rows))
        self._check(epoch, tuple(terms))
        self.step_seconds += time.perf_counter() - start
        row = {"epoch": epoch, "steps": self.steps, "learning_rate": learning_rate}
        row |= averages.means("train") | self._score()
        validation_loss = row["val_total"]
        if not math.isfinite(validation_loss):
            raise TrainingError(self._lost(epoch, f"the validation loss is {validation_loss}"))
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
        if self.device.type == "cpu" or len(self.unchecked) == STEPS_BETWEEN_CHECKS:
            self._check(epoch, tuple(terms))
        self.optimiser.step()
        self.schedule.after_step()
        self.steps += 1
        return terms

    def _check(self, epoch: int, names: tuple[str, ...]) -> None:
        """See whether the steps since the last check went well; to look is to wait for the device."""
        values = torch.stack(self.unchecked).tolist() if self.unchecked else []
        self.unchecked.clear()
        for norm, *terms in values:
            if not (math.isfinite(terms[names.index("total")]) and norm < EXPLODED_GRADIENT):
                said = ", ".join(f"{name} {term:.3g}" for name, term in zip(names, terms, strict=True))
                raise TrainingError(self._lost(epoch, f"gradient norm {norm:.3g}, loss terms: {said}"))

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

    def _lost(self, epoch: int, symptom: str) -> str:
        kept = (
            f"the checkpoint of epoch {self.epoch} is kept in {self.checkpoints.folder}"
            if self.epoch
            else ("no epoch was finished")
        )
        return (
            f"training diverged in epoch {epoch}, after {self.steps} steps: {symptom}; {kept}. "
            "Lower training.learning_rate or training.clip_norm, or look for implausible values in the inputs"
        )

    def _state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "stopping": {"best": self.stopping.best, "waited": self.stopping.waited},
            "best_weights": self.best_weights,
            "best_epoch": self.best_epoch,
            "epoch": self.epoch,
            "steps": self.steps,
            "seconds": self.seconds,
            "step_seconds": self.step_seconds,
            "rows": self.rows,
            "random_state": torch.get_rng_state(),
        }

    def _load(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.stopping.best, self.stopping.waited = state["stopping"]["best"], state["stopping"]["waited"]
        self.best_weights = state["best_weights"]
        self.best_epoch = state["best_epoch"]
        self.epoch = state["epoch"]
        self.steps = state["steps"]
        self.seconds = state["seconds"]
        self.step_seconds = state["step_seconds"]
        self.rows = state["rows"]
        torch.set_rng_state(state["random_state"])


@contextmanager
def _reproducible(training: TrainingSettings, device: torch.device) -> Iterator[None]:
    """Set torch's threads and, on the CPU, deterministic algorithms; put all back.

    Deterministic torch also fills all memory that it takes with NaN, for programs that read what they have not
    written. No layer does, and to fill it takes 5 % of a step.
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


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _summary(row: HistoryRow) -> str:
    trained = f"loss {row['train_total']:.4g}, " if "train_total" in row else ""
    return (
        f"{trained}validation loss {row['val_total']:.4g}, MAE {row['val_mae_mm']:.3g} mm "
        f"(bilinear {row['val_bilinear_mae_mm']:.3g} mm)"
    )
