"""Round the Earth: what convolutions and interpolation meet beyond the date line, and nothing else changed."""

from typing import Any

import pytest
import torch
from torch import nn

from gwsd.model.convolution import Convolution
from gwsd.model.downscaler import Downscaler
from gwsd.resample import Kernel, upsample

MODEL: dict[str, Any] = {
    "temporal_encoder": "conv_lstm",
    "memory": 3,
    "climate_variables": ["precipitation", "temperature"],
    "lstm_channels": 4,
    "lstm_layers": 2,
    "unet_channels": [4, 4, 8],
    "bottleneck_channels": 8,
    "normalisation": "batch",
    "residual": False,
    "variance_head": True,
    "variance_floor": 1.0e-4,
}


def network(**departures: Any) -> Downscaler:
    torch.manual_seed(1)
    return Downscaler(**(MODEL | departures)).eval()


def fields() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    return torch.randn(1, 3, 2, 16, 48), torch.randn(1, 1, 16, 48)


def test_without_wrapping_a_convolution_is_the_plain_one() -> None:
    torch.manual_seed(3)
    plain = nn.Conv2d(3, 5, 3, padding=1)
    torch.manual_seed(3)
    ours = Convolution(3, 5)
    field = torch.randn(2, 3, 7, 9)
    assert list(ours.state_dict()) == list(plain.state_dict())
    assert torch.equal(ours(field), plain(field))


@pytest.mark.parametrize("kernel", list(Kernel))
def test_interpolation_round_the_earth_is_that_of_the_field_repeated(kernel: Kernel) -> None:
    field = torch.randn(1, 1, 6, 10)
    thrice = upsample(torch.cat([field] * 3, dim=-1), kernel)[..., 40:80]
    torch.testing.assert_close(upsample(field, kernel, wraps=True), thrice)
    if kernel is not Kernel.NEAREST:
        assert not torch.allclose(upsample(field, kernel), thrice)


@pytest.mark.parametrize(
    "departure",
    [{}, {"temporal_encoder": "none"}, {"normalisation": "group"}, {"normalisation": "none", "residual": True}],
)
def test_a_shift_by_eight_columns_shifts_the_output(departure: dict[str, Any]) -> None:
    one = network(**departure)
    if departure.get("residual"):
        nn.init.normal_(one.mean_head.weight)
    climate, storage = fields()
    with torch.no_grad():
        one.wrap_longitude(True)
        here, there = one(climate, storage), one(climate.roll(8, dims=-1), storage.roll(8, dims=-1))
        for before, after in zip(here, there, strict=True):
            torch.testing.assert_close(before.roll(32, dims=-1), after, atol=1e-5, rtol=1e-5)
        one.wrap_longitude(False)
        edged = one(climate.roll(8, dims=-1), storage.roll(8, dims=-1))
    assert not torch.allclose(here.mean.roll(32, dims=-1), edged.mean, atol=1e-3)


def test_wrapping_can_be_taken_back() -> None:
    one = network()
    with torch.no_grad():
        before = one(*fields())
        one.wrap_longitude(True)
        one.wrap_longitude(False)
        after = one(*fields())
    assert torch.equal(before.mean, after.mean)


def test_in_bfloat16_the_answer_is_float32_and_near_that_in_float32() -> None:
    one = network(residual=True)
    nn.init.normal_(one.mean_head.weight, std=0.1)
    climate, storage = fields()
    with torch.no_grad():
        exact = one(climate, storage)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = one(climate, storage)
    assert rough.mean.dtype == rough.variance.dtype == torch.float32
    assert not torch.equal(rough.mean, exact.mean)
    torch.testing.assert_close(rough.mean, exact.mean, atol=0.05, rtol=0.05)
    # Heads in bfloat16 would leave steps of a hundredth at a mean of two; the skip over the network must not.
    nn.init.zeros_(one.mean_head.weight)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        untrained = one(climate, storage)
    assert torch.equal(untrained.mean, upsample(storage, Kernel.BILINEAR))
