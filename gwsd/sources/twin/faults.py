"""Faults put into the storage product on purpose, as real files have them, and what the twin knows of them."""

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from gwsd.errors import ConfigError
from gwsd.grid import Grid
from gwsd.sources.twin.months import Months

KINDS = ("constant", "spike", "hole", "filled")
"""Kinds of faults, in the order of their flag values 1 … 4."""

SPIKE_BEYOND_MM = (2500.0, 6000.0)
"""Size of the spikes that no storage anomaly reaches, mm."""

SPIKE_IN_SD = (30.0, 60.0)
"""Size of the other spikes, in robust standard deviations of the cell's month-to-month differences."""

LEAST_SPIKE_MM = 400.0
"""Smallest spike, mm."""

MOST_HOLES = 40
"""Months that a cell with holes may lack."""

FILLED_LATITUDE = 55.0
"""Poleward of it no cell is filled on purpose: quality control could take it for an ice sheet, degrees."""


@dataclass(frozen=True)
class Fault:
    """One damaged half-degree cell.

    Parameters
    ----------
    row, column : int
        On the half-degree grid, from the south-western corner.
    lat, lon : float
        Degrees.
    kind : str
        One of `KINDS`.
    months : str
        Those touched, "YYYY-MM" separated by blanks; "all".
    value_mm : float
        The value of a constant series, or what a spike adds; NaN where there is none (yet).
    value_in_sd : float
        Size of a spike that follows from its cell's series, in robust standard deviations; else NaN.
    """

    row: int
    column: int
    lat: float
    lon: float
    kind: str
    months: str
    value_mm: float
    value_in_sd: float


@dataclass(frozen=True)
class Faults:
    """Damaged half-degree cells.

    Parameters
    ----------
    damaged : tuple of Fault
        Each of them, by kind and place.
    kind : ndarray, shape (rows, columns), int8
        0 healthy or not covered, else the place in `KINDS` counted from 1.
    """

    damaged: tuple[Fault, ...]
    kind: NDArray[np.int8]


def choose_faults(
    chosen: NDArray[np.bool_], grid: Grid, months: Months, counts: dict[str, int], random: Generator
) -> Faults:
    """Choose which cells are damaged, and how.

    Parameters
    ----------
    chosen : ndarray, shape (rows, columns)
        Cells that the product covers.
    grid : Grid
        Half-degree cells.
    months : ndarray, shape (M,), datetime64[M]
        The product's months.
    counts : dict of str to int
        Cells of each kind; a kind left out has none.
    random : Generator
        Chooses.

    Returns
    -------
    Faults
        The list; `apply_faults` completes the values.

    Raises
    ------
    ConfigError
        An unknown kind, or more faults than cells or too few months for them.
    """
    for kind in counts:
        if kind not in KINDS:
            raise ConfigError(f"twin.faults.{kind} is unknown: expected one of {', '.join(KINDS)}.")
    if len(months) < 5 and (counts.get("spike") or counts.get("hole")):
        raise ConfigError("twin.faults: spikes and holes need a period of at least five storage months.")
    places = np.argwhere(chosen)
    free = random.permutation(len(places))
    low = np.abs(grid.lat[places[free, 0]]) < FILLED_LATITUDE
    filled = free[low][: counts.get("filled", 0)]
    rest = free[~np.isin(free, filled)]
    if len(filled) < counts.get("filled", 0) or len(rest) < sum(counts.values()) - len(filled):
        raise ConfigError(
            f"twin.faults asks for more cells than the region's {len(places)} half-degree land cells have."
        )
    damaged: list[Fault] = []
    flags = np.zeros(chosen.shape, dtype=np.int8)
    taken = 0
    for flag, kind in enumerate(KINDS, start=1):
        count = counts.get(kind, 0)
        own = filled if kind == "filled" else rest[taken : taken + count]
        taken += 0 if kind == "filled" else count
        for number in np.sort(own):
            row, column = (int(v) for v in places[number])
            flags[row, column] = flag
            place = row, column, float(grid.lat[row]), float(grid.lon[column])
            damaged.append(Fault(*place, kind, *_details(kind, months, random)))
    return Faults(tuple(damaged), flags)


def _details(kind: str, months: Months, random: Generator) -> tuple[str, float, float]:
    """Draw the months touched and the value, in mm or in robust standard deviations (the other is NaN)."""
    if kind == "constant":
        # one in two is zero throughout, as where a mask was multiplied instead of set
        return "all", abs(float(np.round(random.uniform(-50.0, 50.0), 1))) * int(random.integers(2)), np.nan
    if kind == "filled":
        return "all", np.nan, np.nan
    if kind == "hole":
        count = int(random.integers(1, max(2, min(MOST_HOLES, len(months) // 2)) + 1))
        lost = np.sort(random.choice(len(months), size=count, replace=False))
        return " ".join(str(months[i]) for i in lost), np.nan, np.nan
    inner = str(months[int(random.integers(1, len(months) - 1))])
    sign = 1.0 if random.integers(2) else -1.0
    if random.integers(2):
        return inner, float(np.round(sign * random.uniform(*SPIKE_BEYOND_MM), 1)), np.nan
    return inner, np.nan, float(np.round(sign * random.uniform(*SPIKE_IN_SD), 1))


def robust_sd(series: NDArray[np.float32]) -> NDArray[np.float64]:
    """Robust standard deviation of month-to-month differences (1.4826 times the median absolute deviation).

    Parameters
    ----------
    series : ndarray, shape (M, N)
        mm.

    Returns
    -------
    ndarray, shape (N,)
        mm.
    """
    change = np.diff(series.astype(np.float64), axis=0)
    return np.asarray(1.4826 * np.median(np.abs(change - np.median(change, axis=0)), axis=0))


def apply_faults(
    storage: NDArray[np.float32], uncertainty: NDArray[np.float32], months: Months, faults: Faults
) -> pd.DataFrame:
    """Damage a storage product in place.

    Parameters
    ----------
    storage, uncertainty : ndarray, shape (M, rows, columns)
        mm.
    months : ndarray, shape (M,)
        The product's months.
    faults : Faults
        What to damage.

    Returns
    -------
    DataFrame
        One row a damaged cell, columns as the fields of `Fault`, the value of every spike in mm.
    """
    names = {str(month): number for number, month in enumerate(months)}
    finished = []
    for fault in faults.damaged:
        row, column, value = fault.row, fault.column, fault.value_mm
        if fault.kind == "constant":
            storage[:, row, column] = value
        elif fault.kind == "filled":
            storage[:, row, column] = np.nan
            uncertainty[:, row, column] = np.nan
        elif fault.kind == "hole":
            lost = [names[month] for month in fault.months.split()]
            storage[lost, row, column] = np.nan
            uncertainty[lost, row, column] = np.nan
        else:
            if np.isnan(value):
                size = fault.value_in_sd * float(robust_sd(storage[:, row, column][:, None])[0])
                value = float(np.round(np.copysign(max(abs(size), LEAST_SPIKE_MM), size), 1))
            storage[names[fault.months], row, column] += np.float32(value)
        finished.append(replace(fault, value_mm=value))
    return pd.DataFrame(finished, columns=[field.name for field in fields(Fault)])
