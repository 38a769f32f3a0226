from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Normal

from gwsd import losses
from gwsd.model.downscaler import Output
from gwsd.patches.gathering import Batch, Scale
from gwsd.physics import FORCING
from gwsd.resample import Kernel, upsample
from tests.training.toy_earth import LOSS, change

SCALE = Scale(mean=-10.0, std=50.0)
POOL = 4


def random_fields(number: int, shape: tuple[int, ...] = (2, 1, 8, 8), seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(number)]


def half_valid(shape: tuple[int, ...] = (2, 1, 8, 8)) -> Tensor:
    valid = torch.rand(shape, generator=torch.Generator().manual_seed(9)) > 0.3
    valid[0, 0, :4, :4] = False  # a region without land
    return valid


def toy_batch(has_previous: tuple[bool, ...] = (True, True, False)) -> Batch:
    size = len(has_previous)
    storage, previous, p, et, theta = random_fields(5, (size, 1, 8, 8), seed=3)
    storage_mm = 50 * storage - 10
    valid = half_valid((size, 1, 8, 8)).repeat_interleave(4, 2).repeat_interleave(4, 3)
    latitude = torch.linspace(0.3, 0.9, 32, dtype=torch.float64)
    return Batch(
        climate=torch.zeros(size, 1, 4, 8, 8),
        storage=storage,
        storage_mm=storage_mm,
        previous_mm=torch.where(torch.tensor(has_previous)[:, None, None, None], 50 * previous, 0.0),
        has_previous=torch.tensor(has_previous),
        target_mm=upsample(storage_mm, Kernel.BICUBIC),
        valid=valid,
        area=latitude.cos()[None, None, :, None].expand(valid.shape),
        precipitation=80 + 30 * p,
        evapotranspiration=70 + 30 * et,
        soil_moisture=0.25 + 0.05 * theta,
        any_previous=any(has_previous),
    )


def prediction(batch: Batch) -> Output:
    mean, raw = random_fields(2, tuple(batch.target_mm.shape), seed=5)
    return Output(SCALE.standardise(batch.target_mm) + 0.1 * mean, raw.exp())


def test_equation_11_is_the_normal_distributions_likelihood() -> None:
    mean, target, raw = random_fields(3)
    valid = half_valid()
    found = losses.equation_11_likelihood(mean, raw.exp(), target, valid)
    exact = -Normal(mean, raw.exp().sqrt()).log_prob(target) - 0.5 * np.log(2 * np.pi)
    for patch in range(2):
        assert found[patch] == pytest.approx(exact[patch][valid[patch]].mean().item())


def test_equation_12_counts_disagreements() -> None:
    change = torch.tensor([[3.0, -3.0, 3.0, 0.0, 5.0, -1.0]])[:, None, None]
    net_input = torch.tensor([[1.0, 1.0, -1.0, 1.0, -2.0, -9.0]])[:, None, None]
    valid = torch.tensor([[True, True, True, True, False, True]])[:, None, None]
    # Disagree: the second and the third; the fifth is not valid; zero agrees with everything.
    assert losses.equation_12_sign_agreement(change, net_input, valid).item() == pytest.approx(2 / 5)


@settings(deadline=None, max_examples=30)
@given(st.floats(0.1, 100.0), st.integers(0, 50))
def test_the_smooth_sign_agreement_is_bounded_by_the_one_as_written(smoothing: float, seed: int) -> None:
    change, net_input = (100 * field for field in random_fields(2, seed=seed))
    valid = half_valid()
    written = losses.equation_12_sign_agreement(change, net_input, valid)
    smooth = losses.equation_12_smooth(change, net_input, valid, smoothing_mm=smoothing)
    assert (smooth >= 0).all()
    assert (smooth <= written + 1e-12).all()
    assert (written <= 1).all()
    sharp = losses.equation_12_smooth(change, net_input, valid, smoothing_mm=1e-9)
    torch.testing.assert_close(sharp, written)


def test_equation_13_by_hand_and_free_of_units() -> None:
    change, recharge = (100 * field for field in random_fields(2))
    valid = half_valid()
    found = losses.equation_13_magnitude(change, recharge, valid)
    for patch in range(2):
        x, y = (field[patch][valid[patch]].numpy() for field in (change, recharge))
        assert found[patch].item() == pytest.approx(np.mean((x / x.std() - y / y.std()) ** 2), rel=1e-4)
    torch.testing.assert_close(losses.equation_13_magnitude(50 * change, recharge, valid), found, rtol=1e-4, atol=0)


def test_equation_13_of_a_flat_patch_is_finite_with_a_finite_gradient() -> None:
    change = torch.zeros(1, 1, 8, 8, dtype=torch.float64, requires_grad=True)
    recharge = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    value = losses.equation_13_magnitude(change, recharge, torch.ones(1, 1, 8, 8, dtype=torch.bool))
    value.sum().backward()
    assert value.item() == 0.0
    assert torch.isfinite(change.grad).all()


def test_equation_14_by_hand() -> None:
    change, recharge = random_fields(2)
    valid, area = half_valid(), torch.rand(2, 1, 8, 8, dtype=torch.float64) + 0.1
    found = losses.equation_14_regional_balance(change, recharge, valid, area, pool=POOL)
    for patch in range(2):
        weighted, weights = 0.0, 0.0
        for row in (0, 4):
            for col in (0, 4):
                box = (patch, 0, slice(row, row + 4), slice(col, col + 4))
                w = (area[box] * valid[box]).numpy()
                if w.sum() == 0:
                    continue
                difference = np.average(change[box].numpy(), weights=w) - np.average(recharge[box].numpy(), weights=w)
                weighted += w.sum() * abs(difference)
                weights += w.sum()
        assert found[patch].item() == pytest.approx(weighted / weights)


def test_equation_15_by_hand() -> None:
    mean = torch.tensor([[1.0, 2.0, 4.0], [1.0, 5.0, 0.0]])[None, None]
    valid = torch.tensor([[True, True, True], [True, True, False]])[None, None]
    # Pairs: rows 1-2, 2-4, 1-5; columns 1-1, 2-5; those with the last cell do not count. Five valid cells.
    assert losses.equation_15_smoothness(mean, valid).item() == pytest.approx((1 + 4 + 16 + 0 + 9) / 5)


def test_invalid_cells_do_not_count() -> None:
    batch = toy_batch()
    output = prediction(batch)
    total, terms = losses.total_loss(output, batch, SCALE, LOSS)
    spoilt = Output(torch.where(batch.valid, output.mean, 1e3), torch.where(batch.valid, output.variance, 7.0))
    other, _ = losses.total_loss(spoilt, batch, SCALE, LOSS)
    assert other.item() == pytest.approx(total.item(), rel=1e-12)
    assert tuple(terms) == losses.TERMS
    assert not any(term.requires_grad for term in terms.values())


def test_without_physics_the_terms_are_reported_but_not_trained_on() -> None:
    batch = toy_batch()
    output = prediction(batch)
    total, terms = losses.total_loss(output, batch, SCALE, change(LOSS, physics_weight=0.0))
    assert total.item() == pytest.approx((terms["data"] + 0.01 * terms["smoothness"]).item())
    assert terms["physics"] == losses.total_loss(output, batch, SCALE, LOSS)[1]["physics"]


def test_patches_without_a_previous_month_do_not_enter_the_physics() -> None:
    batch = toy_batch((True, True, False))
    mean = prediction(batch).mean * 50
    spoilt = mean.clone()
    spoilt[2] += 1e4
    assert losses.physics_terms(mean, batch, LOSS) == losses.physics_terms(spoilt, batch, LOSS)
    by_patch = losses.physics_by_patch(mean, batch, LOSS)
    for values in by_patch.values():
        assert values.isnan().tolist() == [False, False, True]


def test_a_month_that_follows_the_climate_has_no_sign_or_regional_loss() -> None:
    """A storage that changes by exactly (P - ET)·α, everywhere, satisfies all three constraints."""
    batch = toy_batch((True, True))
    net_input = upsample(batch.precipitation - batch.evapotranspiration, Kernel.BILINEAR)
    alpha = 0.1 + 0.4 * upsample(batch.soil_moisture, Kernel.BILINEAR)
    mean = upsample(batch.previous_mm, Kernel.BICUBIC) + net_input * alpha
    for name, value in losses.physics_terms(mean, batch, LOSS).items():
        assert value.item() == pytest.approx(0.0, abs=1e-9), name


def test_the_loss_of_a_batch_by_its_equations() -> None:
    batch = toy_batch()
    output = prediction(batch)
    mean_mm = SCALE.restore(output.mean)
    change_mm = mean_mm - upsample(batch.previous_mm, Kernel.BICUBIC)
    net_input = upsample(batch.precipitation - batch.evapotranspiration, Kernel.BILINEAR)
    recharge = net_input * (0.1 + 0.4 * upsample(batch.soil_moisture, Kernel.BILINEAR))
    cells = batch.valid.sum((1, 2, 3))
    area = (batch.area * batch.valid).sum((1, 2, 3))
    regional = losses.equation_14_regional_balance(change_mm, recharge, batch.valid, batch.area, pool=16) / 10.0
    data = losses.equation_11_likelihood(*output, SCALE.standardise(batch.target_mm), batch.valid)
    expected = {
        "sign": (losses.equation_12_smooth(change_mm, net_input, batch.valid, smoothing_mm=10.0), cells),
        "magnitude": (losses.equation_13_magnitude(change_mm, recharge, batch.valid), cells),
        "regional": (regional, area),
        "data": (data, cells),
        "smoothness": (losses.equation_15_smoothness(output.mean, batch.valid), cells),
    }
    total, terms = losses.total_loss(output, batch, SCALE, LOSS)
    for name, (by_patch, weight) in expected.items():
        counted = weight * batch.has_previous if name in ("sign", "magnitude", "regional") else weight
        assert terms[name].item() == pytest.approx(np.average(by_patch, weights=counted)), name
    assert terms["physics"] == pytest.approx((terms["sign"] + terms["magnitude"] + terms["regional"]).item())
    assert total.item() == pytest.approx((terms["data"] + 0.05 * terms["physics"] + 0.01 * terms["smoothness"]).item())


def without(batch: Batch, *names: str) -> Batch:
    return replace(batch, **dict.fromkeys(names))


@pytest.mark.parametrize(
    "batch",
    [toy_batch((False, False)), *(without(toy_batch(), *absent) for absent in [("precipitation",), FORCING])],
    ids=["no previous month", "no precipitation", "no forcing"],
)
def test_without_previous_month_or_net_input_there_is_no_physics_and_still_a_loss(batch: Batch) -> None:
    output = prediction(batch)
    mean = output.mean.clone().requires_grad_()
    total, terms = losses.total_loss(Output(mean, output.variance), batch, SCALE, LOSS)
    for name in ("sign_as_written", "sign", "magnitude", "regional", "physics"):
        assert terms[name].isnan(), name
    assert total.item() == pytest.approx((terms["data"] + 0.01 * terms["smoothness"]).item(), rel=1e-12)
    total.backward()
    assert torch.isfinite(mean.grad).all()
    assert all(value.isnan().all() for value in losses.physics_by_patch(output.mean, batch, LOSS).values())


def test_a_nan_of_the_network_is_seen_whatever_the_climate_holds() -> None:
    output = prediction(toy_batch())
    for absent in ((), ("soil_moisture",), FORCING):
        batch = without(toy_batch(), *absent)
        total, _ = losses.total_loss(Output(output.mean * torch.nan, output.variance), batch, SCALE, LOSS)
        assert total.isnan()
