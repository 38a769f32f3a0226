"""Interpolation between the coarse and the fine grid, with half-pixel centres."""

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
"""Coarse cells beyond the enclosing one that each kernel reads."""


def wrapped(field: Tensor, margin: int) -> Tensor:
    """Pad the last axis (longitude) circularly by `margin` columns on both sides."""
    return torch.cat([field[..., -margin:], field, field[..., :margin]], dim=-1)


def upsample(field: Tensor, kernel: Kernel, factor: int = REFINEMENT, *, wraps: bool = False) -> Tensor:
    """Interpolate a field to cells `factor` times smaller.

    Pixels are areas (`align_corners=False`); beyond the outermost centres the edge value holds. Bicubic is that of
    Keys (1981) with a = -0.75. `wraps` treats the first and last column as neighbours.

    Returns
    -------
    Tensor, shape (B, C, factor·H, factor·W)
    """
    margin = MARGINS[kernel] if wraps else 0
    if margin:
        fine = upsample(wrapped(field, margin), kernel, factor)
        return fine[..., factor * margin : -factor * margin]
    corners = None if kernel is Kernel.NEAREST else False
    return functional.interpolate(field, scale_factor=factor, mode=kernel.value, align_corners=corners)
