"""Device leasing: concurrent trainings each get their own GPU, by a lock file per device."""

import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from gwsd.errors import TrainingError

AFFECTS_RESULTS = False  # not part of the code hash

LOCK_DIR = Path(tempfile.gettempdir()) / f"gwsd-devices-{os.getuid()}"
"""Lock files of the machine's devices, shared by all copies of the project of one user."""

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class CudaDevice:
    """A visible CUDA device: its index in this process, and its UUID, which other processes share."""

    index: int
    uuid: str


def visible_cuda_devices() -> list[CudaDevice]:
    """List the CUDA devices that this process may use; a scheduler's CUDA_VISIBLE_DEVICES is honoured."""
    if not torch.cuda.is_available():
        return []
    indices = range(torch.cuda.device_count())
    return [CudaDevice(index, str(torch.cuda.get_device_properties(index).uuid)) for index in indices]


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
    """Hold a device while the block runs.

    Parameters
    ----------
    requested : {"auto", "cuda", "cpu"}
        `auto` takes a CUDA device if one is visible and the CPU otherwise.
    report : callable
        Takes a line for the log.
    cpu_seconds : callable, optional
        Estimates the training's duration on this CPU, for the error message.
    sharing : int
        Trainings that may share one CUDA device.

    Yields
    ------
    torch.device
        A CUDA device, an idle one before a shared one, waiting while all are taken; or the CPU, which is always shared.

    Raises
    ------
    TrainingError
        If `cuda` is requested and none is visible.
    """
    devices = [] if requested == "cpu" else list(visible())
    if not devices:
        if requested == "cuda":
            raise TrainingError(_no_device(None if cpu_seconds is None else cpu_seconds()))
        yield torch.device("cpu")
        return
    slots = {
        lock_dir / f"cuda-{device.uuid}-{number}.lock": device for number, device in product(range(sharing), devices)
    }

    def wait(holders: str) -> None:
        report(f"all {len(devices)} visible CUDA devices are in use; waiting for one (held by process {holders})")

    with hold_any(list(slots), wait) as path:
        yield torch.device("cuda", slots[path].index)


@contextmanager
def hold_any(paths: Sequence[Path], on_wait: Callable[[str], None]) -> Iterator[Path]:
    """Hold one of several lock files and yield it; the kernel frees it when the process dies, even by SIGKILL.

    `on_wait` is called once with the holders' process ids if all are held.
    """
    waited = False
    with ExitStack() as stack:
        while True:
            for path in paths:
                path.parent.mkdir(parents=True, exist_ok=True)
                try:
                    stack.enter_context(FileLock(path, timeout=0))
                except Timeout:
                    continue
                path.with_suffix(".pid").write_text(str(os.getpid()))
                yield path
                return
            if not waited:
                on_wait(", ".join(_holder(path) for path in paths))
                waited = True
            time.sleep(POLL_SECONDS)


def _holder(path: Path) -> str:
    try:
        return path.with_suffix(".pid").read_text()
    except OSError:
        return "unknown"


def _no_device(seconds: float | None) -> str:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    seen = "" if visible is None else f", CUDA_VISIBLE_DEVICES={visible!r}"
    return (
        f"training.device is cuda, but torch {torch.__version__} finds no CUDA device on {platform.node()}{seen}. "
        "To train on the CPU set `device: cpu` (or `auto`) under `training:` in config.yaml, or add "
        "--config 'settings={training: {device: cpu}}' to the command"
        + ("." if seconds is None else f"; one training then takes about {format_duration(seconds)} on this machine.")
    )


def device_name(device: torch.device) -> str:
    """Return the name of a GPU, "cpu" for the CPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def format_duration(seconds: float) -> str:
    """Format a duration in one unit: "40 s", "12 minutes", "5 hours", "3 days"."""
    for unit, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 1.0):.0f} s"
