import json

import numpy as np
import pytest
import torch

from gwsd.errors import DataError
from gwsd.methods.interpolation import Interpolation
from gwsd.methods.network import Network
from gwsd.model.downscaler import Downscaler
from gwsd.model.weights import write_weights
from gwsd.patches.gathering import Scale, gather
from gwsd.resample import Kernel
from tests.training.toy_earth import MODEL, SIZE, VARIABLES, change, toy_cube, toy_table

SCALE = Scale(mean=-3.0, std=60.0)


def a_batch(first=0):
    return gather(toy_cube(), toy_table(3, seed=1).iloc[first:], size=SIZE, history_months=2)


def a_network(**departures):
    torch.manual_seed(0)
    return Downscaler(change(MODEL, **departures), VARIABLES)


def test_nearest_repeats_each_coarse_cell_sixteen_times():
    batch = a_batch()
    expected = np.kron(batch.storage_mm.numpy(), np.ones((4, 4), dtype=np.float32))
    method = Interpolation(Kernel.NEAREST)
    np.testing.assert_array_equal(method.predict(batch).mean.numpy(), expected)
    assert method.predict(batch).sd is None


def test_bilinear_has_half_pixel_centres():
    # Between the centres of two coarse cells are fine cells at 1/8, 3/8, 5/8 and 7/8 of the distance.
    batch = a_batch()
    batch.storage_mm[:] = torch.arange(8.0)
    row = Interpolation(Kernel.BILINEAR).predict(batch).mean[0, 0, 5]
    torch.testing.assert_close(row[2:6], torch.tensor([0.125, 0.375, 0.625, 0.875]))
    torch.testing.assert_close(row[:2], torch.zeros(2))


def test_a_network_predicts_in_millimetres():
    batch, model = a_batch(), a_network()
    method = Network("full", model, SCALE)
    found = method.predict(batch)
    with torch.no_grad():
        standardised = model.eval()(batch.climate, batch.storage)
    torch.testing.assert_close(found.mean, standardised.mean * 60.0 - 3.0)
    torch.testing.assert_close(found.sd**2, standardised.variance * 3600.0)
    assert not found.mean.requires_grad
    assert Network("no_uncertainty", a_network(variance_head=False), SCALE).predict(batch).sd is None


def test_a_prediction_does_not_depend_on_the_rest_of_the_batch_or_change_the_network():
    method = Network("full", a_network(), SCALE)
    before = {name: value.clone() for name, value in method.model.state_dict().items()}
    torch.testing.assert_close(method.predict(a_batch(1)).mean, method.predict(a_batch()).mean[1:])
    assert all(torch.equal(value, before[name]) for name, value in method.model.state_dict().items())


def saved(path, **metadata):
    whole = {"model": json.dumps(MODEL.model_dump()), "climate_variables": json.dumps(VARIABLES)} | metadata
    write_weights(path, a_network().state_dict(), {name: text for name, text in whole.items() if text})
    return path


def test_a_network_is_restored_from_its_weights(tmp_path):
    path = saved(tmp_path / "weights.safetensors")
    again = Network.from_weights("full", path, MODEL, VARIABLES, scale=SCALE, device="cpu")
    assert torch.equal(again.predict(a_batch()).mean, Network("full", a_network(), SCALE).predict(a_batch()).mean)


@pytest.mark.parametrize(
    ("departure", "variables", "words"),
    [
        ({}, VARIABLES[:2], r"trained with climate_variables = precipitation, soil_moisture, temperature, surface"),
        # The same number of channels: no shape would show it.
        ({}, VARIABLES[::-1], "but the scenario has surface_pressure, temperature, soil_moisture, precipitation"),
        ({"history_months": 6}, VARIABLES, r"trained with model\.history_months = 2, but the scenario has 6"),
    ],
)
def test_weights_of_another_climate_or_model_are_refused(tmp_path, departure, variables, words):
    path = saved(tmp_path / "weights.safetensors")
    with pytest.raises(DataError, match=words):
        Network.from_weights("full", path, change(MODEL, **departure), variables, scale=SCALE, device="cpu")


def test_weights_without_metadata_are_refused(tmp_path):
    path = saved(tmp_path / "weights.safetensors", model="")
    with pytest.raises(DataError, match="its metadata do not name the model; train 'full' again"):
        Network.from_weights("full", path, MODEL, VARIABLES, scale=SCALE, device="cpu")
