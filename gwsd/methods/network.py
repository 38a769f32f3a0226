"""A trained network as a method: its standardised answer in mm."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import torch

from gwsd.errors import DataError
from gwsd.methods.method import Prediction
from gwsd.model.downscaler import Downscaler
from gwsd.patches.gathering import Batch, Scale
from gwsd.training.weights import read_weights


class Network:
    """A trained network.

    Parameters
    ----------
    name : str
        The variant, such as `full`.
    model : Downscaler
        With trained weights, on the device of the batches. It is put into evaluation mode: batch normalisation uses
        its running statistics and a patch's answer does not depend on the others of its batch.
    scale : Scale
        By which the network's storage is standardised, mm: that of the training patches.
    """

    def __init__(self, name: str, model: Downscaler, scale: Scale) -> None:
        self._name = name
        self._model = model.eval()
        self._scale = scale

    @classmethod
    def from_weights(
        cls, name: str, path: Path, model: Mapping[str, Any], *, scale: Scale, device: torch.device | str
    ) -> Self:
        """Read a trained network.

        Parameters
        ----------
        name : str
            The variant.
        path : Path
            Its weights, whose metadata say which model they are of.
        model : mapping
            Settings of the `Downscaler`, plain JSON types.
        scale : Scale
            Of the storage.
        device : torch.device or str
            Where it shall be.

        Raises
        ------
        DataError
            If the file is damaged, or of a model with other settings: other climate variables, or the same in
            another order, which no shape would show.
        """
        weights, metadata = read_weights(path)
        if "model" not in metadata:
            raise DataError(f"{path}: does not say which model its weights are of; train {name!r} again")
        trained = json.loads(metadata["model"])
        for key, value in model.items():
            if trained.get(key) != value:
                setting = key if key == "climate_variables" else f"model.{key}"
                raise DataError(
                    f"{path}: trained with {setting} = {_words(trained.get(key))}, but the scenario has "
                    f"{_words(value)}; train {name!r} again, or give back the setting that it was trained with"
                )
        network = Downscaler(**model)
        network.load_state_dict(weights)
        return cls(name, network.to(device), scale)

    @property
    def name(self) -> str:
        """Name of the variant."""
        return self._name

    @torch.no_grad()
    def predict(self, batch: Batch) -> Prediction:
        """Downscale the patches of a batch.

        Parameters
        ----------
        batch : Batch
            `climate` and `storage` are read, both standardised.

        Returns
        -------
        Prediction
            Mean and, with a variance head, standard deviation √σ̂² (equations 8 and 9), mm.
        """
        # Whoever trained the model since may have left it in training mode.
        self._model.eval()
        output = self._model(batch.climate, batch.storage)
        sd = None if output.variance is None else output.variance.float().sqrt() * self._scale.std
        return Prediction(self._scale.restore(output.mean.float()), sd)


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
