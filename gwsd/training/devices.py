"""Which device a training runs on: trainings side by side each get their own."""

import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from gwsd.errors import TrainingError
from gwsd.training.locks import holder, try_lock

LOCK_DIR = Path(tempfile.gettempdir()) / f"gwsd-devices-{os.getuid()}"
"""Lock files of the machine's devices: one place for every copy of the project that a person runs."""

POLL_SECONDS = 0.5
"""How often a process that waits for a device looks again."""


@dataclass(frozen=True)
class CudaDevice:
    """A CUDA device that this process sees.

    Parameters
    ----------
    index : int
        Its number within this process (`cuda:<index>`).
    token : str
        A name that other processes know it by too, whatever their CUDA_VISIBLE_DEVICES: its UUID.
    """

    index: int
    token: str


def visible_cuda_devices() -> list[CudaDevice]:
    """List the CUDA devices that this process may use; a scheduler's CUDA_VISIBLE_DEVICES is honoured."""
    if not torch.cuda.is_available():
        return []
    tokens = [token.strip() for token in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if token.strip()]
    devices = []
    for index in range(torch.cuda.device_count()):
        uuid = getattr(torch.cuda.get_device_properties(index), "uuid", None)
        fallback = tokens[index] if index < len(tokens) else str(index)
        devices.append(CudaDevice(index, str(uuid) if uuid else fallback))
    return devices


@contextmanager
def lease_device(
    requested: str,
    *,
    report: Callable[[str], None],
    cpu_seconds: Callable[[], float] | None = None,
    sharing: int = 1,
    lock_dir: Path = LOCK_DIR,
    visible: Callable[[], Sequence[CudaDevice]] = visible_cuda_devices,
) -> Iterator[torch.device]:
    """Hold a device for as long as the block runs.

    Parameters
    ----------
    requested : {"auto", "cuda", "cpu"}
        `auto` takes a CUDA device where one is visible and the CPU elsewhere.
    sharing : int
        Trainings that may share one CUDA device.
    lock_dir : Path
        Folder of the lock files, one a place on a device; shared by the processes that must not collide.
    report : callable
        Takes a line for the log.
    cpu_seconds : callable or None
        Estimates the training's duration on this CPU; called only for the refusal.
    visible : callable
        Lists the devices to choose from.

    Yields
    ------
    torch.device
        A CUDA device on which there is a place (waited for where all are taken; an idle device goes before one that is
        shared), or the CPU, which is always shared.

    Raises
    ------
    TrainingError
        If `cuda` is asked for and none is visible.
    """
    devices = [] if requested == "cpu" else list(visible())
    if not devices:
        if requested == "cuda":
            raise TrainingError(_refusal(None if cpu_seconds is None else cpu_seconds()))
        yield torch.device("cpu")
        return
    device, descriptor = _take(devices, sharing, lock_dir, report)
    try:
        yield torch.device("cuda", device.index)
    finally:
        os.close(descriptor)


def _take(
    devices: Sequence[CudaDevice], sharing: int, lock_dir: Path, report: Callable[[str], None]
) -> tuple[CudaDevice, int]:
    places = [(device, _lock_file(lock_dir, device, place)) for place in range(sharing) for device in devices]
    said = False
    while True:
        for device, path in places:
            descriptor = try_lock(path)
            if descriptor is not None:
                return device, descriptor
        if not said:
            holders = ", ".join(holder(path) for _, path in places)
            report(f"all {len(devices)} visible CUDA devices are taken; waiting for one (held by process {holders})")
            said = True
        time.sleep(POLL_SECONDS)


def _lock_file(lock_dir: Path, device: CudaDevice, place: int) -> Path:
    """First place of a device: a name without a number, which one training alone holds."""
    name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in device.token)
    return lock_dir / (f"cuda-{name}.lock" if place == 0 else f"cuda-{name}-{place + 1}.lock")


def _refusal(seconds: float | None) -> str:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    seen = "" if visible is None else f", CUDA_VISIBLE_DEVICES={visible!r}"
    return (
        f"training.device is cuda, but torch {torch.__version__} sees no CUDA device on {platform.node()}{seen}. "
        "To train on the CPU set `device: cpu` (or `auto`) under `training:` in config.yaml, or add "
        "--config 'settings={training: {device: cpu}}' to the command"
        + ("." if seconds is None else f"; one training then takes about {spoken_duration(seconds)} on this machine.")
    )


def spoken_duration(seconds: float) -> str:
    """Say a duration to one unit: "40 seconds", "12 minutes", "5 hours", "3 days"."""
    for unit, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 1.0):.0f} seconds"
