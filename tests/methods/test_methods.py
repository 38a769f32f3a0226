import dataclasses
import json

import numpy as np
import pytest
import torch

from gwsd.errors import DataError
from gwsd.methods.interpolation import Interpolation
from gwsd.methods.method import Method, Prediction
from gwsd.methods.network import Network
from gwsd.model.downscaler import Downscaler
from gwsd.patches.gathering import Batch, Scale
from gwsd.resample import Kernel, upsample
from gwsd.training.weights import write_weights

SCALE = Scale(mean=-3.0, std=60.0)


def a_batch(patches: int = 2, size: int = 8, months: int = 2, seed: int = 1) -> Batch:
    draw = torch.Generator().manual_seed(seed)

    def coarse() -> torch.Tensor:
        return torch.randn(patches, 1, size, size, generator=draw)

    storage_mm = 60.0 * coarse() - 3.0
    fine = (patches, 1, 4 * size, 4 * size)
    return Batch(
        climate=torch.randn(patches, months, 4, size, size, generator=draw),
        storage=SCALE.standardise(storage_mm),
        storage_mm=storage_mm,
        previous_mm=60.0 * coarse(),
        has_previous=torch.ones(patches, dtype=torch.bool),
        target_mm=upsample(storage_mm, Kernel.BICUBIC),
        valid=torch.ones(fine, dtype=torch.bool),
        area=torch.ones(fine),
        precipitation=50.0 * coarse().abs(),
        evapotranspiration=50.0 * coarse().abs(),
        soil_moisture=0.3 * coarse().abs(),
        any_previous=True,
    )


MODEL = {
    "temporal_encoder": "conv_lstm",
    "memory": 2,
    "climate_variables": ["precipitation", "soil_moisture", "temperature", "surface_pressure"],
    "lstm_channels": 4,
    "lstm_layers": 1,
    "unet_channels": [4, 8],
    "bottleneck_channels": 8,
    "normalisation": "batch",
    "residual": False,
    "variance_head": True,
    "variance_floor": 1e-4,
}


def a_network(**changes) -> Downscaler:
    torch.manual_seed(0)
    return Downscaler(**{**MODEL, **changes})


@pytest.mark.parametrize("kernel", list(Kernel))
def test_an_interpolation_is_a_method_named_by_its_kernel(kernel):
    method = Interpolation(kernel)
    assert isinstance(method, Method)
    assert method.name == kernel.value
    answer = method.predict(a_batch())
    assert answer.sd is None
    assert answer.mean.shape == (2, 1, 32, 32)


def test_nearest_repeats_each_coarse_cell_sixteen_times():
    batch = a_batch()
    expected = np.kron(batch.storage_mm.numpy(), np.ones((4, 4), dtype=np.float32))
    np.testing.assert_array_equal(Interpolation(Kernel.NEAREST).predict(batch).mean.numpy(), expected)


def test_bilinear_has_half_pixel_centres():
    # Between the centres of two coarse cells lie fine cells at 1/8, 3/8, 5/8 and 7/8 of the way.
    batch = a_batch()
    batch = dataclasses.replace(batch, storage_mm=torch.arange(8.0).expand(2, 1, 8, 8).contiguous())
    row = Interpolation(Kernel.BILINEAR).predict(batch).mean[0, 0, 5]
    torch.testing.assert_close(row[2:6], torch.tensor([0.125, 0.375, 0.625, 0.875]))
    torch.testing.assert_close(row[:2], torch.zeros(2))


def test_bicubic_is_the_target_itself():
    batch = a_batch()
    assert torch.equal(Interpolation(Kernel.BICUBIC).predict(batch).mean, batch.target_mm)


def test_a_network_answers_in_millimetres():
    batch, model = a_batch(), a_network()
    answer = Network("full", model, SCALE).predict(batch)
    with torch.no_grad():
        standardised = model.eval()(batch.climate, batch.storage)
    torch.testing.assert_close(answer.mean, standardised.mean * 60.0 - 3.0)
    torch.testing.assert_close(answer.sd**2, standardised.variance * 3600.0)
    assert not answer.mean.requires_grad
    assert isinstance(Network("full", model, SCALE), Method)
    assert Network("full", model, SCALE).name == "full"


def test_a_network_without_a_variance_head_states_no_standard_deviation():
    assert Network("no_uncertainty", a_network(variance_head=False), SCALE).predict(a_batch()).sd is None


def test_a_patch_is_answered_alike_whatever_else_is_in_its_batch_and_statistics_do_not_move():
    batch, model = a_batch(), a_network()
    method = Network("full", model, SCALE)
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    together = method.predict(batch).mean
    fields = {field.name: getattr(batch, field.name) for field in dataclasses.fields(batch)}
    one = Batch(**{name: value[1:] if isinstance(value, torch.Tensor) else value for name, value in fields.items()})
    torch.testing.assert_close(method.predict(one).mean, together[1:])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def saved(path, model=MODEL):
    metadata = {} if model is None else {"model": json.dumps(model)}
    write_weights(path, a_network().state_dict(), metadata)
    return path


def test_a_network_comes_back_from_its_weights(tmp_path):
    path = saved(tmp_path / "weights.safetensors")
    again = Network.from_weights("full", path, MODEL, scale=SCALE, device="cpu")
    batch = a_batch()
    assert torch.equal(again.predict(batch).mean, Network("full", a_network(), SCALE).predict(batch).mean)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"climate_variables": ["precipitation", "temperature"]},
            r"trained with climate_variables = precipitation, soil_moisture, temperature, surface_pressure, but the "
            r"scenario has precipitation, temperature; train 'full' again",
        ),
        (
            # The same number of channels: no shape would show it.
            {"climate_variables": ["temperature", "soil_moisture", "precipitation", "surface_pressure"]},
            "but the scenario has temperature, soil_moisture, precipitation, surface_pressure",
        ),
        ({"memory": 6}, r"trained with model\.memory = 2, but the scenario has 6"),
    ],
)
def test_weights_of_another_climate_or_model_are_refused_with_both_named(tmp_path, changes, words):
    path = saved(tmp_path / "weights.safetensors")
    with pytest.raises(DataError, match=words):
        Network.from_weights("full", path, {**MODEL, **changes}, scale=SCALE, device="cpu")


def test_weights_that_do_not_say_their_model_are_refused(tmp_path):
    path = saved(tmp_path / "weights.safetensors", None)
    with pytest.raises(DataError, match="does not say which model its weights are of; train 'full' again"):
        Network.from_weights("full", path, MODEL, scale=SCALE, device="cpu")


def test_a_prediction_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"mean of a prediction has shape \(2, 8, 8\); expected \(B, 1, 4H, 4W\)"):
        Prediction(torch.zeros(2, 8, 8))
    with pytest.raises(ValueError, match=r"standard deviation of a prediction has shape \(2, 1, 8, 4\)"):
        Prediction(torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 8, 4))
