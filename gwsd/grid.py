"""Regular latitude-longitude grids: half-degree (*coarse*) and eighth-degree (*fine*) cells.

Cells are identified by their centres. Latitude and longitude both increase; longitude runs from -180 to 180.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COARSE_SPACING = 0.5
"""Side of a coarse cell, degrees (the grid of G3P)."""

REFINEMENT = 4
"""Fine cells along the side of a coarse cell (the paper's scale factor s, section 3.1)."""

FINE_SPACING = COARSE_SPACING / REFINEMENT
"""Side of a fine cell, degrees."""

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the Earth, km (IUGG)."""

Region = tuple[float, float, float, float]
"""West, south, east, north, degrees."""

GLOBE: Region = (-180.0, -90.0, 180.0, 90.0)


@dataclass(frozen=True)
class Grid:
    """A regular latitude-longitude grid of cells.

    Parameters
    ----------
    spacing : float
        Side of a cell, degrees.
    region : tuple of float
        Edges west, south, east, north, degrees; multiples of the spacing.
    """

    spacing: float
    region: Region = GLOBE

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        west, south, east, north = self.region
        return round((north - south) / self.spacing), round((east - west) / self.spacing)

    @property
    def lat(self) -> NDArray[np.float64]:
        """Latitudes of the cell centres, increasing, shape (rows,), degrees north."""
        return np.asarray(self.region[1] + self.spacing * (np.arange(self.shape[0]) + 0.5), dtype=np.float64)

    @property
    def lon(self) -> NDArray[np.float64]:
        """Longitudes of the cell centres, increasing, shape (columns,), degrees east."""
        return np.asarray(self.region[0] + self.spacing * (np.arange(self.shape[1]) + 0.5), dtype=np.float64)

    @property
    def is_global(self) -> bool:
        """True if the grid wraps in longitude."""
        return bool(np.isclose(self.region[2] - self.region[0], 360.0))

    def refined(self, factor: int = REFINEMENT) -> "Grid":
        """Return the grid of the same region with cells `factor` times smaller."""
        return Grid(self.spacing / factor, self.region)


def cell_area(lat: NDArray[np.float64], spacing: float) -> NDArray[np.float64]:
    """Area of a cell on the sphere, km², for each row's centre latitude (degrees north)."""
    half = np.deg2rad(spacing) / 2.0
    band = np.sin(np.deg2rad(lat) + half) - np.sin(np.deg2rad(lat) - half)
    return np.asarray(EARTH_RADIUS_KM**2 * np.deg2rad(spacing) * band, dtype=np.float64)
