"""Common interface of all methods: a mean and, optionally, a standard deviation.

Dimension names: B batch, H and W coarse rows and columns, 4H and 4W fine ones.
"""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from gwsd.patches.gathering import Batch


@dataclass(frozen=True)
class Prediction:
    """Predicted fine storage: mean and, if the method has one, standard deviation; (B, 1, 4H, 4W), mm."""

    mean: Tensor
    sd: Tensor | None = None


class Method(Protocol):
    """A method that turns coarse storage into fine storage."""

    @property
    def name(self) -> str:
        """Name of the method in tables and folders."""
        ...

    def predict(self, batch: Batch) -> Prediction:
        """Predict the patches of a batch, in mm, without gradients."""
        ...
