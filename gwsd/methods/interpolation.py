"""Interpolation methods: nearest, bilinear and bicubic; no climate, no uncertainty."""

from dataclasses import dataclass

import torch

from gwsd.methods.method import Prediction
from gwsd.patches.gathering import Batch
from gwsd.resample import Kernel, upsample


@dataclass(frozen=True)
class Interpolation:
    """Interpolate the storage of the target month with half-pixel centres.

    `nearest` and `bilinear` are the baselines of the paper's Table 3. `bicubic` is the control: the target
    is the bicubic upsampling of the same field (section 3.4 of the paper), so its error is 0 by construction.
    """

    kernel: Kernel

    @property
    def name(self) -> str:
        """Name of the kernel."""
        return self.kernel.value

    @torch.no_grad()
    def predict(self, batch: Batch) -> Prediction:
        """Interpolate `batch.storage_mm`; the mean is in mm, shape (B, 1, 4H, 4W)."""
        return Prediction(upsample(batch.storage_mm, self.kernel))
