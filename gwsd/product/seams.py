"""How rough the product is across the edges of tiles and the date line, beside the edges of other coarse cells."""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from gwsd.grid import REFINEMENT
from gwsd.product.tiles import Tiling
from gwsd.product.whole_grid import Cells


def second_differences(field: Tensor, axis: int, *, wraps: bool) -> Tensor:
    """Return |f(-1) - 2 f(0) + f(+1)| along an axis, same shape; NaN at the ends of an axis that does not wrap."""
    before, after = field.roll(1, dims=axis), field.roll(-1, dims=axis)
    found = (before - 2.0 * field + after).abs()
    if not wraps:
        found.select(axis, 0).fill_(torch.nan)
        found.select(axis, -1).fill_(torch.nan)
    return found


class SeamSums:
    """Sums of second differences at some places of the grid, and at all others.

    Places are the seams, two fine cells on either side of each edge of a tile; the overlaps of tiles; and two fine
    cells on either side of the date line. All hold as many cells of each place within a coarse cell as the others
    do: an interpolation bends at the centres of coarse cells.

    Parameters
    ----------
    tiling : Tiling
        Whose tiles' edges are the seams.
    cells : Cells
        Valid cells: what is not valid has no share.
    """

    def __init__(self, tiling: Tiling, cells: Cells) -> None:
        self._cells = cells
        origins = tiling.origins(cells)
        self._places: dict[tuple[str, int], NDArray[np.bool_]] = {}
        for axis, name in enumerate(("rows", "columns")):
            length, wraps = cells.valid.shape[axis], axis == 1 and cells.wraps
            seams, times = np.zeros(REFINEMENT * length, dtype=bool), np.zeros(length, dtype=int)
            for start in sorted({origin[axis] for origin in origins}):
                inside = np.arange(start, start + tiling.size)
                times[inside % length if wraps else inside[inside < length]] += 1
                for edge in (start, start + tiling.size):
                    if wraps or 0 < edge < length:
                        seams |= _around(edge, length)
            self._places[f"seams, {name} of tiles", axis] = seams
            self._places[f"overlaps, {name} of tiles", axis] = np.repeat(times > 1, REFINEMENT)
        self._date_line = _around(0, cells.valid.shape[1])
        self._sums: dict[tuple[str, bool], NDArray[np.float64]] = {}

    def add(self, tiles: Tensor, field: Tensor) -> None:
        """Take a month made by tiles and as a field, (4H, 4W), mm."""
        for (name, axis), places in self._places.items():
            self._add(name, tiles, axis, places)
        if self._cells.wraps:
            self._add("date line, tiles", tiles, 1, self._date_line)
            self._add("date line, field", field, 1, self._date_line)

    def _add(self, name: str, field: Tensor, axis: int, places: NDArray[np.bool_]) -> None:
        field = torch.where(self._cells.fine_valid, field.double(), torch.nan)
        bends = second_differences(field, axis, wraps=axis == 1 and self._cells.wraps)
        for here in (True, False):
            some = torch.from_numpy(np.flatnonzero(places == here)).to(field.device)
            found = bends.index_select(axis, some)
            found = found[torch.isfinite(found)]
            sums = np.array([float(found.sum()), found.numel()])
            self._sums[name, here] = self._sums.get((name, here), np.zeros(2)) + sums

    def table(self, months: int) -> pd.DataFrame:
        """Return `place, here_mm, elsewhere_mm, ratio, cells, months`: mean second differences."""
        rows = []
        for name in dict.fromkeys(key[0] for key in self._sums):
            (here, cells), (other, others) = self._sums[name, True], self._sums[name, False]
            means = [total / count if count else np.nan for total, count in ((here, cells), (other, others))]
            rows.append(
                {
                    "place": name,
                    "here_mm": means[0],
                    "elsewhere_mm": means[1],
                    "ratio": means[0] / means[1],
                    "cells": int(cells),
                    "months": months,
                }
            )
        return pd.DataFrame(rows)


def _around(edge: int, length: int) -> NDArray[np.bool_]:
    """Mark two fine cells on either side of the lower edge of a coarse cell; beyond the last is the first."""
    found = np.zeros(REFINEMENT * length, dtype=bool)
    found[np.arange(REFINEMENT * edge - 2, REFINEMENT * edge + 2) % found.size] = True
    return found
