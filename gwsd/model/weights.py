"""Weights files: safetensors with metadata, identical bytes for identical weights."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from gwsd.errors import DataError

_LENGTH = struct.Struct("<Q")


def write_weights(path: Path, state: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write weights and metadata to a safetensors file.

    safetensors writes the metadata in the order of a hash map, which changes from run to run; here the
    header is rewritten with sorted keys.
    """
    tensors = {name: state[name].detach().cpu().contiguous() for name in sorted(state)}
    raw = safetensors.torch.save(tensors, metadata=dict(metadata))
    (length,) = _LENGTH.unpack_from(raw)
    header = json.loads(raw[_LENGTH.size : _LENGTH.size + length])
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(_LENGTH.pack(len(text)) + text + raw[_LENGTH.size + length :])


def read_weights(path: Path, *, device: str = "cpu") -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read weights (for `load_state_dict`) and metadata; a missing or damaged file is a `DataError`."""
    try:
        with safetensors.safe_open(path, framework="pt", device=device) as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (OSError, safetensors.SafetensorError) as error:
        raise DataError(f"{path}: not a complete safetensors file ({error}); train the variant again") from error
