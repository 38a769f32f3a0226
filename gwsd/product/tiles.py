"""Tiled inference: predict a grid by overlapping patches like those of the training, and blend them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gwsd.grid import REFINEMENT
from gwsd.methods.method import Method, Prediction
from gwsd.patches.gathering import Batch
from gwsd.product.grid_batch import ValidCells, window


@dataclass(frozen=True)
class Tiling:
    """Tiles of `size` by `size` coarse cells, one every `stride` cells, predicted `batch_size` at a time."""

    size: int
    stride: int
    batch_size: int

    def __post_init__(self) -> None:
        """Check that tiles leave no gap."""
        if not 1 <= self.stride <= self.size:
            raise ValueError(
                f"tiles of {self.size} cells every {self.stride} leave gaps; expected a stride from 1 to size"
            )

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
        return [
            (row, col)
            for row in rows
            for col in cols
            if bool(valid[row : row + self.size, col : col + self.size].any())
        ]


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
    """Predict a whole grid by tiles.

    Mean and variance are those of the mixture of the tiles' predictions, weighted by the blending window:
    Σwμ and Σw(σ² + μ²) − (Σwμ)². The standard deviation includes the disagreement between tiles.

    Parameters
    ----------
    batch : Batch
        The whole grid, from `grid_batch`.

    Returns
    -------
    Prediction
        Shape (1, 1, 4H, 4W), mm; NaN where there is no tile. No standard deviation where the method has none.
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
            inside = (
                slice(REFINEMENT * row, REFINEMENT * row + side),
                slice(REFINEMENT * col, REFINEMENT * col + side),
            )
            total[inside] += weights
            first[inside] += weights * mean[number]
            second[inside] += weights * square[number]
    total, first, second = (_folded(field, height, width, cells.wraps) for field in (total, first, second))
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


def _folded(field: Tensor, height: int, width: int, wraps: bool) -> Tensor:
    """Add the columns beyond the last to the first ones on a global grid; drop them elsewhere."""
    rows, cols = REFINEMENT * height, REFINEMENT * width
    folded = field[:rows, :cols].clone()
    if wraps:
        beyond = field[:rows, cols:]
        folded[:, : beyond.shape[1]] += beyond
    return folded
