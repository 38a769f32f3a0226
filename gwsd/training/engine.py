"""How a network is computed on a device: precision, memory layout, compilation. The mathematics stays the same."""

import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from gwsd.model.downscaler import Downscaler, Output
from gwsd.patches.gathering import Batch

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16}
"""Names in the settings: what convolutions are computed in (None: as the weights are)."""

NO_COMPILER = (
    "The network was to be compiled (training.engine.cpu.compile), but no C++ compiler was found (CXX, or else g++): "
    "computed without, which takes longer and differs in rounding."
)


def has_compiler() -> bool:
    """Whether the C++ compiler is there with which torch compiles for a CPU."""
    usual = "clang++" if sys.platform == "darwin" else "g++"
    return shutil.which(os.environ.get("CXX", usual)) is not None


@dataclass(frozen=True)
class EngineSettings:
    """Section `training.engine.<device>` of the settings.

    Parameters
    ----------
    precision : {"float32", "bfloat16"}
        Of convolutions and normalisations. Heads, softplus, interpolation and losses are always in float32, and so
        are the weights.
    channels_last : bool
        Keep the channels of a pixel together in memory.
    compile : bool
        Compile the network (`torch.compile`): costs seconds to minutes at the start. A CPU without a C++ compiler
        computes without.
    graphs : bool
        Replay the compiled network as CUDA graphs; without effect on a CPU.
    """

    precision: str
    channels_last: bool
    compile: bool
    graphs: bool = False


class Engine:
    """Places a network on a device and runs it there.

    Parameters
    ----------
    settings : EngineSettings or mapping
        Of the device's kind, or the whole section with `cpu` and `cuda`.
    device : torch.device
        Where to compute.
    """

    def __init__(self, settings: EngineSettings | Mapping[str, Any], device: torch.device) -> None:
        if not isinstance(settings, EngineSettings):
            chosen = settings[device.type]
            settings = EngineSettings(
                **{field.name: chosen[field.name] for field in fields(EngineSettings) if field.name in chosen}
            )
        self.settings = settings
        self.device = device

    def place(self, network: nn.Module) -> None:
        """Move a network to the device, in the memory layout that is set."""
        network.to(self.device)
        if self.settings.channels_last:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def runner(self, network: Downscaler) -> Callable[[Batch], Output]:
        """Return how to run a network on a batch in the precision that is set; the answer is in float32."""
        call = self.compiled(network)

        def run(batch: Batch) -> Output:
            with self.autocast():
                output: Output = call(batch.climate, self.laid_out(batch.storage))
            return output

        return run

    @property
    def compiles(self) -> bool:
        """Whether networks are compiled: where it is set and, on a CPU, a C++ compiler is there."""
        return self.settings.compile and (self.device.type != "cpu" or has_compiler())

    def compiled(self, network: Downscaler) -> Callable[..., Any]:
        """Return what to call in the network's stead: itself, or its compiled form. Weights are shared.

        On a CPU encoder and decoder are compiled, in place. What follows them is little work, and the interpolation's
        way back would become additions to single cells, in an order that changes with the threads.
        """
        if not self.compiles:
            return network
        if self.device.type == "cpu":
            # tanh by way of exp takes a third of the time; its error, 1e-7, is that of the sigmoids beside it.
            quick = {"cpp.use_decompose_tanh": True}
            for part in (network.encoder, network.unet):
                if part is not None:
                    part.compile(options=quick, dynamic=False)
            return network
        warnings.filterwarnings("ignore", message=".*TensorFloat32.*")
        return torch.compile(network, mode="reduce-overhead" if self.settings.graphs else "default", dynamic=False)

    def laid_out(self, field: Tensor) -> Tensor:
        """Return fields (B, C, H, W) in the memory layout of the network."""
        return field.contiguous(memory_format=torch.channels_last) if self.settings.channels_last else field

    def autocast(self) -> AbstractContextManager[Any]:
        """Context in which the network runs in the precision that is set."""
        precision = PRECISIONS[self.settings.precision]
        return torch.autocast(self.device.type, dtype=precision, enabled=precision is not None)

    def optimiser(self, parameters: Iterable[nn.Parameter], *, learning_rate: float, weight_decay: float) -> AdamW:
        """AdamW, fused into few kernels."""
        return AdamW(parameters, lr=learning_rate, weight_decay=weight_decay, fused=True)
