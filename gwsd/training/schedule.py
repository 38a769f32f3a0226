"""How the learning rate changes, and when to stop."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from gwsd.training.settings import TrainingSettings


class ScheduleKind(StrEnum):
    """Schedules of the learning rate."""

    PLATEAU = "plateau"
    ONE_CYCLE = "one_cycle"


class Schedule:
    """A learning-rate schedule that is told of every step and every epoch.

    Parameters
    ----------
    optimiser : Optimizer
        Whose learning rate changes.
    settings : TrainingSettings
        Kind and numbers.
    steps_an_epoch : int
        Steps that make an epoch.
    """

    def __init__(self, optimiser: Optimizer, settings: TrainingSettings, *, steps_an_epoch: int) -> None:
        self.optimiser = optimiser
        self._by_step: OneCycleLR | None = None
        self._by_epoch: ReduceLROnPlateau | None = None
        if ScheduleKind(settings.schedule) is ScheduleKind.ONE_CYCLE:
            self._by_step = OneCycleLR(
                optimiser, max_lr=settings.learning_rate, total_steps=settings.epochs * steps_an_epoch
            )
        else:
            self._by_epoch = ReduceLROnPlateau(
                optimiser,
                factor=settings.plateau_factor,
                # torch counts the epochs that it bears; the paper those after which it acts.
                patience=settings.plateau_patience - 1,
                # Absolute: a threshold relative to a negative likelihood calls a worse one better.
                threshold=0.0,
                threshold_mode="abs",
            )

    @property
    def learning_rate(self) -> float:
        """The current learning rate."""
        return float(self.optimiser.param_groups[0]["lr"])

    def after_step(self) -> None:
        """Follow a step of the optimiser."""
        if self._by_step is not None:
            self._by_step.step()

    def after_epoch(self, validation_loss: float) -> None:
        """Follow an epoch."""
        if self._by_epoch is not None:
            self._by_epoch.step(validation_loss)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: plain numbers, no callables."""
        state = (self._by_step or self._scheduler()).state_dict()
        return {key: value for key, value in state.items() if isinstance(value, int | float | str | list)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._scheduler().load_state_dict(state)

    def _scheduler(self) -> OneCycleLR | ReduceLROnPlateau:
        scheduler = self._by_step or self._by_epoch
        assert scheduler is not None
        return scheduler


@dataclass
class EarlyStopping:
    """Remembers the best validation loss.

    Parameters
    ----------
    patience : int
        Epochs without improvement after which to stop.
    best : float
        Smallest validation loss so far.
    waited : int
        Epochs since.
    """

    patience: int
    best: float = float("inf")
    waited: int = 0

    def improved(self, validation_loss: float) -> bool:
        """Take note of an epoch; return whether it is the best so far."""
        if validation_loss < self.best:
            self.best, self.waited = validation_loss, 0
            return True
        self.waited += 1
        return False

    @property
    def exhausted(self) -> bool:
        """Whether to stop."""
        return self.waited >= self.patience
