"""A globe of 24 by 48 cells with land, sea, and land across the date line."""

from typing import Any

import numpy as np
import torch
import xarray as xr

from gwsd.config import read_project_config
from gwsd.grid import GLOBE, Grid
from gwsd.methods.network import Network
from gwsd.model.downscaler import Downscaler
from gwsd.patches.gathering import Cube, Scale
from gwsd.product.estimator import Estimator, open_estimator, trained
from gwsd.product.grid_batch import ValidCells
from gwsd.product.inference import Tiling
from gwsd.product.settings import Product
from tests.training.toy_earth import LEVELS, NORMALISATION, VARIABLES
from tests.training.toy_earth import MODEL as BATCH_MODEL

MODEL = BATCH_MODEL.model_copy(update={"normalisation": "none"})
PRODUCT = (
    read_project_config()
    .settings("demo")
    .product.model_copy(
        update={"method": "full", "inference": "auto", "stride": 0.75, "batch_size": 3, "correction": True}
    )
)
GRID = Grid(7.5, GLOBE)
SCALE = Scale(*LEVELS["storage"])
TILING = Tiling(size=16, stride=12, batch_size=3)
CLIMATE_MONTHS = np.arange("2001-12", "2003-03", dtype="datetime64[M]")
MONTHS = np.delete(CLIMATE_MONTHS[3:], [2, 5])  # 2002-05 and 2002-08 are absent


def settings(**changes: Any) -> Product:
    return PRODUCT.model_copy(update=changes)


def smooth(random: np.random.Generator, months: int) -> np.ndarray:
    """Waves of some cells' length that close round the Earth, (months, 24, 48)."""
    row, col = np.mgrid[:24, :48]
    field = np.zeros((months, 24, 48))
    for _ in range(6):
        along, up = random.integers(1, 7), random.integers(1, 5)
        phase = random.uniform(0, 2 * np.pi, (months, 1, 1))
        field += random.normal(size=(months, 1, 1)) * np.cos(2 * np.pi * (along * col / 48 + up * row / 40) + phase)
    return field.astype(np.float32)


def land() -> np.ndarray:
    valid = np.zeros((24, 48), dtype=bool)
    valid[4:20, 8:30] = True
    valid[12:22, 42:] = True
    valid[12:22, :5] = True  # across the date line
    valid[6, 15] = False  # a hole
    return valid


def datasets(valid: np.ndarray | None = None) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    """Return storage, climate and mask."""
    random = np.random.Generator(np.random.PCG64(11))
    valid = land() if valid is None else valid
    axes = {"lat": GRID.lat, "lon": GRID.lon}
    dims = ("time", "lat", "lon")

    def variable(name: str, count: int) -> tuple[tuple[str, ...], np.ndarray]:
        mean, sd = LEVELS[name]
        return dims, (mean + sd * smooth(random, count)).astype(np.float32)

    storage = variable("storage", MONTHS.size)
    storage[1][:, ~valid] = np.nan
    return (
        xr.Dataset({"storage": storage}, {"time": MONTHS.astype("datetime64[ns]"), **axes}),
        xr.Dataset(
            {name: variable(name, CLIMATE_MONTHS.size) for name in [*VARIABLES, "evapotranspiration"]},
            {"time": CLIMATE_MONTHS.astype("datetime64[ns]"), **axes},
        ),
        xr.Dataset({"valid": (("lat", "lon"), valid.astype(np.int8))}, axes),
    )


def cube(valid: np.ndarray | None = None) -> Cube:
    return Cube.from_datasets(*datasets(valid), normalisation=NORMALISATION, variables=VARIABLES)


def cells(valid: np.ndarray | None = None) -> ValidCells:
    return ValidCells.of(cube(valid), GRID)


def network(**changes: Any) -> Downscaler:
    """Make a network of random weights whose prediction varies by some ten millimetres."""
    torch.manual_seed(5)
    made = Downscaler(MODEL.model_copy(update=changes), VARIABLES)
    torch.nn.init.normal_(made.mean_head.weight, std=20.0)
    return made


def estimator(precision: str = "float32", **changes: Any) -> Estimator:
    method = Network("toy", network(**changes), SCALE)
    return trained(method, 16, normalisation=NORMALISATION, precision=precision, device=torch.device("cpu"))


def interpolation(kernel: str) -> Estimator:
    return open_estimator(None, method=kernel, patch_size=16, precision="float32", device=torch.device("cpu"))
