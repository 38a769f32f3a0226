"""The worked examples of docs/your-own-data.md, followed in a copy of the project."""

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from gwsd.config import read_config
from gwsd.data.calendar import month_range
from gwsd.grid import Grid
from tests.workflow.conftest import ROOT, Project

PAGE = (ROOT / "docs/your-own-data.md").read_text()
REGION = Grid(0.5, (98.0, 8.0, 110.0, 20.0))
READ_SETTINGS = """
import json, yaml
from pathlib import Path
from gwsd.config import read_config
document = yaml.safe_load(Path("config.yaml").read_text())
local = yaml.safe_load(Path("local.yaml").read_text())
document["scenarios"].update(local.pop("scenarios"))
config = read_config({**document, **local})
values = config.settings(config.scenario)
print(json.dumps({**values.for_jobs(), "data_label": values.data_label}))
"""


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def local_yaml(scenario):
    (found,) = [block for block in blocks("yaml") if f"scenario: {scenario}" in block]
    return found


def make_mascons(path, months=("2003-10-16", "2003-10-31", "2004-01-01", "2004-01-16", "2004-02-15")):
    """A file in the format of the mascons: `Units`, days since 2002, cm, longitudes 0..360, time bounds."""
    lat, lon = np.arange(8.125, 20.0, 0.25), np.arange(98.125, 110.0, 0.25)
    days = (np.array(months, dtype="datetime64[D]") - np.datetime64("2002-01-01")).astype(np.float64) + 0.5
    rng = np.random.default_rng(3)
    level, slope = rng.normal(0.0, 8.0, (2, len(days), 1, 1))
    values = (level + slope * (0.1 * (lat[:, None] - 14.0) - 0.2 * (lon - 104.0))).astype(np.float32)
    bounds = np.stack([days - 15.0, days + 15.0], axis=1)
    dataset = xr.Dataset(
        {
            "lwe_thickness": (("time", "lat", "lon"), values, {"Units": "cm", "long_name": "Liquid_Water_Equivalent"}),
            "time_bounds": (("time", "timebound"), bounds),
        },
        coords={
            "time": ("time", days, {"Units": "days since 2002-01-01T00:00:00Z", "bounds": "time_bounds"}),
            "lat": ("lat", lat.astype(np.float32), {"Units": "degrees_north"}),
            "lon": ("lon", (lon % 360.0).astype(np.float32), {"Units": "degrees_east"}),
        },
    )
    path.parent.mkdir(exist_ok=True)
    dataset.to_netcdf(path)
    return values


def make_climate(path):
    """Aligned climate without gaps."""
    months = month_range("2003-01", "2004-12")
    shape = (len(months), *REGION.shape)
    fields = {"precipitation": 100.0, "soil_moisture": 0.3, "temperature": 25.0, "surface_pressure": 1000.0}
    variables = {name: (("time", "lat", "lon"), np.full(shape, value, np.float32)) for name, value in fields.items()}
    variables["land_share"] = (("lat", "lon"), np.ones(REGION.shape, np.float32))
    coords = {"time": months, "lat": REGION.lat, "lon": REGION.lon}
    xr.Dataset(variables, coords=coords).to_netcdf(path)


def run(project, *command, status=0):
    words = [str(word) for word in command]
    result = subprocess.run(words, cwd=project.root, env=project.environment, capture_output=True, text=True)
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout + result.stderr


def quality_control(settings, folder):
    """The command of the rule, with outputs in a folder."""
    outputs = {"storage": "storage.nc", "mask": "mask.nc", "reasons": "reasons.csv", "months": "months.csv"}
    read = {name: settings[name] for name in ("sources", "period", "region", "quality", "data_label")}
    return (
        *(sys.executable, "-m", "workflow_scripts.quality_control", "--raw-storage", "STORAGE/mascons.nc"),
        *("--climate", "climate.nc", "--settings", json.dumps(read), "--record", folder / "record.json"),
        *(word for name, file in outputs.items() for word in (f"--{name}", folder / file)),
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with the page's source and scenario, and small files."""
    copy = Project.copy(tmp_path_factory.mktemp("own"))
    module, entry = blocks("python")
    (copy.root / "gwsd/data/csr_mascons.py").write_text(module)
    registry = copy.root / "gwsd/data/sources.py"
    (imported,) = re.findall(r"^from .*$", entry, re.MULTILINE)
    (item,) = re.findall(r"^    \"csr_mascons.*$", entry, re.MULTILINE)
    text = registry.read_text().replace("from gwsd.data.era5_land", f"{imported}\nfrom gwsd.data.era5_land", 1)
    registry.write_text(text.replace("STORAGE = {\n", f"STORAGE = {{\n{item}\n", 1))
    (copy.root / "local.yaml").write_text(local_yaml("mascons"))
    make_climate(copy.root / "climate.nc")
    make_mascons(copy.root / "STORAGE/mascons.nc")
    return copy


def test_the_scenario_of_the_page_is_valid_and_its_patches_fit_its_region():
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    local = yaml.safe_load(local_yaml("basin"))
    document["scenarios"].update(local.pop("scenarios"))
    values = read_config({**document, **local}).settings("basin")
    assert values.patches.size <= min(Grid(0.5, tuple(values.region)).shape)
    assert values.climate_variables == ["precipitation", "temperature"]
    before = month_range(values.period.climate_start, values.period.start)
    assert len(before) - 1 >= max(int(values.variant(name)["model"]["history_months"]) for name in values.variants)


def test_the_source_of_the_page_passes_quality_control(project):
    settings = json.loads(run(project, sys.executable, "-c", READ_SETTINGS))
    assert settings["sources"]["storage"] == "csr_mascons"
    assert settings["data_label"] == "observed: CSR mascons and ERA5-Land"
    values = make_mascons(project.root / "STORAGE/mascons.nc")
    out = project.root / "out"
    printed = run(project, *quality_control(settings, out))
    assert "storage: 0.25° regridded conservatively to 0.5°" in printed
    assert f"valid {24 * 24}; months: 5" in printed
    with xr.open_dataset(out / "storage.nc") as storage:
        months = storage["time"].values.astype("datetime64[M]").astype(str).tolist()
        assert months == ["2003-10", "2003-11", "2003-12", "2004-01", "2004-02"]
        # Four cells have almost the same area: within half a degree the cosine hardly changes.
        plain = values.reshape(5, 24, 2, 24, 2).mean(axis=(2, 4)) * 10.0
        np.testing.assert_allclose(storage["storage"], plain, atol=0.1)
        assert storage["storage"].attrs["quantity"] == "total water storage anomaly"
    assert pd.read_csv(out / "months.csv")["present"].sum() == 5
    settings["sources"]["storage_variable"] = "lwe_thicknes"
    printed = run(project, *quality_control(settings, project.root / "none"), status=1)
    assert "did you mean 'lwe_thickness'?" in printed
    assert "Traceback" not in printed
    assert not list((project.root / "none").iterdir())


def test_snakemake_plans_quality_control_with_the_new_source(project):
    (project.root / "CLIMATE").mkdir(exist_ok=True)
    for year in range(2002, 2017):
        (project.root / f"CLIMATE/era5_land_{year}.nc").touch()
    planned = run(project, "snakemake", "-n", "-p", "--cores", "1", "results/mascons/inputs/quality.csv")
    assert "--raw-storage STORAGE/mascons.nc" in planned
    assert "CLIMATE/era5_land_2016.nc" in planned
