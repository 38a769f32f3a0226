import pytest
import torch
from torch.nn import functional

from gwsd.model.convolution import Convolution, convolve


def drawn(channels: int, *shape: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    field = torch.randn(2, channels, *shape, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(5, channels, 3, 3, dtype=torch.float64, requires_grad=True)
    return field, weight, torch.randn(5, dtype=torch.float64, requires_grad=True)


def gradients(answer: torch.Tensor, of: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad((answer * torch.arange(answer.numel()).reshape(answer.shape)).sum(), of)


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("shape", [(4, 4), (2, 6), (1, 1), (7, 9)])
def test_whatever_the_depth_it_is_the_same(shape: tuple[int, int], biased: bool) -> None:
    field, weight, bias = drawn(32, *shape)
    of = (field, weight, bias) if biased else (field, weight)
    expected = functional.conv2d(field, weight, bias if biased else None, padding=1)
    answer = convolve(field, weight, bias if biased else None, wraps=False)
    torch.testing.assert_close(answer, expected)
    for found, wanted in zip(gradients(answer, of), gradients(expected, of), strict=True):
        torch.testing.assert_close(found, wanted)


def test_a_deep_field_on_a_global_grid_wraps() -> None:
    module = Convolution(64, 3).double()
    torch.manual_seed(2)
    field = torch.randn(1, 64, 2, 8, dtype=torch.float64)
    module.wraps = True
    torch.testing.assert_close(module(field.roll(3, dims=-1)), module(field).roll(3, dims=-1))


def test_the_memory_layout_stays() -> None:
    field, weight, bias = drawn(32, 4, 4)
    answer = convolve(field.contiguous(memory_format=torch.channels_last), weight, bias, wraps=False)
    assert answer.is_contiguous(memory_format=torch.channels_last)
