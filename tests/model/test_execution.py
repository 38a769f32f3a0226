import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from gwsd.model.downscaler import Downscaler
from gwsd.model.execution import HUGE_PAGES, Executor, has_compiler, use_huge_pages
from gwsd.model.settings import CpuExecution
from gwsd.patches.gathering import gather
from tests.training.toy_earth import MODEL, PLAIN, SIZE, TRAINING, VARIABLES, change, toy_cube, toy_table, toy_training

CPU = torch.device("cpu")
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="torch.compile needs a C++ compiler on the CPU")


def executor(**departures: Any) -> Executor:
    return Executor(CpuExecution.from_job(PLAIN | departures), CPU)


def output(**departures: Any) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(4)
    network = Downscaler(MODEL, VARIABLES).eval()
    execution = executor(**departures)
    execution.to_device(network)
    batch = gather(toy_cube(), toy_table(4, seed=1), size=SIZE, history_months=MODEL.history_months)
    with torch.no_grad():
        found = execution.forward(network)(batch)
    return found.mean, found.variance


@pytest.mark.parametrize(
    ("departure", "tolerance"), [({"channels_last": True}, 1e-5), ({"precision": "bfloat16"}, 0.05)]
)
def test_execution_changes_nothing_but_rounding(departure: dict[str, Any], tolerance: float) -> None:
    for plain, other in zip(output(), output(**departure), strict=True):
        assert other.dtype == torch.float32
        torch.testing.assert_close(other, plain, rtol=tolerance, atol=tolerance / 2)


@pytest.mark.parametrize(
    ("capability", "amx", "avx512", "precision"),
    [
        ("AVX512", False, True, "bfloat16"),
        ("AVX512", True, None, "bfloat16"),  # a torch without one of the functions
        ("AVX512", False, False, "float32"),
        ("AVX2", True, True, "float32"),  # ATEN_CPU_CAPABILITY=avx2
        ("NO AVX", None, None, "float32"),  # ARM
    ],
)
def test_auto_precision_follows_the_processor(
    monkeypatch: pytest.MonkeyPatch, capability: str, amx: bool | None, avx512: bool | None, precision: str
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    for name, value in (("_is_amx_tile_supported", amx), ("_is_avx512_bf16_supported", avx512)):
        if value is None:
            monkeypatch.delattr(torch.cpu, name, raising=False)
        else:
            monkeypatch.setattr(torch.cpu, name, lambda value=value: value, raising=False)
    assert executor(precision="auto").describe() == {"device": "cpu", "precision": precision, "compiled": False}
    assert executor(precision="bfloat16").precision == "bfloat16"


def test_without_a_compiler_a_network_runs_uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert not executor(compile=True).compiles
    for plain, other in zip(output(), output(compile=True), strict=True):
        assert torch.equal(plain, other)


def test_a_training_in_bfloat16_learns_and_keeps_float32_weights(tmp_path: Path) -> None:
    cpu = CpuExecution.from_job(PLAIN | {"precision": "bfloat16", "channels_last": True})
    result = toy_training(tmp_path, execution=change(TRAINING.execution, cpu=cpu), epochs=2)
    assert {value.dtype for value in result.state_dict.values()} <= {torch.float32, torch.int64}
    assert result.history["val_mae_mm"].iloc[-1] < result.history["val_mae_mm"].iloc[0]


@needs_compiler
def test_a_compiled_step_differs_by_rounding() -> None:
    def gradients(**departures: Any) -> list[torch.Tensor]:
        torch.manual_seed(4)
        network = Downscaler(change(MODEL, unet_channels=[4], lstm_layers=1), VARIABLES)
        batch = gather(toy_cube(), toy_table(4, seed=1), size=SIZE, history_months=MODEL.history_months)
        found = executor(**departures).forward(network)(batch)
        (found.mean.square().mean() + found.variance.mean()).backward()
        return [parameter.grad for parameter in network.parameters()]

    for plain, compiled in zip(gradients(), gradients(compile=True), strict=True):
        torch.testing.assert_close(compiled, plain, rtol=1e-3, atol=1e-5)


PAGE_FAULTS = """
import resource, torch
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.ones(32, 1024, 1024)  # 128 MB
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) * resource.getpagesize())
"""


def test_huge_pages_avoid_page_faults() -> None:
    pages = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not pages.is_file() or "[madvise]" not in pages.read_text():
        pytest.skip("this kernel does not give huge pages on request")
    command = [sys.executable, "-c", PAGE_FAULTS]
    run = subprocess.run(command, env=os.environ | {HUGE_PAGES: "1"}, check=True, capture_output=True, text=True)
    assert int(run.stdout) < 128 * 2**20 / 10


def test_a_value_set_by_the_user_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HUGE_PAGES, "0")
    use_huge_pages()
    assert os.environ[HUGE_PAGES] == "0"
    monkeypatch.delenv(HUGE_PAGES)
    use_huge_pages()
    assert os.environ[HUGE_PAGES] == "1"
