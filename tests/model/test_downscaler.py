from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch.nn import functional

from gwsd.model.description import describe
from gwsd.model.downscaler import Downscaler, count_parameters
from gwsd.resample import Kernel, upsample

SETTINGS: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())["settings"]
PAPER: dict[str, Any] = SETTINGS["model"] | {"climate_variables": SETTINGS["climate_variables"]}
TOY: dict[str, Any] = PAPER | {
    "memory": 3,
    "lstm_channels": 4,
    "unet_channels": [4, 4, 8],
    "bottleneck_channels": 8,
}


def toy(**departures: Any) -> Downscaler:
    torch.manual_seed(1)
    return Downscaler(**(TOY | departures))


def fields(height: int = 16, width: int = 24, memory: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    return torch.randn(2, memory, 4, height, width), torch.randn(2, 1, height, width)


def test_the_papers_settings_give_the_papers_parameters() -> None:
    network = Downscaler(**PAPER)
    assert count_parameters(network) == 8_190_850
    parts = describe(network, size=32)
    by_kind = {kind: sum(p.parameters for p in parts if p.kind == kind) for kind in {p.kind for p in parts}}
    assert by_kind == {"ConvLSTM": 452_096, "U-Net": 7_738_624, "head": 130, "fusion": 0, "upsampling": 0}


def test_description_has_the_shapes_of_the_paper() -> None:
    parts = {part.name: part for part in describe(Downscaler(**PAPER), size=32)}
    assert list(parts)[:3] == ["ConvLSTM 1", "ConvLSTM 2", "fusion"]
    assert parts["ConvLSTM 1"].input_shapes == ((6, 4, 32, 32),)
    assert parts["fusion"].output_shape == (65, 32, 32)  # equation (7)
    assert parts["U-Net encoder 3"].output_shape == (256, 16 // 2, 16 // 2)
    assert parts["U-Net bottleneck"].output_shape == (512, 4, 4)
    assert parts["U-Net decoder 1"].input_shapes == ((128, 16, 16), (64, 32, 32))
    assert parts["mean head"].output_shape == (1, 32, 32)
    assert parts["upsampling"].output_shape == (1, 128, 128)


@pytest.mark.parametrize("departure", [{}, {"temporal_encoder": "none"}, {"variance_head": False}])
def test_description_adds_up_and_leaves_the_model_as_it_was(departure: dict[str, Any]) -> None:
    network = toy(**departure)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert sum(part.parameters for part in describe(network, size=16)) == count_parameters(network)
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("normalisation", ["batch", "group", "none"])
@pytest.mark.parametrize(("height", "width"), [(8, 8), (16, 24), (32, 8)])
def test_shapes_and_the_variance_floor(normalisation: str, height: int, width: int) -> None:
    output = toy(normalisation=normalisation)(*fields(height, width))
    assert output.mean.shape == (2, 1, 4 * height, 4 * width)
    assert output.variance is not None
    assert output.variance.shape == output.mean.shape
    assert (output.variance >= TOY["variance_floor"]).all()


def test_heads_before_the_upsampling_are_the_papers_heads_after_it() -> None:
    network = toy().double().eval()
    climate, storage = (field.double() for field in fields())
    assert network.encoder is not None
    assert network.variance_head is not None
    features = upsample(network.unet(network.fusion(network.encoder(climate), storage)), Kernel.BILINEAR)
    output = network(climate, storage)
    torch.testing.assert_close(output.mean, network.mean_head(features))
    variance = functional.softplus(network.variance_head(features)) + TOY["variance_floor"]
    torch.testing.assert_close(output.variance, variance)


@pytest.mark.parametrize("variance_head", [True, False])
def test_the_untrained_residual_is_the_bilinear_interpolation(variance_head: bool) -> None:
    climate, storage = fields()
    output = toy(residual=True, normalisation="group", variance_head=variance_head)(climate, storage)
    assert torch.equal(output.mean, upsample(storage, Kernel.BILINEAR))
    if variance_head:
        torch.testing.assert_close(output.variance, torch.full_like(output.mean, 2 * TOY["variance_floor"]))
    else:
        assert output.variance is None


@pytest.mark.parametrize("variance_head", [True, False])
def test_the_residual_can_leave_the_interpolation(variance_head: bool) -> None:
    network = toy(residual=True, normalisation="group", variance_head=variance_head)
    output = network(*fields())
    output.mean.square().mean().backward()
    assert network.mean_head.weight.grad is not None
    assert network.mean_head.weight.grad.abs().max() > 0


def test_without_an_encoder_only_the_target_month_counts() -> None:
    network = toy(temporal_encoder="none").eval()
    assert network.encoder is None
    climate, storage = fields()
    earlier, last = climate.clone(), climate.clone()
    earlier[:, :-1] += 1.0
    last[:, -1] += 1.0
    mean = network(climate, storage).mean
    assert torch.equal(network(earlier, storage).mean, mean)
    assert not torch.allclose(network(last, storage).mean, mean)


def test_every_parameter_gets_a_gradient() -> None:
    network = toy()
    output = network(*fields())
    (output.mean.square().mean() + output.variance.log().mean()).backward()
    # A convolution's bias before a batch normalisation has a gradient of zero, but it has one.
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize(
    ("climate", "storage", "words"),
    [
        ((2, 2, 4, 16, 16), (2, 1, 16, 16), r"expects \(B, 3 months, 4 variables: precipitation"),
        ((2, 3, 5, 16, 16), (2, 1, 16, 16), r"climate has shape \(2, 3, 5, 16, 16\)"),
        ((3, 4, 16, 16), (2, 1, 16, 16), "climate has shape"),
        ((2, 3, 4, 16, 16), (2, 16, 16), r"storage has shape .* expects \(2, 1, 16, 16\)"),
        ((2, 3, 4, 16, 12), (2, 1, 16, 12), "3 poolings need multiples of 8"),
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
    found = [
        output.mean.mean().item(),
        output.mean[0, 0, 5, 9].item(),
        output.variance.mean().item(),
        output.variance[0, 0, 20, 3].item(),
    ]
    assert found == pytest.approx(FROZEN, rel=1e-9)


FROZEN = [1.9435854319140793, 1.283189935935822, 1.406475967150925, 0.9618474796197825]


def test_state_round_trip() -> None:
    first, second = toy(), Downscaler(**TOY)
    second.load_state_dict(first.state_dict())
    inputs = fields()
    assert torch.equal(first.eval()(*inputs).mean, second.eval()(*inputs).mean)
