"""The downscaling network: ConvLSTM encoder, U-Net decoder, two heads (equations 1-9, Table 1)."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from gwsd.grid import REFINEMENT
from gwsd.model.conv_lstm import ConvLSTM
from gwsd.model.convolution import Convolution
from gwsd.model.settings import Model
from gwsd.model.unet import UNet
from gwsd.resample import Kernel, upsample


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

    A residual network's mean is a correction to the bilinear interpolation of the storage (not the paper's). Its mean
    head starts at zero and its variance at twice the floor: before training the mean is the interpolation.

    `climate_variables` names the climate's C variables, in the order of the channels.
    """

    def __init__(self, model: Model, climate_variables: Sequence[str]) -> None:
        super().__init__()
        self.history_months = model.history_months
        self.climate_variables = tuple(climate_variables)
        self.normalisation = model.normalisation
        self.residual = model.residual
        self.variance_floor = model.variance_floor
        encoded_channels = variables = len(self.climate_variables)
        self.encoder: ConvLSTM | None = None
        if model.temporal_encoder == "conv_lstm":
            encoded_channels = model.lstm_channels
            self.encoder = ConvLSTM(
                input_channels=variables, hidden_channels=model.lstm_channels, layers=model.lstm_layers
            )
        self.fusion = Fusion()
        self.unet = UNet(
            input_channels=encoded_channels + 1,
            channels=model.unet_channels,
            bottleneck_channels=model.bottleneck_channels,
            normalisation=model.normalisation,
        )
        self.mean_head = nn.Conv2d(model.unet_channels[0], 1, 1)
        self.variance_head = nn.Conv2d(model.unet_channels[0], 1, 1) if model.variance_head else None
        self.upsampling = Upsampling()
        if model.residual:
            self._start_from_interpolation()

    def forward(self, climate: Tensor, storage: Tensor) -> Output:
        """Downscale standardised coarse storage, (B, 1, H, W), with climate, (B, T, C, H, W), the target month last."""
        self._check(climate, storage)
        device = climate.device.type
        if torch.is_autocast_enabled(device):
            # Convolutions would round it anyway; in float32 it would widen a hidden state in bfloat16 first.
            climate = climate.to(torch.get_autocast_dtype(device))
        # The target month: by unbind, so that the backward pass builds no zero tensor of all months.
        encoded = climate.unbind(dim=1)[-1] if self.encoder is None else self.encoder(climate)
        features = self.unet(self.fusion(encoded, storage))
        # Under autocast, heads, interpolation and softplus stay in float32: bfloat16's three digits are enough for
        # features, not for the output.
        with torch.autocast(device, enabled=False):
            return self._output(features.to(self.mean_head.weight.dtype), storage)

    def wrap_longitude(self, wraps: bool) -> None:
        """Switch circular padding in longitude on or off, for full fields of a global grid.

        Trained on patches, the network sees zeros beyond every edge. On a global field convolutions and interpolation
        read across the date line instead; beyond the poles there are zeros as before. Poolings and transposed
        convolutions do not overlap and need no padding if the width is a multiple of `unet.divisor`.
        """
        for module in self.modules():
            if isinstance(module, Convolution | Upsampling):
                module.wraps = wraps

    def _output(self, features: Tensor, storage: Tensor) -> Output:
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
        """Initialise the heads so that the untrained mean is the interpolation, with a small variance.

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
        if climate.ndim != 5 or climate.shape[1:3] != (self.history_months, variables):
            raise ValueError(
                f"climate has shape {tuple(climate.shape)}; the model expects (B, {self.history_months} months, "
                f"{variables} variables: {', '.join(self.climate_variables)}, H, W)"
            )
        expected = (len(climate), 1, *climate.shape[3:])
        if storage.shape != expected:
            raise ValueError(
                f"storage has shape {tuple(storage.shape)}; with this climate the model expects {expected}"
            )
        divisor = self.unet.divisor
        if any(side % divisor for side in expected[2:]):
            raise ValueError(f"fields have shape {expected[2:]}; the poolings need multiples of {divisor}")


def count_parameters(module: nn.Module) -> int:
    """Return the number of trained parameters of a module (running statistics are not among them)."""
    return sum(parameter.numel() for parameter in module.parameters())
