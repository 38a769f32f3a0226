import dataclasses

import numpy as np
import pytest
import torch

from gwsd.methods.interpolation import Interpolation
from gwsd.methods.method import Method, Prediction
from gwsd.methods.network import Network
from gwsd.model.downscaler import Downscaler
from gwsd.patches.gathering import Batch, Scale
from gwsd.resample import Kernel, upsample

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
    )


def a_network(*, variance_head: bool = True, normalisation: str = "batch") -> Downscaler:
    torch.manual_seed(0)
    return Downscaler(
        temporal_encoder="conv_lstm",
        memory=2,
        climate_variables=["precipitation", "soil_moisture", "temperature", "surface_pressure"],
        lstm_channels=4,
        lstm_layers=1,
        unet_channels=[4, 8],
        bottleneck_channels=8,
        normalisation=normalisation,
        residual=False,
        variance_head=variance_head,
        variance_floor=1e-4,
    )


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
    one = Batch(**{field.name: getattr(batch, field.name)[1:] for field in dataclasses.fields(batch)})
    torch.testing.assert_close(method.predict(one).mean, together[1:])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_prediction_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"mean of a prediction has shape \(2, 8, 8\); expected \(B, 1, 4H, 4W\)"):
        Prediction(torch.zeros(2, 8, 8))
    with pytest.raises(ValueError, match=r"standard deviation of a prediction has shape \(2, 1, 8, 4\)"):
        Prediction(torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 8, 4))
