"""Figure 2, computed: the network's parts as the model object itself lists them, and the terms of its loss."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from gwsd.constraints import constraints_of
from gwsd.figures.data_file import labelled_table
from gwsd.losses import LossSettings
from gwsd.model.description import describe
from gwsd.model.downscaler import Downscaler

Row = dict[str, str | int]

ROLES = {"ConvLSTM": "conv_lstm", "fusion": "fusion", "upsampling": "upsampling", "head": "head"}
"""What the groups of the model's description are to the drawing; the U-Net's parts go by their names."""


def _row(
    role: str, name: str, shape: tuple[int, ...] | None = None, *, level: int = 0, parameters: int = 0, detail: str = ""
) -> Row:
    sizes = (0, 0, 0, 0) if shape is None else (shape if len(shape) == 4 else (1, *shape))
    months, channels, height, width = sizes
    return {
        "role": role,
        "level": level,
        "name": name,
        "detail": detail,
        "months": months,
        "channels": channels,
        "height": height,
        "width": width,
        "parameters": parameters,
    }


def network_rows(model: Downscaler, size: int) -> list[Row]:
    """List inputs and parts of a network in the order in which data pass through them.

    Parameters
    ----------
    model : Downscaler
        The model object.
    size : int
        Coarse cells along a patch's side.

    Returns
    -------
    list of dict
        `role` (input, conv_lstm, fusion, encoder, bottleneck, decoder, head, upsampling), `level` (layer or depth,
        from 1; 0 where there is one), `name`, `detail`, the output's `months`, `channels`, `height`, `width`, and
        `parameters`.
    """
    variables = model.climate_variables
    climate = (model.memory, len(variables), size, size)
    words = ", ".join(name.replace("_", " ") for name in variables)
    rows = [
        _row("input", "climate", climate, detail=words),
        _row("input", "storage", (1, size, size), detail="coarse, target month"),
    ]
    for part in describe(model, size=size):
        number = part.name.rsplit(" ", 1)[-1]
        level = int(number) if number.isdigit() else 0
        role = ROLES.get(part.kind)
        detail = ""
        if role is None:
            role = next(word for word in ("encoder", "bottleneck", "decoder") if word in part.name)
        if part.name == "mean head" and model.residual:
            detail = "correction to bilinear interpolation"
        if part.name == "variance head":
            detail = "softplus + floor after upsampling"
        rows.append(_row(role, part.name, part.output_shape, level=level, parameters=part.parameters, detail=detail))
    return rows


def loss_rows(loss: LossSettings, climate_variables: Sequence[str]) -> list[Row]:
    """List the terms of the loss that the climate allows, with their equations in the paper and their weights."""
    low, slope = loss.infiltration
    constraints = {
        "sign": _row("constraint", "sign agreement", detail="eq.\u00a012: signs of ΔG and of P\u00a0−\u00a0ET"),
        "magnitude": _row(
            "constraint",
            "magnitude correlation",
            detail=f"eq.\u00a013: ΔG and (P\u00a0−\u00a0ET)·α(θ), α\u00a0=\u00a0{low:g}\u00a0+\u00a0{slope:g}\u00a0θ",
        ),
        "regional": _row(
            "constraint",
            "regional balance",
            detail=f"eq.\u00a014: means over {loss.regional_pool}\u00a0×\u00a0{loss.regional_pool} cells",
        ),
    }
    kept = constraints_of(climate_variables)
    physics = f"{loss.physics_weight:g} · physics + " if kept else ""
    return [
        _row("loss", "data", detail="Gaussian likelihood, eq.\u00a011"),
        *(constraints[term] for term in kept),
        _row("loss", "smoothness", detail="total variation, eq.\u00a015"),
        _row(
            "total",
            "total loss",
            detail=f"eq.\u00a010: data + {physics}{loss.smoothness_weight:g} · smoothness",
        ),
    ]


def compute(
    *,
    model: Mapping[str, Any],
    patches: Mapping[str, Any],
    loss: Mapping[str, Any],
    data_label: str,
    source: str,
    reported: str = "",
) -> pd.DataFrame:
    """Compute the data of Figure 2.

    Parameters
    ----------
    model : mapping
        The settings' section `model`; the network is made from it and asked for its parts.
    patches : mapping
        The settings' section `patches`, of which `size` counts.
    loss : mapping
        The settings' section `loss`.
    data_label, source, reported : str
        Where the data come from, the job's key, and what the paper states.

    Returns
    -------
    DataFrame
        What `network_rows` and `loss_rows` list, one row each, with the labels. The parameters sum to the model's.
    """
    network = Downscaler(**model)
    variables = network.climate_variables
    rows = [*network_rows(network, int(patches["size"])), *loss_rows(LossSettings(**loss), variables)]
    return labelled_table(
        pd.DataFrame(rows), climate_variables=variables, data_label=data_label, source=source, reported=reported
    )
