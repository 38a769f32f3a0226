"""What every method answers: a mean and, where it has one, a standard deviation.

Dimension names: B batch, H and W coarse rows and columns, 4H and 4W fine ones.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from gwsd.patches.gathering import Batch


@dataclass(frozen=True)
class Prediction:
    """Fine storage as a method sees it.

    Parameters
    ----------
    mean : Tensor, shape (B, 1, 4H, 4W), mm
        Expected storage.
    sd : Tensor, shape (B, 1, 4H, 4W), mm, or None
        Standard deviation of the storage about its mean; None where the method states none.
    """

    mean: Tensor
    sd: Tensor | None = None

    def __post_init__(self) -> None:
        """Check that mean and standard deviation belong together."""
        if self.mean.ndim != 4 or self.mean.shape[1] != 1:
            msg = f"The mean of a prediction has shape {tuple(self.mean.shape)}; expected (B, 1, 4H, 4W)."
            raise ValueError(msg)
        if self.sd is not None and self.sd.shape != self.mean.shape:
            msg = (
                f"The standard deviation of a prediction has shape {tuple(self.sd.shape)}, "
                f"its mean {tuple(self.mean.shape)}; expected the same."
            )
            raise ValueError(msg)


@runtime_checkable
class Method(Protocol):
    """Anything that turns coarse storage into fine storage."""

    @property
    def name(self) -> str:
        """Name by which tables and folders know the method."""
        ...

    def predict(self, batch: Batch) -> Prediction:
        """Answer for the patches of a batch, in mm, without keeping gradients."""
        ...
