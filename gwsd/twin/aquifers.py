"""Depleted aquifers with published rates, and their net pumping."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gwsd.grid import FINE_SPACING, Grid, cell_area
from gwsd.twin.geography import LandCells

Floats = NDArray[np.float64]
Outline = tuple[tuple[float, float], ...]


class Aquifer(NamedTuple):
    """A depleted aquifer: net loss, km³/year, outline (longitude, latitude), source, and what the rate covers."""

    name: str
    rate_km3: float
    outline: Outline
    citation: str
    note: str


# fmt: off
AQUIFERS: tuple[Aquifer, ...] = (
    Aquifer("Northwestern India (Rajasthan, Punjab, Haryana, Delhi)", 17.7, (
        (69.5, 26.5), (73.5, 24.0), (77.0, 24.5), (78.0, 28.0), (77.0, 30.8), (74.0, 32.2), (72.0, 28.5)
    ), "Rodell et al. (2009), Nature 460, 999-1002",
        "17.7 ± 4.5 km³/yr, August 2002 to October 2008; part of the 54 km³/yr of the next row"),
    Aquifer("Northern India and its surroundings, the rest", 36.3, (
        (67.5, 25.0), (71.0, 32.5), (75.0, 33.0), (80.0, 29.3), (88.0, 26.9), (91.5, 25.5), (89.5, 22.5),
        (80.0, 24.2)
    ), "Tiwari, Wahr and Swenson (2009), Geophys. Res. Lett. 36, L18401",
        "54 ± 9 km³/yr, April 2002 to June 2008, less the 17.7 km³/yr of the row above"),
    Aquifer("Tigris, Euphrates and western Iran", 20.5, (
        (37.0, 37.5), (42.0, 39.5), (46.0, 38.5), (50.0, 35.5), (52.0, 31.5), (49.5, 30.0), (46.0, 30.5),
        (40.0, 34.5)
    ), "Voss et al. (2013), Water Resour. Res. 49, 904-914",
        "143.6 km³ of total storage from January 2003 to December 2009, of which 91.3 km³ groundwater; the "
        "twin takes the whole, which is what the paper quotes"),
    Aquifer("Central Valley, California", 3.1, (
        (-122.6, 40.5), (-121.5, 40.3), (-120.5, 38.0), (-118.6, 35.6), (-119.2, 34.9), (-120.6, 36.4),
        (-122.2, 38.5)
    ), "Famiglietti et al. (2011), Geophys. Res. Lett. 38, L03403", "20.3 km³ from October 2003 to March 2010"),
    Aquifer("High Plains (Ogallala)", 10.2, (
        (-104.2, 41.5), (-100.0, 43.0), (-97.5, 41.5), (-98.5, 38.0), (-100.0, 36.5), (-100.8, 32.5), (-103.2, 32.2)
    ), "Konikow (2013), U.S. Geological Survey Sci. Invest. Rep. 2013-5079", "mean of 2001 to 2008"),
    Aquifer("North China Plain", 8.3, (
        (112.5, 36.0), (113.0, 39.5), (116.0, 41.0), (118.5, 39.8), (117.6, 38.5), (118.5, 37.5), (116.0, 35.5)
    ), "Feng et al. (2013), Water Resour. Res. 49, 2110-2118", "8.3 ± 1.1 km³/yr, 2003 to 2010"),
    Aquifer("North-Western Sahara Aquifer System", 2.69, (
        (-1.0, 29.5), (0.5, 32.5), (5.0, 34.5), (9.0, 34.0), (13.5, 31.5), (14.5, 29.5), (8.0, 28.0)
    ), "Richey et al. (2015), Water Resour. Res. 51, 5198-5216", "2.69 ± 0.8 km³/yr, 2003 to 2013"),
)
"""Depleted aquifers; the outlines are simplified by us. Where they overlap, the earlier aquifer owns the cell."""
# fmt: on

MAX_CONTRAST = 3.0  # pumping of a cell relative to the mean of its aquifer
IRRIGATION_SWING = 0.6  # relative amplitude of pumping within a year; the maximum is in local summer


def inside(outline: Outline, lat: Floats, lon: Floats) -> NDArray[np.bool_]:
    """Return which points are in a polygon (even-odd rule on plane coordinates)."""
    result = np.zeros(lat.shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(outline, (*outline[1:], outline[0]), strict=True):
        if y0 != y1:
            result ^= ((y0 > lat) != (y1 > lat)) & (lon < x0 + (lat - y0) * (x1 - x0) / (y1 - y0))
    return result


def pumping_rate(cells: LandCells, contrast: NDArray[np.float32]) -> Floats:
    """Distribute each aquifer's net pumping over its cells: mean rate, shape (N,), mm/month.

    `contrast`, shape (N,), is standard normal noise that decides where more is pumped. An aquifer that is partly
    outside the region is pumped in proportion to the part inside.
    """
    rate = np.zeros(cells.count)
    free = np.ones(cells.count, dtype=bool)
    for number, aquifer in enumerate(AQUIFERS):
        own = inside(aquifer.outline, cells.lat, cells.lon) & free
        free &= ~own
        if not own.any():
            continue
        weight = np.minimum(np.exp(0.6 * contrast[own].astype(np.float64)), MAX_CONTRAST)
        area = cells.area[own]
        weight = np.minimum(weight * area.sum() / (weight * area).sum(), MAX_CONTRAST)
        weight *= area.sum() / (weight * area).sum()
        depth = aquifer.rate_km3 * 1e6 / _owned_area(number)  # km³ over km² in mm
        rate[own] = weight * depth / 12.0
    return rate


def _owned_area(number: int) -> float:
    """Area of an aquifer without the part that earlier ones own, on the fine grid, km²."""
    lon, lat = np.array(AQUIFERS[number].outline).T
    region = (np.floor(lon.min()), np.floor(lat.min()), np.ceil(lon.max()), np.ceil(lat.max()))
    grid = Grid(FINE_SPACING, tuple(map(float, region)))  # type: ignore[arg-type]
    y, x = np.meshgrid(grid.lat, grid.lon, indexing="ij")
    own = inside(AQUIFERS[number].outline, y, x)
    for earlier in AQUIFERS[:number]:
        own &= ~inside(earlier.outline, y, x)
    return float((own * cell_area(grid.lat, FINE_SPACING)[:, None]).sum())


def seasonal_factor(lat: Floats, month: int) -> Floats:
    """Return the pumping of a calendar month (January 0) relative to the annual mean, by latitude, degrees north."""
    peak = np.where(lat >= 0, 6.0, 0.0)
    return np.asarray(1.0 + IRRIGATION_SWING * np.cos(2 * np.pi * (month - peak) / 12.0))
