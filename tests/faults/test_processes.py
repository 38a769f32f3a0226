"""Several processes at once: a training killed by SIGKILL, two that want the same one, and leases of devices.

Processes are forked from a server that has imported torch once.
"""

import multiprocessing
import os
import pickle
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from gwsd.devices import CudaDevice, lease_device
from gwsd.training.loop import TrainingResult
from tests.training.toy_earth import toy_training

EPOCHS = 6
DEVICES = [CudaDevice(0, "GPU-a"), CudaDevice(1, "GPU-b")]


def training(report: Callable[[str], None], checkpoints: Path) -> TrainingResult:
    return toy_training(checkpoints, report=report, epochs=EPOCHS, schedule="one_cycle")


def train(pipe: Any, checkpoints: Path) -> None:
    pipe.send(pickle.dumps(training(pipe.send, checkpoints)))


def hold_device(pipe: Any, folder: Path) -> None:
    with lease_device("auto", lock_dir=folder, report=pipe.send, visible=lambda: DEVICES) as device:
        pipe.send(str(device))
        time.sleep(60)


class Process(AbstractContextManager["Process"]):
    def __init__(self, function: Callable[[Any, Path], None], folder: Path) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["gwsd.training.loop", "torch._dynamo"])
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=function, args=(theirs, folder))
        self.process.start()
        theirs.close()

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.join()

    def read(self) -> Any:
        assert self.pipe.poll(60), "the process reports nothing"
        return self.pipe.recv()

    def read_until(self, words: str) -> str:
        while words not in (line := self.read()):
            pass
        return line

    def result(self) -> TrainingResult:
        while not isinstance(found := self.read(), bytes):
            pass
        return pickle.loads(found)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return training(print, tmp_path_factory.mktemp("checkpoints"))


def assert_identical(result: TrainingResult, other: TrainingResult) -> None:
    pd.testing.assert_frame_equal(result.history, other.history, check_exact=True)
    assert all(torch.equal(value, other.state_dict[name]) for name, value in result.state_dict.items())


def test_a_killed_training_resumes_and_ends_with_the_same_numbers(undisturbed: TrainingResult, tmp_path: Path) -> None:
    with Process(train, tmp_path) as killed:
        killed.read_until("epoch 3/")
    assert killed.process.exitcode == -signal.SIGKILL
    lines: list[str] = []
    resumed = training(lines.append, tmp_path)
    assert "resuming after epoch" in lines[0]
    assert_identical(resumed, undisturbed)


def test_a_second_process_waits_for_the_first_and_uses_its_result(undisturbed: TrainingResult, tmp_path: Path) -> None:
    with Process(train, tmp_path) as first:
        first.read_until("epoch 0/")
        os.kill(first.process.pid, signal.SIGSTOP)  # still alive, as an orphan of a killed Snakemake is
        with Process(train, tmp_path) as second:
            assert f"process {first.process.pid} is training" in second.read_until("waiting until it ends")
            assert not second.pipe.poll(0.5)
            os.kill(first.process.pid, signal.SIGCONT)
            assert_identical(first.result(), undisturbed)
            assert f"resuming after epoch {EPOCHS} of {EPOCHS}" in second.read_until("resuming")
            assert_identical(second.result(), undisturbed)


def test_concurrent_processes_get_different_devices_and_a_killed_one_frees_its_own(tmp_path: Path) -> None:
    with Process(hold_device, tmp_path) as first, Process(hold_device, tmp_path) as second:
        assert {first.read(), second.read()} == {"cuda:0", "cuda:1"}
        with Process(hold_device, tmp_path) as third:
            line = third.read()
            assert "all 2 visible CUDA devices are in use; waiting" in line
            assert str(first.process.pid) in line
            first.process.kill()
            assert third.read().startswith("cuda:")
