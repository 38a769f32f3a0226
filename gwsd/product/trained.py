"""What a file of trained weights says of itself, read from its header alone."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from gwsd.errors import DataError

LARGEST_HEADER = 100_000_000
"""Bytes; what safetensors allows."""

NEEDED = ("model", "normalisation", "data_label")
"""What a network needs to be run elsewhere than where it was trained, and what its answers must say."""


@dataclass(frozen=True)
class Trained:
    """A trained network's weights, as their metadata describe them.

    Parameters
    ----------
    path : Path
        The safetensors file.
    variant : str
        Such as `full`.
    model : mapping
        Settings of its `Downscaler`.
    normalisation : mapping
        That of its training patches: mean and standard deviation of storage and climate.
    data_label : str
        What it was trained on.
    job_key : str
        Of the training.
    patch_size : int or None
        Coarse cells along a side of its patches, where the metadata say so.
    """

    path: Path
    variant: str
    model: Mapping[str, Any]
    normalisation: Mapping[str, Mapping[str, float]]
    data_label: str
    job_key: str
    patch_size: int | None = None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what weights say of themselves.

        Raises
        ------
        DataError
            If the file is missing, not of weights, or of weights that do not say what they need.
        """
        metadata, _ = read_header(path)
        absent = [name for name in NEEDED if name not in metadata]
        if absent:
            raise DataError(
                f"{path}: weights of another project: their metadata have no {', '.join(absent)}. Expected weights "
                "that this workflow trained, such as results/demo/models/full/seed0/weights.safetensors."
            )
        try:
            model, normalisation = (dict(json.loads(metadata[name])) for name in ("model", "normalisation"))
            variables = list(model["climate_variables"])
            int(model["memory"])
            for name in ("storage", *variables):
                float(normalisation[name]["mean"]), float(normalisation[name]["std"])
            size = int(metadata["patch_size"]) if "patch_size" in metadata else None
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(
                f"{path}: the weights' metadata are not those of a training of this workflow ({error!r}); train the "
                "variant again"
            ) from None
        return cls(
            path=path,
            variant=metadata.get("variant", path.stem),
            model=model,
            normalisation=normalisation,
            data_label=metadata["data_label"],
            job_key=metadata.get("job_key", ""),
            patch_size=size,
        )

    @property
    def variables(self) -> tuple[str, ...]:
        """Climate that the network sees, in its order."""
        return tuple(self.model["climate_variables"])

    @property
    def memory(self) -> int:
        """Months of climate that it sees, the month itself last."""
        return int(self.model["memory"])


def read_header(path: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """Read a safetensors file's metadata, and type, shape and place of each tensor.

    Raises
    ------
    DataError
        If the file is missing, or no whole safetensors file.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            header = json.loads(file.read(length)) if 2 <= length <= min(size, LARGEST_HEADER) else None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Expected a file of weights.") from None
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise DataError(
            f"{path}: no file of weights. Expected a safetensors file that this workflow trained, such as "
            "results/demo/models/full/seed0/weights.safetensors."
        )
    metadata = header.pop("__metadata__", {})
    whole = 8 + length + max((int(one["data_offsets"][1]) for one in header.values()), default=0)
    if size < whole:
        raise DataError(
            f"{path}: the weights end early ({size:,} of {whole:,} bytes): copy the file again, or train again"
        )
    return {str(key): str(text) for key, text in metadata.items()}, header
