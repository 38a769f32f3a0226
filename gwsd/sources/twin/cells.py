"""The land cells of the twin Earth, and which half-degree cells of them the storage product covers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import ConfigError
from gwsd.grid import COARSE_SPACING, FINE_SPACING, REFINEMENT, Grid, cell_area
from gwsd.sources.land import is_ice_sheet
from gwsd.sources.twin.settings import TwinSettings

LEAST_LAND = 0.5
"""Share of land from which on a fine cell takes part in the water balance."""


@dataclass(frozen=True)
class LandCells:
    """Land on the fine grid as packed cells, row by row from the south.

    Parameters
    ----------
    fine, coarse : Grid
        The eighth-degree and the half-degree grid of one region.
    row, column : ndarray, shape (N,), int32
        Place of each land cell on the fine grid.
    area : ndarray, shape (N,), float64
        Area, km².
    ice : ndarray, shape (fine rows, fine columns), bool
        Land of Greenland and Antarctica, which is not among the N cells.
    chosen : ndarray, shape (rows, columns), bool
        Half-degree cells that the storage product covers, damaged ones included.
    """

    fine: Grid
    coarse: Grid
    row: NDArray[np.int32]
    column: NDArray[np.int32]
    area: NDArray[np.float64]
    ice: NDArray[np.bool_]
    chosen: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """Number of land cells N."""
        return len(self.row)

    @cached_property
    def lat(self) -> NDArray[np.float64]:
        """Latitude of each land cell, shape (N,), degrees north."""
        return self.fine.lat[self.row]

    @cached_property
    def lon(self) -> NDArray[np.float64]:
        """Longitude of each land cell, shape (N,), degrees east."""
        return self.fine.lon[self.column]

    @cached_property
    def coarse_index(self) -> NDArray[np.int64]:
        """Flat index of the half-degree cell in which each land cell lies, shape (N,)."""
        rows, columns = self.row // REFINEMENT, self.column // REFINEMENT
        return rows.astype(np.int64) * self.coarse.shape[1] + columns

    @cached_property
    def coarse_area(self) -> NDArray[np.float64]:
        """Land area in each half-degree cell, shape (rows, columns), km²."""
        size = self.coarse.shape[0] * self.coarse.shape[1]
        total = np.bincount(self.coarse_index, weights=self.area, minlength=size)
        return total.reshape(self.coarse.shape).astype(np.float64)


def find_land(land: xr.DataArray, settings: TwinSettings) -> LandCells:
    """Pack the land cells and choose the half-degree cells with the largest land fraction.

    Parameters
    ----------
    land : DataArray, dims (lat, lon)
        Share of land on the fine grid, latitude increasing, whole half-degree cells.
    settings : TwinSettings
        Its `valid_cells` and `faults` say how many cells are chosen.

    Returns
    -------
    LandCells
        The packed cells.

    Raises
    ------
    ConfigError
        The region holds no land, or fewer land cells than the settings ask for.
    """
    half = FINE_SPACING / 2
    lat, lon = land["lat"].to_numpy(), land["lon"].to_numpy()
    region = (float(lon[0] - half), float(lat[0] - half), float(lon[-1] + half), float(lat[-1] + half))
    coarse = Grid(COARSE_SPACING, region)
    fine = Grid(FINE_SPACING, region)
    share = land.transpose("lat", "lon").to_numpy().astype(np.float64)
    sheet = is_ice_sheet(fine.lat[:, None], fine.lon[None, :])
    active = (share >= LEAST_LAND) & ~sheet
    if not active.any():
        raise ConfigError(
            f"region {region} holds no land outside Greenland and Antarctica: choose a region (west, south, east, "
            "north) with land."
        )
    row, column = np.nonzero(active)
    area = np.broadcast_to(cell_area(fine.lat, FINE_SPACING)[:, None], share.shape)

    def by_coarse(values: NDArray[np.float64]) -> NDArray[np.float64]:
        rows, columns = coarse.shape
        return values.reshape(rows, REFINEMENT, columns, REFINEMENT).sum(axis=(1, 3))

    fraction = by_coarse(np.where(sheet, 0.0, share) * area) / by_coarse(np.asarray(area))
    fraction[by_coarse(active.astype(np.float64)) == 0] = 0.0
    faults = sum(settings.faults.values())
    if settings.valid_cells is None:
        chosen = fraction >= LEAST_LAND
        if chosen.sum() <= faults:
            raise ConfigError(
                f"twin.faults damages {faults} cells, but the region has only {int(chosen.sum())} half-degree land "
                "cells: lower the numbers or enlarge the region."
            )
    else:
        wanted = settings.valid_cells + faults
        if np.count_nonzero(fraction) < wanted:
            raise ConfigError(
                f"twin.valid_cells = {settings.valid_cells} and {faults} faults need {wanted} half-degree land cells, "
                f"but the region has {np.count_nonzero(fraction)}: lower it, or set it to null."
            )
        # rounding keeps the order of equal fractions free of the last bits of the sums
        order = np.argsort(-fraction.round(9).ravel(), kind="stable")
        chosen = np.zeros(fraction.size, dtype=bool)
        chosen[order[:wanted]] = True
        chosen = chosen.reshape(fraction.shape)
    return LandCells(
        fine=fine,
        coarse=coarse,
        row=row.astype(np.int32),
        column=column.astype(np.int32),
        area=np.asarray(area)[row, column],
        ice=(share >= LEAST_LAND) & sheet,
        chosen=chosen,
    )
