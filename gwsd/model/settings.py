"""Settings of the network and of its execution."""

from typing import Literal

from pydantic import Field

from gwsd.settings import Positive, Section


class Model(Section):
    """Architecture of the network."""

    temporal_encoder: Literal["conv_lstm", "none"]
    """Encoder of the months of climate."""

    history_months: int = Field(ge=1, le=12)
    """Months of climate, the target month last."""

    lstm_channels: Positive
    """Hidden channels of each ConvLSTM layer."""

    lstm_layers: Positive
    """ConvLSTM layers."""

    unet_channels: list[Positive] = Field(min_length=1, max_length=3)
    """Channels of each U-Net level, the finest first."""

    bottleneck_channels: Positive
    """Channels of the U-Net's bottleneck."""

    normalisation: Literal["batch", "group", "none"]
    """Normalisation after each U-Net convolution."""

    residual: bool
    """Predict a correction to bilinear interpolation."""

    variance_head: bool
    """Predict a variance; false: train on the mean squared error."""

    variance_floor: float = Field(gt=0)
    """Smallest variance, of the standardised storage."""


class CpuExecution(Section):
    """Execution of the network on the CPU."""

    precision: Literal["auto", "float32", "bfloat16"]
    """Precision of convolutions; heads and losses are in float32. auto: bfloat16 on processors that compute in it."""

    channels_last: bool
    """Keep the channels of a pixel together in memory."""

    compile: bool
    """Compile the network, if a C++ compiler is installed; takes a minute or two at the start."""


class CudaExecution(Section):
    """Execution of the network on a GPU."""

    precision: Literal["auto", "float32", "bfloat16"]
    """Precision of convolutions; heads and losses are in float32. auto: bfloat16 on GPUs that compute in it."""

    channels_last: bool
    """Keep the channels of a pixel together in memory."""

    compile: bool
    """Compile the network; takes a minute or two at the start."""

    graphs: bool
    """Replay the compiled network as CUDA graphs."""

    max_trainings_per_device: int = Field(ge=1, le=16)
    """Trainings that share one GPU."""


class Execution(Section):
    """Execution of the network, by kind of device."""

    cpu: CpuExecution
    cuda: CudaExecution
