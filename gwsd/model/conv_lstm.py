"""Convolutional LSTM: encoder of the months of climate (Shi et al., 2015; equations 1-6)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gwsd.model.convolution import Convolution, convolve

TILE_CHANNELS = 32
"""Input channels that a matrix unit for bfloat16 (AMX) processes at once; fewer are padded with zeros."""


class ConvLSTMLayer(nn.Module):
    """One ConvLSTM layer, run over a sequence of months.

    The paper's equation (5) prints the cell state as i; it is read as c (c = f∘c + i∘c~), as in Shi et al. (2015).
    The four gates share one convolution over the month's input and the last hidden state. In bfloat16, where the
    hidden state fills whole tiles and the input does not (64 channels and 4), its two parts are computed separately
    and added: 68 channels would take the time of 96, and the climate would be given a gradient that nothing needs.
    """

    def __init__(self, *, input_channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.input_channels = input_channels
        self.hidden_channels = hidden_channels
        # Rows of the kernel: input gate, output gate, candidate, forget gate. The forget gate is last
        # so that the first month, which has nothing to forget, uses the rows before it.
        self.gates = Convolution(input_channels + hidden_channels, 4 * hidden_channels)

    def forward(self, sequence: Sequence[Tensor]) -> list[Tensor]:
        """Return the hidden states h (equation 6) of all months, each (B, hidden_channels, H, W), in (-1, 1).

        `sequence` holds the standardised months, oldest first, each of shape (B, input_channels, H, W).
        """
        hidden, cell = self._first(sequence[0])
        states = [hidden]
        for month in sequence[1:]:
            hidden, cell = self._next(month, hidden, cell)
            states.append(hidden)
        return states

    def _first(self, month: Tensor) -> tuple[Tensor, Tensor]:
        """Equations (1)-(6) for the zero state: neither W_h nor the forget gate has an effect."""
        rows = 3 * self.hidden_channels
        bias = self.gates.bias
        assert bias is not None
        weight = self.gates.weight[:rows, : self.input_channels]
        gates = convolve(month, weight, bias[:rows], wraps=self.gates.wraps)
        input_gate, output_gate, candidate = gates.chunk(3, dim=1)
        cell = torch.sigmoid(input_gate) * torch.tanh(candidate)
        return torch.sigmoid(output_gate) * torch.tanh(cell), cell

    def _next(self, month: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """Equations (1)-(6)."""
        input_gate, output_gate, candidate, forget_gate = self._gates(month, hidden).chunk(4, dim=1)
        cell = torch.sigmoid(forget_gate) * cell + torch.sigmoid(input_gate) * torch.tanh(candidate)
        return torch.sigmoid(output_gate) * torch.tanh(cell), cell

    def _gates(self, month: Tensor, hidden: Tensor) -> Tensor:
        """W_x * x + W_h * h + b of all four gates."""
        fills_tiles = self.hidden_channels % TILE_CHANNELS == 0 and self.input_channels % TILE_CHANNELS != 0
        if month.dtype is not torch.bfloat16 or not fills_tiles:
            return self.gates(torch.cat([month, hidden], dim=1))
        of_month, of_hidden = self.gates.weight.split([self.input_channels, self.hidden_channels], dim=1)
        wraps = self.gates.wraps
        gates = convolve(month, of_month, self.gates.bias, wraps=wraps)
        return gates.add_(convolve(hidden, of_hidden, None, wraps=wraps))


class ConvLSTM(nn.Module):
    """Stacked ConvLSTM layers (2 with 64 channels in Table 1); returns the last hidden state of the last layer."""

    def __init__(self, *, input_channels: int, hidden_channels: int, layers: int) -> None:
        super().__init__()
        widths = [input_channels] + [hidden_channels] * layers
        self.layers = nn.ModuleList(
            ConvLSTMLayer(input_channels=below, hidden_channels=above) for below, above in pairwise(widths)
        )

    def forward(self, climate: Tensor) -> Tensor:
        """Encode standardised climate, (B, T, C, H, W), target month last, as h_T, (B, hidden_channels, H, W)."""
        # unbind, not climate[:, t]: the backward of an index fills a whole zero tensor for each month.
        sequence = list(climate.unbind(dim=1))
        for layer in self.layers:
            sequence = layer(sequence)
        return sequence[-1]
