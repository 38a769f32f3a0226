"""The cube of inputs, opened from the files of `inputs/`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import xarray as xr

from gwsd.patches.gathering import Cube


def open_cube(
    storage: Path,
    climate: Path,
    mask: Path,
    *,
    normalisation: Mapping[str, Mapping[str, float]],
    variables: Sequence[str],
    device: torch.device | str,
) -> Cube:
    """Read storage.nc, climate.nc and mask.nc into a cube on a device; see `Cube.from_datasets`."""
    with xr.open_dataset(storage) as one, xr.open_dataset(climate) as two, xr.open_dataset(mask) as three:
        return Cube.from_datasets(one, two, three, normalisation=normalisation, variables=variables, device=device)
