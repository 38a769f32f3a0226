"""Interpolations of the coarse storage: they know nothing of climate and state no uncertainty."""

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

    Parameters
    ----------
    kernel : Kernel
        Nearest, bilinear or bicubic.
    """

    kernel: Kernel

    @property
    def name(self) -> str:
        """Name of the kernel."""
        return self.kernel.value

    @torch.no_grad()
    def predict(self, batch: Batch) -> Prediction:
        """Interpolate the coarse storage of each patch.

        Parameters
        ----------
        batch : Batch
            Its `storage_mm`, shape (B, 1, H, W), is read and nothing else.

        Returns
        -------
        Prediction
            Mean in mm, shape (B, 1, 4H, 4W); no standard deviation.
        """
        return Prediction(upsample(batch.storage_mm, self.kernel))
