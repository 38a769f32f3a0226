"""Full-field inference: predict a whole grid at once. The network is fully convolutional, so there are no seams."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gwsd.grid import REFINEMENT
from gwsd.methods.method import Method, Prediction
from gwsd.model.downscaler import Downscaler
from gwsd.patches.gathering import Batch
from gwsd.product.grid_batch import ValidCells, window

HALO = 16
"""Columns from across the date line that an interpolation receives on either side."""


def predict_full_field(
    method: Method, batch: Batch, cells: ValidCells, network: Downscaler | None = None
) -> Prediction:
    """Predict a whole grid at once.

    On a global grid the network's convolutions wrap around the date line; other methods receive `HALO` columns from
    across it. Elsewhere edges are padded as in a patch. Sides that are not divisible by the network's poolings are
    extended by their last cell and cropped again. At the paper's width a global month peaks at 2.0 GB in float32 and
    1.3 GB in bfloat16.

    Parameters
    ----------
    batch : Batch
        The whole grid, from `grid_batch`.
    network : Downscaler or None
        The network of `method`, where it is one.

    Returns
    -------
    Prediction
        Shape (1, 1, 4H, 4W), mm.

    Raises
    ------
    ValueError
        If the columns of a global grid are no multiple of the network's divisor.
    """
    height, width = cells.valid.shape
    divisor = 1 if network is None else network.unet.divisor
    extra = (-width) % divisor
    halo = 0
    if cells.wraps:
        if extra:
            raise ValueError(f"a global grid of {width} columns cannot be wrapped: expected a multiple of {divisor}")
        halo = 0 if network is not None else min(HALO, width)
    rows = torch.arange(height + (-height) % divisor, device=batch.storage.device).clamp(max=height - 1)
    cols = torch.arange(-halo, width + extra + halo, device=batch.storage.device)
    cols = cols % width if cells.wraps else cols.clamp(max=width - 1)
    padded = batch
    if (len(rows), len(cols)) != (height, width):
        padded = window(batch, rows[None], cols[None])
    with wrapping(network if cells.wraps else None):
        prediction = method.predict(padded)
    inner = (..., slice(REFINEMENT * height), slice(REFINEMENT * halo, REFINEMENT * (halo + width)))
    return Prediction(prediction.mean[inner], None if prediction.sd is None else prediction.sd[inner])


@contextmanager
def wrapping(network: Downscaler | None) -> Iterator[None]:
    """Let a network wrap in longitude within the block."""
    if network is None:
        yield
        return
    network.wrap_longitude(True)
    try:
        yield
    finally:
        network.wrap_longitude(False)
