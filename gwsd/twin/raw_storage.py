"""The storage product in the format of G3P: the filtered truth with noise and with faults made on purpose."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator

from gwsd.errors import ConfigError
from gwsd.grid import Grid, cell_area
from gwsd.twin.geography import LandCells
from gwsd.twin.netcdf import Months, add_grid, add_months, add_variable, baseline_of, new_file
from gwsd.twin.noise import MONTHS_AT_ONCE, Field, FilteredNoise, SphereGaussian, smooth_over_land
from gwsd.twin.settings import FaultCounts, Twin

STAMP_DAY = 16  # day of the month on which G3P stamps its fields
FILL = np.float32(-9999.0)  # ocean and ice
POLAR_NOISE = 0.6  # relative to the equator: the satellites' tracks converge towards the poles

KINDS = tuple(FaultCounts.model_fields)
"""Kinds of faults, in the order of their flag values 1 … 4."""

SPIKE_MM = (2500.0, 6000.0)  # range of half of the spikes: beyond any storage anomaly
SPIKE_IN_SD = (30.0, 60.0)  # range of the others, robust standard deviations of month-to-month differences
MIN_SPIKE_MM = 400.0
MAX_GAP = 40  # months missing from a cell with gaps
MISSING_LAND_LATITUDE = 55.0  # degrees; poleward of it quality control could take missing land for an ice sheet


def observe(cells: LandCells, truth: Field, months: Months, settings: Twin, random: Generator) -> tuple[Field, Field]:
    """Derive from the half-degree truth what gravity satellites would observe.

    Parameters
    ----------
    cells : LandCells
    truth : ndarray, shape (M, rows, columns), mm
        Mean storage of the land in each half-degree cell, 0 where there is none. Overwritten.
    months : ndarray, shape (M,)
    settings : Twin
        `noise_mm` is the root mean square over area and months of the noise's standard deviation.
    random : Generator

    Returns
    -------
    storage, uncertainty : ndarray, shape (M, rows, columns), mm
        Anomaly from the mean of the baseline, and standard deviation of its noise; NaN outside the product.
    """
    grid = cells.coarse
    gaussian = SphereGaussian(grid, settings.smoothing_km)
    share = np.minimum(cells.coarse_area / cell_area(grid.lat, grid.spacing)[:, None], 1.0)
    truth -= truth[baseline_of(months)].mean(axis=0)
    uncertainty = _noise_sd(cells, months, settings.noise_mm)
    filtered_noise = FilteredNoise(grid, settings.smoothing_km, gaussian)
    for start in range(0, len(months), MONTHS_AT_ONCE):
        part = slice(start, start + MONTHS_AT_ONCE)
        noise = filtered_noise.draw(len(months[part]), random)
        truth[part] = smooth_over_land(truth[part], share, gaussian) + noise * uncertainty[part]
    truth -= truth[baseline_of(months)].mean(axis=0)
    truth[:, ~cells.covered] = np.nan
    uncertainty[:, ~cells.covered] = np.nan
    return truth, uncertainty


def _noise_sd(cells: LandCells, months: Months, noise_mm: float) -> Field:
    """Return the noise's standard deviation, shape (M, rows, columns), mm: larger in the last year of GRACE."""
    lat = cells.coarse.lat
    by_row = POLAR_NOISE + (1.0 - POLAR_NOISE) * np.cos(np.deg2rad(lat))
    weight = (cells.covered * cell_area(lat, cells.coarse.spacing)[:, None]).sum(axis=1)
    by_row /= np.sqrt((weight * by_row**2).sum() / weight.sum())
    last_year = (months >= np.datetime64("2016-08", "M")) & (months <= np.datetime64("2017-06", "M"))
    by_month = np.where(last_year, 1.5, 1.0)
    by_month /= np.sqrt((by_month**2).mean())
    product = noise_mm * by_month[:, None] * by_row[None, :]
    shape = (len(months), *cells.coarse.shape)
    return np.array(np.broadcast_to(product[:, :, None], shape), dtype=np.float32)


@dataclass
class Fault:
    """A damaged half-degree cell.

    Parameters
    ----------
    row, column : int
        On the half-degree grid, from the south-western corner.
    lat, lon : float, degrees
    kind : str
        One of `KINDS`.
    months : str
        The months concerned, YYYY-MM separated by blanks, or "all".
    value_mm : float
        Value of a constant series or size of a spike; else NaN.
    value_in_sd : float
        Size of a spike in robust standard deviations of its cell's series; else NaN.
    """

    row: int
    column: int
    lat: float
    lon: float
    kind: str
    months: str
    value_mm: float
    value_in_sd: float


def choose_faults(cells: LandCells, months: Months, faults: FaultCounts, random: Generator) -> list[Fault]:
    """Choose the cells to damage and how, by kind and position; `apply_faults` completes the sizes of spikes."""
    if len(months) < 5 and (faults.spike or faults.gap):
        raise ConfigError("twin.faults: spikes and gaps need a period of at least five storage months.")
    counts = faults.model_dump()
    places = np.argwhere(cells.covered)
    free = random.permutation(len(places))
    low = np.abs(cells.coarse.lat[places[free, 0]]) < MISSING_LAND_LATITUDE
    missing = free[low][: faults.missing_land]
    rest = free[~np.isin(free, missing)]
    if len(missing) < faults.missing_land or len(rest) < sum(counts.values()) - len(missing):
        raise ConfigError(
            f"twin.faults asks for more cells than the region's {len(places)} half-degree land cells allow: lower the "
            f"numbers (missing_land only takes cells between {MISSING_LAND_LATITUDE:g}° south and north)."
        )
    chosen: list[Fault] = []
    for kind in KINDS:
        numbers, rest = (missing, rest) if kind == "missing_land" else (rest[: counts[kind]], rest[counts[kind] :])
        for row, column in places[np.sort(numbers)].tolist():
            lat, lon = float(cells.coarse.lat[row]), float(cells.coarse.lon[column])
            chosen.append(Fault(row, column, lat, lon, kind, *_details(kind, months, random)))
    return chosen


def _details(kind: str, months: Months, random: Generator) -> tuple[str, float, float]:
    """Draw the months concerned, and the size in mm or in robust standard deviations (the other is NaN)."""
    if kind == "constant":
        # half of them are zero, as if a mask had been multiplied
        return "all", abs(float(np.round(random.uniform(-50.0, 50.0), 1))) * int(random.integers(2)), np.nan
    if kind == "missing_land":
        return "all", np.nan, np.nan
    if kind == "gap":
        count = int(random.integers(1, max(2, min(MAX_GAP, len(months) // 2)) + 1))
        lost = np.sort(random.choice(len(months), size=count, replace=False))
        return " ".join(str(months[i]) for i in lost), np.nan, np.nan
    month = str(months[int(random.integers(1, len(months) - 1))])
    sign = 1.0 if random.integers(2) else -1.0
    if random.integers(2):
        return month, float(np.round(sign * random.uniform(*SPIKE_MM), 1)), np.nan
    return month, np.nan, float(np.round(sign * random.uniform(*SPIKE_IN_SD), 1))


def apply_faults(storage: Field, uncertainty: Field, months: Months, faults: list[Fault]) -> pd.DataFrame:
    """Damage a storage product, shape (M, rows, columns), mm, in place; return the faults with all sizes."""
    numbers = {str(month): number for number, month in enumerate(months)}
    for fault in faults:
        series, errors = storage[:, fault.row, fault.column], uncertainty[:, fault.row, fault.column]
        if fault.kind == "constant":
            series[:] = fault.value_mm
        elif fault.kind == "missing_land":
            series[:] = errors[:] = np.nan
        elif fault.kind == "gap":
            lost = [numbers[month] for month in fault.months.split()]
            series[lost] = errors[lost] = np.nan
        else:
            if np.isnan(fault.value_mm):
                change = np.diff(series.astype(np.float64))
                robust_sd = float(1.4826 * np.median(np.abs(change - np.median(change))))
                size = fault.value_in_sd * robust_sd
                fault.value_mm = float(np.round(np.copysign(max(abs(size), MIN_SPIKE_MM), size), 1))
            series[numbers[fault.months]] += np.float32(fault.value_mm)
    return pd.DataFrame(faults, columns=[field.name for field in fields(Fault)])


def write_storage(path: Path, storage: Field, uncertainty: Field, months: Months, grid: Grid, title: str) -> None:
    """Write the product, shape (M, rows, columns), mm: float32, north first, stamped on the 16th."""
    name = "groundwater storage anomaly in the format of G3P v1.12"
    years = "2004 to 2009" if baseline_of(months).sum() < len(months) else "all months"
    source = f"twin Earth, mean of {years} removed, Gaussian filter on the sphere"
    names = {
        "GWSA": (storage, "groundwater storage anomaly (equivalent water height)"),
        "uncertainty": (uncertainty, "uncertainty of the groundwater storage anomaly"),
    }
    dimensions, chunks = ("time", "lat", "lon"), (1, *grid.shape)
    with new_file(path, f"{name} ({title})", Conventions="CF-1.8", source=source) as file:
        add_months(file, months, STAMP_DAY)
        add_grid(file, grid, north_first=True)
        for name, (fields_mm, long_name) in names.items():
            variable = add_variable(
                file, name, "f4", dimensions, fill=float(FILL), chunks=chunks, long_name=long_name, units="mm"
            )
            for number, field in enumerate(fields_mm):
                variable[number] = np.where(np.isnan(field), FILL, field)[::-1]
