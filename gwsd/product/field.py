"""A month at once: the network is fully convolutional, so the whole grid is one large patch without seams."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gwsd.grid import REFINEMENT
from gwsd.methods.method import Method, Prediction
from gwsd.model.downscaler import Downscaler
from gwsd.patches.gathering import Batch
from gwsd.product.whole_grid import Cells, window

HALO = 16
"""Columns of the other side of the date line that a method which cannot wrap by itself is shown, on either side."""


def downscale_field(method: Method, batch: Batch, cells: Cells, network: Downscaler | None = None) -> Prediction:
    """Predict a whole grid at once.

    On a grid that goes round the Earth a network meets, beyond the first and last column, the other side of the date
    line, exactly; another method is shown `HALO` columns of it, enough for every interpolation. Elsewhere the edges
    are those of a patch. Sides that the network's poolings do not divide are continued by their last cell and cut
    off again. At the paper's width a process that makes a global month so
    peaks at 2.0 GB in float32 and 1.3 GB in bfloat16 (`benchmarks/product.py`): the field needs no cutting.

    Parameters
    ----------
    method : Method
        Answers for the one "patch" that is the grid.
    batch : Batch
        The whole grid.
    cells : Cells
        Its valid cells.
    network : Downscaler or None
        What `method` runs, where it is a network.

    Returns
    -------
    Prediction
        Shape (1, 1, 4H, 4W), mm.

    Raises
    ------
    ValueError
        If the grid goes round the Earth and its columns are no multiple of what the network needs: continued
        columns would lie between the two sides of the date line.
    """
    height, width = cells.valid.shape
    divisor = 1 if network is None else network.unet.divisor
    beyond = (-width) % divisor
    halo = 0
    if cells.wraps:
        if beyond:
            raise ValueError(f"a global grid of {width} columns cannot be wrapped: expected a multiple of {divisor}")
        halo = 0 if network is not None else min(HALO, width)
    rows = torch.arange(height + (-height) % divisor, device=batch.storage.device).clamp(max=height - 1)
    cols = torch.arange(-halo, width + beyond + halo, device=batch.storage.device)
    cols = cols % width if cells.wraps else cols.clamp(max=width - 1)
    whole = batch
    if (len(rows), len(cols)) != (height, width):
        whole = window(batch, rows[None], cols[None])
    with wrapping(network if cells.wraps else None):
        prediction = method.predict(whole)
    inner = (..., slice(REFINEMENT * height), slice(REFINEMENT * halo, REFINEMENT * (halo + width)))
    return Prediction(prediction.mean[inner], None if prediction.sd is None else prediction.sd[inner])


@contextmanager
def wrapping(network: Downscaler | None) -> Iterator[None]:
    """Let a network wrap in longitude for as long as the block runs; nothing where there is none."""
    if network is None:
        yield
        return
    network.wrap_longitude(True)
    try:
        yield
    finally:
        network.wrap_longitude(False)
