import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
import torch

from gwsd.devices import CudaDevice, format_duration, lease_device
from gwsd.errors import TrainingError

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import sys
from pathlib import Path
from gwsd.devices import CudaDevice, lease_device
devices = [CudaDevice(int(n), f"GPU/{n}") for n in sys.argv[2].split(",")]
with lease_device("auto", lock_dir=Path(sys.argv[1]), report=lambda line: print(line, flush=True),
                  visible=lambda: devices) as device:
    print("leased", device, flush=True)
    sys.stdin.readline()
"""


def start(folder: Path, devices: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), devices],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def lease(requested: str, folder: Path, devices: list[CudaDevice], **more: int) -> AbstractContextManager[torch.device]:
    return lease_device(
        requested, lock_dir=folder, cpu_seconds=lambda: 7200.0, report=print, visible=lambda: devices, **more
    )


def test_concurrent_processes_get_different_devices_and_a_killed_one_frees_its_own(tmp_path: Path) -> None:
    processes = [start(tmp_path, "0,1"), start(tmp_path, "0,1")]
    try:
        assert {line_of(process) for process in processes} == {"leased cuda:0", "leased cuda:1"}
        third = start(tmp_path, "0,1")
        processes.append(third)
        line = line_of(third)
        assert "all 2 visible CUDA devices are in use; waiting" in line
        assert str(processes[0].pid) in line
        processes[0].send_signal(signal.SIGKILL)
        assert line_of(third).startswith("leased cuda:")
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_devices_are_shared_only_when_all_are_in_use(tmp_path: Path) -> None:
    devices = [CudaDevice(0, "GPU-a"), CudaDevice(1, "GPU-b")]
    with ExitStack() as held:
        indices = [held.enter_context(lease("cuda", tmp_path, devices, sharing=2)).index for _ in range(4)]
    assert indices == [0, 1, 0, 1]


def test_a_device_is_known_by_its_uuid_not_by_its_index(tmp_path: Path) -> None:
    with lease("cuda", tmp_path, [CudaDevice(0, "GPU-b")]) as first:
        assert first == torch.device("cuda", 0)
        # Another process sees the same device under another index.
        with lease("cuda", tmp_path, [CudaDevice(0, "GPU-b"), CudaDevice(1, "GPU-c")]) as second:
            assert second == torch.device("cuda", 1)


def test_auto_without_a_gpu_is_the_cpu_and_cpu_takes_no_lock(tmp_path: Path) -> None:
    for requested, devices in (("auto", []), ("cpu", [CudaDevice(0, "a")])):
        with lease(requested, tmp_path, devices) as device:
            assert device == torch.device("cpu")
    assert not list(tmp_path.iterdir())


def test_cuda_without_a_gpu_is_an_error_that_names_the_alternative(tmp_path: Path) -> None:
    with (
        pytest.raises(TrainingError, match=r"finds no CUDA device.*`device: cpu`.*takes about 2 hours"),
        lease("cuda", tmp_path, []),
    ):
        pass


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 seconds"), (90, "90 seconds"), (3600, "60 minutes"), (4e5, "5 days")]
)
def test_format_duration(seconds: float, words: str) -> None:
    assert format_duration(seconds) == words
