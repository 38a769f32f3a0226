"""The storage product in G3P's format, from the truth on the half-degree grid."""

from pathlib import Path

import netCDF4
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gwsd.grid import Grid, cell_area
from gwsd.sources.twin.cells import LandCells
from gwsd.sources.twin.files import add_axis, add_months, add_variable, new_file
from gwsd.sources.twin.gravity import MONTHS_AT_ONCE, CorrelatedNoise, SphereGaussian, smooth_over_land
from gwsd.sources.twin.months import Months, baseline_of

STAMP_DAY = 16
"""Day of the month on which G3P stamps its fields."""

FILL = np.float32(-9999.0)
"""What stands where there is no storage (ocean, ice)."""

POLAR_NOISE = 0.6
"""Noise at the poles relative to the equator: the satellites' tracks converge there."""


def observe(
    cells: LandCells,
    truth: NDArray[np.float32],
    months: Months,
    *,
    noise_mm: float,
    smoothing_km: float,
    random: Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """See the truth as the gravity satellites would.

    Parameters
    ----------
    cells : LandCells
        Its half-degree grid and the cells that the product covers.
    truth : ndarray, shape (M, rows, columns)
        Mean storage of the land in each half-degree cell, mm; 0 where there is none. Overwritten.
    months : ndarray, shape (M,)
        The product's months.
    noise_mm : float
        Root mean square over area and months of the noise's standard deviation, mm.
    smoothing_km : float
        Radius of the Gaussian filter, km.
    random : Generator
        Draws the noise.

    Returns
    -------
    storage, uncertainty : ndarray, shape (M, rows, columns)
        Anomaly from the mean of the baseline, and the standard deviation of its noise, mm. NaN outside the
        product's cells.
    """
    grid = cells.coarse
    gaussian = SphereGaussian(grid, smoothing_km)
    share = np.minimum(cells.coarse_area / cell_area(grid.lat, grid.spacing)[:, None], 1.0)
    truth -= truth[baseline_of(months)].mean(axis=0)
    uncertainty = noise_sd(cells, months, noise_mm)
    spread = CorrelatedNoise(grid, smoothing_km, gaussian)
    for start in range(0, len(months), MONTHS_AT_ONCE):
        part = slice(start, start + MONTHS_AT_ONCE)
        noise = spread.draw(len(months[part]), random)
        truth[part] = smooth_over_land(truth[part], share, gaussian) + noise * uncertainty[part]
    truth -= truth[baseline_of(months)].mean(axis=0)
    truth[:, ~cells.chosen] = np.nan
    uncertainty[:, ~cells.chosen] = np.nan
    return truth, uncertainty


def noise_sd(cells: LandCells, months: Months, noise_mm: float) -> NDArray[np.float32]:
    """Give the standard deviation of the noise by month and place, shape (M, rows, columns), mm.

    Largest at the equator, and half as large again in the last year before GRACE ended in June 2017.
    """
    lat = cells.coarse.lat
    by_row = POLAR_NOISE + (1.0 - POLAR_NOISE) * np.cos(np.deg2rad(lat))
    weight = (cells.chosen * cell_area(lat, cells.coarse.spacing)[:, None]).sum(axis=1)
    by_row /= np.sqrt((weight * by_row**2).sum() / weight.sum())
    worn = (months >= np.datetime64("2016-08", "M")) & (months <= np.datetime64("2017-06", "M"))
    by_month = np.where(worn, 1.5, 1.0)
    by_month /= np.sqrt((by_month**2).mean())
    product = noise_mm * by_month[:, None] * by_row[None, :]
    shape = (len(months), *cells.coarse.shape)
    return np.array(np.broadcast_to(product[:, :, None], shape), dtype=np.float32)


def write_storage(
    path: Path,
    storage: NDArray[np.float32],
    uncertainty: NDArray[np.float32],
    months: Months,
    grid: Grid,
    title: str,
) -> None:
    """Write the product as G3P comes: float32, latitude from north to south, stamps on the 16th.

    Parameters
    ----------
    path : Path
        Where.
    storage, uncertainty : ndarray, shape (M, rows, columns)
        mm, NaN where there is none, latitude increasing.
    months : ndarray, shape (M,)
        Only the months that there are.
    grid : Grid
        Half-degree cells.
    title : str
        Of the scenario.
    """
    name = "groundwater storage anomaly in the format of G3P v1.12"
    years = "2004 to 2009" if baseline_of(months).sum() < len(months) else "all months"
    source = f"twin Earth, mean of {years} removed, Gaussian filter on the sphere"
    with new_file(path, f"{name} ({title})", Conventions="CF-1.8", source=source) as file:
        add_months(file, months, STAMP_DAY)
        add_axis(file, "lat", grid.lat[::-1].copy(), standard_name="latitude", units="degrees_north")
        add_axis(file, "lon", grid.lon, standard_name="longitude", units="degrees_east")
        _write_field(file, "GWSA", storage, "groundwater storage anomaly (equivalent water height)")
        _write_field(file, "uncertainty", uncertainty, "uncertainty of the groundwater storage anomaly")


def _write_field(file: netCDF4.Dataset, name: str, values: NDArray[np.float32], what: str) -> None:
    """Write one field month by month."""
    attributes = {"long_name": what, "units": "mm"}
    chunks = (1, *values.shape[1:])
    variable = add_variable(file, name, "f4", ("time", "lat", "lon"), attributes, fill=float(FILL), chunks=chunks)
    for number, field in enumerate(values):
        north_first = field[::-1]
        variable[number] = np.where(np.isnan(north_first), FILL, north_first)
