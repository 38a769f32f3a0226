"""Execution changes how a network is computed, not what."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from gwsd.model.downscaler import Downscaler
from gwsd.model.execution import HUGE_PAGES, Executor, has_compiler, has_fast_bfloat16, use_huge_pages
from gwsd.model.settings import CpuExecution
from gwsd.patches.gathering import gather
from tests.training.toy_earth import MODEL, PLAIN, SIZE, TRAINING, VARIABLES, change, toy_cube, toy_table, toy_training

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[2]
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


@pytest.mark.parametrize("departure", [{"channels_last": True}, pytest.param({"compile": True}, marks=needs_compiler)])
def test_memory_layout_and_compilation_change_nothing_but_rounding(departure: dict[str, Any]) -> None:
    for plain, other in zip(output(), output(**departure), strict=True):
        torch.testing.assert_close(other, plain, rtol=1e-5, atol=1e-6)


def test_bfloat16_returns_float32_and_nearly_the_same() -> None:
    for plain, other in zip(output(), output(precision="bfloat16"), strict=True):
        assert other.dtype == torch.float32
        assert not torch.equal(other, plain)
        torch.testing.assert_close(other, plain, rtol=0.05, atol=0.02)


@pytest.mark.parametrize(
    ("capability", "amx", "avx512", "precision"),
    [
        ("AVX512", False, True, "bfloat16"),
        ("AVX512", True, None, "bfloat16"),  # a torch without one of the functions
        ("AVX512", False, False, "float32"),
        ("AVX2", True, True, "float32"),  # ATEN_CPU_CAPABILITY=avx2
        ("DEFAULT", True, True, "float32"),
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
    assert executor(precision="auto").precision == precision
    assert executor(precision="auto").describe() == {"device": "cpu", "precision": precision, "compiled": False}
    assert has_fast_bfloat16(CPU) == (precision == "bfloat16")
    assert executor(precision="bfloat16").precision == "bfloat16"


@needs_compiler
def test_a_compiled_encoder_in_bfloat16_is_no_further_from_float32() -> None:
    climate = torch.randn(2, MODEL.history_months, len(VARIABLES), 8, 8)

    def encoded(**departures: Any) -> torch.Tensor:
        torch.manual_seed(5)
        network = Downscaler(change(MODEL, lstm_channels=32), VARIABLES)
        execution = executor(**departures)
        execution.compiled(network)
        assert network.encoder is not None
        with torch.no_grad(), execution.autocast():
            return network.encoder(climate).float()

    exact = encoded()
    error, compiled_error = (
        (encoded(precision="bfloat16", compile=compile) - exact).abs().mean() for compile in (False, True)
    )
    assert 0.0 < compiled_error <= 1.1 * error


def test_without_a_compiler_a_network_runs_uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert not executor(compile=True).compiles
    for plain, other in zip(output(), output(compile=True), strict=True):
        assert torch.equal(plain, other)


@pytest.mark.parametrize("compile", [False, pytest.param(True, marks=needs_compiler)])
def test_a_training_in_bfloat16_learns_keeps_float32_weights_and_resumes(tmp_path: Path, compile: bool) -> None:
    cpu = CpuExecution(precision="bfloat16", channels_last=True, compile=compile)
    execution = change(TRAINING.execution, cpu=cpu)
    result = toy_training(tmp_path, execution=execution, epochs=3)
    assert {value.dtype for value in result.state_dict.values()} <= {torch.float32, torch.int64}
    assert result.history["val_mae_mm"].iloc[-1] < result.history["val_mae_mm"].iloc[0]
    toy_training(tmp_path / "again", execution=execution, epochs=1)
    again = toy_training(tmp_path / "again", execution=execution, epochs=3)
    assert again.history.equals(result.history)


PAGE_FAULTS = """
import resource, sys
from gwsd.model.execution import use_huge_pages
if {huge}:
    use_huge_pages()
import torch
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.ones(32, 1024, 1024)  # 128 MB
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(*, huge: bool) -> int:
    command = [sys.executable, "-c", PAGE_FAULTS.format(huge=huge)]
    return int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def test_huge_pages_avoid_page_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not pages.is_file() or "[madvise]" not in pages.read_text():
        pytest.skip("this kernel does not give huge pages on request")
    monkeypatch.delenv(HUGE_PAGES, raising=False)
    assert page_faults(huge=False) > 10 * page_faults(huge=True)
    monkeypatch.setenv(HUGE_PAGES, "0")
    use_huge_pages()
    assert os.environ[HUGE_PAGES] == "0"
