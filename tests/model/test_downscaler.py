from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import nn
from torch.nn import functional

from gwsd.model.description import describe
from gwsd.model.downscaler import Downscaler, Output, count_parameters
from gwsd.model.settings import Model
from gwsd.resample import Kernel, upsample
from tests.training.toy_earth import VARIABLES, change

SETTINGS: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())["settings"]
PAPER = Model.from_job(SETTINGS["model"])
TOY = change(PAPER, history_months=3, lstm_channels=4, unet_channels=[4, 4, 8], bottleneck_channels=8)


def toy(**departures: Any) -> Downscaler:
    torch.manual_seed(1)
    return Downscaler(change(TOY, **departures), VARIABLES)


def fields(height: int = 16, width: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    return torch.randn(2, 3, 4, height, width), torch.randn(2, 1, height, width)


def test_the_papers_settings_give_the_papers_parameters_and_shapes() -> None:
    network = Downscaler(PAPER, VARIABLES)
    assert count_parameters(network) == 8_190_850
    parts = {part.name: part for part in describe(network, size=32)}
    by_kind: dict[str, int] = {}
    for part in parts.values():
        by_kind[part.kind] = by_kind.get(part.kind, 0) + part.parameters
    assert by_kind == {"ConvLSTM": 452_096, "U-Net": 7_738_624, "head": 130, "fusion": 0, "upsampling": 0}
    assert list(parts)[:3] == ["ConvLSTM 1", "ConvLSTM 2", "fusion"]
    assert parts["ConvLSTM 1"].input_shapes == ((6, 4, 32, 32),)
    assert parts["fusion"].output_shape == (65, 32, 32)  # equation (7)
    assert parts["U-Net encoder 3"].output_shape == (256, 8, 8)
    assert parts["U-Net bottleneck"].output_shape == (512, 4, 4)
    assert parts["U-Net decoder 1"].input_shapes == ((128, 16, 16), (64, 32, 32))
    assert parts["mean head"].output_shape == (1, 32, 32)
    assert parts["upsampling"].output_shape == (1, 128, 128)


@pytest.mark.parametrize("departure", [{}, {"temporal_encoder": "none"}, {"variance_head": False}])
def test_description_adds_up_and_leaves_the_model_unchanged(departure: dict[str, Any]) -> None:
    network = toy(**departure)
    assert sum(part.parameters for part in describe(network, size=16)) == count_parameters(network)
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("normalisation", ["batch", "group", "none"])
def test_shapes_the_variance_floor_and_gradients(normalisation: str) -> None:
    network = toy(normalisation=normalisation)
    output = network(*fields(32, 8))
    assert output.variance.shape == output.mean.shape == (2, 1, 128, 32)
    assert (output.variance >= TOY.variance_floor).all()
    (output.mean.square().mean() + output.variance.log().mean()).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_heads_before_the_upsampling_equal_the_papers_heads_after_it() -> None:
    network = toy().double().eval()
    climate, storage = (field.double() for field in fields())
    features = upsample(network.unet(network.fusion(network.encoder(climate), storage)), Kernel.BILINEAR)
    output = network(climate, storage)
    torch.testing.assert_close(output.mean, network.mean_head(features))
    variance = functional.softplus(network.variance_head(features)) + TOY.variance_floor
    torch.testing.assert_close(output.variance, variance)


@pytest.mark.parametrize("variance_head", [True, False])
def test_the_residual_starts_as_the_bilinear_interpolation_and_can_leave_it(variance_head: bool) -> None:
    climate, storage = fields()
    network = toy(residual=True, normalisation="group", variance_head=variance_head)
    output = network(climate, storage)
    assert torch.equal(output.mean, upsample(storage, Kernel.BILINEAR))
    if variance_head:
        torch.testing.assert_close(output.variance, torch.full_like(output.mean, 2 * TOY.variance_floor))
    else:
        assert output.variance is None
    output.mean.square().mean().backward()
    assert network.mean_head.weight.grad.abs().max() > 0


def test_without_an_encoder_only_the_target_month_counts() -> None:
    network = toy(temporal_encoder="none").eval()
    climate, storage = fields()
    earlier, last = climate.clone(), climate.clone()
    earlier[:, :-1] += 1.0
    last[:, -1] += 1.0
    mean = network(climate, storage).mean
    assert torch.equal(network(earlier, storage).mean, mean)
    assert not torch.allclose(network(last, storage).mean, mean)


@pytest.mark.parametrize(
    ("climate", "storage", "words"),
    [
        ((2, 2, 4, 16, 16), (2, 1, 16, 16), r"expects \(B, 3 months, 4 variables: precipitation"),
        ((3, 4, 16, 16), (2, 1, 16, 16), "climate has shape"),
        ((2, 3, 4, 16, 16), (2, 16, 16), r"storage has shape .* expects \(2, 1, 16, 16\)"),
        ((2, 3, 4, 16, 12), (2, 1, 16, 12), "the poolings need multiples of 8"),
    ],
)
def test_wrong_shapes_are_named(climate: tuple[int, ...], storage: tuple[int, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        toy()(torch.zeros(climate), torch.zeros(storage))


def test_frozen_output() -> None:
    """Weights set by a rule, output compared with numbers stored when the equations were last checked."""
    network = toy(normalisation="none").double()
    random = np.random.Generator(np.random.PCG64(11))
    with torch.no_grad():
        for parameter in network.parameters():
            fan_in = max(parameter[0].numel(), 4)
            parameter.copy_(torch.from_numpy(random.standard_normal(parameter.shape) * np.sqrt(2 / fan_in)))
    grid = torch.arange(64, dtype=torch.float64).reshape(1, 1, 8, 8) / 64
    months = torch.stack([torch.cos(grid[0] * (month + 1)).expand(4, 8, 8) for month in range(3)])[None]
    output = network(months, grid)
    means, variances = output.mean, output.variance
    found = [means.mean().item(), means[0, 0, 5, 9].item(), variances.mean().item(), variances[0, 0, 20, 3].item()]
    expected = [1.9435854319140793, 1.283189935935822, 1.406475967150925, 0.9618474796197825]
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("kernel", list(Kernel))
def test_wrapped_interpolation_is_that_of_the_repeated_field(kernel: Kernel) -> None:
    field = torch.randn(1, 1, 6, 10)
    thrice = upsample(torch.cat([field] * 3, dim=-1), kernel)[..., 40:80]
    torch.testing.assert_close(upsample(field, kernel, wraps=True), thrice)
    if kernel is not Kernel.NEAREST:
        assert not torch.allclose(upsample(field, kernel), thrice)


@pytest.mark.parametrize(
    "departure",
    [{}, {"temporal_encoder": "none"}, {"normalisation": "group"}, {"normalisation": "none", "residual": True}],
)
def test_with_wrapping_a_shift_in_longitude_shifts_the_output(departure: dict[str, Any]) -> None:
    network = toy(**departure).eval()
    if departure.get("residual"):
        nn.init.normal_(network.mean_head.weight)
    climate, storage = fields(16, 48)

    def shifted(columns: int) -> Output:
        return network(climate.roll(columns, dims=-1), storage.roll(columns, dims=-1))

    with torch.no_grad():
        plain = shifted(0).mean
        network.wrap_longitude(True)
        here, there = shifted(0), shifted(8)
        for before, after in zip(here, there, strict=True):
            torch.testing.assert_close(before.roll(32, dims=-1), after, atol=1e-5, rtol=1e-5)
        network.wrap_longitude(False)
        assert torch.equal(shifted(0).mean, plain)
        assert not torch.allclose(here.mean.roll(32, dims=-1), shifted(8).mean, atol=1e-3)


def test_in_bfloat16_the_output_is_float32_and_near_that_in_float32() -> None:
    network = toy(residual=True).eval()
    nn.init.normal_(network.mean_head.weight, std=0.1)
    climate, storage = fields(16, 48)
    with torch.no_grad():
        exact = network(climate, storage)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = network(climate, storage)
            assert rough.mean.dtype == rough.variance.dtype == torch.float32
            torch.testing.assert_close(rough.mean, exact.mean, atol=0.05, rtol=0.05)
            # Heads in bfloat16 would leave steps of a hundredth at a mean of two; the skip connection must not.
            nn.init.zeros_(network.mean_head.weight)
            assert torch.equal(network(climate, storage).mean, upsample(storage, Kernel.BILINEAR))
