from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
import torch

from gwsd.devices import CudaDevice, format_duration, lease_device
from gwsd.errors import TrainingError

TWO = [CudaDevice(0, "GPU-a"), CudaDevice(1, "GPU-b")]


def lease(requested: str, folder: Path, devices: list[CudaDevice], **more: int) -> AbstractContextManager[torch.device]:
    return lease_device(
        requested, lock_dir=folder, cpu_seconds=lambda: 7200.0, report=print, visible=lambda: devices, **more
    )


def test_devices_are_shared_only_when_all_are_in_use(tmp_path: Path) -> None:
    with ExitStack() as held:
        indices = [held.enter_context(lease("cuda", tmp_path, TWO, sharing=2)).index for _ in range(4)]
    assert indices == [0, 1, 0, 1]


def test_a_device_is_known_by_its_uuid_not_by_its_index(tmp_path: Path) -> None:
    with lease("cuda", tmp_path, [CudaDevice(0, "GPU-b")]) as first:
        assert first == torch.device("cuda", 0)
        # Another process sees the same device under another index.
        with lease("cuda", tmp_path, [CudaDevice(0, "GPU-b"), CudaDevice(1, "GPU-c")]) as second:
            assert second == torch.device("cuda", 1)


@pytest.mark.parametrize(("requested", "devices"), [("auto", []), ("cpu", TWO)])
def test_auto_without_a_gpu_is_the_cpu_and_cpu_takes_no_lock(
    tmp_path: Path, requested: str, devices: list[CudaDevice]
) -> None:
    with lease(requested, tmp_path, devices) as device:
        assert device == torch.device("cpu")
    assert not list(tmp_path.iterdir())


def test_cuda_without_a_gpu_is_an_error_that_names_the_alternative(tmp_path: Path) -> None:
    message = r"finds no CUDA device.*`device: cpu`.*takes about 2 hours"
    with pytest.raises(TrainingError, match=message), lease("cuda", tmp_path, []):
        pass


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (90, "90 s"), (3600, "60 minutes"), (4e5, "5 days")])
def test_format_duration(seconds: float, words: str) -> None:
    assert format_duration(seconds) == words
