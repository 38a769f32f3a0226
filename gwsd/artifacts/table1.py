"""Table 1: configuration of the network, counted on the model object, and of its training. Needs no data."""

from collections.abc import Sequence

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.formatting import Column, Row, Table
from gwsd.artifacts.reported import REPORTED, reported
from gwsd.losses import Loss
from gwsd.model.convolution import KERNEL_SIZE
from gwsd.model.description import Component, describe
from gwsd.model.downscaler import Downscaler
from gwsd.model.settings import Model
from gwsd.physics import CONSTRAINTS, constraints_of
from gwsd.training.settings import Training

_COLUMNS = (
    Column("Component", "label", text=True),
    Column("Configuration", "configuration", text=True),
    Column("Parameters", "parameters"),
    Column("Configuration", "paper_configuration", text=True, group=REPORTED),
)

_NOTES = (
    "Channels and parameters are counted on the network as built, with the settings of `full`.",
    "The paper prints neither the channels of the bottleneck nor which weights it counts: 512 channels, biases in the "
    "convolutions and batch normalisation give 8,190,850, its 8.2 million.",
    "The paper's equation (5) prints the cell state as i; it is read as c. Its equation (9) omits the softplus that "
    "its text names.",
)


def build(inputs: ArtifactInputs) -> Table:
    """Describe the network of `full` and its training; the parameters of the parts sum to those of `parameters`."""
    climate: list[str] = inputs.settings["climate_variables"]
    sections = {name: inputs.settings[name] for name in ("model", "loss", "training")}
    sections["model"] = {key: value for key, value in sections["model"].items() if key != "climate_variables"}
    network = Downscaler(Model.from_job(sections["model"]), climate)
    rows = (
        *_network_rows(network, describe(network, size=inputs.settings["patches"]["size"])),
        *_training_rows(Loss.from_job(sections["loss"]), Training.from_job(sections["training"]), climate),
    )
    return inputs.table(rows, _COLUMNS, *_NOTES)


def _network_rows(model: Downscaler, parts: Sequence[Component]) -> list[Row]:
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
    width = ", ".join(str(width) for width in dict.fromkeys(channels(lstm)))
    temporal = f"{_count(len(lstm), 'layer')}, {width} channels, {KERNEL_SIZE}×{KERNEL_SIZE} kernel" if lstm else "none"
    stated = "Mean and variance, 1×1 kernel, softplus" if model.variance_head is not None else "Mean, 1×1 kernel"
    mean = " The mean corrects the bilinear interpolation." if model.residual else ""
    down, up = _count(len(encoder), "downsampling level"), _count(len(decoder), "upsampling level")
    return [
        _row("memory", "Climate memory", _count(model.history_months, "month")),
        _row("climate", "Climate", f"{_count(len(model.climate_variables), 'variable')}: {names}"),
        _row("conv_lstm", "ConvLSTM encoder", temporal, lstm),
        _row("encoder", "U-Net encoder", f"{down} {channels(encoder)}", encoder),
        _row("bottleneck", "U-Net bottleneck", f"{channels(bottleneck)[0]} channels", bottleneck),
        _row("decoder", "U-Net decoder", f"{up} {channels(decoder)}", decoder),
        _row("heads", "Heads", stated + mean, heads),
        _row("upsampling", "Final upsampling", f"Bilinear {factor}×", []),
        _row("parameters", "Total parameters", f"{_parameters(parts) / 1e6:.2g} million", parts),
    ]


def _training_rows(loss: Loss, training: Training, climate: Sequence[str]) -> list[Row]:
    plateau = f"factor {training.plateau_factor:g} after {training.plateau_patience} epochs"
    schedule = f"ReduceLROnPlateau, {plateau}" if training.schedule == "plateau" else "One cycle"
    constraints = constraints_of(climate)
    physics = f"phys={loss.physics_weight:g}" if constraints else "no physics"
    if 0 < len(constraints) < len(CONSTRAINTS):
        physics += f" ({', '.join(constraints)} only)"
    stopping = f"early stopping after {training.early_stopping_patience}"
    rate, decay = _exponential(training.learning_rate), _exponential(training.weight_decay)
    return [
        _row("optimizer", "Optimiser", f"AdamW (lr={rate}, wd={decay})"),
        _row("schedule", "Learning rate schedule", schedule),
        _row("clip_norm", "Gradient clipping", f"{training.clip_norm:.1f}"),
        _row("batch_size", "Batch size", str(training.batch_size)),
        _row("epochs", "Training epochs", f"{training.epochs} ({stopping})"),
        _row("loss_weights", "Loss weights", f"{physics}, smooth={loss.smoothness_weight:g}"),
    ]


def _row(component: str, label: str, configuration: str, parts: Sequence[Component] | None = None) -> Row:
    return {
        "component": component,
        "label": label,
        "configuration": configuration,
        "parameters": None if parts is None else _parameters(parts),
        "paper_configuration": reported("table1", component, "configuration"),
    }


def _parameters(components: Sequence[Component]) -> int:
    return sum(component.parameters for component in components)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _exponential(value: float) -> str:
    """Print 0.001 as 1e-3, as the paper does."""
    mantissa, exponent = f"{value:e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"
