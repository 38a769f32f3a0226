"""Quality control recovers exactly what the twin Earth knows, from its raw files alone."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gwsd.grid import FINE_SPACING, Grid
from gwsd.inputs import quality
from gwsd.inputs.calendar import absent_months, format_months
from gwsd.inputs.climate import align_climate
from gwsd.inputs.quality import QualitySettings
from gwsd.inputs.storage import align_storage
from gwsd.sources.era5_land import open_climate
from gwsd.sources.g3p import open_storage

build_twin = pytest.importorskip("gwsd.sources.twin.build").build_twin
TwinSettings = pytest.importorskip("gwsd.sources.twin.settings").TwinSettings

REGION = (70.0, 14.0, 84.0, 26.0)
CLIMATE_START, START, END = "2010-10", "2010-10", "2012-12"
FAULTS = {"constant": 4, "spike": 12, "hole": 6, "filled": 5}
REASONS = {"constant": "constant", "spike": "implausible", "hole": "incomplete", "filled": "filled"}


def make_land():
    """Land with a ragged coast in the south."""
    grid = Grid(FINE_SPACING, REGION)
    y, x = np.meshgrid(grid.lat - REGION[1], grid.lon - REGION[0], indexing="ij")
    share = np.clip(0.5 + 2.0 * (y - 2.0 + 1.5 * np.sin(x / 2.0) + 0.7 * np.sin(2.3 * x + y)), 0.0, 1.0)
    return xr.DataArray(share, dims=("lat", "lon"), coords={"lat": grid.lat, "lon": grid.lon})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_twins_valid_set_is_recovered(tmp_path, seed):
    singles = ("storage", "truth", "climate_blocks", "balance", "known")
    outputs = {name: tmp_path / f"{name}.nc" for name in singles}
    outputs["faults"] = tmp_path / "faults.csv"
    outputs["climate"] = {year: tmp_path / f"era5_land_{year}.nc" for year in (2010, 2011, 2012)}
    build_twin(
        land=make_land(),
        settings=TwinSettings(
            climate_step=0.5,
            valid_cells=None,
            same_formulas_as_losses=False,
            noise_mm=8.0,
            smoothing_km=250.0,
            faults=FAULTS,
            truth_climate_blocks=1,
        ),
        region=REGION,
        climate_start=CLIMATE_START,
        start=START,
        end=END,
        seed=seed,
        outputs=outputs,
        scenario_title="test",
        report=lambda line: None,
    )
    grid = Grid(0.5, REGION)
    storage = align_storage(open_storage(outputs["storage"]), grid, start=START, end=END)
    years = open_climate(list(outputs["climate"].values()), CLIMATE_START, END)
    preliminary = align_climate(
        years,
        grid,
        tmp_path / "climate.nc",
        climate_start=CLIMATE_START,
        end=END,
        formula="thornthwaite",
        limit="budyko",
        soil_water_mm=100.0,
    )
    assert preliminary == ["2012-10", "2012-11", "2012-12"]
    settings = QualitySettings(2000.0, 8.0, 0.01, expected_cells=57503, expected_months=225)
    with xr.open_dataset(tmp_path / "climate.nc") as climate:
        mask = quality.assess(storage, climate, settings)

    with xr.open_dataset(outputs["known"]) as known:
        np.testing.assert_array_equal(mask["valid"], known["valid"])
        assert int(known["valid"].sum()) > 300
    meanings = mask["reason"].attrs["flag_meanings"].split()
    faults = pd.read_csv(outputs["faults"])
    assert len(faults) == sum(FAULTS.values())
    for fault in faults.itertuples():
        found = mask["reason"].sel(lat=fault.lat, lon=fault.lon).item()
        assert meanings[found] == REASONS[fault.kind], fault
    gaps = format_months(absent_months(storage["time"].values, START, END))
    assert gaps == ["2011-01", "2011-06", "2012-05", "2012-10"]
