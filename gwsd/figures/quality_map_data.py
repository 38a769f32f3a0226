"""The map of the quality control, computed: why each cell is in or out."""

import numpy as np
import xarray as xr

from gwsd.errors import DataError
from gwsd.figures.data_file import labelled, need
from gwsd.figures.predicted_patches import world_land
from gwsd.grid import COARSE_SPACING


def compute(mask: xr.Dataset, land: xr.Dataset, *, data_label: str, source: str, reported: str = "") -> xr.Dataset:
    """Compute the data of the quality map.

    Parameters
    ----------
    mask : xr.Dataset
        `reason` (lat, lon), a CF flag variable (`flag_values`, `flag_meanings`).
    land : xr.Dataset
        `land_fraction` (lat, lon) on the fine grid.
    data_label, source, reported : str
        Where the data come from, the job's key, and what the paper states.

    Returns
    -------
    xr.Dataset
        `reason`, `land_fraction` (lat, lon), and `meaning`, `cells` (flag).

    Raises
    ------
    DataError
        If the flags and their meanings do not match.
    """
    need(mask, {"reason": ("lat", "lon")}, "mask.nc")
    need(land, {"land_fraction": ("lat", "lon")}, "land.nc")
    reason = mask["reason"]
    flags = np.atleast_1d(reason.attrs.get("flag_values", np.array([], dtype=np.int8)))
    meanings = str(reason.attrs.get("flag_meanings", "")).split()
    if len(flags) != len(meanings) or not np.isin(reason.values, flags).all():
        raise DataError("mask.nc: reason needs flag_values and flag_meanings that name every value it has.")
    data = xr.Dataset(
        {
            "reason": (("lat", "lon"), reason.values.astype(np.int8)),
            "land_fraction": (("lat", "lon"), world_land(land, COARSE_SPACING).values),
            "meaning": ("flag", meanings),
            "cells": ("flag", [int((reason.values == flag).sum()) for flag in flags]),
        },
        {"lat": mask["lat"].values, "lon": mask["lon"].values, "flag": flags.astype(np.int8)},
    )
    return labelled(data, title="Why cells are in or out", data_label=data_label, source=source, reported=reported)
