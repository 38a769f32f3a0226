import torch
from torch.nn import functional

from gwsd.model.conv_lstm import ConvLSTM, ConvLSTMLayer


def written_out(layer: ConvLSTMLayer, sequence: torch.Tensor) -> torch.Tensor:
    """Equations (1)-(6) one by one, gate by gate, from the zero state."""
    n = layer.hidden_channels
    weight, bias = layer.gates.weight, layer.gates.bias
    hidden = cell = torch.zeros(sequence.shape[0], n, *sequence.shape[-2:], dtype=sequence.dtype)
    states = []
    for step in range(sequence.shape[1]):

        def gate(number: int, month: torch.Tensor = sequence[:, step], hidden: torch.Tensor = hidden) -> torch.Tensor:
            rows = slice(number * n, (number + 1) * n)
            of_input = functional.conv2d(month, weight[rows, : layer.input_channels], padding=1)
            of_hidden = functional.conv2d(hidden, weight[rows, layer.input_channels :], padding=1)
            return of_input + of_hidden + bias[rows, None, None]

        i, o, candidate, f = torch.sigmoid(gate(0)), torch.sigmoid(gate(1)), torch.tanh(gate(2)), torch.sigmoid(gate(3))
        cell = f * cell + i * candidate
        hidden = o * torch.tanh(cell)
        states.append(hidden)
    return torch.stack(states, dim=1)


def test_separate_convolutions_in_bfloat16_agree_but_for_rounding() -> None:
    torch.manual_seed(5)
    layer = ConvLSTMLayer(input_channels=3, hidden_channels=32)
    sequence = torch.randn(2, 4, 3, 8, 8, requires_grad=True)
    of = [sequence, *layer.parameters()]

    def of_states(*, exact: bool) -> list[torch.Tensor]:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not exact):
            months = sequence if exact else sequence.to(torch.bfloat16)
            states = torch.stack(layer(months.unbind(1)), dim=1).float()
        return [states, *torch.autograd.grad(states.square().sum(), of)]

    for rough, exact in zip(of_states(exact=False), of_states(exact=True), strict=True):
        assert (rough - exact).norm() < 0.02 * exact.norm()


def test_the_encoder_is_the_papers_equations() -> None:
    torch.manual_seed(2)
    encoder = ConvLSTM(input_channels=3, hidden_channels=4, layers=2).double()
    climate = torch.randn(2, 4, 3, 5, 6, dtype=torch.float64)
    first, second = encoder.layers
    states = written_out(first, climate)
    torch.testing.assert_close(torch.stack(first(climate.unbind(1)), dim=1), states)
    torch.testing.assert_close(encoder(climate), written_out(second, states)[:, -1])
