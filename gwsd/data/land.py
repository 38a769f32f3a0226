"""Land fraction from GLOBE's 30-arc-second mask, and the outlines of the ice sheets.

The mask is that of the package `global-land-mask` (GLOBE elevations, Hastings and Dunbar, 1999; NOAA), where lakes and
the Caspian Sea count as land. It is read row by row: the package itself would load 0.9 GB.
"""

import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gwsd.errors import DataError
from gwsd.grid import Grid

SUBCELLS_PER_DEGREE = 120  # cells of the mask per degree
ANTARCTIC_LATITUDE = -60.0  # all land south of it belongs to Antarctica, degrees north

# fmt: off
GREENLAND: tuple[tuple[float, float], ...] = (
    (-73.6, 78.2), (-72.5, 79.0), (-70.5, 79.5), (-68.3, 80.2), (-66.5, 80.8), (-64.0, 81.4), (-61.0, 82.0),
    (-57.0, 82.9), (-45.0, 84.0), (-20.0, 84.0), (-9.0, 81.5), (-15.0, 76.0), (-19.0, 71.5), (-22.0, 69.0),
    (-34.0, 65.8), (-39.0, 64.0), (-41.5, 59.0), (-46.0, 59.3), (-53.5, 63.5), (-56.5, 69.0), (-59.5, 74.0),
    (-64.0, 75.6), (-71.0, 75.5), (-74.0, 76.8),
)
"""Outline of Greenland through the surrounding sea (longitude, latitude), along the middle of Nares Strait."""
# fmt: on


def is_ice_sheet(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.bool_]:
    """Return whether points belong to Greenland or Antarctica, ice-free coasts included.

    Latitude and longitude, degrees north and east (-180 to 180), have any shapes that broadcast. True on the sea inside
    the outlines too: combine it with a land mask.
    """
    y, x = np.broadcast_arrays(np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64))
    inside = np.zeros(y.shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(GREENLAND, (*GREENLAND[1:], GREENLAND[0]), strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside | (y < ANTARCTIC_LATITUDE)


def land_fraction(grid: Grid) -> xr.DataArray:
    """Return the share of each cell of a grid that is land, dims (lat, lon), float32, 0 to 1; ice sheets are land.

    The spacing is a multiple of 1/120 degree, with edges on multiples of it.
    """
    side = round(grid.spacing * SUBCELLS_PER_DEGREE)
    if side < 1 or not np.isclose(side / SUBCELLS_PER_DEGREE, grid.spacing):
        raise DataError(f"Land fraction: expected a multiple of 1/120 degree, not a spacing of {grid.spacing}.")
    rows, columns = grid.shape
    first_column = round((grid.region[0] + 180) * SUBCELLS_PER_DEGREE)
    first_row = round((90 - grid.region[3]) * SUBCELLS_PER_DEGREE)  # the mask runs from north to south
    fraction = np.empty((rows, columns), dtype=np.float32)
    with zipfile.ZipFile(_mask_file()) as archive, archive.open("mask.npy") as stream:
        np.lib.format.read_magic(stream)
        (_, width), _, _ = np.lib.format.read_array_header_1_0(stream)
        for _ in range(first_row):
            stream.read(width)
        for row in range(rows):
            band = np.frombuffer(stream.read(side * width), dtype=bool).reshape(side, width)
            band = band[:, first_column : first_column + columns * side]
            ocean = np.count_nonzero(band.reshape(side, columns, side), axis=(0, 2))
            fraction[rows - 1 - row] = 1.0 - ocean / side**2
    return xr.DataArray(
        fraction,
        dims=("lat", "lon"),
        coords={"lat": grid.lat, "lon": grid.lon},
        name="land_fraction",
        attrs={
            "long_name": "share of the cell that is land",
            "units": "1",
            "source": "GLOBE 30 arc-second elevations (Hastings and Dunbar, 1999) by global-land-mask",
        },
    )


def _mask_file() -> Path:
    """Find the package's compressed mask without importing the package (which would load it whole)."""
    spec = find_spec("global_land_mask")
    if spec is None or spec.origin is None:
        raise DataError("The package global-land-mask is not installed: run `make` to set up the environment.")
    return Path(spec.origin).with_name("globe_combined_mask_compressed.npz")
