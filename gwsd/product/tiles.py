"""A month by overlapping patches: the network sees what it was trained on, and the seams are blended away."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gwsd.grid import REFINEMENT
from gwsd.methods.method import Method, Prediction
from gwsd.patches.gathering import Batch
from gwsd.product.whole_grid import Cells, window


@dataclass(frozen=True)
class Tiling:
    """How a grid is covered by tiles.

    Parameters
    ----------
    size : int
        Coarse cells along a tile's side: that of the patches trained on.
    stride : int
        Coarse cells from a tile to the next, at most `size`.
    batch_size : int
        Tiles predicted at a time; changes speed and memory only.
    """

    size: int
    stride: int
    batch_size: int

    def __post_init__(self) -> None:
        """Check that tiles leave no gap."""
        if not 1 <= self.stride <= self.size:
            raise ValueError(
                f"tiles of {self.size} cells every {self.stride} leave gaps; expected a stride from 1 to size"
            )

    def origins(self, cells: Cells) -> list[tuple[int, int]]:
        """Rows and columns of the tiles' lower corners; tiles without a valid cell are left out.

        Paper scale: 15 rows by 30 columns, 450 tiles of 32 cells at a stride of 24, less those over the sea.
        """
        height, width = cells.valid.shape
        rows = _aligned(height, self.size, self.stride)
        cols = _round_the_earth(width, self.stride) if cells.wraps else _aligned(width, self.size, self.stride)
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
    """Return the weights of a tile's fine cells, shape (4·size, 4·size), float64: positive everywhere.

    A sine to the fourth power along each side. A tile enters and leaves without a step, and its outermost cells, where
    the network meets the zeros beyond the edge, count for little where another tile lies over them: in a month of the
    demo's `full` the overlaps are 8 % rougher than the rest along a parallel, with a squared sine 15 %. Being
    positive, it leaves no cell without a value where a tile is alone.
    """
    cells = size * REFINEMENT
    side = torch.sin(math.pi * (torch.arange(cells, dtype=torch.float64) + 0.5) / cells) ** 4
    return side[:, None] * side


def downscale_tiles(method: Method, batch: Batch, cells: Cells, tiling: Tiling) -> Prediction:
    """Predict a whole grid by tiles.

    Mean and variance are those of the mixture of the tiles' answers, weighted by the blending window:
    Σwμ and Σw(σ² + μ²) − (Σwμ)². Where tiles disagree the standard deviation says so.

    Parameters
    ----------
    method : Method
        Answers for the patches of a batch.
    batch : Batch
        The whole grid.
    cells : Cells
        Its valid cells.
    tiling : Tiling
        How it is covered.

    Returns
    -------
    Prediction
        Shape (1, 1, 4H, 4W), mm; NaN where no tile lies. No standard deviation where the method states none.
    """
    height, width = cells.valid.shape
    device = batch.storage.device
    origins = tiling.origins(cells)
    side = tiling.size * REFINEMENT
    weights = blending_window(tiling.size).to(device)
    # Tiles may hang over the last row or column: over the date line, or where the grid is smaller than a tile.
    shape = (REFINEMENT * max(height, tiling.size), REFINEMENT * (width + tiling.size))
    total, first, second = (torch.zeros(shape, dtype=torch.float64, device=device) for _ in range(3))
    states_sd = True
    reach = torch.arange(tiling.size, device=device)
    for start in range(0, len(origins), tiling.batch_size):
        some = torch.tensor(origins[start : start + tiling.batch_size], device=device)
        rows = (some[:, :1] + reach).clamp(max=height - 1)
        cols = some[:, 1:] + reach
        cols = cols % width if cells.wraps else cols.clamp(max=width - 1)
        prediction = method.predict(window(batch, rows, cols))
        states_sd = prediction.sd is not None
        mean = prediction.mean[:, 0].double()
        square = mean**2 if prediction.sd is None else mean**2 + prediction.sd[:, 0].double() ** 2
        for number, (row, col) in enumerate(origins[start : start + tiling.batch_size]):
            place = (
                slice(REFINEMENT * row, REFINEMENT * row + side),
                slice(REFINEMENT * col, REFINEMENT * col + side),
            )
            total[place] += weights
            first[place] += weights * mean[number]
            second[place] += weights * square[number]
    total, first, second = (_folded(field, height, width, cells.wraps) for field in (total, first, second))
    mean = first / total
    sd = (second / total - mean**2).clamp(min=0.0).sqrt().float() if states_sd else None
    return Prediction(mean.float()[None, None], None if sd is None else sd[None, None])


def _aligned(length: int, size: int, stride: int) -> list[int]:
    """Place tiles along an axis with two ends: every stride, the last one aligned to the end."""
    last = max(length - size, 0)
    return [*range(0, last, stride), last]


def _round_the_earth(length: int, stride: int) -> list[int]:
    """Place tiles along an axis that closes on itself: at most a stride apart, as evenly as whole cells allow."""
    count = math.ceil(length / stride)
    return [number * length // count for number in range(count)]


def _folded(field: Tensor, height: int, width: int, wraps: bool) -> Tensor:
    """Bring what hangs over the last column back to the first ones, or drop it."""
    rows, cols = REFINEMENT * height, REFINEMENT * width
    folded = field[:rows, :cols].clone()
    if wraps:
        over = field[:rows, cols:]
        folded[:, : over.shape[1]] += over
    return folded
