"""An independent check of interpolation and statistics: errors measured before on a real GRACE field."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from gwsd.evaluation.evaluate import evaluate
from gwsd.losses import LossSettings
from gwsd.methods.interpolation import Interpolation
from gwsd.patches.gathering import FORCING, Cube, Scale, nearest_valid
from gwsd.resample import Kernel

REPOSITORY = Path(__file__).parents[2]
REAL_DATA = Path(os.environ.get("GWSD_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
FILE = REAL_DATA / "observed_storage" / "twsa_jpl_l2_gauss250km_05deg_200204_202309.nc"
SIZE = 32

pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason="no observed storage: GWSD_REAL_DATA names the folder that holds observed_storage/"
)


@pytest.fixture(scope="module")
def observed():
    with xr.open_dataset(FILE) as dataset:
        name = next(name for name, variable in dataset.items() if variable.ndim == 3)
        field = dataset[name].sortby("lat").transpose("time", "lat", "lon").load()
    values = field.to_numpy().astype(np.float32)
    valid = np.isfinite(values).all(axis=0)
    months = field["time"].to_numpy().astype("datetime64[M]")
    cells = int(valid.sum())
    # The climate enters no error: zeros that take no memory.
    climate = torch.zeros(1).expand(len(months) * 2, len(FORCING), cells)
    cube = Cube(
        storage=torch.from_numpy(values[:, valid]),
        climate=climate,
        nearest=torch.from_numpy(nearest_valid(valid, wraps=True)),
        valid=torch.from_numpy(valid),
        cos_latitude=torch.ones(4 * valid.shape[0]),
        storage_months=months,
        climate_months=np.arange(months[0], months[0] + 2 * len(months)),
        variables=FORCING,
        model_variables=(FORCING[0],),
        storage_scale=Scale(0.0, 60.0),
        climate_mean=torch.zeros(1, 1, 1),
        climate_std=torch.ones(1, 1, 1),
    )
    total = np.pad(valid.astype(int).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    count = total[SIZE:, SIZE:] - total[:-SIZE, SIZE:] - total[SIZE:, :-SIZE] + total[:-SIZE, :-SIZE]
    places = np.argwhere(count >= 0.9 * SIZE**2)
    draw = np.random.Generator(np.random.PCG64(11))
    chosen = places[draw.integers(len(places), size=500)]
    table = pd.DataFrame(
        {
            "patch": np.arange(500),
            "month": months[draw.integers(len(months), size=500)].astype(str),
            "row": chosen[:, 0],
            "col": chosen[:, 1],
            "lat": 0.0,
            "lon": 0.0,
        }
    )
    return cube, table


@pytest.mark.parametrize(
    ("kernel", "mae", "spread", "tolerance"),
    [(Kernel.NEAREST, 2.57, 2.21, 0.35), (Kernel.BILINEAR, 0.52, 0.60, 0.12)],
)
def test_errors_against_bicubic_are_those_measured_on_this_field_before(observed, kernel, mae, spread, tolerance):
    # Other 500 patches (their mean is known to spread/√500), and holes filled from the nearest valid cell: with zeros
    # in the holes coasts are rougher, and both errors some 5 to 10 % larger.
    cube, table = observed
    loss = LossSettings(0.05, 0.01, 32, 10.0, 10.0, (0.1, 0.4))
    found = evaluate(Interpolation(kernel), cube, table, size=SIZE, memory=1, loss=loss, batch_size=50).summary
    assert found["mae_mm"] == pytest.approx(mae, abs=tolerance)
    assert found["mae_sd_mm"] == pytest.approx(spread, abs=3.0 * tolerance)
    assert found["r2"] > 0.99
