"""What answers for a month: an interpolation, or a trained network with its precision and its way of wrapping."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gwsd.methods.interpolation import Interpolation
from gwsd.methods.method import Method, Prediction
from gwsd.methods.network import Network
from gwsd.model.downscaler import Downscaler
from gwsd.patches.gathering import Batch, Scale
from gwsd.resample import Kernel
from gwsd.training.engine import Engine, EngineSettings


@dataclass(frozen=True)
class Estimator:
    """A method, and what making a whole grid with it asks of it. Itself a `Method`.

    Parameters
    ----------
    method : Method
        An interpolation, a network ...
    states_sd : bool
        Whether it answers a standard deviation.
    network : Downscaler or None
        What the method runs, where it is a network: it is asked to wrap in longitude.
    engine : Engine or None
        How a network is computed: precision and memory layout.
    """

    method: Method
    states_sd: bool
    network: Downscaler | None = None
    engine: Engine | None = None

    @property
    def name(self) -> str:
        """Name of the method."""
        return self.method.name

    def predict(self, batch: Batch) -> Prediction:
        """Answer for the patches of a batch, in mm."""
        if self.engine is None:
            return self.method.predict(batch)
        if self.engine.settings.channels_last:
            batch = replace(batch, climate=_channels_last(batch.climate), storage=self.engine.laid_out(batch.storage))
        with self.engine.autocast():
            return self.method.predict(batch)


def interpolation(kernel: str) -> Estimator:
    """Return an interpolation: the baseline of the product."""
    return Estimator(Interpolation(Kernel(kernel)), states_sd=False)


def trained(name: str, network: Downscaler, scale: Scale, engine: Engine) -> Estimator:
    """Return a trained network, placed on the engine's device.

    Parameters
    ----------
    name : str
        The variant.
    network : Downscaler
        With its weights.
    scale : Scale
        By which its storage is standardised.
    engine : Engine
        Device, precision and memory layout.
    """
    engine.place(network)
    return Estimator(Network(name, network, scale), network.variance_head is not None, network, engine)


def open_estimator(
    name: str,
    weights: Sequence[Path],
    model: Mapping[str, Any],
    *,
    normalisation: Mapping[str, Mapping[str, float]],
    precision: str,
    device: torch.device,
) -> Estimator:
    """Return a method by its name.

    Parameters
    ----------
    name : str
        An interpolation, or a trained variant.
    weights : sequence of Path
        The variant's weights; none for an interpolation.
    model : mapping
        Settings of the variant's `Downscaler`.
    normalisation : mapping
        That of the training patches.
    precision : {"float32", "bfloat16"}
        Of the network's convolutions.
    device : torch.device
        Where it runs.

    Raises
    ------
    DataError
        If the weights are damaged, or of another model than the settings'.
    """
    if not weights:
        return interpolation(name)
    (path,) = weights
    scale = Scale(**{key: float(normalisation["storage"][key]) for key in ("mean", "std")})
    method = Network.from_weights(name, path, model, scale=scale, device=device)
    return trained(
        name, method._model, scale, Engine(EngineSettings(precision, channels_last=True, compile=False), device)
    )


def _channels_last(climate: Tensor) -> Tensor:
    """Keep the channels of a pixel together in each month; (B, T, C, H, W) as it was.

    A month in another layout than the hidden state beside it would make the encoder lay both out anew.
    """
    return climate.movedim(2, -1).contiguous().movedim(-1, 2)
