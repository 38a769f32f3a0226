"""The 3×3 convolution of encoder and decoder: what it meets beyond the edges of a field."""

from torch import Tensor, nn
from torch.nn import functional

from gwsd.resample import wrapped

KERNEL_SIZE = 3
"""Side of the convolution kernels (Table 1)."""

MARGIN = KERNEL_SIZE // 2


def convolve(field: Tensor, weight: Tensor, bias: Tensor | None, *, wraps: bool) -> Tensor:
    """Convolve and keep the size.

    Parameters
    ----------
    field : Tensor, shape (B, C, H, W)
        Input.
    weight : Tensor, shape (F, C, 3, 3)
        Kernels.
    bias : Tensor, shape (F,), or None
        Added to each of the F channels.
    wraps : bool
        Whether the last column borders on the first. Beyond all other edges there are zeros.

    Returns
    -------
    Tensor, shape (B, F, H, W)
    """
    if wraps:
        return functional.conv2d(wrapped(field, MARGIN), weight, bias, padding=(MARGIN, 0))
    return functional.conv2d(field, weight, bias, padding=MARGIN)


class Convolution(nn.Conv2d):
    """A 3×3 convolution that keeps the size: zeros beyond the edges, as the paper trains it.

    On a grid that goes round the Earth `wraps` makes it meet, beyond the first and the last column, the other
    side instead. Weights and their names are those of `nn.Conv2d`.

    Parameters
    ----------
    input_channels, output_channels : int
        Channels before and after.
    """

    def __init__(self, input_channels: int, output_channels: int) -> None:
        super().__init__(input_channels, output_channels, KERNEL_SIZE, padding=MARGIN)
        self.wraps = False

    def forward(self, field: Tensor) -> Tensor:
        """Convolve (B, C, H, W) to (B, F, H, W)."""
        return convolve(field, self.weight, self.bias, wraps=self.wraps)
