"""Edges of cells, and the region that they span: arithmetic that needs no map."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwsd.grid import Region

Array = NDArray[np.floating[Any]]


def cell_edges(centres: Array) -> NDArray[np.float64]:
    """Edges of evenly spaced cells, shape (n + 1,), from their centres, shape (n,)."""
    half = (centres[-1] - centres[0]) / (len(centres) - 1) / 2.0
    return np.linspace(centres[0] - half, centres[-1] + half, len(centres) + 1, dtype=np.float64)


def region_of(lat: Array, lon: Array) -> Region:
    """West, south, east and north edges of a grid, degrees."""
    rows, columns = cell_edges(lat), cell_edges(lon)
    return float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1])
