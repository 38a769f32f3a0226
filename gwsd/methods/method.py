"""Common interface of all methods: a mean and, optionally, a standard deviation.

Dimension names: B batch, H and W coarse rows and columns, 4H and 4W fine ones.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from gwsd.patches.gathering import Batch


@dataclass(frozen=True)
class Prediction:
    """Predicted fine storage.

    Parameters
    ----------
    mean : Tensor, shape (B, 1, 4H, 4W), mm
        Expected storage.
    sd : Tensor, shape (B, 1, 4H, 4W), mm, or None
        Standard deviation of the storage about its mean; None if the method has none.
    """

    mean: Tensor
    sd: Tensor | None = None

    def __post_init__(self) -> None:
        """Check the shapes."""
        if self.mean.ndim != 4 or self.mean.shape[1] != 1:
            raise ValueError(f"The mean of a prediction has shape {tuple(self.mean.shape)}; expected (B, 1, 4H, 4W).")
        if self.sd is not None and self.sd.shape != self.mean.shape:
            raise ValueError(
                f"The standard deviation of a prediction has shape {tuple(self.sd.shape)}, "
                f"its mean {tuple(self.mean.shape)}; expected the same."
            )


@runtime_checkable
class Method(Protocol):
    """A method that turns coarse storage into fine storage."""

    @property
    def name(self) -> str:
        """Name of the method in tables and folders."""
        ...

    def predict(self, batch: Batch) -> Prediction:
        """Predict the patches of a batch, in mm, without gradients."""
        ...
