"""Interpolation between the coarse and the fine grid: half-pixel centres, everywhere the same."""

from enum import StrEnum

import torch
from torch import Tensor
from torch.nn import functional

from gwsd.grid import REFINEMENT


class Kernel(StrEnum):
    """Interpolation kernels."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"


MARGINS = {Kernel.NEAREST: 0, Kernel.BILINEAR: 1, Kernel.BICUBIC: 2}
"""Cells beyond a fine cell's own that each kernel reaches."""


def wrapped(field: Tensor, margin: int) -> Tensor:
    """Put `margin` columns of the other side of the Earth before the first column and behind the last."""
    return torch.cat([field[..., -margin:], field, field[..., :margin]], dim=-1)


def upsample(field: Tensor, kernel: Kernel, factor: int = REFINEMENT, *, wraps: bool = False) -> Tensor:
    """Interpolate a field to cells `factor` times smaller.

    Pixels are areas (`align_corners=False`): the centre of a coarse cell lies between the two middle
    fine cells, and beyond the outermost centres the edge value holds.

    Parameters
    ----------
    field : Tensor, shape (B, C, H, W)
        Any unit.
    kernel : Kernel
        Nearest, bilinear, or bicubic (Keys, 1981, with a = -0.75).
    factor : int
        Refinement along each axis.
    wraps : bool
        Whether the last column borders on the first.

    Returns
    -------
    Tensor, shape (B, C, factor·H, factor·W)
        In the unit of `field`.
    """
    margin = MARGINS[kernel] if wraps else 0
    if margin:
        fine = upsample(wrapped(field, margin), kernel, factor)
        return fine[..., factor * margin : -factor * margin]
    if kernel is Kernel.NEAREST:
        return functional.interpolate(field, scale_factor=factor, mode="nearest")
    return functional.interpolate(field, scale_factor=factor, mode=kernel.value, align_corners=False)


def block_mean(field: Tensor, factor: int = REFINEMENT) -> Tensor:
    """Mean over the fine cells of each coarse cell; (B, C, factor·H, factor·W) to (B, C, H, W)."""
    return torch.nn.functional.avg_pool2d(field, factor)
