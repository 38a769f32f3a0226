"""Trained network as a method: predictions in mm."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from gwsd.errors import DataError
from gwsd.methods.method import Prediction
from gwsd.model.downscaler import Downscaler
from gwsd.model.settings import Model
from gwsd.model.weights import read_weights
from gwsd.patches.gathering import Batch, Scale


@dataclass(frozen=True)
class Network:
    """A trained network.

    It is put into evaluation mode: batch normalisation uses its running statistics, and the prediction of a patch does
    not depend on the rest of its batch.

    Parameters
    ----------
    name : str
        The variant, such as `full`.
    model : Downscaler
        With trained weights, on the device of the batches.
    scale : Scale
        By which the network's storage is standardised, mm: that of the training patches.
    """

    name: str
    model: Downscaler
    scale: Scale

    def __post_init__(self) -> None:
        """Put the network into evaluation mode."""
        self.model.eval()

    @classmethod
    def from_weights(
        cls,
        name: str,
        path: Path,
        model: Model,
        climate_variables: Sequence[str],
        *,
        scale: Scale,
        device: torch.device | str,
    ) -> Self:
        """Read a trained network; `DataError` if the file is damaged, or its metadata name other settings or variables.

        The same climate variables in another order would not show in any shape.
        """
        weights, metadata = read_weights(path)
        if not {"model", "climate_variables"} <= set(metadata):
            raise DataError(f"{path}: its metadata do not name the model; train {name!r} again")
        expected = model.model_dump() | {"climate_variables": list(climate_variables)}
        trained = json.loads(metadata["model"]) | {"climate_variables": json.loads(metadata["climate_variables"])}
        for key, value in expected.items():
            if trained.get(key) != value:
                setting = key if key == "climate_variables" else f"model.{key}"
                raise DataError(
                    f"{path}: trained with {setting} = {_words(trained.get(key))}, but the scenario has "
                    f"{_words(value)}; train {name!r} again, or restore the setting it was trained with"
                )
        network = Downscaler(model, climate_variables)
        network.load_state_dict(weights)
        return cls(name, network.to(device), scale)

    @torch.no_grad()
    def predict(self, batch: Batch) -> Prediction:
        """Predict mean and, with a variance head, standard deviation √σ̂² (equations 8 and 9), mm."""
        output = self.model(batch.climate, batch.storage)
        sd = None if output.variance is None else output.variance.float().sqrt() * self.scale.std
        return Prediction(self.scale.restore(output.mean.float()), sd)


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
