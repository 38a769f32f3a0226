"""Quality control recovers the known valid cells and faults of the twin Earth from its raw files."""

import numpy as np
import pandas as pd
import xarray as xr

from gwsd.data.calendar import list_months
from gwsd.data.climate import prepare_climate
from gwsd.data.inputs import open_climate, open_storage, prepare_storage
from gwsd.data.quality import control_quality
from gwsd.data.settings import Evapotranspiration, Quality
from gwsd.grid import Grid
from tests.twin.conftest import FAULTS, REGION, build

MONTHS = {"start": "2010-04", "end": "2012-12"}
VARIABLES = ["precipitation", "soil_moisture", "temperature", "surface_pressure"]
REASONS = {"constant": "constant", "spike": "implausible", "gap": "incomplete", "missing_land": "filled"}
LIMITS = {"max_anomaly_mm": 2000.0, "spike_threshold_sigma": 8.0, "min_std_mm": 0.01}


def test_the_valid_cells_and_faults_of_the_twin_are_recovered(tmp_path):
    files, grid, lines = build(tmp_path, end="2012-12"), Grid(0.5, REGION), []
    raw = open_storage([files["storage"]], "twin")
    assert raw.attrs["synthetic"] == "yes"
    storage = prepare_storage(raw, grid, **MONTHS, report=lines.append)
    months = {**MONTHS, "start": "2010-01", "variables": VARIABLES}
    climate = open_climate([files[year] for year in (2010, 2011, 2012)], "twin", **months)
    et = Evapotranspiration(formula="thornthwaite", supply_limit="budyko", soil_water_mm=100.0)
    path = tmp_path / "climate.nc"
    preliminary = prepare_climate(climate, grid, path, **months, evapotranspiration=et, report=lines.append)
    assert preliminary == ["2012-10", "2012-11", "2012-12"]
    quality = Quality(**LIMITS, expected_cells=None, expected_months=None)
    with xr.open_dataset(path) as aligned:
        assert aligned.attrs["synthetic"] == "yes"
        _, mask = control_quality(storage, aligned, quality, lines.append)

    with xr.open_dataset(files["known"]) as known:
        np.testing.assert_array_equal(mask["valid"], known["valid"])
        assert int(known["valid"].sum()) > 300
    meanings = mask["reason"].attrs["flag_meanings"].split()
    faults = pd.read_csv(files["faults"])
    assert len(faults) == sum(FAULTS.model_dump().values())
    for fault in faults.itertuples():
        found = mask["reason"].sel(lat=fault.lat, lon=fault.lon).item()
        assert meanings[found] == REASONS[fault.kind], fault
    present = list_months(storage["time"].values, **MONTHS)
    assert list(present["month"][present["present"] == 0]) == ["2011-01", "2011-06", "2012-05", "2012-10"]
