"""A trained network as a method: its standardised answer in mm."""

import torch

from gwsd.methods.method import Prediction
from gwsd.model.downscaler import Downscaler
from gwsd.patches.gathering import Batch, Scale


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
