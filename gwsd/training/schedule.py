"""Learning-rate schedules and early stopping."""

from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from gwsd.training.settings import Training


class Schedule:
    """The learning-rate schedule of an optimiser: `plateau` acts after epochs, `one_cycle` after steps."""

    def __init__(self, optimiser: Optimizer, training: Training, *, steps_per_epoch: int) -> None:
        self.optimiser = optimiser
        self.scheduler: OneCycleLR | ReduceLROnPlateau
        if training.schedule == "one_cycle":
            self.scheduler = OneCycleLR(
                optimiser, max_lr=training.learning_rate, total_steps=training.epochs * steps_per_epoch
            )
        else:
            self.scheduler = ReduceLROnPlateau(
                optimiser,
                factor=training.plateau_factor,
                # torch counts the epochs that it tolerates; the paper those after which it acts.
                patience=training.plateau_patience - 1,
                # Absolute: a threshold relative to a negative likelihood calls a worse one better.
                threshold=0.0,
                threshold_mode="abs",
            )

    @property
    def learning_rate(self) -> float:
        """The current learning rate."""
        return float(self.optimiser.param_groups[0]["lr"])

    def after_step(self) -> None:
        """Update after a step of the optimiser."""
        if isinstance(self.scheduler, OneCycleLR):
            self.scheduler.step()

    def after_epoch(self, validation_loss: float) -> None:
        """Update after an epoch."""
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(validation_loss)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint: plain numbers, no callables."""
        state = self.scheduler.state_dict()
        return {key: value for key, value in state.items() if isinstance(value, int | float | str | list)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from a checkpoint."""
        self.scheduler.load_state_dict(state)


@dataclass
class EarlyStopping:
    """Best validation loss so far, and the epochs waited since; stop after `patience` of them."""

    patience: int
    best: float = float("inf")
    waited: int = 0

    def improved(self, validation_loss: float) -> bool:
        """Take an epoch into account; return True if it is the best so far."""
        if validation_loss < self.best:
            self.best, self.waited = validation_loss, 0
            return True
        self.waited += 1
        return False

    @property
    def exhausted(self) -> bool:
        """True if training should stop."""
        return self.waited >= self.patience
