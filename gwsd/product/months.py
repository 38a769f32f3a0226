"""From months of coarse inputs to months of the fine product, one at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gwsd.errors import DataError
from gwsd.model.unet import Normalisation
from gwsd.patches.gathering import Batch, Cube
from gwsd.product.correction import correct_means, corrected_sd
from gwsd.product.estimators import Estimator
from gwsd.product.field import downscale_field
from gwsd.product.tiles import Tiling, downscale_tiles
from gwsd.product.whole_grid import Cells, month_of_cube


class Way(StrEnum):
    """How a month is made."""

    AUTO = "auto"
    TILES = "tiles"
    FIELD = "field"


def resolved(way: str, estimator: Estimator) -> Way:
    """Settle which way a month is made.

    `auto` is `field` for interpolations, and for networks without statistics of their own field; `tiles` for those
    with group normalisation, whose statistics over a whole globe are not those of the patches they were trained on.
    """
    if Way(way) is not Way.AUTO:
        return Way(way)
    grouped = estimator.network is not None and estimator.network.normalisation is Normalisation.GROUP
    return Way.TILES if grouped else Way.FIELD


@dataclass(frozen=True)
class Correction:
    """Whether coarse means are made equal to the input, and what that does to the standard deviation.

    Parameters
    ----------
    on : bool
        Whether it is done.
    error_correlation : float
        Assumed correlation of errors within a coarse cell, 0 to 1. 0 takes least from the standard deviation.
    """

    on: bool
    error_correlation: float = 0.0


@dataclass(frozen=True)
class FineMonth:
    """One month of the product.

    Parameters
    ----------
    month : datetime64[M]
        Which.
    mean : ndarray, shape (4H, 4W), float32, mm
        Storage anomaly; NaN outside valid cells.
    sd : ndarray, likewise, or None
        Its standard deviation, where the method states one.
    """

    month: np.datetime64
    mean: NDArray[np.float32]
    sd: NDArray[np.float32] | None


def downscale_month(
    estimator: Estimator, batch: Batch, cells: Cells, *, way: Way, tiling: Tiling, correction: Correction
) -> tuple[Tensor, Tensor | None]:
    """Make one month of the product from arrays alone.

    Parameters
    ----------
    estimator : Estimator
        What answers.
    batch : Batch
        The whole grid, from `whole_grid`.
    cells : Cells
        Its valid cells.
    way : Way
        `tiles` or `field`.
    tiling : Tiling
        Of the way `tiles`.
    correction : Correction
        Of the coarse means.

    Returns
    -------
    mean, sd : Tensor, shape (4H, 4W), mm; sd None where the method states none
        NaN outside valid cells.
    """
    if way is Way.TILES:
        prediction = downscale_tiles(estimator, batch, cells, tiling)
    else:
        prediction = downscale_field(estimator, batch, cells, estimator.network)
    mean, sd = prediction.mean[0, 0], None if prediction.sd is None else prediction.sd[0, 0]
    valid = cells.fine_valid
    if correction.on:
        # Tiles leave cells without a value far from land; they must not reach others.
        mean = correct_means(torch.where(valid, mean, 0.0), batch.storage_mm[0, 0], cells)
        if sd is not None:
            sd = corrected_sd(torch.where(valid, sd, 0.0), cells, correction.error_correlation)
    mean = torch.where(valid, mean, torch.nan).float()
    return mean, None if sd is None else torch.where(valid, sd, torch.nan).float()


def downscale_months(
    estimator: Estimator,
    cube: Cube,
    months: Iterable[np.datetime64],
    cells: Cells,
    *,
    memory: int,
    way: Way,
    tiling: Tiling,
    correction: Correction,
) -> Iterator[FineMonth]:
    """Make months of the product one after the other; memory does not grow with their number.

    Parameters
    ----------
    cube : Cube
        Storage and climate of all of these months.
    months : iterable of datetime64
        Which; each must be in the cube.
    memory : int
        Months of climate that the estimator sees.
    estimator, cells, way, tiling, correction
        See `downscale_month`.

    Yields
    ------
    FineMonth

    Raises
    ------
    DataError
        If the cube lacks a month or its climate, or the answer is not a number.
    """
    valid = cells.fine_valid.cpu().numpy()
    for month in months:
        batch = month_of_cube(cube, month, cells, memory=memory)
        mean, sd = downscale_month(estimator, batch, cells, way=way, tiling=tiling, correction=correction)
        fields = [None if field is None else field.cpu().numpy() for field in (mean, sd)]
        for what, field in zip(("mean", "standard deviation"), fields, strict=True):
            if field is not None and not np.isfinite(field[valid]).all():
                raise DataError(f"{estimator.name}: its {what} is not a number in {month}; train it again")
        assert fields[0] is not None
        yield FineMonth(month.astype("datetime64[M]"), fields[0], fields[1])
