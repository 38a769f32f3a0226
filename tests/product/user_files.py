"""User-supplied files: half-degree storage, climate as the Climate Data Store delivers it, and matching weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gwsd.model.weights import write_weights
from tests.product import toy_globe
from tests.product.toy_globe import MODEL, NORMALISATION, VARIABLES

REGION = (100.0, 0.0, 112.0, 10.0)  # west, south, east, north
MONTHS = np.delete(np.arange("2010-01", "2010-09", dtype="datetime64[M]"), 3)  # 2010-04 is absent
CLIMATE_MONTHS = np.arange("2009-12", "2010-09", dtype="datetime64[M]")


def waves(months: int, lat: np.ndarray, lon: np.ndarray, seed: int) -> np.ndarray:
    random = np.random.Generator(np.random.PCG64(seed))
    phase, size = random.uniform(0, 2 * np.pi, (2, months, 1, 1))
    return np.sin(lat[:, None] / 3 + phase) * np.cos(lon / 4 + size)


def write_storage(
    path: Path,
    *,
    name: str = "lwe_thickness",
    units: str | None = "mm",
    months: np.ndarray = MONTHS,
    **attributes: str,
) -> Path:
    lat = np.arange(REGION[1] + 0.25, REGION[3], 0.5)
    lon = np.arange(REGION[0] + 0.25, REGION[2], 0.5)
    values = 80 * waves(months.size, lat, lon, 3) + np.arange(months.size)[:, None, None]
    values[:, :3, :4] = np.nan  # sea
    xr.Dataset(
        {name: (("time", "lat", "lon"), values, {} if units is None else {"units": units})},
        {"time": months.astype("datetime64[ns]"), "lat": lat, "lon": lon},
        attributes,
    ).to_netcdf(path)
    return path


def write_climate(path: Path, *, months: np.ndarray = CLIMATE_MONTHS, without: str = "", **attributes: str) -> Path:
    lat, lon = np.arange(20.0, -10.5, -0.5), np.arange(90.0, 122.5, 0.5)
    shapes = [("tp", 0.003, 0.002, "m"), ("swvl1", 0.25, 0.05, "m3 m-3"), ("t2m", 295.0, 5.0, "K")]
    dims = ("valid_time", "latitude", "longitude")
    fields = {
        name: (dims, level + spread * waves(months.size, lat, lon, seed), {"units": unit})
        for seed, (name, level, spread, unit) in enumerate([*shapes, ("sp", 95e3, 2e3, "Pa")])
        if name != without
    }
    axes = {"valid_time": months.astype("datetime64[ns]"), "latitude": lat, "longitude": lon}
    xr.Dataset(fields, axes, attributes).to_netcdf(path)
    return path


def write_network(path: Path, *, label: str = "observed: G3P v1.12 and ERA5-Land", **changes: Any) -> Path:
    metadata = {
        "variant": "full",
        "model": MODEL.model_dump_json(),
        "climate_variables": json.dumps(VARIABLES),
        "normalisation": json.dumps(NORMALISATION),
        "patch_size": "16",
        "data_label": label,
        "job_key": "0123456789abcdef" * 4,
    } | changes
    metadata = {key: value for key, value in metadata.items() if value is not None}
    write_weights(path, toy_globe.network().state_dict(), metadata)
    return path
