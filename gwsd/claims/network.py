"""The network's parameters and multiplications, counted from its description in words alone.

No code of the model is used, so that the count is a second opinion on it.
"""

GATES = 4
"""Input, forget and output gate, and the candidate: equations (1) to (4)."""


def conv_lstm_parameters(channels: float, hidden: float, layers: float, kernel: float) -> float:
    """Return the weights and biases of a stack of convolutional LSTM layers."""
    total = 0.0
    for layer in range(int(layers)):
        into = (channels if layer == 0 else hidden) + hidden
        total += GATES * hidden * (into * kernel**2 + 1)
    return total


def u_net_parameters(into: float, first: float, second: float, third: float, bottleneck: float) -> float:
    """Return the parameters of a U-Net of three levels with two 3×3 convolutions and batch normalisation each.

    Transposed 2×2 convolutions go up; convolutions have biases; the deepest level has `bottleneck` channels, and none
    where that is 0 (the third level is then the deepest).
    """
    widths = [first, second, third] + ([bottleneck] if bottleneck else [])
    total = 0.0
    before = into
    for width in widths:
        total += _block(before, width)
        before = width
    for below, width in zip(widths[:0:-1], widths[-2::-1], strict=True):
        total += below * width * 4 + width
        total += _block(2 * width, width)
    return total


def multiplications_per_sample(memory: float, channels: float, hidden: float, layers: float, side: float) -> float:
    """Return the multiplications of the convolutional LSTM for one patch of `side` × `side` cells (3×3 kernels)."""
    total = 0.0
    for layer in range(int(layers)):
        into = (channels if layer == 0 else hidden) + hidden
        total += GATES * hidden * into * 9 * side**2
    return memory * total


def _block(into: float, out: float) -> float:
    first = into * out * 9 + out
    second = out * out * 9 + out
    return first + second + 2 * 2 * out
