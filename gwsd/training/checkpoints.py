"""Checkpoints: one per epoch, complete or absent, in a folder that one process at a time may write."""

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from gwsd.devices import hold_any
from gwsd.errors import TrainingError

_DIGEST_SIZE = hashlib.sha256().digest_size


class Checkpoints:
    """The checkpoints of one training, each the SHA-256 of a `torch.save` archive followed by the archive.

    The caller names the folder after the hash of inputs, code and settings; `report` takes a line for the log.
    """

    def __init__(self, folder: Path, report: Callable[[str], None]) -> None:
        self.folder = folder
        self.report = report

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder's lock, waiting if another process trains the same thing."""

        def wait(process: str) -> None:
            self.report(f"process {process} is training the same variant in {self.folder}; waiting until it ends")

        with hold_any([self.folder / "training.lock"], wait):
            yield

    def save(self, epoch: int, state: dict[str, Any]) -> None:
        """Write the state after an epoch atomically; after a failure earlier checkpoints stay."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        payload = buffer.getvalue()
        path = self.folder / f"epoch-{epoch:05d}.ckpt"
        temporary = path.with_suffix(".tmp")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(hashlib.sha256(payload).digest())
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise TrainingError(
                f"{path}: the checkpoint of epoch {epoch} cannot be written ({error.strerror}). Free some disk space "
                "and run the same command again: training resumes from the previous checkpoint."
            ) from error
        self.keep(2)  # the last, and the one before in case the last is damaged

    def restore(self) -> dict[str, Any] | None:
        """Return the state of the last intact checkpoint, None if there is none; damaged ones are removed."""
        for path in reversed(self._paths()):
            raw = path.read_bytes()
            digest, payload = raw[:_DIGEST_SIZE], raw[_DIGEST_SIZE:]
            if hashlib.sha256(payload).digest() == digest:
                state: dict[str, Any] = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
                return state
            self.report(f"{path}: damaged (wrong checksum); using the previous checkpoint, if any")
            path.unlink()
        return None

    def keep(self, number: int) -> None:
        """Remove all but the last checkpoints."""
        for old in self._paths()[:-number]:
            old.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("epoch-*.ckpt"))
