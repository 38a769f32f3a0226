"""Execution of a network on a device: precision, memory layout, compilation. The mathematics stays the same."""

import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from gwsd.model.downscaler import Downscaler, Output
from gwsd.model.settings import CpuExecution, CudaExecution, Execution
from gwsd.patches.gathering import Batch

HUGE_PAGES = "THP_MEM_ALLOC_ENABLE"
"""Environment variable by which PyTorch's CPU allocator asks Linux for huge pages."""

NO_COMPILER = (
    "The network should be compiled (training.execution.cpu.compile), but no C++ compiler was found (CXX, or else "
    "g++) or ATEN_CPU_CAPABILITY is default: running uncompiled, which is slower and differs in rounding."
)


def use_huge_pages() -> None:
    """Enable transparent huge pages for PyTorch's CPU allocator; call it before the first tensor.

    With pages of 4 KB a global month takes 600,000 page faults, a sixth of its processor time; with pages of 2 MB
    10,000. A value set by the user is kept.
    """
    os.environ.setdefault(HUGE_PAGES, "1")


def has_compiler() -> bool:
    """Return True if torch can compile for the CPU: a C++ compiler is installed and vector code is not disabled."""
    if os.environ.get("ATEN_CPU_CAPABILITY", "").lower() == "default":  # the generated code needs vector types
        return False
    usual = "clang++" if sys.platform == "darwin" else "g++"
    return shutil.which(os.environ.get("CXX", usual)) is not None


def has_fast_bfloat16(device: torch.device) -> bool:
    """Return True if a device multiplies in bfloat16 natively: GPUs that support it, CPUs with AMX or AVX512-BF16.

    Decided by the kind of processor, not by timing, so that two runs on one machine compute alike.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # Switched off by ATEN_CPU_CAPABILITY=default or avx2.
    if not torch.backends.cpu.get_cpu_capability().startswith(("AVX512", "AMX")):
        return False
    # Private functions of torch, absent from some versions.
    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in names)


class Executor:
    """Runs networks on a device as the settings of its kind say.

    Attributes
    ----------
    precision : str
        "float32" or "bfloat16": `auto` is resolved.
    compiles : bool
        True if networks are compiled: as set and, on a CPU, if a C++ compiler is installed.
    """

    def __init__(self, settings: CpuExecution | CudaExecution, device: torch.device) -> None:
        self.settings = settings
        self.device = device
        self.precision: str = settings.precision
        if settings.precision == "auto":
            self.precision = "bfloat16" if has_fast_bfloat16(device) else "float32"
        self.compiles = settings.compile and (device.type != "cpu" or has_compiler())

    @classmethod
    def of(cls, execution: Execution, device: torch.device) -> Self:
        """Return the executor for a device of either kind."""
        return cls(execution.cuda if device.type == "cuda" else execution.cpu, device)

    def describe(self) -> dict[str, Any]:
        """Return how networks are run, for a job's record."""
        return {"device": str(self.device), "precision": self.precision, "compiled": self.compiles}

    def to_device(self, network: nn.Module) -> None:
        """Move a network to the device, in the memory layout that is set."""
        network.to(self.device)
        if self.settings.channels_last:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def to_memory_format(self, field: Tensor) -> Tensor:
        """Return fields (B, C, H, W) in the memory layout of the network."""
        return field.contiguous(memory_format=torch.channels_last) if self.settings.channels_last else field

    def autocast(self) -> AbstractContextManager[Any]:
        """Context in which the network runs in the precision that is set."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16")

    def forward(self, network: Downscaler) -> Callable[[Batch], Output]:
        """Return a function that runs a network on a batch; its output is in float32."""
        call = self.compiled(network)

        def run(batch: Batch) -> Output:
            with self.autocast():
                output: Output = call(batch.climate, self.to_memory_format(batch.storage))
            return output

        return run

    def compiled(self, network: Downscaler) -> Callable[..., Any]:
        """Return what to call instead of a network: its compiled form, or itself. Weights are shared.

        On a CPU encoder and decoder are compiled, in place. The rest is little work, and the backward pass of the
        interpolation would become additions to single cells, in an order that changes with the threads.
        """
        if not self.compiles:
            return network
        if self.device.type == "cpu":
            # tanh by way of exp takes a third of the time; its error, 1e-7, is that of the sigmoids.
            quick = {"cpp.use_decompose_tanh": True}
            for part in (network.encoder, network.unet):
                if part is not None:
                    part.compile(options=quick, dynamic=False)
            return network
        warnings.filterwarnings("ignore", message=".*TensorFloat32.*")
        graphs = isinstance(self.settings, CudaExecution) and self.settings.graphs
        return torch.compile(network, mode="reduce-overhead" if graphs else "default", dynamic=False)

    def optimiser(self, parameters: Iterable[nn.Parameter], *, learning_rate: float, weight_decay: float) -> AdamW:
        """Return AdamW, fused into few kernels."""
        return AdamW(parameters, lr=learning_rate, weight_decay=weight_decay, fused=True)
