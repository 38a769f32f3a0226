import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
import torch

from gwsd.errors import TrainingError
from gwsd.training.devices import CudaDevice, lease_device, spoken_duration
from gwsd.training.duration import cpu_seconds
from tests.training.toy_earth import MODEL, SIZE, TRAINING

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
from gwsd.training.devices import CudaDevice, lease_device
devices = [CudaDevice(int(n), f"GPU/{n}") for n in sys.argv[2].split(",")]
with lease_device("auto", lock_dir=Path(sys.argv[1]), cpu_seconds=lambda: 0.0,
                  report=lambda line: print(line, flush=True), visible=lambda: devices) as device:
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


def lease(requested: str, folder: Path, devices: list[CudaDevice]) -> torch.device:
    with lease_device(
        requested, lock_dir=folder, cpu_seconds=lambda: 7200.0, report=print, visible=lambda: devices
    ) as device:
        return device


def test_processes_side_by_side_get_different_devices_and_a_killed_one_frees_its_own(tmp_path: Path) -> None:
    processes = [start(tmp_path, "0,1"), start(tmp_path, "0,1")]
    try:
        assert {line_of(process) for process in processes} == {"leased cuda:0", "leased cuda:1"}
        third = start(tmp_path, "0,1")
        processes.append(third)
        line = line_of(third)
        assert "all 2 visible CUDA devices are taken; waiting" in line
        assert str(processes[0].pid) in line
        processes[0].send_signal(signal.SIGKILL)
        assert line_of(third).startswith("leased cuda:")
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_devices_are_shared_only_when_all_are_taken_and_as_far_as_is_set(tmp_path: Path) -> None:
    devices = [CudaDevice(0, "GPU-a"), CudaDevice(1, "GPU-b")]

    def leased() -> AbstractContextManager[torch.device]:
        return lease_device("cuda", sharing=2, lock_dir=tmp_path, report=print, visible=lambda: devices)

    with ExitStack() as held:
        indices = [held.enter_context(leased()).index for _ in range(4)]
    assert indices == [0, 1, 0, 1]
    locks = {path.name for path in tmp_path.iterdir()}
    assert locks >= {"cuda-GPU-a.lock", "cuda-GPU-a-2.lock", "cuda-GPU-b.lock", "cuda-GPU-b-2.lock"}


def test_a_schedulers_choice_of_devices_is_kept_and_their_tokens_are_shared(tmp_path: Path) -> None:
    with lease_device(
        "cuda",
        lock_dir=tmp_path,
        cpu_seconds=lambda: 0.0,
        report=print,
        visible=lambda: [CudaDevice(0, "GPU-b")],
    ) as first:
        assert first == torch.device("cuda", 0)
        # Another process sees the same device under another number.
        assert lease("cuda", tmp_path, [CudaDevice(0, "GPU-a"), CudaDevice(1, "GPU-b")]) == torch.device("cuda", 0)
        assert lease("cuda", tmp_path, [CudaDevice(0, "GPU-b"), CudaDevice(1, "GPU-c")]) == torch.device("cuda", 1)


def test_auto_without_a_device_is_the_cpu_and_cpu_takes_no_device(tmp_path: Path) -> None:
    assert lease("auto", tmp_path, []) == torch.device("cpu")
    assert lease("cpu", tmp_path, [CudaDevice(0, "a")]) == torch.device("cpu")
    assert not list(tmp_path.iterdir())


def test_cuda_without_a_device_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"sees no CUDA device.*`device: cpu`.*takes about 2 hours"):
        lease("cuda", tmp_path, [])


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 seconds"), (90, "90 seconds"), (3600, "60 minutes"), (4e5, "5 days")]
)
def test_spoken_duration(seconds: float, words: str) -> None:
    assert spoken_duration(seconds) == words


def test_the_estimate_grows_with_the_steps() -> None:
    few = cpu_seconds(MODEL, TRAINING, train_patches=4, size=SIZE)
    many = cpu_seconds(MODEL, TRAINING, train_patches=400, size=SIZE)
    assert 0 < few < many
