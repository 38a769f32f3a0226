"""Inference on a whole grid: by overlapping tiles like the training's patches, or on the full field at once."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from gwsd.errors import ConfigError
from gwsd.grid import REFINEMENT
from gwsd.methods.method import Method, Prediction
from gwsd.model.downscaler import Downscaler
from gwsd.patches.gathering import Batch
from gwsd.product.grid_batch import ValidCells, window

HALO = 16
"""Columns from across the date line that an interpolation receives on either side."""


class Tiling(NamedTuple):
    """Tiles of `size` by `size` coarse cells, one every `stride` cells, predicted `batch_size` at a time."""

    size: int
    stride: int
    batch_size: int

    def origins(self, cells: ValidCells) -> list[tuple[int, int]]:
        """Return rows and columns of the tiles' lower corners; tiles without a valid cell are left out.

        Paper scale: 15 rows by 30 columns, 450 tiles of 32 cells at a stride of 24, less those over the sea.
        """
        height, width = cells.valid.shape
        rows = _aligned(height, self.size, self.stride)
        cols = _around_globe(width, self.stride) if cells.wraps else _aligned(width, self.size, self.stride)
        valid = cells.valid.cpu()
        if cells.wraps:
            valid = torch.cat([valid, valid[:, : self.size]], dim=1)
        size = self.size
        return [(row, col) for row in rows for col in cols if valid[row : row + size, col : col + size].any()]


def blending_window(size: int) -> Tensor:
    """Return the weights of a tile's fine cells, shape (4·size, 4·size), float64, all positive.

    A sine to the fourth power along each side: it suppresses the outermost cells, where the network meets zero padding,
    where another tile overlaps them. With the demo's network overlaps are 8 % rougher than the rest along a parallel;
    a squared sine gives 15 %.
    """
    cells = size * REFINEMENT
    side = torch.sin(math.pi * (torch.arange(cells, dtype=torch.float64) + 0.5) / cells) ** 4
    return side[:, None] * side


def predict_tiled(method: Method, batch: Batch, cells: ValidCells, tiling: Tiling) -> Prediction:
    """Predict a whole grid, a batch from `grid_batch`, by tiles; shape (1, 1, 4H, 4W), mm, NaN where there is no tile.

    Mean and variance are those of the mixture of the tiles' predictions, weighted by the blending window:
    Σwμ and Σw(σ² + μ²) − (Σwμ)². The standard deviation includes the disagreement between tiles.
    """
    height, width = cells.valid.shape
    device = batch.storage.device
    origins = tiling.origins(cells)
    side = tiling.size * REFINEMENT
    weights = blending_window(tiling.size).to(device)
    # Tiles may extend beyond the last row or column: over the date line, or where the grid is smaller than a tile.
    shape = (REFINEMENT * max(height, tiling.size), REFINEMENT * (width + tiling.size))
    total, first, second = (torch.zeros(shape, dtype=torch.float64, device=device) for _ in range(3))
    has_sd = True
    offsets = torch.arange(tiling.size, device=device)
    for start in range(0, len(origins), tiling.batch_size):
        corners = torch.tensor(origins[start : start + tiling.batch_size], device=device)
        rows = (corners[:, :1] + offsets).clamp(max=height - 1)
        cols = corners[:, 1:] + offsets
        cols = cols % width if cells.wraps else cols.clamp(max=width - 1)
        prediction = method.predict(window(batch, rows, cols))
        has_sd = prediction.sd is not None
        mean = prediction.mean[:, 0].double()
        square = mean**2 if prediction.sd is None else mean**2 + prediction.sd[:, 0].double() ** 2
        for number, (row, col) in enumerate(origins[start : start + tiling.batch_size]):
            inside = tuple(slice(REFINEMENT * corner, REFINEMENT * corner + side) for corner in (row, col))
            total[inside] += weights
            first[inside] += weights * mean[number]
            second[inside] += weights * square[number]
    if cells.wraps:  # columns beyond the last are the first ones
        for field in (total, first, second):
            field[:, :side] += field[:, REFINEMENT * width :]
    grid = (slice(REFINEMENT * height), slice(REFINEMENT * width))
    total, first, second = total[grid], first[grid], second[grid]
    mean = first / total
    sd = (second / total - mean**2).clamp(min=0.0).sqrt().float() if has_sd else None
    return Prediction(mean.float()[None, None], None if sd is None else sd[None, None])


def _aligned(length: int, size: int, stride: int) -> list[int]:
    """Place tiles along an axis with two ends: every stride, the last one aligned to the end."""
    last = max(length - size, 0)
    return [*range(0, last, stride), last]


def _around_globe(length: int, stride: int) -> list[int]:
    """Place tiles along a periodic axis: at most a stride apart, as evenly as whole cells allow."""
    count = math.ceil(length / stride)
    return [number * length // count for number in range(count)]


def predict_full_field(
    method: Method, batch: Batch, cells: ValidCells, network: Downscaler | None = None
) -> Prediction:
    """Predict a whole grid at once.

    On a global grid the network's convolutions wrap around the date line; other methods receive `HALO` columns from
    across it. Elsewhere edges are padded as in a patch. Sides that are not divisible by the network's poolings are
    extended by their last cell and cropped again. At the paper's width a global month peaks at 2.0 GB in float32 and
    1.3 GB in bfloat16.

    `batch` is from `grid_batch`; `network` is that of `method`, where it is one. The prediction has shape
    (1, 1, 4H, 4W), mm.
    """
    height, width = cells.valid.shape
    divisor = 1 if network is None else network.unet.divisor
    extra = (-width) % divisor
    if cells.wraps and extra:
        raise ConfigError(
            f"product.inference: a global grid of {width} columns cannot be wrapped around the date line: expected a "
            f"multiple of {divisor}, that of the network's poolings"
        )
    halo = min(HALO, width) if cells.wraps and network is None else 0
    rows = torch.arange(height + (-height) % divisor, device=batch.storage.device).clamp(max=height - 1)
    cols = torch.arange(-halo, width + extra + halo, device=batch.storage.device)
    cols = cols % width if cells.wraps else cols.clamp(max=width - 1)
    if (len(rows), len(cols)) != (height, width):
        batch = window(batch, rows[None], cols[None])
    if network is not None:
        network.wrap_longitude(cells.wraps)
    try:
        prediction = method.predict(batch)
    finally:
        if network is not None:
            network.wrap_longitude(False)
    inner = (..., slice(REFINEMENT * height), slice(REFINEMENT * halo, REFINEMENT * (halo + width)))
    return Prediction(prediction.mean[inner], None if prediction.sd is None else prediction.sd[inner])
