"""Quality control recovers the known valid cells and faults of the twin Earth from its raw files."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gwsd.data.calendar import absent_months, format_months
from gwsd.data.inputs import control_quality, open_climate, open_storage, prepare_climate, prepare_storage
from gwsd.data.settings import Evapotranspiration, Quality
from gwsd.grid import FINE_SPACING, Grid
from gwsd.twin.build import build_twin
from gwsd.twin.settings import FaultCounts, Twin

REGION = (70.0, 14.0, 84.0, 26.0)
CLIMATE_START, START, END = "2010-10", "2010-10", "2012-12"
VARIABLES = ["precipitation", "soil_moisture", "temperature", "surface_pressure"]
FAULTS = FaultCounts(constant=4, spike=12, gap=6, missing_land=5)
REASONS = {"constant": "constant", "spike": "implausible", "gap": "incomplete", "missing_land": "filled"}


def make_land():
    """Land with a ragged coast in the south."""
    grid = Grid(FINE_SPACING, REGION)
    y, x = np.meshgrid(grid.lat - REGION[1], grid.lon - REGION[0], indexing="ij")
    share = np.clip(0.5 + 2.0 * (y - 2.0 + 1.5 * np.sin(x / 2.0) + 0.7 * np.sin(2.3 * x + y)), 0.0, 1.0)
    return xr.DataArray(share, dims=("lat", "lon"), coords={"lat": grid.lat, "lon": grid.lon})


@pytest.mark.parametrize("seed", [1, 2])
def test_the_valid_cells_and_faults_of_the_twin_are_recovered(tmp_path, seed):
    singles = ("storage", "truth", "climate_blocks", "balance", "known")
    outputs = {name: tmp_path / f"{name}.nc" for name in singles}
    outputs["faults"] = tmp_path / "faults.csv"
    outputs["climate"] = {year: tmp_path / f"era5_land_{year}.nc" for year in (2010, 2011, 2012)}
    build_twin(
        land=make_land(),
        settings=Twin(
            climate_step=0.5,
            valid_cells=None,
            inverse_crime=False,
            noise_mm=8.0,
            smoothing_km=250.0,
            faults=FAULTS,
            n_climate_blocks=1,
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
    lines = []
    grid = Grid(0.5, REGION)
    raw = open_storage([outputs["storage"]], "twin")
    assert raw.attrs["synthetic"] == "yes"
    storage = prepare_storage(raw, grid, start=START, end=END, report=lines.append)
    months = {"start": CLIMATE_START, "end": END, "variables": VARIABLES}
    climate = open_climate(list(outputs["climate"].values()), "twin", **months)
    assert climate.synthetic
    et = Evapotranspiration(formula="thornthwaite", supply_limit="budyko", soil_water_mm=100.0)
    path = tmp_path / "climate.nc"
    preliminary = prepare_climate(climate, grid, path, **months, evapotranspiration=et, report=lines.append)
    assert preliminary == ["2012-10", "2012-11", "2012-12"]
    quality = Quality(
        max_anomaly_mm=2000.0, spike_threshold_sigma=8.0, min_std_mm=0.01, expected_cells=None, expected_months=None
    )
    with xr.open_dataset(path) as aligned:
        assert aligned.attrs["synthetic"] == "yes"
        _, mask = control_quality(storage, aligned, quality, lines.append)

    with xr.open_dataset(outputs["known"]) as known:
        np.testing.assert_array_equal(mask["valid"], known["valid"])
        assert int(known["valid"].sum()) > 300
    meanings = mask["reason"].attrs["flag_meanings"].split()
    faults = pd.read_csv(outputs["faults"])
    assert len(faults) == sum(FAULTS.model_dump().values())
    for fault in faults.itertuples():
        found = mask["reason"].sel(lat=fault.lat, lon=fault.lon).item()
        assert meanings[found] == REASONS[fault.kind], fault
    gaps = format_months(absent_months(storage["time"].values, START, END))
    assert gaps == ["2011-01", "2011-06", "2012-05", "2012-10"]
