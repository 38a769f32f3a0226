"""The additive correction: every coarse mean of the product becomes its input, and what that does to the variance.

Only an addition is safe: anomalies cross zero, and a ratio of means would blow up there.
"""

import torch
from torch import Tensor

from gwsd.grid import REFINEMENT
from gwsd.product.whole_grid import Cells, block_means
from gwsd.resample import Kernel, upsample

ITERATIONS = 12
"""Of the smooth part; what is left then, under a thousandth of noise, is added as a constant in each cell."""

RELAXATION = 1.6
"""Step of the iteration. Means of a bilinear interpolation keep a quarter (a checkerboard) to all (a constant) of a
field; 2 / (1 + 1/4) shrinks both ends alike, by 0.6 a step."""


def correct_means(mean: Tensor, storage_mm: Tensor, cells: Cells) -> Tensor:
    """Add a smooth field so that the mean over each valid coarse cell is the coarse storage.

    The field is the bilinear interpolation of coarse values c whose own block means are the differences δ: with M
    for block means and U for the interpolation, c ← c + ω(δ − MUc) (Richardson's iteration), c being continued
    beyond the coast from the nearest valid cell. The remainder is added as a constant in each cell, which makes the
    means exact.

    Parameters
    ----------
    mean : Tensor, shape (4H, 4W), mm
        The product. Values outside valid cells have no effect.
    storage_mm : Tensor, shape (H, W), mm
        What the means over the area of the coarse cells shall be.
    cells : Cells
        Valid cells, and the weights of the means.

    Returns
    -------
    Tensor, shape (4H, 4W), mm, float64
        The corrected product.
    """
    difference = torch.where(cells.valid, storage_mm.double() - block_means(mean, cells), 0.0)
    coarse = torch.zeros_like(difference)
    for _ in range(ITERATIONS):
        left = difference - _means_of_interpolation(coarse, cells)
        coarse = cells.fill(coarse + RELAXATION * left)
    smooth = upsample(coarse[None, None], Kernel.BILINEAR, wraps=cells.wraps)[0, 0]
    left = torch.where(cells.valid, difference - block_means(smooth, cells), 0.0)
    return mean.double() + smooth + upsample(left[None, None], Kernel.NEAREST)[0, 0]


def _means_of_interpolation(coarse: Tensor, cells: Cells) -> Tensor:
    """Block means MUc of the bilinear interpolation of coarse values, without making it; (H, W) to (H, W)."""
    offsets = (torch.arange(REFINEMENT, dtype=torch.float64, device=coarse.device) + 0.5) / REFINEMENT - 0.5
    shares = REFINEMENT * cells.weights.reshape(-1, REFINEMENT)
    below, above = shares @ (-offsets).clamp(min=0.0), shares @ offsets.clamp(min=0.0)
    south, north = torch.cat([coarse[:1], coarse[:-1]]), torch.cat([coarse[1:], coarse[-1:]])
    coarse = coarse + below[:, None] * (south - coarse) + above[:, None] * (north - coarse)
    if cells.wraps:
        west, east = coarse.roll(1, dims=1), coarse.roll(-1, dims=1)
    else:
        west = torch.cat([coarse[:, :1], coarse[:, :-1]], dim=1)
        east = torch.cat([coarse[:, 1:], coarse[:, -1:]], dim=1)
    side = offsets.clamp(min=0.0).mean()
    return coarse + side * (west + east - 2.0 * coarse)


def corrected_sd(sd: Tensor, cells: Cells, correlation: float) -> Tensor:
    """Return the standard deviation after the correction, if errors within a cell are correlated by `correlation`.

    The correction takes the cell's mean error ē = Σ a e away, where the input is taken as exact and a are the shares
    of area. With covariances ρσσ' between any two of its fine cells

        var(e − ē) = σ² − 2 [(1 − ρ) a σ² + ρ σ Σaσ] + (1 − ρ) Σa²σ² + ρ (Σaσ)².

    Independent errors, ρ = 0, with n equal cells: σ² (1 − 2/n) + mean(σ²)/n. Identical ones, ρ = 1: (σ − Σaσ)²,
    next to nothing. That the correction is smooth, so that a part of it comes from the neighbouring cells, is left
    out.

    Parameters
    ----------
    sd : Tensor, shape (4H, 4W), mm
        Before the correction.
    cells : Cells
        The weights.
    correlation : float
        ρ, from 0 to 1.

    Returns
    -------
    Tensor, shape (4H, 4W), mm, float64

    Raises
    ------
    ValueError
        If the correlation is not between 0 and 1.
    """
    if not 0.0 <= correlation <= 1.0:
        raise ValueError(f"the correlation of errors within a cell is {correlation}; expected 0 to 1")
    sd = sd.double()
    share = cells.weights[:, None]
    independent = 1.0 - correlation

    def summed(field: Tensor) -> Tensor:
        rows, cols = field.shape
        blocks = field.reshape(rows // REFINEMENT, REFINEMENT, cols // REFINEMENT, REFINEMENT).sum(dim=(1, 3))
        return upsample(blocks[None, None], Kernel.NEAREST)[0, 0]

    together = summed(share * sd)
    variance = (
        sd**2
        - 2.0 * (independent * share * sd**2 + correlation * sd * together)
        + independent * summed((share * sd) ** 2)
        + correlation * together**2
    )
    return variance.clamp(min=0.0).sqrt()
