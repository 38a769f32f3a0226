"""The paper's network: ConvLSTM encoder, U-Net decoder, two heads (equations 1-9, Table 1)."""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from gwsd.grid import REFINEMENT
from gwsd.model.conv_lstm import ConvLSTM
from gwsd.model.convolution import Convolution
from gwsd.model.unet import Normalisation, UNet
from gwsd.resample import Kernel, upsample


class TemporalEncoder(StrEnum):
    """What reads the climate's months."""

    CONV_LSTM = "conv_lstm"
    NONE = "none"


class Output(NamedTuple):
    """Fine storage in standardised units: mean and, with a variance head, variance; (B, 1, 4H, 4W)."""

    mean: Tensor
    variance: Tensor | None


class Fusion(nn.Module):
    """Equation (7): the climate's encoding and the coarse storage, stacked as channels."""

    def forward(self, encoded: Tensor, storage: Tensor) -> Tensor:
        """Return (B, F + 1, H, W) from (B, F, H, W) and (B, 1, H, W)."""
        return torch.cat([encoded, storage], dim=1)


class Upsampling(nn.Module):
    """The final four-fold bilinear upsampling, (B, 1, H, W) to (B, 1, 4H, 4W)."""

    def __init__(self) -> None:
        super().__init__()
        self.wraps = False

    def forward(self, field: Tensor) -> Tensor:
        """Interpolate."""
        return upsample(field, Kernel.BILINEAR, REFINEMENT, wraps=self.wraps)


class Downscaler(nn.Module):
    """Coarse storage and months of climate in; fine storage out, as a mean and a variance.

    The heads are applied before the upsampling: both are linear and the weights of a bilinear interpolation
    sum to one, so the result is the paper's (equations 8 and 9) with a sixteenth of the heads' work. Softplus,
    which is not linear, follows the upsampling as printed.

    Without a temporal encoder (the ablation "without ConvLSTM", whose replacement the paper does not name)
    the target month's climate joins the coarse storage in equation (7) directly and earlier months are not
    seen: nothing but the climate's memory is taken away.

    Parameters
    ----------
    temporal_encoder : {"conv_lstm", "none"}
        What reads the climate's months.
    memory : int
        Months of climate T, the target month last.
    climate_variables : sequence of str
        Names of the climate's C variables, in the order of the channels.
    lstm_channels, lstm_layers : int
        Width and depth of the ConvLSTM.
    unet_channels : sequence of int
        Channels of the U-Net's levels, the finest first.
    bottleneck_channels : int
        Channels of the U-Net's bottleneck.
    normalisation : {"batch", "group", "none"}
        What follows the U-Net's convolutions.
    residual : bool
        Whether the mean is a correction to the bilinear interpolation of the storage (not the paper's). The
        mean's head then starts at zero and the variance at twice its floor: before training the mean is the
        interpolation.
    variance_head : bool
        Whether equation (9) is there.
    variance_floor : float
        Smallest variance, in units of the standardised storage's.
    """

    def __init__(
        self,
        *,
        temporal_encoder: str,
        memory: int,
        climate_variables: Sequence[str],
        lstm_channels: int,
        lstm_layers: int,
        unet_channels: Sequence[int],
        bottleneck_channels: int,
        normalisation: str,
        residual: bool,
        variance_head: bool,
        variance_floor: float,
    ) -> None:
        super().__init__()
        self.memory = memory
        self.climate_variables = tuple(climate_variables)
        self.normalisation = Normalisation(normalisation)
        self.residual = residual
        self.variance_floor = variance_floor
        variables = len(self.climate_variables)
        self.encoder: ConvLSTM | None
        if TemporalEncoder(temporal_encoder) is TemporalEncoder.CONV_LSTM:
            self.encoder = ConvLSTM(input_channels=variables, hidden_channels=lstm_channels, layers=lstm_layers)
            encoded_channels = lstm_channels
        else:
            self.encoder = None
            encoded_channels = variables
        self.fusion = Fusion()
        self.unet = UNet(
            input_channels=encoded_channels + 1,
            channels=unet_channels,
            bottleneck_channels=bottleneck_channels,
            normalisation=self.normalisation,
        )
        self.mean_head = nn.Conv2d(unet_channels[0], 1, 1)
        self.variance_head = nn.Conv2d(unet_channels[0], 1, 1) if variance_head else None
        self.upsampling = Upsampling()
        if residual:
            self._start_from_interpolation()

    def forward(self, climate: Tensor, storage: Tensor) -> Output:
        """Downscale a batch.

        Parameters
        ----------
        climate : Tensor, shape (B, T, C, H, W)
            Standardised climate, the target month last.
        storage : Tensor, shape (B, 1, H, W)
            Standardised coarse storage of the target month.

        Returns
        -------
        Output
            Mean and variance of the standardised fine storage, shape (B, 1, 4H, 4W).

        Raises
        ------
        ValueError
            If a shape does not fit the model.
        """
        self._check(climate, storage)
        device = climate.device.type
        if torch.is_autocast_enabled(device):
            # Convolutions would round it anyway; beside a hidden state in bfloat16, float32 would widen that first.
            climate = climate.to(torch.get_autocast_dtype(device))
        # The target month: by unbind, so that the backward pass builds no zero tensor of all months.
        encoded = climate.unbind(dim=1)[-1] if self.encoder is None else self.encoder(climate)
        features = self.unet(self.fusion(encoded, storage))
        # Where autocast computes in bfloat16, heads, interpolation and softplus stay in float32: three digits are
        # enough for features, not for the answer.
        with torch.autocast(device, enabled=False):
            return self._answer(features.to(self.mean_head.weight.dtype), storage)

    def wrap_longitude(self, wraps: bool) -> None:
        """Say whether the fields' last column borders on the first, as on a grid that goes round the Earth.

        Trained on patches, the network meets zeros beyond every edge. On a whole global field the convolutions and
        the interpolation shall meet the other side of the date line instead; beyond the first and the last row
        there are zeros as before. Poolings and transposed convolutions do not overlap and need nothing, as long as
        the width is a multiple of `unet.divisor`. Weights are untouched.

        Parameters
        ----------
        wraps : bool
            False is how a network is made and how it is trained.
        """
        for module in self.modules():
            if isinstance(module, Convolution | Upsampling):
                module.wraps = wraps

    def _answer(self, features: Tensor, storage: Tensor) -> Output:
        """Equations (8) and (9)."""
        mean = self.mean_head(features)
        if self.residual:
            mean = mean + storage  # both are then interpolated alike: bilinear(storage) + correction
        mean = self.upsampling(mean)
        if self.variance_head is None:
            return Output(mean, None)
        raw = self.upsampling(self.variance_head(features))
        return Output(mean, functional.softplus(raw) + self.variance_floor)

    def _start_from_interpolation(self) -> None:
        """Let the untrained network be the interpolation, and know how good that is.

        With the usual start, a variance near that of the storage itself, the likelihood weighs errors down by
        four orders of magnitude, and the mean drifts away from the interpolation before the variance has shrunk.
        """
        nn.init.zeros_(self.mean_head.weight)
        assert self.mean_head.bias is not None
        nn.init.zeros_(self.mean_head.bias)
        if self.variance_head is not None:
            nn.init.zeros_(self.variance_head.weight)
            assert self.variance_head.bias is not None
            # softplus(bias) is the floor: the variance starts at twice the floor.
            nn.init.constant_(self.variance_head.bias, math.log(math.expm1(self.variance_floor)))

    def _check(self, climate: Tensor, storage: Tensor) -> None:
        variables = len(self.climate_variables)
        if climate.ndim != 5 or climate.shape[1:3] != (self.memory, variables):
            raise ValueError(
                f"climate has shape {tuple(climate.shape)}; the model expects (B, {self.memory} months, "
                f"{variables} variables: {', '.join(self.climate_variables)}, H, W)"
            )
        batch, height, width = climate.shape[0], *climate.shape[3:]
        if storage.shape != (batch, 1, height, width):
            raise ValueError(
                f"storage has shape {tuple(storage.shape)}; beside this climate the model expects "
                f"({batch}, 1, {height}, {width})"
            )
        divisor = self.unet.divisor
        if height % divisor or width % divisor:
            raise ValueError(
                f"fields are {height} by {width} cells; {len(self.unet.descents)} poolings need multiples of {divisor}"
            )


def count_parameters(module: nn.Module) -> int:
    """Return the number of trained parameters of a module (running statistics are not among them)."""
    return sum(parameter.numel() for parameter in module.parameters())
