"""U-Net: spatial decoder on the coarse grid (section 3.2.2)."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gwsd.model.convolution import Convolution

LARGEST_GROUP_COUNT = 8
"""Groups of a group normalisation, at most (fewer where the channels do not divide)."""


def _normalise(kind: str, channels: int) -> nn.Module:
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "group":
        return nn.GroupNorm(math.gcd(LARGEST_GROUP_COUNT, channels), channels)
    return nn.Identity()


class DoubleConvolution(nn.Sequential):
    """Two 3×3 convolutions (with bias), each followed by a normalisation and ReLU."""

    def __init__(self, input_channels: int, output_channels: int, *, normalisation: str) -> None:
        super().__init__(
            Convolution(input_channels, output_channels),
            _normalise(normalisation, output_channels),
            nn.ReLU(inplace=True),
            Convolution(output_channels, output_channels),
            _normalise(normalisation, output_channels),
            nn.ReLU(inplace=True),
        )


class Ascent(nn.Module):
    """One level of the decoder: transposed convolution, skip connection, two convolutions."""

    def __init__(self, input_channels: int, output_channels: int, *, normalisation: str) -> None:
        super().__init__()
        self.lift = nn.ConvTranspose2d(input_channels, output_channels, 2, stride=2)
        self.convolve = DoubleConvolution(2 * output_channels, output_channels, normalisation=normalisation)

    def forward(self, below: Tensor, skip: Tensor) -> Tensor:
        """Join the level below, (B, 2C, h, w), with the encoder's, (B, C, 2h, 2w); return (B, C, 2h, 2w)."""
        return self.convolve(torch.cat([self.lift(below), skip], dim=1))


class UNet(nn.Module):
    """Encoder of max poolings, bottleneck, decoder of transposed convolutions with skip connections.

    `input_channels` are those of the fused field (equation 7), `channels` those of the levels, the finest first (64,
    128, 256 in Table 1). The paper normalises by batch, and does not print the bottleneck's channels; 512 gives its
    8.2 million parameters.
    """

    def __init__(
        self, *, input_channels: int, channels: Sequence[int], bottleneck_channels: int, normalisation: str
    ) -> None:
        super().__init__()
        widths = [input_channels, *channels]
        self.descents = nn.ModuleList(
            DoubleConvolution(above, below, normalisation=normalisation) for above, below in pairwise(widths)
        )
        self.pool = nn.MaxPool2d(2)
        self.bottleneck = DoubleConvolution(channels[-1], bottleneck_channels, normalisation=normalisation)
        rising = [bottleneck_channels, *reversed(channels)]
        self.ascents = nn.ModuleList(
            Ascent(below, above, normalisation=normalisation) for below, above in pairwise(rising)
        )

    @property
    def divisor(self) -> int:
        """Height and width of the input must be multiples of it."""
        return 2 ** len(self.descents)

    def forward(self, fused: Tensor) -> Tensor:
        """Decode the fused field, (B, input_channels, H, W), into features z, (B, channels[0], H, W)."""
        skips = []
        features = fused
        for descent in self.descents:
            features = descent(features)
            skips.append(features)
            features = self.pool(features)
        features = self.bottleneck(features)
        for ascent, skip in zip(self.ascents, reversed(skips), strict=True):
            features = ascent(features, skip)
        return features
