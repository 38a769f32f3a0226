"""Quality control: mask of valid coarse cells, and the reason why each other cell is excluded."""

from enum import IntEnum

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gwsd.data.land import is_ice_sheet
from gwsd.data.netcdf_io import COORDINATES
from gwsd.data.settings import Quality
from gwsd.errors import DataError


class Reason(IntEnum):
    """Why a cell is valid or excluded; the first reason that applies, in this order."""

    VALID = 0
    OCEAN = 1
    ICE = 2
    FILLED = 3
    INCOMPLETE = 4
    NO_CLIMATE = 5
    CONSTANT = 6
    IMPLAUSIBLE = 7


MEANINGS = {
    Reason.VALID: "complete, varying and plausible storage, with climate in every month",
    Reason.OCEAN: "no storage in any month, and less than half of the cell is land with climate",
    Reason.ICE: "on an ice sheet, or no storage in any month where the mean of the warmest month is below 0 degC",
    Reason.FILLED: "no storage in any month, on land that has climate",
    Reason.INCOMPLETE: "storage is missing in some of the product's months",
    Reason.NO_CLIMATE: "storage, but climate is missing in some month",
    Reason.CONSTANT: "storage does not vary",
    Reason.IMPLAUSIBLE: "storage is too large, or one month stands out from those around it",
}
"""Explanation of each reason."""

WITHOUT_TEMPERATURE = "the climate has no temperature: ice outside Greenland and Antarctica counts as filled"
"""Comment in the mask if the test by the warmest month was skipped."""

LAND_SHARE = 0.5
"""A cell without storage is land where climate covers at least this share of it."""

NEIGHBOUR_CELLS = 2
"""Cells to each side whose jumps tell a spike from an event; the product is smoothed over 250 km."""

FEWEST_NEIGHBOURS = 3
"""With fewer neighbours, a jump is judged by its own series and twice the threshold: on the twin Earth, valid cells
jump by up to 11 robust standard deviations, which their neighbours share."""

Mask = NDArray[np.bool_]

CELLS_AT_ONCE = 4096
"""Series per block of medians, so that they fit into the cache."""


def assess(storage: xr.Dataset, climate: xr.Dataset | None, quality: Quality) -> xr.Dataset:
    """Decide for each cell whether it is valid, and if not why.

    Parameters
    ----------
    storage : xarray.Dataset
        `storage` (time, lat, lon), mm; only the months that exist.
    climate : xarray.Dataset or None
        See `gwsd.data.climate.align_climate`, on the same cells, with any of its variables. Without `temperature`, ice
        is known by the outlines of the ice sheets only. None skips the tests that need climate.
    quality : Quality

    Returns
    -------
    xarray.Dataset
        `valid` (lat, lon) int8, 1 where valid; `reason` (lat, lon) int8, a CF flag variable, whose attribute `comment`
        names a test that was skipped. A series of one month is not tested for being constant.
    """
    for axis in ("lat", "lon"):
        if climate is not None and not np.array_equal(storage[axis].values, climate[axis].values):
            raise DataError(
                f"Storage and climate differ in {axis}. Expected the same half-degree cells: rebuild climate.nc."
            )
    values = storage["storage"][:].values
    present = np.zeros(values.shape[1:], dtype=np.int32)
    for field in values:
        present += np.isfinite(field)
    any_climate, all_climate, warmest = _summarise_climate(climate, present.shape)

    reason = np.full(present.shape, Reason.VALID, dtype=np.int8)
    without = present == 0
    share = any_climate.astype(np.float32)
    if climate is not None and "land_share" in climate:
        share = climate["land_share"].values
    land = any_climate & (share >= LAND_SHARE)
    reason[without & ~land] = Reason.OCEAN
    reason[without & land] = Reason.FILLED
    sheet = is_ice_sheet(storage["lat"].values[:, None], storage["lon"].values[None, :])
    reason[without & land & (sheet if warmest is None else warmest < 0.0)] = Reason.ICE
    reason[(present > 0) & (present < len(values))] = Reason.INCOMPLETE
    reason[(present > 0) & sheet] = Reason.ICE
    reason[(present == len(values)) & ~sheet & ~all_climate] = Reason.NO_CLIMATE

    complete = present == len(values)
    series = np.stack([field[complete] for field in values])
    fault = np.full(series.shape[1], Reason.VALID, dtype=np.int8)
    too_large = np.abs(series).max(axis=0, initial=0.0) > quality.max_anomaly_mm
    spiked = _find_spikes(series, complete, storage["lon"].values, quality.spike_threshold_sigma)
    fault[too_large | spiked] = Reason.IMPLAUSIBLE
    if len(series) > 1:
        fault[series.std(axis=0, dtype=np.float64) < quality.min_std_mm] = Reason.CONSTANT
    candidates = reason[complete]
    reason[complete] = np.where(candidates == Reason.VALID, fault, candidates)
    mask = describe_mask(reason, storage)
    if warmest is None:
        mask["reason"].attrs["comment"] = WITHOUT_TEMPERATURE
    return mask


def describe_mask(reason: NDArray[np.int8], grid: xr.Dataset) -> xr.Dataset:
    """Build the mask from the reasons (H, W) and the coordinates of `grid`."""

    def flags(long_name: str, meanings: list[str]) -> dict[str, object]:
        values = np.arange(len(meanings), dtype=np.int8)
        return {"long_name": long_name, "flag_values": values, "flag_meanings": " ".join(meanings)}

    valid = flags("cell passes quality control", ["out", "in"])
    reasons = flags("why the cell is in or out", [r.name.lower() for r in Reason])
    dims = ("lat", "lon")
    return xr.Dataset(
        {"valid": (dims, (reason == Reason.VALID).astype(np.int8), valid), "reason": (dims, reason, reasons)},
        coords={name: (name, grid[name].values, COORDINATES[name]) for name in dims},
        attrs={"Conventions": "CF-1.11"},
    )


def keep_valid(storage: xr.Dataset, mask: xr.Dataset) -> xr.Dataset:
    """Set storage to NaN outside the valid cells."""
    return storage.where(mask["valid"].astype(bool)).transpose("time", "lat", "lon").assign_attrs(storage.attrs)


def count_reasons(mask: xr.Dataset) -> pd.DataFrame:
    """Count cells by reason: columns reason, cells, meaning; every reason has a row."""
    found = mask["reason"].values
    return pd.DataFrame(
        {
            "reason": [r.name.lower() for r in Reason],
            "cells": [int((found == r).sum()) for r in Reason],
            "meaning": [MEANINGS[r] for r in Reason],
        }
    )


def format_counts(mask: xr.Dataset) -> str:
    """Write the counts by reason as one line: "valid 1,210, ocean 33"."""
    counts = count_reasons(mask)
    return ", ".join(f"{reason} {n:,}" for reason, n in zip(counts["reason"], counts["cells"], strict=True) if n)


def compare_with_expected(mask: xr.Dataset, n_months: int, quality: Quality) -> list[str]:
    """Describe differences of the counts from the paper's Table 2; an empty list if there are none."""
    found = {"VALID CELLS": int(mask["valid"].values.sum()), "MONTHS": n_months}
    expected = {"VALID CELLS": quality.expected_cells, "MONTHS": quality.expected_months}
    return [
        f"{what} DIFFER FROM THE PAPER'S: {found[what]:,} found, {number:,} in its Table 2 "
        f"(difference {found[what] - number:+,})."
        for what, number in expected.items()
        if number is not None and found[what] != number
    ]


def _summarise_climate(
    climate: xr.Dataset | None, shape: tuple[int, ...]
) -> tuple[Mask, Mask, NDArray[np.float64] | None]:
    """Cells with climate in any and in all months; mean temperature of the warmest calendar month, °C."""
    any_climate, all_climate = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    if climate is None:
        return any_climate, all_climate, None
    for name in climate.data_vars:
        if "time" not in climate[name].dims:
            continue
        # One variable whole: chunks of a file span months, and month by month each would be read many times.
        for field in climate[name][:].values:  # [:] keeps xarray from holding it
            known = np.isfinite(field)
            any_climate |= known
            all_climate &= known
    if "temperature" not in climate:
        return any_climate, all_climate, None
    temperature = climate["temperature"][:].values
    calendar = climate["time"].values.astype("datetime64[M]").astype(np.int64) % 12
    warmest = np.full(shape, -np.inf)
    for month in range(12):
        # A cell that lacks a month is judged by the others of its kind.
        total, count = np.zeros(shape), np.zeros(shape)
        for field in temperature[calendar == month]:
            total += np.nan_to_num(field)
            count += np.isfinite(field)
        mean = np.divide(total, count, out=np.full(shape, -np.inf), where=count > 0)
        warmest = np.maximum(warmest, mean)
    return any_climate, all_climate, warmest


def stand_out(series: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far each month is beyond both of its neighbours in time, with its sign.

    The smaller of the two differences where both have the same sign, else 0; shape (M, N), mm, months as present. The
    first and the last month are compared with the next two and, because a step there may be real, count half.
    """
    before = np.concatenate([series[2:3], series[:-1]])
    after = np.concatenate([series[1:], series[-3:-2]])
    left, right = series - before, series - after
    smaller = np.minimum(np.abs(left), np.abs(right))
    smaller[[0, -1]] /= 2.0
    return np.where(left * right > 0.0, np.sign(left) * smaller, 0.0).astype(np.float32)


def _find_spikes(
    series: NDArray[np.float32], complete: NDArray[np.bool_], lon: NDArray[np.float64], largest: float
) -> NDArray[np.bool_]:
    """Cells in which a month differs from its neighbours in time and in space, shape (N,)."""
    spiked = np.zeros(series.shape[1], dtype=bool)
    if len(series) < 3 or not spiked.size:
        return spiked
    # The median absolute deviation sees neither the spike itself nor a few large floods; times 1.4826 it
    # is the standard deviation of a normal variable.
    scale = np.empty(series.shape[1])
    for start in range(0, len(scale), CELLS_AT_ONCE):
        differences = np.diff(np.ascontiguousarray(series[:, start : start + CELLS_AT_ONCE].T), axis=1)
        centre = np.median(differences, axis=1, keepdims=True)
        scale[start : start + CELLS_AT_ONCE] = 1.4826 * np.median(np.abs(differences - centre), axis=1)
    jumps = stand_out(series)
    threshold = largest * scale
    index = np.full(complete.shape, -1, dtype=np.int64)
    index[complete] = np.arange(series.shape[1])
    rows, columns = np.nonzero(complete)
    wraps = len(lon) > 1 and np.isclose(lon[-1] - lon[0] + np.median(np.diff(lon)), 360.0)
    for month, cell in np.argwhere(np.abs(jumps) > threshold):
        around = _neighbours(index, rows[cell], columns[cell], wraps=bool(wraps))
        if len(around) >= FEWEST_NEIGHBOURS:
            excess = jumps[month, cell] - np.median(jumps[month, around])
        else:
            excess = jumps[month, cell] / 2.0
        spiked[cell] |= bool(np.abs(excess) > threshold[cell])
    return spiked


def _neighbours(index: NDArray[np.int64], row: int, column: int, *, wraps: bool) -> NDArray[np.int64]:
    reach = np.arange(-NEIGHBOUR_CELLS, NEIGHBOUR_CELLS + 1)
    rows, columns = row + reach, column + reach
    rows = rows[(rows >= 0) & (rows < index.shape[0])]
    columns = columns % index.shape[1] if wraps else columns[(columns >= 0) & (columns < index.shape[1])]
    window = index[np.ix_(rows, columns)].ravel()
    return np.unique(window[(window >= 0) & (window != index[row, column])])
