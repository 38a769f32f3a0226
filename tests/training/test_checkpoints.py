import errno
from pathlib import Path

import pytest
import torch

from gwsd.errors import TrainingError
from gwsd.training.checkpoints import Checkpoints


def states_saved(folder: Path, lines: list[str], epochs: int = 3) -> Checkpoints:
    checkpoints = Checkpoints(folder, lines.append)
    for epoch in range(1, epochs + 1):
        checkpoints.save(epoch, {"epoch": epoch, "weights": torch.full((100,), float(epoch))})
    return checkpoints


def test_round_trip_gives_the_last_and_keeps_two(tmp_path: Path) -> None:
    checkpoints = states_saved(tmp_path, [])
    state = checkpoints.restore()
    assert state["epoch"] == 3
    assert torch.equal(state["weights"], torch.full((100,), 3.0))
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["epoch-00002.ckpt", "epoch-00003.ckpt"]
    checkpoints.keep(1)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["epoch-00003.ckpt"]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path: Path, damage: str) -> None:
    lines: list[str] = []
    checkpoints = states_saved(tmp_path, lines)
    path = tmp_path / "epoch-00003.ckpt"
    raw = bytearray(path.read_bytes())
    if damage == "flipped":
        raw[len(raw) // 2] ^= 1
    path.write_bytes({"truncated": raw[: len(raw) // 2], "flipped": raw, "empty": b""}[damage])
    state = checkpoints.restore()
    assert state["epoch"] == 2
    assert "epoch-00003.ckpt: damaged" in lines[0]


def test_a_full_disk_keeps_the_earlier_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = states_saved(tmp_path, [])

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("gwsd.training.checkpoints.os.fsync", full)
    with pytest.raises(TrainingError, match=r"epoch 4 cannot be written \(No space left on device\). Free some disk"):
        checkpoints.save(4, {"epoch": 4})
    monkeypatch.undo()
    assert not list(tmp_path.glob("*.tmp"))
    state = checkpoints.restore()
    assert state["epoch"] == 3
