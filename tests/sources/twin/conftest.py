"""A toy twin Earth: one region with coasts and a named aquifer, few months, built once for the room's tests."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gwsd.grid import FINE_SPACING, Grid, Region
from gwsd.sources.twin.build import build_twin
from gwsd.sources.twin.settings import TwinSettings

REGION: Region = (70.0, 18.0, 90.0, 36.0)
CLIMATE_START, START, END = "2010-01", "2010-04", "2012-06"
SETTINGS = TwinSettings(
    climate_step=0.5,
    valid_cells=None,
    same_formulas_as_losses=False,
    noise_mm=8.0,
    smoothing_km=250.0,
    faults={"constant": 4, "spike": 6, "hole": 5, "filled": 3},
    truth_climate_blocks=1,
)


@dataclass(frozen=True)
class Earth:
    """Paths of a built twin and what it was built with."""

    folder: Path
    climate: dict[int, Path]
    settings: TwinSettings

    def __getitem__(self, key: str) -> Path:
        return self.folder / (f"{key}.csv" if key == "faults" else f"{key}.nc")


def make_land(region: Region = REGION) -> xr.DataArray:
    """Land with a coast and a bay: no need to read GLOBE in most tests."""
    grid = Grid(FINE_SPACING, region)
    west, south, _, _ = region
    y, x = np.meshgrid(grid.lat - south, grid.lon - west, indexing="ij")
    height = y - 3.0 + 2.0 * np.sin(x / 3.0) + 0.8 * np.sin(x * 2.1 + y * 1.3)
    share = np.clip(0.5 + 2.0 * height, 0.0, 1.0)
    return xr.DataArray(np.rint(share * 225) / 225, dims=("lat", "lon"), coords={"lat": grid.lat, "lon": grid.lon})


def build(folder: Path, *, seed: int = 5, end: str = END, **changes: object) -> Earth:
    """Build a toy twin in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = replace(SETTINGS, **changes)
    years = range(int(CLIMATE_START[:4]), int(end[:4]) + 1)
    earth = Earth(folder, {year: folder / f"era5_land_{year}.nc" for year in years}, settings)
    names = ("storage", "truth", "climate_blocks", "balance", "known", "faults")
    build_twin(
        land=make_land(),
        settings=settings,
        region=REGION,
        climate_start=CLIMATE_START,
        start=START,
        end=end,
        seed=seed,
        outputs={**{name: earth[name] for name in names}, "climate": earth.climate},
        scenario_title="toy",
        report=lambda line: None,
    )
    return earth


@pytest.fixture(scope="session")
def earth(tmp_path_factory: pytest.TempPathFactory) -> Earth:
    """The toy twin of seed 5."""
    return build(tmp_path_factory.mktemp("twin"))


@pytest.fixture(scope="session")
def build_earth() -> Callable[..., Earth]:
    """The function that builds a toy twin with other settings."""
    return build


@pytest.fixture(scope="session")
def land() -> xr.DataArray:
    """Land of the toy region."""
    return make_land()
