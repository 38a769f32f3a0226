"""Checkpoints: one an epoch, whole or not there, in a folder that one process at a time may write."""

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from gwsd.errors import TrainingError
from gwsd.training.locks import locked

KEPT = 2
"""Checkpoints kept: the last, and the one before it in case the last is damaged."""

_DIGEST_SIZE = hashlib.sha256().digest_size


class Checkpoints:
    """The checkpoints of one training.

    A checkpoint is the SHA-256 of what follows, then a `torch.save` archive.

    Parameters
    ----------
    folder : Path
        Named by the caller after the hash of inputs, code and settings; nobody else's files in it.
    report : callable
        Takes a line for the log.
    """

    def __init__(self, folder: Path, report: Callable[[str], None]) -> None:
        self.folder = folder
        self.report = report

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Hold the folder's lock; yield whether another process had to be waited for."""

        def say(process: str) -> None:
            self.report(f"process {process} is training the same thing in {self.folder}; waiting until it ends")

        with locked(self.folder / "lock", on_wait=say) as waited:
            yield waited

    def save(self, epoch: int, state: dict[str, Any]) -> None:
        """Write the state after an epoch: to a temporary name, to the disk, then to its own name.

        Raises
        ------
        TrainingError
            If it cannot be written; earlier checkpoints stay.
        """
        buffer = io.BytesIO()
        torch.save(state, buffer)
        payload = buffer.getvalue()
        path = self._path(epoch)
        temporary = path.with_suffix(".tmp")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(hashlib.sha256(payload).digest())
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync_folder(self.folder)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise TrainingError(
                f"{path}: the checkpoint of epoch {epoch} cannot be written ({error.strerror}); make room and run the "
                "same command again: training goes on from the checkpoint before it"
            ) from error
        for old in self._paths()[:-KEPT]:
            old.unlink(missing_ok=True)

    def restore(self) -> dict[str, Any] | None:
        """Return the state of the last whole checkpoint, None where there is none.

        Damaged ones are reported and removed.
        """
        for path in reversed(self._paths()):
            state = self._read(path)
            if state is not None:
                return state
        return None

    def keep_last(self) -> None:
        """Remove all but the last checkpoint, once training has ended."""
        for old in self._paths()[:-1]:
            old.unlink(missing_ok=True)

    def _read(self, path: Path) -> dict[str, Any] | None:
        raw = path.read_bytes()
        digest, payload = raw[:_DIGEST_SIZE], raw[_DIGEST_SIZE:]
        if hashlib.sha256(payload).digest() != digest:
            self.report(f"{path}: damaged (its checksum does not fit); using the checkpoint before it, if any")
            path.unlink()
            return None
        state = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
        assert isinstance(state, dict)
        return state

    def _path(self, epoch: int) -> Path:
        return self.folder / f"epoch-{epoch:05d}.ckpt"

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("epoch-*.ckpt"))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
