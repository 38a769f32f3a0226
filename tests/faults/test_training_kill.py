"""SIGKILL in the middle of a training, and two processes that want the same one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EPOCHS = 12


def start(checkpoints: Path, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.training.toy_earth", str(checkpoints), str(out), "--epochs", str(EPOCHS)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return line
    pytest.fail(f"{words!r} was never printed:\n{''.join(lines)}")


def finish(process: subprocess.Popen[str]) -> str:
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    return text


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(start(folder / "checkpoints", folder / "out"))
    return folder / "out"


def assert_same_bytes(one: Path, other: Path) -> None:
    for name in ("weights.safetensors", "history.csv"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_a_killed_training_goes_on_and_ends_with_the_same_bytes(undisturbed: Path, tmp_path: Path) -> None:
    killed = start(tmp_path / "checkpoints", tmp_path / "out")
    read_until(killed, "epoch 3/")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "out").exists()
    text = finish(start(tmp_path / "checkpoints", tmp_path / "out"))
    assert "resuming after epoch" in text
    assert "before training" not in text
    assert_same_bytes(undisturbed, tmp_path / "out")


def test_a_second_process_waits_for_the_first_and_uses_its_result(undisturbed: Path, tmp_path: Path) -> None:
    first = start(tmp_path / "checkpoints", tmp_path / "first")
    read_until(first, "epoch 0/")
    first.send_signal(signal.SIGSTOP)  # still alive, as an orphan of a killed Snakemake is
    second = start(tmp_path / "checkpoints", tmp_path / "second")
    try:
        line = read_until(second, "waiting until it ends")
        assert f"process {first.pid} " in line
        time.sleep(0.5)
        assert second.poll() is None
    finally:
        first.send_signal(signal.SIGCONT)
    finish(first)
    text = finish(second)
    assert f"resuming after epoch {EPOCHS} of {EPOCHS}" in text
    assert_same_bytes(undisturbed, tmp_path / "first")
    assert_same_bytes(undisturbed, tmp_path / "second")
