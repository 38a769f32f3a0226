from pathlib import Path

import pytest
import safetensors.torch
import torch

from gwsd.errors import DataError
from gwsd.model.weights import read_weights, write_weights

STATE = {"b.weight": torch.arange(6.0).reshape(2, 3), "a": torch.tensor(3, dtype=torch.int64)}
METADATA = {"model": '{"é": 1}', "job_key": "abc", "data_label": "synthetic"}


def test_round_trip_and_the_library_reads_it_too(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    write_weights(path, STATE, METADATA)
    state, metadata = read_weights(path)
    assert metadata == METADATA
    for read in (state, safetensors.torch.load_file(path)):
        assert set(read) == set(STATE)
        assert all(torch.equal(read[name], STATE[name]) for name in STATE)


def test_bytes_do_not_depend_on_order_or_chance(tmp_path: Path) -> None:
    # The library alone writes the metadata in an order that changes from call to call.
    path, files = tmp_path / "weights.safetensors", set()
    for content in ((STATE, METADATA), (dict(reversed(STATE.items())), dict(reversed(METADATA.items())))) * 20:
        write_weights(path, *content)
        files.add(path.read_bytes())
    assert len(files) == 1


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    write_weights(path, STATE, METADATA)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match=r"weights.safetensors: not a complete .*train the variant again"):
        read_weights(path)
    with pytest.raises(DataError, match="absent"):
        read_weights(tmp_path / "absent")
