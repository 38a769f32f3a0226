"""Methods that make the product: an interpolation, or a trained network read from its weights."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import ValidationError

from gwsd.errors import DataError
from gwsd.methods.interpolation import Interpolation
from gwsd.methods.method import Method, Prediction
from gwsd.methods.network import Network
from gwsd.model.downscaler import Downscaler
from gwsd.model.execution import Executor
from gwsd.model.settings import CpuExecution, Model
from gwsd.model.weights import read_weights
from gwsd.patches.gathering import Batch, Scale
from gwsd.resample import Kernel

Precision = Literal["float32", "bfloat16"]
Normalisation = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Estimator:
    """A method and what it needs to be applied to a whole grid; itself a `Method`."""

    method: Method
    patch_size: int
    """Side of a tile, coarse cells: for a network that of its training patches."""
    network: Downscaler | None = None
    """The network of `method`; None for an interpolation."""
    executor: Executor | None = None
    normalisation: Normalisation = field(default_factory=lambda: {"storage": {"mean": 0.0, "std": 1.0}})
    """Mean and standard deviation of the storage and each climate variable in the training patches."""
    data_label: str = ""
    job_key: str = ""
    """Training data and training job of the network."""

    @property
    def name(self) -> str:
        """Name of the method."""
        return self.method.name

    @property
    def device(self) -> torch.device:
        """Device of the computation."""
        return torch.device("cpu") if self.executor is None else self.executor.device

    @property
    def origin(self) -> dict[str, str] | None:
        """Training data and training job, for attributes of files; None for an interpolation."""
        return None if self.network is None else {"data_label": self.data_label, "job_key": self.job_key}

    @property
    def has_sd(self) -> bool:
        """Whether predictions have a standard deviation."""
        return self.network is not None and self.network.variance_head is not None

    @property
    def climate_variables(self) -> tuple[str, ...]:
        """Climate that the network receives, in its order."""
        return () if self.network is None else tuple(self.network.climate_variables)

    @property
    def history_months(self) -> int:
        """Months of climate that the network receives, the target month last."""
        return 1 if self.network is None else self.network.history_months

    def predict(self, batch: Batch) -> Prediction:
        """Predict the patches of a batch, in mm."""
        if self.executor is None:
            return self.method.predict(batch)
        if self.executor.settings.channels_last:
            # The channels of a pixel together in each month, (B, T, C, H, W): otherwise the encoder would convert the
            # layout of each month to that of its hidden state.
            climate = batch.climate.movedim(2, -1).contiguous().movedim(-1, 2)
            batch = replace(batch, climate=climate, storage=self.executor.to_memory_format(batch.storage))
        with self.executor.autocast():
            return self.method.predict(batch)


def open_estimator(
    weights: Path | None, *, method: str, patch_size: int, precision: Precision, device: torch.device
) -> Estimator:
    """Return a trained network from its weights, whose metadata hold the model, normalisation and patch size.

    Without weights, return the interpolation `method` with tiles of `patch_size` coarse cells.
    """
    if weights is None:
        return Estimator(Interpolation(Kernel(method)), patch_size)
    state, metadata = read_weights(weights)
    try:
        size, variant, data_label = int(metadata["patch_size"]), metadata["variant"], metadata["data_label"]
        normalisation: Normalisation = json.loads(metadata["normalisation"])
        variables = json.loads(metadata["climate_variables"])
        network = Downscaler(Model.from_job(json.loads(metadata["model"])), variables)
        network.load_state_dict(state)
        scales = {
            name: Scale(normalisation[name]["mean"], normalisation[name]["std"]) for name in ("storage", *variables)
        }
        if size < 1 or not all(scale.std > 0 for scale in scales.values()):
            raise ValueError("patch_size or a standard deviation is not positive")
    except (KeyError, TypeError, ValueError, RuntimeError, RecursionError, ValidationError) as error:
        reason = f"no {error} in its metadata" if isinstance(error, KeyError) else str(error).strip().splitlines()[0]
        raise DataError(
            f"{weights}: not weights of this version of the project ({reason}). Expected a file such as "
            "results/demo/models/full/seed0/weights.safetensors; train the variant again"
        ) from None
    about = {"normalisation": normalisation, "data_label": data_label, "job_key": metadata.get("job_key", "")}
    return trained(Network(variant, network, scales["storage"]), size, precision=precision, device=device, **about)


def trained(
    method: Network, patch_size: int, *, precision: Precision, device: torch.device, **training: Any
) -> Estimator:
    """Return the estimator of a trained network, moved to the device; `training` are its other attributes."""
    executor = Executor(CpuExecution(precision=precision, channels_last=True, compile=False), device)
    executor.to_device(method.model)
    return Estimator(method, patch_size, method.model, executor, **training)
