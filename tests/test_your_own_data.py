"""The worked examples of docs/your-own-data.md, followed in a copy of the project."""

import re

import numpy as np
import pandas as pd
import xarray as xr
import yaml

from gwsd.config import read_config
from gwsd.data.calendar import month_range
from gwsd.grid import Grid
from tests.workflow.conftest import ROOT, Project

PAGE = (ROOT / "docs/your-own-data.md").read_text()
REGION = Grid(0.5, (98.0, 8.0, 110.0, 20.0))


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
    fields = {"precipitation": 100.0, "soil_moisture": 0.3, "temperature": 25.0, "surface_pressure": 1000.0}
    shape, dims = (len(months), *REGION.shape), ("time", "lat", "lon")
    variables = {name: (dims, np.full(shape, value, np.float32)) for name, value in fields.items()}
    variables["land_share"] = (("lat", "lon"), np.ones(REGION.shape, np.float32))
    path.parent.mkdir(parents=True)
    xr.Dataset(variables, {"time": months, "lat": REGION.lat, "lon": REGION.lon}).to_netcdf(path)


def test_the_scenario_of_the_page_is_valid_and_its_patches_fit_its_region():
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    local = yaml.safe_load(local_yaml("basin"))
    document["scenarios"].update(local.pop("scenarios"))
    values = read_config({**document, **local}).settings("basin")
    assert values.patches.size <= min(Grid(0.5, tuple(values.region)).shape)
    assert values.climate_variables == ["precipitation", "temperature"]
    before = month_range(values.period.climate_start, values.period.start)
    assert len(before) - 1 >= max(int(values.variant(name)["model"]["history_months"]) for name in values.variants)


def test_the_source_of_the_page_passes_quality_control(tmp_path):
    project = Project.copy(tmp_path)
    module, entry = blocks("python")
    (tmp_path / "gwsd/data/csr_mascons.py").write_text(module)
    registry = tmp_path / "gwsd/data/inputs.py"
    (imported,) = re.findall(r"^from .*$", entry, re.MULTILINE)
    (item,) = re.findall(r"^    \"csr_mascons.*$", entry, re.MULTILINE)
    text = registry.read_text().replace("from gwsd.data.era5_land", f"{imported}\nfrom gwsd.data.era5_land", 1)
    registry.write_text(text.replace("STORAGE = {\n", f"STORAGE = {{\n{item}\n", 1))
    (tmp_path / "local.yaml").write_text(local_yaml("mascons"))
    values = make_mascons(tmp_path / "STORAGE/mascons.nc")
    (tmp_path / "CLIMATE").mkdir()
    for year in range(2002, 2017):
        (tmp_path / f"CLIMATE/era5_land_{year}.nc").touch()
    out = tmp_path / "results/mascons/inputs"
    make_climate(out / "climate.nc")  # newer than its inputs: only quality control is run
    done = project.snakemake(f"{out.relative_to(tmp_path)}/quality.csv", "--rerun-triggers", "mtime", toy=False)
    assert done.returncode == 0, done.stdout + done.stderr
    log = (tmp_path / "results/mascons/logs/quality_control.log").read_text()
    assert "storage: 0.25° regridded conservatively to 0.5°" in log
    assert f"valid {24 * 24}; months: 5" in log
    with xr.open_dataset(out / "storage.nc") as storage:
        assert storage.attrs["data_label"] == "observed: CSR mascons and ERA5-Land"
        assert storage["storage"].attrs["quantity"] == "total water storage anomaly"
        months = storage["time"].values.astype("datetime64[M]").astype(str).tolist()
        assert months == ["2003-10", "2003-11", "2003-12", "2004-01", "2004-02"]
        # Four cells have almost the same area: within half a degree the cosine hardly changes.
        plain = values.reshape(5, 24, 2, 24, 2).mean(axis=(2, 4)) * 10.0
        np.testing.assert_allclose(storage["storage"], plain, atol=0.1)
    assert pd.read_csv(out / "months.csv")["present"].sum() == 5
