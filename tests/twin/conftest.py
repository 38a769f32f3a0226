"""A toy twin Earth: one region with coasts and a named aquifer, few months, built once."""

import numpy as np
import pytest
import xarray as xr

from gwsd.grid import FINE_SPACING, Grid
from gwsd.twin.build import build_twin
from gwsd.twin.settings import FaultCounts, Twin

REGION = (70.0, 18.0, 90.0, 36.0)
FAULTS = FaultCounts(constant=4, spike=6, gap=5, missing_land=3)
PRODUCT = {"climate_step": 0.5, "noise_mm": 8.0, "smoothing_km": 250.0, "n_climate_blocks": 1}
SETTINGS = Twin(valid_cells=None, inverse_crime=False, faults=FAULTS, **PRODUCT)


def make_land(region=REGION):
    """Land with a coast and a bay."""
    grid = Grid(FINE_SPACING, region)
    y, x = np.meshgrid(grid.lat - region[1], grid.lon - region[0], indexing="ij")
    height = y - 3.0 + 2.0 * np.sin(x / 3.0) + 0.8 * np.sin(x * 2.1 + y * 1.3)
    share = np.clip(0.5 + 2.0 * height, 0.0, 1.0)
    return xr.DataArray(np.rint(share * 225) / 225, dims=("lat", "lon"), coords={"lat": grid.lat, "lon": grid.lon})


def build(folder, *, end="2012-06", **changes):
    """Build a toy twin in a folder; return the paths of its files."""
    names = ("storage", "truth", "climate_blocks", "balance", "known")
    paths = {**{name: folder / f"{name}.nc" for name in names}, "faults": folder / "faults.csv"}
    climate = {year: folder / f"era5_land_{year}.nc" for year in range(2010, int(end[:4]) + 1)}
    build_twin(
        land=make_land(),
        settings=SETTINGS.model_copy(update=changes),
        region=REGION,
        climate_start="2010-01",
        start="2010-04",
        end=end,
        seed=5,
        outputs={**paths, "climate": climate},
        scenario_title="toy",
        report=lambda line: None,
    )
    return {**paths, **climate}


@pytest.fixture(scope="session")
def earth(tmp_path_factory):
    """Paths of the toy twin's files; the climate's keys are years."""
    return build(tmp_path_factory.mktemp("twin"))


@pytest.fixture(scope="session")
def balance(earth):
    """Water balance of the sample cells."""
    with xr.open_dataset(earth["balance"]) as data:
        return data.load()
