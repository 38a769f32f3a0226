"""Table 1: the configuration, counted on the model object, beside the paper's. Needs no data."""

from collections.abc import Mapping, Sequence
from typing import Any

from gwsd.constraints import CONSTRAINTS, constraints_of, left_out_note
from gwsd.model.convolution import KERNEL_SIZE
from gwsd.model.description import Component, describe
from gwsd.model.downscaler import Downscaler
from gwsd.tables.formatting import Column, Table, Value
from gwsd.tables.reported import REPORTED, reported_value

_COLUMNS = (
    Column("Component", "label", text=True),
    Column("Configuration", "configuration", text=True),
    Column("Parameters", "parameters"),
    Column("Configuration", "paper_configuration", text=True, group=REPORTED),
)

_NOTES = (
    "Channels and parameters are counted on the network as it was built, and the settings are those of `full`.",
    "The paper does not print the channels of the bottleneck, nor which weights it counts: 512 channels, biases in the "
    "convolutions and batch normalisation give 8,190,850, its 8.2 million.",
    "The paper's equation (5) prints the cell state as i; it is read as c. Its equation (9) leaves out the softplus "
    "that its text names.",
)


def build(
    *,
    network: Downscaler,
    size: int,
    loss: Mapping[str, Any],
    training: Mapping[str, Any],
    provenance_note: str,
) -> Table:
    """Describe the network of `full` and how it is trained.

    Parameters
    ----------
    network : Downscaler
        Built from the settings of `full`; its weights do not matter.
    size : int
        Coarse cells along a patch's side.
    loss, training : mapping
        Settings of `full`.
    provenance_note : str
        Which Earth the scenario is about; may be empty.

    Returns
    -------
    Table
        The parameters of the parts sum to those of the row `parameters`.
    """
    parts = describe(network, size=size)
    constraints = constraints_of(network.climate_variables)
    rows = (*_network_rows(network, parts), *_training_rows(loss, training, constraints))
    return Table(rows, _COLUMNS, (*left_out_note(network.climate_variables), *_NOTES), provenance_note)


def _network_rows(model: Downscaler, parts: Sequence[Component]) -> tuple[Mapping[str, Value], ...]:
    def named(start: str) -> list[Component]:
        return [part for part in parts if part.name.startswith(start)]

    def channels(components: Sequence[Component]) -> list[int]:
        # the third from last: a ConvLSTM's output is a sequence, (T, C, H, W)
        return [component.output_shape[-3] for component in components]

    lstm, encoder, decoder = named("ConvLSTM"), named("U-Net encoder"), named("U-Net decoder")
    bottleneck, heads = named("U-Net bottleneck"), [part for part in parts if part.kind == "head"]
    (upsampling,) = [part for part in parts if part.kind == "upsampling"]
    factor = upsampling.output_shape[-1] // upsampling.input_shapes[0][-1]
    names = ", ".join(name.replace("_", " ") for name in model.climate_variables)
    if model.encoder is None:
        temporal = "none"
    else:
        width = ", ".join(str(width) for width in dict.fromkeys(channels(lstm)))
        temporal = f"{_count(len(lstm), 'layer')}, {width} channels, {KERNEL_SIZE}×{KERNEL_SIZE} kernel"
    stated = "Mean and variance, 1×1 kernel, softplus" if model.variance_head is not None else "Mean, 1×1 kernel"
    mean = " The mean corrects the bilinear interpolation." if model.residual else ""
    return (
        _row("memory", "Climate memory", _count(model.memory, "month")),
        _row("climate", "Climate", f"{_count(len(model.climate_variables), 'variable')}: {names}"),
        _row("conv_lstm", "ConvLSTM encoder", temporal, _parameters(lstm)),
        _row(
            "encoder",
            "U-Net encoder",
            f"{_count(len(encoder), 'downsampling level')} {channels(encoder)}",
            _parameters(encoder),
        ),
        _row("bottleneck", "U-Net bottleneck", f"{channels(bottleneck)[0]} channels", _parameters(bottleneck)),
        _row(
            "decoder",
            "U-Net decoder",
            f"{_count(len(decoder), 'upsampling level')} {channels(decoder)}",
            _parameters(decoder),
        ),
        _row("heads", "Heads", stated + mean, _parameters(heads)),
        _row("upsampling", "Final upsampling", f"Bilinear {factor}×", 0),
        _row("parameters", "Total parameters", f"{_parameters(parts) / 1e6:.2g} million", _parameters(parts)),
    )


def _training_rows(
    loss: Mapping[str, Any], training: Mapping[str, Any], constraints: Sequence[str]
) -> tuple[Mapping[str, Value], ...]:
    rate, decay = _short(training["learning_rate"]), _short(training["weight_decay"])
    if training["schedule"] == "plateau":
        schedule = (
            f"ReduceLROnPlateau, factor {training['plateau_factor']:g} after {training['plateau_patience']} epochs"
        )
    else:
        schedule = "One cycle" if training["schedule"] == "one_cycle" else str(training["schedule"])
    physics = f"phys={loss['physics_weight']:g}" if constraints else "no physics"
    if 0 < len(constraints) < len(CONSTRAINTS):
        physics += f" ({', '.join(constraints)} only)"
    weights = f"{physics}, smooth={loss['smoothness_weight']:g}"
    stopping = f"early stopping after {training['early_stopping_patience']}"
    return (
        _row("optimizer", "Optimiser", f"AdamW (lr={rate}, wd={decay})"),
        _row("schedule", "Learning rate schedule", schedule),
        _row("clip_norm", "Gradient clipping", f"{training['clip_norm']:.1f}"),
        _row("batch_size", "Batch size", str(training["batch_size"])),
        _row("epochs", "Training epochs", f"{training['epochs']} ({stopping})"),
        _row("loss_weights", "Loss weights", weights),
    )


def _row(component: str, label: str, configuration: str, parameters: int | None = None) -> Mapping[str, Value]:
    return {
        "component": component,
        "label": label,
        "configuration": configuration,
        "parameters": parameters,
        "paper_configuration": reported_value("table1", component, "configuration"),
    }


def _parameters(components: Sequence[Component]) -> int:
    return sum(component.parameters for component in components)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _short(value: float) -> str:
    """0.001 as 1e-3, as the paper prints it."""
    mantissa, exponent = f"{value:e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"
