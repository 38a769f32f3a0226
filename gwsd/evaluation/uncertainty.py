"""What a Gaussian statement about a cell is worth: its interval, its likelihood, its CRPS.

All take fields of any one shape and return that shape; metrics of many cells are in `scores`.
"""

import math

import torch
from torch import Tensor


def standard_normal_quantile(probability: float) -> float:
    """Return the half-width, in standard deviations, of the central interval of a probability.

    Parameters
    ----------
    probability : float
        Between 0 and 1; 0.90 gives 1.645.
    """
    if not 0.0 < probability < 1.0:
        msg = f"The probability of a central interval is {probability}; expected between 0 and 1."
        raise ValueError(msg)
    return math.sqrt(2.0) * float(torch.erfinv(torch.tensor(probability, dtype=torch.float64)))


def in_interval(observed: Tensor, mean: Tensor, sd: Tensor, probability: float) -> Tensor:
    """Tell where an observation lies in the central interval of a Gaussian.

    Parameters
    ----------
    observed, mean, sd : Tensor
        One shape, one unit; `sd` positive.
    probability : float
        Of the interval.

    Returns
    -------
    Tensor of bool
    """
    return (observed - mean).abs() <= standard_normal_quantile(probability) * sd


def gaussian_crps(observed: Tensor, mean: Tensor, sd: Tensor) -> Tensor:
    """Continuous ranked probability score of a Gaussian, closed form (Gneiting et al., 2005, equation 5).

    Parameters
    ----------
    observed, mean, sd : Tensor
        One shape, one unit; `sd` positive. As `sd` goes to 0 the score goes to |observed - mean|.

    Returns
    -------
    Tensor
        In the unit of the observation; 0 is perfect.
    """
    z = (observed - mean) / sd
    density = torch.exp(-0.5 * z.square()) / math.sqrt(2.0 * math.pi)
    return sd * (z * torch.erf(z / math.sqrt(2.0)) + 2.0 * density - 1.0 / math.sqrt(math.pi))


def gaussian_nll(observed: Tensor, mean: Tensor, sd: Tensor) -> Tensor:
    """Negative log-likelihood of a Gaussian as equation (11) has it: without the constant ½ log 2π.

    Parameters
    ----------
    observed, mean, sd : Tensor
        One shape, one unit (its logarithm is taken, so the value depends on the unit); `sd` positive.

    Returns
    -------
    Tensor
        ½ (log sd² + (observed - mean)² / sd²).
    """
    return torch.log(sd) + 0.5 * ((observed - mean) / sd).square()
