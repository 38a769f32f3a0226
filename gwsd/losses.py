"""The loss: equations (10)-(15), each a function named after its number.

Every function returns one value per patch, shape (B,), over the patch's valid cells; `over_batch` averages patches
weighted by their cells, which for the means over N cells gives the paper's 1/N over the batch.

Where the paper is silent: likelihood and smoothness use standardised storage; storage changes and fluxes are mm per
month; climate is interpolated bilinearly to the fine grid and the previous month bicubically, as the target is.
"""

from functools import reduce
from operator import add

import torch
from torch import Tensor
from torch.nn import functional

from gwsd.patches.gathering import Batch, Scale
from gwsd.physics import Loss, Physics, infiltration_efficiency
from gwsd.resample import Kernel, upsample

SMALLEST_SD_MM = 0.1
"""Added in quadrature to the standard deviations of equation (13), so that a flat patch does not divide by zero, mm."""

TERMS = ("total", "data", "sign", "magnitude", "regional", "physics", "smoothness", "sign_as_written")
"""Names of the loss's terms, in the order of their columns. `physics` is the sum of the three before it (Table 5)."""


def equation_10_total(data: Tensor, physics: Tensor, smoothness: Tensor, loss: Loss) -> Tensor:
    """Equation (10): data + λ_phys · physics + λ_smooth · smoothness."""
    return data + loss.physics_weight * physics + loss.smoothness_weight * smoothness


def equation_11_likelihood(mean: Tensor, variance: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Equation (11): Gaussian negative log-likelihood, without the constant ½ log 2π; (B,).

    `mean`, `variance` and `target` are standardised (or in one unit and its square), shape (B, 1, 4H, 4W).
    """
    return _cell_mean(0.5 * (variance.log() + (mean - target) ** 2 / variance), valid)


def squared_error(mean: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Mean squared error, (B,): the data loss of a network without a variance head (the paper is silent)."""
    return _cell_mean((mean - target) ** 2, valid)


def equation_12_sign_agreement(change: Tensor, net_input: Tensor, valid: Tensor) -> Tensor:
    """Equation (12) as written: the share of cells where storage change and P - ET have opposite signs.

    It has no gradient; it is reported, `equation_12_smooth` is trained on. `change` is ΔG and `net_input` P - ET, both
    mm/month, (B, 1, 4H, 4W); returns (B,), in [0, 1].
    """
    return _cell_mean(functional.relu(-torch.sign(change) * torch.sign(net_input)), valid)


def equation_12_smooth(change: Tensor, net_input: Tensor, valid: Tensor, *, smoothing_mm: float) -> Tensor:
    """Equation (12) with tanh(x / smoothing) for sign(x), so that it has a gradient.

    Bounded by 1 as the original, and equal to it in the limit of no smoothing; cells where either quantity is
    small against the smoothing count little. Shapes and units as in `equation_12_sign_agreement`.
    """
    agreement = torch.tanh(change / smoothing_mm) * torch.tanh(net_input / smoothing_mm)
    return _cell_mean(functional.relu(-agreement), valid)


def equation_13_magnitude(change: Tensor, recharge: Tensor, valid: Tensor) -> Tensor:
    """Equation (13): mean squared difference of ΔG and (P - ET)·α(θ), each over its own standard deviation; (B,).

    `change` and `recharge` are mm/month, shape (B, 1, 4H, 4W). The standard deviations are of the patch's valid
    cells; as written, no mean is removed.
    """
    return _cell_mean((change / _sd(change, valid) - recharge / _sd(recharge, valid)) ** 2, valid)


def equation_14_regional_balance(change: Tensor, recharge: Tensor, valid: Tensor, area: Tensor, *, pool: int) -> Tensor:
    """Equation (14): absolute difference of the regional means of ΔG and (P - ET)·α(θ).

    A region is `pool` by `pool` fine cells (4° at the paper's 32). Its mean weights cells by their area and leaves
    out invalid ones; regions in turn are weighted by their valid area, so one without land does not count. Parts of a
    region at the upper edges are left out.

    `change` and `recharge` are mm/month, `area` is relative, all of shape (B, 1, 4H, 4W); returns mm/month, (B,).
    """
    weight = area * valid
    regional_weight = functional.avg_pool2d(weight, pool)
    difference = functional.avg_pool2d((change - recharge) * weight, pool)
    # |Σ w d| summed over regions: each region's |mean| times its weight, without dividing by an empty one's.
    dims = (1, 2, 3)
    return difference.abs().sum(dims) / regional_weight.sum(dims).clamp_min(torch.finfo(weight.dtype).tiny)


def equation_15_smoothness(mean: Tensor, valid: Tensor) -> Tensor:
    """Equation (15): squared differences to the neighbours above and to the right, over the number of cells; (B,).

    `mean` has shape (B, 1, 4H, 4W), standardised in training. A pair counts where both of its cells are valid.
    """
    dims = (1, 2, 3)
    vertical = (mean[:, :, 1:] - mean[:, :, :-1]) ** 2 * (valid[:, :, 1:] & valid[:, :, :-1])
    horizontal = (mean[..., 1:] - mean[..., :-1]) ** 2 * (valid[..., 1:] & valid[..., :-1])
    return (vertical.sum(dims) + horizontal.sum(dims)) / _cells(valid)


def physics_by_patch(mean_mm: Tensor, batch: Batch, physics: Physics) -> dict[str, Tensor]:
    """Compute the physical constraints of any predicted storage, (B, 1, 4H, 4W), mm: a network's or an interpolation's.

    Returns
    -------
    dict of Tensor, shape (B,)
        `sign_as_written`, `sign` (smooth), `magnitude`, `regional` (in `regional_unit_mm`) and `physics`, the
        sum of the last three; NaN for patches whose previous month is absent. A term whose forcing the batch lacks
        is NaN and is left out of the sum; without any term the sum is NaN.
    """
    terms = _physics(mean_mm, batch, physics)
    return {name: torch.where(batch.has_previous, value, torch.nan) for name, value in terms.items()}


def physics_terms(mean_mm: Tensor, batch: Batch, physics: Physics) -> dict[str, Tensor]:
    """Average `physics_by_patch` over the batch: the same names, scalars; NaN if no patch has a previous month."""
    by_patch = _physics(mean_mm, batch, physics)
    cells = batch.valid.sum((1, 2, 3)) * batch.has_previous
    area = (batch.area * batch.valid).sum((1, 2, 3)) * batch.has_previous
    joined = {
        name: over_batch(value, area if name == "regional" else cells)
        for name, value in by_patch.items()
        if name != "physics"
    }
    return joined | {"physics": _sum(joined, batch)}


def total_loss(
    output: tuple[Tensor, Tensor | None], batch: Batch, scale: Scale, loss: Loss
) -> tuple[Tensor, dict[str, Tensor]]:
    """Equation (10) for a batch, and its terms.

    `output` is the network's mean and variance (None without a variance head), (B, 1, 4H, 4W), standardised by `scale`.

    Returns
    -------
    total : Tensor, scalar
        With gradient. A batch without any previous month, or without the forcing of any constraint, has no physics
        term.
    terms : dict of Tensor, scalars without gradient
        Named and ordered as `TERMS`.
    """
    mean, variance = output
    target = scale.standardise(batch.target_mm)
    if variance is None:
        data = squared_error(mean, target, batch.valid)
    else:
        data = equation_11_likelihood(mean, variance, target, batch.valid)
    cells = batch.valid.sum((1, 2, 3))
    terms = {"data": over_batch(data, cells)}
    if loss.physics_weight > 0.0:
        terms |= physics_terms(scale.restore(mean), batch, loss)
    else:
        with torch.no_grad():  # reported all the same
            terms |= physics_terms(scale.restore(mean.detach()), batch, loss)
    terms["smoothness"] = over_batch(equation_15_smoothness(mean, batch.valid), cells)
    # Chosen by the batch, not by the value: a NaN of the network must not be hidden.
    constrained = bool(batch.constraints) and batch.any_previous
    physics = terms["physics"] if constrained else torch.zeros_like(terms["data"])
    total = equation_10_total(terms["data"], physics, terms["smoothness"], loss)
    terms = {"total": total, **terms}
    return total, {name: terms[name].detach() for name in TERMS}


def over_batch(by_patch: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean over patches, (B,) and (B,) to a scalar; NaN where all weights are zero."""
    # Patches without weight are cut out rather than multiplied by zero, which would keep a NaN.
    kept = torch.where(weight > 0, by_patch, torch.zeros_like(by_patch))
    return (kept * weight).sum() / weight.sum()


def _physics(mean_mm: Tensor, batch: Batch, physics: Physics) -> dict[str, Tensor]:
    absent = mean_mm.new_full((len(mean_mm),), torch.nan)
    terms = dict.fromkeys(("sign_as_written", "sign", "magnitude", "regional"), absent)
    if batch.precipitation is not None and batch.evapotranspiration is not None:
        valid = batch.valid
        change = mean_mm - upsample(batch.previous_mm, Kernel.BICUBIC)
        net_input = upsample(batch.precipitation - batch.evapotranspiration, Kernel.BILINEAR)
        terms["sign_as_written"] = equation_12_sign_agreement(change, net_input, valid).detach()
        terms["sign"] = equation_12_smooth(change, net_input, valid, smoothing_mm=physics.sign_smoothing_mm)
        if batch.soil_moisture is not None:
            moisture = upsample(batch.soil_moisture, Kernel.BILINEAR)
            recharge = net_input * infiltration_efficiency(moisture, *physics.infiltration)
            terms["magnitude"] = equation_13_magnitude(change, recharge, valid)
            terms["regional"] = (
                equation_14_regional_balance(change, recharge, valid, batch.area, pool=physics.regional_pool)
                / physics.regional_unit_mm
            )
    return terms | {"physics": _sum(terms, batch)}


def _sum(terms: dict[str, Tensor], batch: Batch) -> Tensor:
    """Add the terms of the constraints that the batch has the forcing of; without any, each term is NaN."""
    return reduce(add, [terms[name] for name in batch.constraints]) if batch.constraints else terms["sign"]


def _cells(valid: Tensor) -> Tensor:
    """Count the valid cells of each patch, (B,); 1 where there are none, so that their mean is 0."""
    return valid.sum((1, 2, 3)).clamp_min(1)


def _cell_mean(values: Tensor, valid: Tensor) -> Tensor:
    # where, not a product: a NaN at an invalid cell must not count.
    return torch.where(valid, values, torch.zeros_like(values)).sum((1, 2, 3)) / _cells(valid)


def _sd(values: Tensor, valid: Tensor) -> Tensor:
    """Compute the standard deviation over each patch's valid cells, (B, 1, 1, 1)."""
    mean = _cell_mean(values, valid)[:, None, None, None]
    variance = _cell_mean((values - mean) ** 2, valid)[:, None, None, None]
    return torch.sqrt(variance + SMALLEST_SD_MM**2)
