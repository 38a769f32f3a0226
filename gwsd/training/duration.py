"""How long a training would take here: a short measurement, extrapolated."""

import math
import time
from collections.abc import Mapping
from typing import Any

import torch

from gwsd.model.downscaler import Downscaler
from gwsd.training.engine import Engine
from gwsd.training.settings import TrainingSettings

PROBE_PATCHES = 2
"""Patches of the measured step."""


def cpu_seconds(model: Mapping[str, Any], training: TrainingSettings, *, train_patches: int, size: int) -> float:
    """Estimate the duration of a training on this machine's CPU.

    One step on a few patches of noise is timed with the threads that the training would have, and extrapolated to the
    batch and all epochs. Validation and early stopping are left out.

    Parameters
    ----------
    model : mapping
        Settings of the `Downscaler`.
    training : TrainingSettings
        Batch size, epochs, threads.
    train_patches : int
        Patches an epoch.
    size : int
        Coarse cells along a patch's side.

    Returns
    -------
    float
        Seconds.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(training.cpu_threads)
    try:
        network = Downscaler(**model)
        engine = Engine(training.engine, torch.device("cpu"))
        engine.place(network)
        climate = torch.randn(PROBE_PATCHES, network.memory, len(network.climate_variables), size, size)
        storage = torch.randn(PROBE_PATCHES, 1, size, size)
        for _ in range(2):  # the first call allocates
            start = time.perf_counter()
            with engine.autocast():
                output = network(climate, engine.laid_out(storage))
            loss = output.mean.square().mean()
            if output.variance is not None:
                loss = loss + output.variance.mean()
            loss.backward()
            elapsed = time.perf_counter() - start
    finally:
        torch.set_num_threads(threads)
    steps = training.epochs * math.ceil(train_patches / training.batch_size)
    return elapsed * training.batch_size / PROBE_PATCHES * steps
