"""Quality control: mask of valid coarse cells, and the reason why each other cell is excluded."""

from collections.abc import Callable
from enum import IntEnum
from typing import Any

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

LAND_SHARE = 0.5  # a cell without storage is land where climate covers at least this share of it
NEIGHBOUR_CELLS = 2  # cells to each side whose jumps tell a spike from an event; the product is smoothed over 250 km
FEWEST_NEIGHBOURS = 3
"""With fewer neighbours, a jump is judged by its own series and twice the threshold: on the twin Earth, valid cells
jump by up to 11 robust standard deviations, which their neighbours share."""

CELLS_AT_ONCE = 4096  # series per block of medians, so that they fit into the cache

Mask = NDArray[np.bool_]


def assess(storage: xr.Dataset, climate: xr.Dataset | None, quality: Quality) -> xr.Dataset:
    """Decide for each cell whether it is valid, and if not why: the mask of `control_quality`."""
    for axis in ("lat", "lon"):
        if climate is not None and not np.array_equal(storage[axis].values, climate[axis].values):
            raise DataError(f"Storage and climate differ in {axis}. Expected the same cells: rebuild climate.nc.")
    values = storage["storage"][:].values  # [:] keeps xarray from holding it
    present = np.zeros(values.shape[1:], dtype=np.int32)
    for field in values:
        present += np.isfinite(field)
    any_climate, all_climate, warmest = _summarise_climate(climate, present.shape)

    without, complete = present == 0, present == len(values)
    share = any_climate
    if climate is not None and "land_share" in climate:
        share = climate["land_share"].values
    land = any_climate & (share >= LAND_SHARE)
    sheet = is_ice_sheet(storage["lat"].values[:, None], storage["lon"].values[None, :])
    reason = np.full(present.shape, Reason.VALID, dtype=np.int8)
    reason[complete & ~all_climate] = Reason.NO_CLIMATE
    reason[~without & ~complete] = Reason.INCOMPLETE
    reason[~without & sheet] = Reason.ICE
    reason[without] = Reason.OCEAN
    reason[without & land] = Reason.FILLED
    reason[without & land & (sheet if warmest is None else warmest < 0.0)] = Reason.ICE

    series = np.stack([field[complete] for field in values])
    fault = np.full(series.shape[1], Reason.VALID, dtype=np.int8)
    too_large = np.abs(series).max(axis=0, initial=0.0) > quality.max_anomaly_mm
    spiked = _find_spikes(series, complete, storage["lon"].values, quality.spike_threshold_sigma)
    fault[too_large | spiked] = Reason.IMPLAUSIBLE
    if len(series) > 1:
        fault[series.std(axis=0, dtype=np.float64) < quality.min_std_mm] = Reason.CONSTANT
    candidates = reason[complete]
    reason[complete] = np.where(candidates == Reason.VALID, fault, candidates)
    valid = _flags("cell passes quality control", ["out", "in"])
    reasons = _flags("why the cell is in or out", [r.name.lower() for r in Reason])
    if warmest is None:
        reasons["comment"] = "the climate has no temperature: ice outside Greenland and Antarctica counts as filled"
    dims = ("lat", "lon")
    return xr.Dataset(
        {"valid": (dims, (reason == Reason.VALID).astype(np.int8), valid), "reason": (dims, reason, reasons)},
        coords={name: (name, storage[name].values, COORDINATES[name]) for name in dims},
        attrs={"Conventions": "CF-1.11"},
    )


def _flags(long_name: str, meanings: list[str]) -> dict[str, object]:
    values = np.arange(len(meanings), dtype=np.int8)
    return {"long_name": long_name, "flag_values": values, "flag_meanings": " ".join(meanings)}


def control_quality(
    storage: xr.Dataset, climate: xr.Dataset | None, quality: Quality, report: Callable[[str], None]
) -> tuple[xr.Dataset, xr.Dataset]:
    """Exclude cells that fail quality control and report the counts by reason.

    Parameters
    ----------
    storage : xarray.Dataset
        `storage` (time, lat, lon), mm, aligned, with all months that exist: a cell that is constant or incomplete is
        recognised by its series (a series of one month is not tested for being constant).
    climate : xarray.Dataset or None
        As `prepare_climate` writes it, on the same cells, with any of its variables. Without `temperature`, ice is
        known by the outlines of the ice sheets only. None skips the tests that need climate.

    Returns
    -------
    storage : xarray.Dataset
        NaN outside the valid cells.
    mask : xarray.Dataset
        `valid` (lat, lon) int8, 1 where valid; `reason` (lat, lon) int8, a CF flag variable, whose attribute `comment`
        names a test that was skipped.
    """
    mask = assess(storage, climate, quality)
    months, valid = storage.sizes["time"], int(mask["valid"].values.sum())
    if months == 1:
        report("NOTE: the storage has one month, so constant cells cannot be recognised")
    if climate is not None and (comment := mask["reason"].attrs.get("comment")):
        report(f"NOTE: {comment}")
    expectations = ("valid cells", valid, quality.expected_cells), ("months", months, quality.expected_months)
    for what, number, expected in expectations:
        if expected is not None and number != expected:
            differ = f"{number:,} instead of {expected:,} ({number - expected:+,})"
            report(f"NOTE: the number of {what} differs from the paper's Table 2: {differ}")
    table = count_reasons(mask)
    counts = ", ".join(f"{reason} {n:,}" for reason, n in zip(table["reason"], table["cells"], strict=True) if n)
    report(f"cells: {counts}; months: {months}")
    if not valid:
        raise DataError(
            f"No half-degree cell passes quality control ({counts}). Check the files, the unit of the storage, the "
            "limits of the section `quality`, and that storage and climate overlap in `region`."
        )
    kept = storage.where(mask["valid"].astype(bool)).transpose("time", "lat", "lon")
    return kept.assign_attrs(storage.attrs), mask


def count_reasons(mask: xr.Dataset) -> pd.DataFrame:
    """Count cells by reason: columns reason, cells, meaning; every reason has a row."""
    cells = [int((mask["reason"].values == r).sum()) for r in Reason]
    return pd.DataFrame({"reason": [r.name.lower() for r in Reason], "cells": cells, "meaning": MEANINGS.values()})


def _summarise_climate(climate: xr.Dataset | None, shape: tuple[int, ...]) -> tuple[Mask, Mask, Any]:
    """Cells with climate in any and in all months; mean temperature of the warmest calendar month, °C, or None."""
    any_climate, all_climate = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    if climate is None:
        return any_climate, all_climate, None
    for name in climate.data_vars:
        if "time" not in climate[name].dims:
            continue
        # One variable whole: chunks of a file span months, and month by month each would be read many times.
        for field in climate[name][:].values:
            known = np.isfinite(field)
            any_climate |= known
            all_climate &= known
    if "temperature" not in climate:
        return any_climate, all_climate, None
    temperature = climate["temperature"][:].values
    calendar = climate["time"].values.astype("datetime64[M]").astype(np.int64) % 12
    warmest = np.full(shape, -np.inf)
    for month in range(12):
        # A cell that lacks a month is judged by the other months of the same name.
        total, count = np.zeros(shape), np.zeros(shape)
        for field in temperature[calendar == month]:
            total += np.nan_to_num(field)
            count += np.isfinite(field)
        warmest = np.maximum(warmest, np.divide(total, count, out=np.full(shape, -np.inf), where=count > 0))
    return any_climate, all_climate, warmest


def _stand_out(series: NDArray[np.float32]) -> NDArray[np.float32]:
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


def _find_spikes(series: NDArray[np.float32], complete: Mask, lon: NDArray[np.float64], sigma: float) -> Mask:
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
    jumps = _stand_out(series)
    threshold = sigma * scale
    index = np.full(complete.shape, -1, dtype=np.int64)
    index[complete] = np.arange(series.shape[1])
    reach = NEIGHBOUR_CELLS
    index = np.pad(index, reach, constant_values=-1)
    if len(lon) > 1 and np.isclose(lon[-1] - lon[0] + np.median(np.diff(lon)), 360.0):
        index[:, :reach], index[:, -reach:] = index[:, -2 * reach : -reach], index[:, reach : 2 * reach]
    rows, columns = np.nonzero(complete)
    for month, cell in np.argwhere(np.abs(jumps) > threshold):
        row, column = rows[cell], columns[cell]
        window = np.unique(index[row : row + 2 * reach + 1, column : column + 2 * reach + 1])
        around = window[(window >= 0) & (window != cell)]
        alone = len(around) < FEWEST_NEIGHBOURS
        excess = jumps[month, cell] / 2.0 if alone else jumps[month, cell] - np.median(jumps[month, around])
        spiked[cell] |= bool(np.abs(excess) > threshold[cell])
    return spiked
