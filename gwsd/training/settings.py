"""Settings of a training."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of the loop (section 3.4); the names are those of `training` in config.yaml.

    Parameters
    ----------
    batch_size : int
        Patches a step.
    epochs : int
        Passes through the training patches, at most.
    learning_rate : float
        Of AdamW; with `one_cycle` the largest.
    weight_decay : float
        Of AdamW.
    schedule : {"plateau", "one_cycle"}
        How the learning rate changes.
    plateau_factor : float
        By which `plateau` multiplies it.
    plateau_patience : int
        Epochs without improvement after which `plateau` does.
    early_stopping_patience : int
        Epochs without improvement after which training stops.
    clip_norm : float
        Largest norm of the gradient.
    validation_patches : int or None
        Validation patches scored each epoch, spread evenly over the table; None for all.
    device : {"auto", "cuda", "cpu"}
        What to train on.
    cpu_threads : int
        Threads of torch on the CPU; its results depend on them.
    engine : mapping
        Settings of `gwsd.training.engine.Engine` for `cpu` and for `cuda`.
    """

    batch_size: int
    epochs: int
    learning_rate: float
    weight_decay: float
    schedule: str
    plateau_factor: float
    plateau_patience: int
    early_stopping_patience: int
    clip_norm: float
    validation_patches: int | None
    device: str
    cpu_threads: int
    engine: Mapping[str, Mapping[str, Any]]
