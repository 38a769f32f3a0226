"""The engine changes how a network is computed, not what."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from gwsd.model.downscaler import Downscaler
from gwsd.patches.gathering import gather
from gwsd.training.engine import Engine, EngineSettings, has_compiler
from tests.training.toy_earth import MODEL, SIZE, TRAINING, toy_cube, toy_table, toy_training

CPU = torch.device("cpu")
PLAIN = EngineSettings(precision="float32", channels_last=False, compile=False)

needs_compiler = pytest.mark.skipif(not has_compiler(), reason="torch.compile needs a C++ compiler on the CPU")


def answer(settings: EngineSettings) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(4)
    network = Downscaler(**MODEL).eval()
    engine = Engine(settings, CPU)
    engine.place(network)
    batch = gather(toy_cube(), toy_table(4, seed=1), size=SIZE, memory=MODEL["memory"])
    with torch.no_grad():
        output = engine.runner(network)(batch)
    return output.mean, output.variance


def test_the_memory_layout_changes_nothing_but_rounding() -> None:
    for plain, other in zip(answer(PLAIN), answer(replace(PLAIN, channels_last=True)), strict=True):
        torch.testing.assert_close(other, plain, rtol=1e-5, atol=1e-6)


def test_bfloat16_answers_in_float32_and_nearly_the_same() -> None:
    for plain, other in zip(answer(PLAIN), answer(replace(PLAIN, precision="bfloat16")), strict=True):
        assert other.dtype == torch.float32
        assert not torch.equal(other, plain)
        torch.testing.assert_close(other, plain, rtol=0.05, atol=0.02)


@needs_compiler
def test_a_compiled_network_answers_the_same() -> None:
    for plain, other in zip(answer(PLAIN), answer(replace(PLAIN, compile=True)), strict=True):
        torch.testing.assert_close(other, plain, rtol=1e-5, atol=1e-6)


@needs_compiler
def test_a_compiled_encoder_in_bfloat16_is_no_further_from_float32() -> None:
    climate = torch.randn(2, MODEL["memory"], len(MODEL["climate_variables"]), 8, 8)

    def encoded(**settings: Any) -> torch.Tensor:
        torch.manual_seed(5)
        network = Downscaler(**{**MODEL, "lstm_channels": 32})
        engine = Engine(replace(PLAIN, **settings), CPU)
        engine.compiled(network)
        assert network.encoder is not None
        with torch.no_grad(), engine.autocast():
            return network.encoder(climate).float()

    exact = encoded()
    error, compiled_error = (
        (encoded(precision="bfloat16", compile=compile) - exact).abs().mean() for compile in (False, True)
    )
    assert 0.0 < compiled_error <= 1.1 * error


def test_without_a_compiler_a_network_is_computed_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    engine = Engine(replace(PLAIN, compile=True), CPU)
    assert engine.settings.compile
    assert not engine.compiles
    for plain, other in zip(answer(PLAIN), answer(replace(PLAIN, compile=True)), strict=True):
        assert torch.equal(plain, other)


@pytest.mark.parametrize("compile", [False, pytest.param(True, marks=needs_compiler)])
def test_weights_stay_in_float32_and_a_training_in_bfloat16_learns(tmp_path: Path, compile: bool) -> None:
    engine = {"cpu": {"precision": "bfloat16", "channels_last": True, "compile": compile}}
    result = toy_training(tmp_path, engine=engine, epochs=4)
    assert {value.dtype for value in result.state_dict.values()} <= {torch.float32, torch.int64}
    assert result.history["val_mae_mm"].iloc[-1] < result.history["val_mae_mm"].iloc[0]
    toy_training(tmp_path / "again", engine=engine, epochs=2)
    again = toy_training(tmp_path / "again", engine=engine, epochs=4)
    assert again.history.equals(result.history)


def test_the_settings_of_the_other_device_are_not_read() -> None:
    section = {**TRAINING.engine, "cuda": {"precision": "nonsense", "trainings_at_once": 2}}
    assert Engine(section, CPU).settings == PLAIN
    with pytest.raises(KeyError):
        Engine({"cuda": section["cuda"]}, CPU)
