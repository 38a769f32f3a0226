"""Components of a network with shapes and parameter counts, read from the model object (Table 1, Figure 2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gwsd.model.downscaler import Downscaler, count_parameters


@dataclass(frozen=True)
class Component:
    """One part of a network, such as "U-Net encoder 2" of the kind "U-Net".

    Shapes are without the batch dimension; a sequence of months counts as (T, C, H, W).
    """

    name: str
    kind: str
    input_shapes: tuple[tuple[int, ...], ...]
    output_shape: tuple[int, ...]
    parameters: int


def describe(model: Downscaler, *, size: int) -> list[Component]:
    """List the parts of a network in the order in which data pass through them.

    Zeros of a patch with `size` coarse cells a side are run through the model, which stays as it is, and the shapes
    are recorded. The parts' parameters sum to the model's.
    """
    named = _parts(model)
    found: dict[str, Component] = {}
    handles = []
    for name, (kind, module) in named.items():

        def record(module: nn.Module, inputs: Any, output: Any, *, name: str = name, kind: str = kind) -> None:
            shapes = tuple(_shape(value) for value in inputs)
            found[name] = Component(name, kind, shapes, _shape(output), count_parameters(module))

        handles.append(module.register_forward_hook(record))
    device = next(model.parameters()).device
    was_training = model.training
    try:
        # In evaluation mode: running statistics must not see the zeros.
        model.eval()
        with torch.no_grad():
            model(
                torch.zeros(1, model.history_months, len(model.climate_variables), size, size, device=device),
                torch.zeros(1, 1, size, size, device=device),
            )
    finally:
        model.train(was_training)
        for handle in handles:
            handle.remove()
    return [found[name] for name in named]


def _parts(model: Downscaler) -> dict[str, tuple[str, nn.Module]]:
    parts: dict[str, tuple[str, nn.Module]] = {}
    if model.encoder is not None:
        for number, layer in enumerate(model.encoder.layers, start=1):
            parts[f"ConvLSTM {number}"] = ("ConvLSTM", layer)
    parts["fusion"] = ("fusion", model.fusion)
    for number, descent in enumerate(model.unet.descents, start=1):
        parts[f"U-Net encoder {number}"] = ("U-Net", descent)
    parts["U-Net bottleneck"] = ("U-Net", model.unet.bottleneck)
    levels = len(model.unet.ascents)
    for number, ascent in enumerate(model.unet.ascents):
        parts[f"U-Net decoder {levels - number}"] = ("U-Net", ascent)
    parts["mean head"] = ("head", model.mean_head)
    if model.variance_head is not None:
        parts["variance head"] = ("head", model.variance_head)
    parts["upsampling"] = ("upsampling", model.upsampling)
    return parts


def _shape(value: Tensor | Sequence[Tensor]) -> tuple[int, ...]:
    if isinstance(value, Tensor):
        return tuple(value.shape[1:])
    return (len(value), *value[0].shape[1:])
