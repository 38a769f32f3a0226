"""The worked examples of docs/your-own-data.md, done as the page says in a copy of the project."""

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
from gwsd.grid import Grid
from gwsd.inputs.calendar import month_range
from tests.workflow.conftest import ROOT, Project

PAGE = (ROOT / "docs/your-own-data.md").read_text()
MODULE = "gwsd/sources/csr_mascons.py"
REGION = Grid(0.5, (98.0, 8.0, 110.0, 20.0))
READ_SETTINGS = """
import json, sys, yaml
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
    """A file in the product's own format: `Units`, days since 2002, cm, longitudes 0..360, bounds of time."""
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
    """Climate as the workflow aligns it: everything is there in every month."""
    months = month_range("2003-01", "2004-12")
    shape = (len(months), *REGION.shape)
    fields = {"precipitation": 100.0, "soil_moisture": 0.3, "temperature": 25.0, "surface_pressure": 1000.0}
    variables = {name: (("time", "lat", "lon"), np.full(shape, value, np.float32)) for name, value in fields.items()}
    variables["land_share"] = (("lat", "lon"), np.ones(REGION.shape, np.float32))
    coords = {"time": months, "lat": REGION.lat, "lon": REGION.lon}
    xr.Dataset(variables, coords=coords).to_netcdf(path)


def start(project, *command):
    return subprocess.run(
        [str(word) for word in command], cwd=project.root, env=project.environment, capture_output=True, text=True
    )


def run(project, *command):
    result = start(project, *command)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def quality_control(project, settings, folder):
    """The command of the rule, with outputs in a folder."""
    outputs = {"storage": "storage.nc", "mask": "mask.nc", "reasons": "reasons.csv", "months": "months.csv"}
    read = {name: settings[name] for name in ("sources", "period", "region", "quality", "data_label")}
    return (
        *(sys.executable, "workflow_scripts/quality_control.py", "--source", MODULE),
        *("--raw-storage", "STORAGE/mascons.nc", "--climate", "climate.nc", "--settings", json.dumps(read)),
        *(word for name, file in outputs.items() for word in (f"--{name}", folder / file)),
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with the page's module and scenario in their places, and tiny files."""
    copy = Project.copy(tmp_path_factory.mktemp("own"))
    (module,) = blocks("python")
    (copy.root / MODULE).write_text(module)
    (copy.root / "local.yaml").write_text(local_yaml("mascons"))
    make_climate(copy.root / "climate.nc")
    return copy


def test_every_scenario_of_the_page_is_valid_and_its_patches_fit_its_region():
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    local = yaml.safe_load(local_yaml("basin"))
    document["scenarios"].update(local.pop("scenarios"))
    values = read_config({**document, **local}).settings("basin")
    assert values.patches.size <= min(Grid(0.5, tuple(values.region)).shape)
    assert values.climate_variables == ["precipitation", "temperature"]
    before = month_range(values.period.climate_start, values.period.start)
    assert len(before) - 1 >= max(int(values.variant(name)["model"]["memory"]) for name in values.variants)


def test_the_module_of_the_page_is_a_product_and_its_files_pass_quality_control(project):
    settings = json.loads(run(project, sys.executable, "-c", READ_SETTINGS))
    assert settings["sources"]["storage"] == "csr_mascons"
    assert settings["data_label"] == "observed: CSR mascons and ERA5-Land"
    values = make_mascons(project.root / "STORAGE/mascons.nc")
    out = project.root / "out"
    said = run(project, *quality_control(project, settings, out))
    assert "storage: 0.25° regridded conservatively to 0.5°" in said
    assert f"valid {24 * 24}; months: 5" in said
    with xr.open_dataset(out / "storage.nc") as storage:
        assert storage["time"].values.astype("datetime64[M]").astype(str).tolist() == [
            *("2003-10", "2003-11", "2003-12", "2004-01", "2004-02")
        ]
        # Four cells weigh almost the same: within half a degree the cosine hardly changes.
        plain = values.reshape(5, 24, 2, 24, 2).mean(axis=(2, 4)) * 10.0
        np.testing.assert_allclose(storage["storage"], plain, atol=0.1)
        assert storage.attrs["data_label"] == settings["data_label"]
    assert pd.read_csv(out / "months.csv")["present"].sum() == 5


def test_a_misspelt_setting_of_the_new_product_is_one_message(project):
    make_mascons(project.root / "STORAGE/mascons.nc")
    settings = json.loads(run(project, sys.executable, "-c", READ_SETTINGS))
    settings["sources"]["storage_variable"] = "lwe_thicknes"
    result = start(project, *quality_control(project, settings, project.root / "none"))
    assert result.returncode == 1
    assert "did you mean 'lwe_thickness'?" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list((project.root / "none").iterdir())


def test_snakemake_plans_quality_control_with_the_new_product(project):
    make_mascons(project.root / "STORAGE/mascons.nc")
    (project.root / "CLIMATE").mkdir(exist_ok=True)
    for year in range(2002, 2017):
        (project.root / f"CLIMATE/era5_land_{year}.nc").touch()
    planned = run(project, "snakemake", "-n", "-p", "--cores", "1", "results/mascons/inputs/quality.csv")
    assert f"--source {MODULE} --raw-storage STORAGE/mascons.nc" in planned
    assert "CLIMATE/era5_land_2016.nc" in planned
