"""The plain reference that the engine is measured against: the same network and data as textbooks would write them."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset

from gwsd.model.convolution import Convolution
from gwsd.model.downscaler import Downscaler, Output
from gwsd.patches.gathering import Batch, Cube, gather


class TextbookDownscaler(Downscaler):
    """The same weights and results, computed with more work.

    Parameters
    ----------
    zero_state : bool
        Start each ConvLSTM layer from a state of zeros, join every month with it and index months by number.
    heads_after : bool
        Upsample all features and apply the heads to the fine field, as equations (8) and (9) are printed.
    only_convolutions : bool
        Compute each convolution as one, however few its pixels are.
    settings
        Of `Downscaler`.
    """

    def __init__(self, *, zero_state: bool, heads_after: bool, only_convolutions: bool, **settings: Any) -> None:
        super().__init__(**settings)
        self.zero_state = zero_state
        self.heads_after = heads_after
        if only_convolutions:
            for module in self.modules():
                if isinstance(module, Convolution):
                    module.forward = partial(nn.Conv2d.forward, module)  # type: ignore[method-assign]

    def forward(self, climate: Tensor, storage: Tensor) -> Output:
        """As `Downscaler.forward`."""
        assert self.encoder is not None
        encoded = self._encode(climate) if self.zero_state else self.encoder(climate)
        features = self.unet(self.fusion(encoded, storage))
        if not self.heads_after:
            return self._answer(self.upsampling(self.mean_head(features)), self._raw_variance(features))
        fine = self.upsampling(features)  # all features, not two fields
        return self._answer(self.mean_head(fine), None if self.variance_head is None else self.variance_head(fine))

    def _raw_variance(self, features: Tensor) -> Tensor | None:
        return None if self.variance_head is None else self.upsampling(self.variance_head(features))

    def _answer(self, mean: Tensor, raw: Tensor | None) -> Output:
        return Output(mean, None if raw is None else functional.softplus(raw) + self.variance_floor)

    def _encode(self, climate: Tensor) -> Tensor:
        batch, months, _, height, width = climate.shape
        sequence = climate
        for layer in self.encoder.layers:  # type: ignore[union-attr]
            hidden = climate.new_zeros(batch, layer.hidden_channels, height, width)
            cell = torch.zeros_like(hidden)
            states = []
            for t in range(months):
                gates = layer.gates(torch.cat([sequence[:, t], hidden], dim=1))
                input_gate, output_gate, candidate, forget_gate = gates.chunk(4, dim=1)
                cell = torch.sigmoid(forget_gate) * cell + torch.sigmoid(input_gate) * torch.tanh(candidate)
                hidden = torch.sigmoid(output_gate) * torch.tanh(cell)
                states.append(hidden)
            sequence = torch.stack(states, dim=1)
        return sequence[:, -1]


class PatchDataset(Dataset[dict[str, Tensor]]):
    """Patches one at a time, for a DataLoader that collates them."""

    def __init__(self, cube: Cube, table: pd.DataFrame, *, size: int, memory: int) -> None:
        self.cube, self.table, self.size, self.memory = cube, table, size, memory

    def __len__(self) -> int:
        """Patches."""
        return len(self.table)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        """One patch's fields, without the dimension of the batch."""
        one = gather(self.cube, self.table.iloc[[number]], size=self.size, memory=self.memory)
        return {name: value[0] for name, value in vars(one).items() if isinstance(value, Tensor)}


def as_batch(fields: dict[str, Tensor], device: torch.device) -> Batch:
    """Join what a DataLoader gave into a batch on a device."""
    moved = {name: value.to(device) for name, value in fields.items()}
    return Batch(**moved, any_previous=bool(fields["has_previous"].any()))


def random_cube(device: torch.device, *, rows: int = 128, columns: int = 192, months: int = 36) -> Cube:
    """Return a cube of random numbers on a grid large enough that patches differ."""
    import xarray as xr

    random = np.random.default_rng(7)
    calendar = np.arange(np.datetime64("2001-04"), np.datetime64("2001-04") + months).astype("datetime64[ns]")
    axes = {"lat": -31.75 + 0.5 * np.arange(rows), "lon": -47.75 + 0.5 * np.arange(columns)}
    dims = ("time", "lat", "lon")
    levels = {
        "storage": (0.0, 50.0),
        "precipitation": (80.0, 30.0),
        "soil_moisture": (0.25, 0.05),
        "temperature": (15.0, 8.0),
        "surface_pressure": (950.0, 30.0),
        "evapotranspiration": (60.0, 20.0),
    }
    fields = {
        name: (dims, (mean + sd * random.standard_normal((months, rows, columns))).astype(np.float32))
        for name, (mean, sd) in levels.items()
    }
    storage = xr.Dataset({"storage": fields.pop("storage")}, {"time": calendar, **axes}).isel(time=slice(12, None))
    valid = np.ones((rows, columns), dtype=np.int8)
    valid[:, :20] = 0
    return Cube.from_datasets(
        storage,
        xr.Dataset(fields, {"time": calendar, **axes}),
        xr.Dataset({"valid": (dims[1:], valid)}, axes),
        normalisation={name: {"mean": mean, "std": sd} for name, (mean, sd) in levels.items()},
        variables=["precipitation", "soil_moisture", "temperature", "surface_pressure"],
        device=device,
    )
