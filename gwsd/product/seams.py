"""Roughness of the product across edges of tiles and the date line, compared with the rest of the grid."""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from gwsd.grid import REFINEMENT
from gwsd.product.grid_batch import ValidCells
from gwsd.product.inference import Tiling


class SeamSums:
    """Sums of second differences |f(-1) - 2 f(0) + f(+1)| at seams and at all other cells.

    Places are two fine cells on either side of each edge of a tile, the overlaps of tiles, and two fine cells on either
    side of the date line. Each holds the same share of every position within a coarse cell as the others do, because
    an interpolation bends at the centres of coarse cells.
    """

    def __init__(self, tiling: Tiling, cells: ValidCells) -> None:
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
        self._rows: list[tuple[str, bool, float, int]] = []

    def add(self, tiled: Tensor, full_field: Tensor) -> None:
        """Add a month made by tiled and by full-field inference, (4H, 4W), mm."""
        for (name, axis), places in self._places.items():
            self._add(name, tiled, axis, places)
        if self._cells.wraps:
            date_line = _around(0, self._cells.valid.shape[1])
            self._add("date line, tiled", tiled, 1, date_line)
            self._add("date line, full_field", full_field, 1, date_line)

    def _add(self, name: str, field: Tensor, axis: int, places: NDArray[np.bool_]) -> None:
        field = torch.where(self._cells.fine_valid, field.double(), torch.nan)
        bends = (field.roll(1, dims=axis) - 2.0 * field + field.roll(-1, dims=axis)).abs()
        if axis == 0 or not self._cells.wraps:  # the two ends are no neighbours
            bends.select(axis, 0).fill_(torch.nan)
            bends.select(axis, -1).fill_(torch.nan)
        for here in (True, False):
            positions = torch.from_numpy(np.flatnonzero(places == here)).to(field.device)
            found = bends.index_select(axis, positions)
            found = found[torch.isfinite(found)]
            self._rows.append((name, here, float(found.sum()), found.numel()))

    def table(self) -> pd.DataFrame:
        """Return `place, here_mm, elsewhere_mm, ratio, cells`: mean second differences."""
        rows = pd.DataFrame(self._rows, columns=["place", "here", "sum", "cells"])
        sums = rows.groupby(["place", "here"], sort=False).sum().unstack("here")
        means = (sums["sum"] / sums["cells"]).loc[rows["place"].unique()]
        return pd.DataFrame(
            {
                "here_mm": means[True],
                "elsewhere_mm": means[False],
                "ratio": means[True] / means[False],
                "cells": sums["cells"][True],
            }
        ).reset_index()


def _around(edge: int, length: int) -> NDArray[np.bool_]:
    """Mark two fine cells on either side of a coarse cell's lower edge; the first cell follows the last."""
    found = np.zeros(REFINEMENT * length, dtype=bool)
    found[np.arange(REFINEMENT * edge - 2, REFINEMENT * edge + 2) % found.size] = True
    return found
