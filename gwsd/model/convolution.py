"""The 3×3 convolution of encoder and decoder, with zero or circular padding."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from gwsd.resample import wrapped

KERNEL_SIZE = 3
"""Side of the convolution kernels (Table 1)."""

MARGIN = KERNEL_SIZE // 2


def convolve(field: Tensor, weight: Tensor, bias: Tensor | None, *, wraps: bool) -> Tensor:
    """Convolve a field (B, C, H, W) with kernels (F, C, 3, 3) to (B, F, H, W), with zeros beyond the edges.

    `wraps` treats the first and last column as neighbours.
    """
    if wraps:
        return functional.conv2d(wrapped(field, MARGIN), weight, bias, padding=(MARGIN, 0))
    batch, channels, height, width = field.shape
    if field.device.type == "cpu" and channels >= batch * height * width:  # as at the bottom of a wide U-Net
        return _as_matrix_product(field, weight, bias)
    return functional.conv2d(field, weight, bias, padding=MARGIN)


def _as_matrix_product(field: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve by one product of a matrix of neighbourhoods with the matrix of kernels.

    Where pixels are few and kernels large, oneDNN's convolution spends its time on rearranging the kernels,
    most of all in the backward pass; this product takes a third to two thirds of the time.
    """
    batch, channels, height, width = field.shape
    padded = functional.pad(field.permute(0, 2, 3, 1), (0, 0, MARGIN, MARGIN, MARGIN, MARGIN))
    shifted = [
        padded[:, row : row + height, column : column + width]
        for row in range(KERNEL_SIZE)
        for column in range(KERNEL_SIZE)
    ]
    neighbourhoods = torch.cat(shifted, dim=-1).reshape(-1, KERNEL_SIZE**2 * channels)
    kernels = weight.permute(0, 2, 3, 1).reshape(len(weight), -1)
    product = functional.linear(neighbourhoods, kernels, bias)
    return product.view(batch, height, width, -1).permute(0, 3, 1, 2)


class Convolution(nn.Conv2d):
    """A 3×3 convolution that keeps the size; zeros beyond the edges (the paper is silent on padding).

    On a global grid set `wraps` for circular padding in longitude. Weights and their names are those of `nn.Conv2d`.
    """

    def __init__(self, input_channels: int, output_channels: int) -> None:
        super().__init__(input_channels, output_channels, KERNEL_SIZE, padding=MARGIN)
        self.wraps = False

    def forward(self, field: Tensor) -> Tensor:
        """Convolve (B, C, H, W) to (B, F, H, W)."""
        return convolve(field, self.weight, self.bias, wraps=self.wraps)
