"""Which months and which region a user asks for, held against what there is."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import ConfigError, DataError
from gwsd.grid import COARSE_SPACING, GLOBE, Region
from gwsd.inputs.calendar import format_months

Months = NDArray[np.datetime64]

MARGIN_DEGREES = 8.0
"""Beyond a region the network is shown this much more, where there is more."""


def select_months(held: Months, asked: str | None, source: str) -> tuple[Months, list[str]]:
    """Choose the months to make.

    Parameters
    ----------
    held : ndarray of datetime64[M]
        Months of the storage.
    asked : str or None
        YYYY-MM, or two of them with a colon between; all months where None.
    source : str
        What messages call the storage.

    Returns
    -------
    months : ndarray of datetime64[M]
        Increasing.
    absent : list of str
        Months between that the storage lacks; none is made up.

    Raises
    ------
    ConfigError
        If that is no month, or the end comes before the start.
    DataError
        If the storage begins later, ends earlier, or has none of them.
    """
    if asked is None:
        return held, []
    first, last = (_month(text) for text in (asked.split(":") if asked.count(":") == 1 else (asked, asked)))
    if last < first:
        raise ConfigError(f"--months {asked}: ends before it starts; expected such as 2023-01:2023-09")
    wanted = np.arange(first, last + 1)
    chosen = held[np.isin(held, wanted)]
    if first < held[0] or last > held[-1] or chosen.size == 0:
        near = held[np.argsort(np.abs((held - first).astype(int)), kind="stable")[:3]]
        raise DataError(
            f"{source}: has no storage of {first if first == last else f'all of {first} to {last}'}. It holds "
            f"{held.size} months from {held[0]} to {held[-1]}, the nearest {', '.join(format_months(np.sort(near)))}: "
            "choose others with --months"
        )
    return chosen, format_months(np.setdiff1d(wanted, chosen)) if chosen.size < wanted.size else []


def _month(text: str) -> np.datetime64:
    try:
        if len(text) != len("YYYY-MM"):
            raise ValueError
        return np.datetime64(text, "M")
    except ValueError:
        raise ConfigError(f"--months: {text!r} is no month; expected YYYY-MM or YYYY-MM:YYYY-MM") from None


def select_region(raw: xr.Dataset, asked: Sequence[float] | None) -> Region:
    """Settle the region of the product: as asked, else where the storage lies; edges are those of half-degree cells.

    Parameters
    ----------
    raw : Dataset
        The storage, on its own grid.
    asked : sequence of float or None
        West, south, east, north; rounded outward.

    Raises
    ------
    ConfigError
        If what is asked is no region.
    DataError
        If it does not meet the storage.
    """
    extent = _extent(raw)
    if asked is None:
        return extent
    west, south, east, north = asked
    if not (-180.0 <= west < east <= 180.0 and -90.0 <= south < north <= 90.0):
        raise ConfigError(
            f"--region {','.join(f'{edge:g}' for edge in asked)}: no region; expected W,S,E,N in degrees with "
            "-180 <= W < E <= 180 and -90 <= S < N <= 90, such as 98,8,110,20 (give one that crosses the date line as "
            "two)"
        )
    region = _outward((west, south, east, north), COARSE_SPACING)
    if region[0] >= extent[2] or region[2] <= extent[0] or region[1] >= extent[3] or region[3] <= extent[1]:
        raise DataError(
            f"--region {','.join(f'{edge:g}' for edge in region)}: outside the storage, which covers "
            f"{','.join(f'{edge:g}' for edge in extent)} (W,S,E,N)"
        )
    return region


def around(region: Region, divisor: int) -> Region:
    """Return the region that the network is shown: with a margin, and cells that its poolings meet as on the globe.

    Parameters
    ----------
    region : tuple of float
        Of the product.
    divisor : int
        Cells that the network's poolings bring together.

    Returns
    -------
    tuple of float
        A region whose edges, counted from the globe's, are whole numbers of `divisor` cells; the whole circle where
        it would cross the date line.
    """
    step = COARSE_SPACING * divisor
    west, south, east, north = region
    grown = (west - MARGIN_DEGREES, south - MARGIN_DEGREES, east + MARGIN_DEGREES, north + MARGIN_DEGREES)
    west, south, east, north = _outward(grown, step)
    south, north = max(south, -90.0), min(north, 90.0)
    if west < -180.0 or east > 180.0:
        west, east = -180.0, 180.0
    return west, south, east, north


def _extent(raw: xr.Dataset) -> Region:
    edges = []
    for name in ("lon", "lat"):
        axis = raw[name].to_numpy().astype(np.float64)
        step = float(np.median(np.diff(axis))) if axis.size > 1 else COARSE_SPACING
        edges.append((float(axis[0]) - step / 2, float(axis[-1]) + step / 2))
    (west, east), (south, north) = edges
    if east - west > 360.0 - 2 * COARSE_SPACING:
        return GLOBE
    west, south, east, north = _outward((west, south, east, north), COARSE_SPACING)
    return max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)


def _outward(region: Region, step: float) -> Region:
    west, south, east, north = region
    # From the globe's own edges, which are no multiples of every step.
    low = [edge + step * np.floor((value - edge) / step + 1e-6) for value, edge in ((west, -180.0), (south, -90.0))]
    high = [edge + step * np.ceil((value - edge) / step - 1e-6) for value, edge in ((east, -180.0), (north, -90.0))]
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
