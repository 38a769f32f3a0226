"""Estimate of a training's duration on this machine's CPU, extrapolated from one measured step."""

import math
import time
from collections.abc import Sequence

import torch

from gwsd.model.downscaler import Downscaler
from gwsd.model.execution import Executor
from gwsd.model.settings import Model
from gwsd.training.settings import Training

AFFECTS_RESULTS = False  # not part of the code hash

PROBE_PATCHES = 2
"""Patches of the measured step."""


def cpu_seconds(
    model: Model, climate_variables: Sequence[str], training: Training, *, train_patches: int, size: int
) -> float:
    """Estimate the seconds that a training takes on this CPU, without validation and early stopping."""
    threads = torch.get_num_threads()
    torch.set_num_threads(training.cpu_threads)
    try:
        network = Downscaler(model, climate_variables)
        execution = Executor(training.execution.cpu, torch.device("cpu"))
        execution.to_device(network)
        climate = torch.randn(PROBE_PATCHES, model.history_months, len(climate_variables), size, size)
        storage = torch.randn(PROBE_PATCHES, 1, size, size)
        for _ in range(2):  # the first call allocates
            start = time.perf_counter()
            with execution.autocast():
                output = network(climate, execution.to_memory_format(storage))
            torch.stack([field.mean() for field in output if field is not None]).sum().backward()
            elapsed = time.perf_counter() - start
    finally:
        torch.set_num_threads(threads)
    steps = training.epochs * math.ceil(train_patches / training.batch_size)
    return elapsed * training.batch_size / PROBE_PATCHES * steps
