"""Settings of the training."""

from typing import Literal

from pydantic import Field

from gwsd.model.settings import Execution
from gwsd.settings import Positive, Section


class Training(Section):
    """Optimisation of the network (section 3.4)."""

    batch_size: Positive
    """Patches per step."""

    epochs: Positive
    """Epochs, at most."""

    learning_rate: float = Field(gt=0, lt=1)
    """Initial (plateau) or largest (one_cycle) learning rate of AdamW."""

    weight_decay: float = Field(ge=0, lt=1)
    """Weight decay of AdamW."""

    schedule: Literal["plateau", "one_cycle"]
    """Schedule of the learning rate."""

    plateau_factor: float = Field(gt=0, lt=1)
    """Factor by which `plateau` reduces the learning rate."""

    plateau_patience: int = Field(ge=0)
    """Epochs without improvement before `plateau` reduces the learning rate."""

    early_stopping_patience: Positive
    """Epochs without improvement before training stops."""

    clip_norm: float = Field(gt=0)
    """Largest norm of the gradient."""

    validation_patches: Positive | None
    """Validation patches scored per epoch, spread evenly over the table; null: all."""

    device: Literal["auto", "cuda", "cpu"]
    """Device to train on; auto: a GPU if one is visible."""

    cpu_threads: Positive
    """Threads of torch on the CPU; changes the last bits of results."""

    execution: Execution
