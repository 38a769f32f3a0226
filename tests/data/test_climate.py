"""Climate on the storage grid, and evapotranspiration."""

import subprocess
import sys
from pathlib import Path

import dask
import numpy as np
import pytest
import xarray as xr
from distributed import LocalCluster

from gwsd.data import climate, era5_land
from gwsd.data.era5_land import RawClimate, open_era5_land
from gwsd.data.evapotranspiration import estimate_evapotranspiration
from gwsd.data.settings import Evapotranspiration
from gwsd.errors import ConfigError, DataError
from gwsd.grid import Grid

REGRIDDED = list(era5_land.VARIABLES)
LIMITS = ("budyko", "precipitation_plus_soil_water", "none")


def settings(formula="oudin", supply_limit="none"):
    return Evapotranspiration(formula=formula, supply_limit=supply_limit, soil_water_mm=100.0)


def make_years(first=2001, years=2, step=5.0):
    """Yearly datasets with a season, on nodes that are partly water."""
    lat, lon = np.arange(-90.0, 90.1, step), np.arange(-180.0, 180.0, step)
    land = np.where(np.random.default_rng(3).random((len(lat), len(lon))) < 0.3, np.nan, 1.0)
    season = np.cos(2 * np.pi * (np.arange(12) - 6) / 12)[:, None, None] * np.sign(lat)[:, None]
    fields = {
        "precipitation": 60.0 * land,
        "soil_moisture": 0.25 * land,
        "temperature": (25.0 - np.abs(lat)[:, None] / 2.0 + 10.0 * season) * land,
        "surface_pressure": 950.0 * land,
    }
    for year in range(first, first + years):
        time = np.arange(f"{year}-01", f"{year + 1}-01", dtype="datetime64[M]").astype("datetime64[ns]")
        data = {
            name: (("time", "lat", "lon"), np.array(np.broadcast_to(field, (12, *land.shape)), dtype=np.float32))
            for name, field in fields.items()
        }
        yield xr.Dataset(data, coords={"time": time, "lat": lat, "lon": lon})


def align(years, path, grid=None, *, end="2002-12", variables=REGRIDDED, et=None, load=True, **options):
    """Align, and read what was written."""
    options = {"start": "2001-01", "end": end, "variables": variables, "report": lambda line: None, **options}
    raw = RawClimate(years, [])
    climate.prepare_climate(raw, grid or Grid(10.0), path, evapotranspiration=et or settings(), **options)
    with xr.open_dataset(path) as aligned:
        return aligned.load() if load else None


def estimate(temperature, precipitation, lat, months, et):
    """Evapotranspiration of whole arrays."""
    fields = estimate_evapotranspiration(lambda t: (temperature[t], precipitation[t]), lat, months, et)
    return np.stack(list(fields))


def write_deliveries(folder, years, *, step=2.0, chunk=4):
    """Noise with moving water, in the layout of ERA5-Land."""
    rng = np.random.default_rng(0)
    lat, lon = np.arange(90.0, -91.0, -step), np.arange(0.0, 360.0, step)
    shape = (12, len(lat), len(lon))
    for year in range(2001, 2001 + years):
        months = np.arange(f"{year}-01", f"{year + 1}-01", dtype="datetime64[M]").astype("datetime64[ns]")
        data = {}
        for name, low, high, unit in (("tp", 0, 0.01, "m"), ("t2m", 250, 310, "K"), ("swvl1", 0, 0.5, "1")):
            values = rng.uniform(low, high, shape).astype(np.float32)
            values[rng.random(shape) < 0.3] = np.nan
            data[name] = (("valid_time", "latitude", "longitude"), values, {"units": unit})
        data["sp"] = (data["t2m"][0], data["t2m"][1] * 300, {"units": "Pa"})
        dataset = xr.Dataset(data, coords={"valid_time": months, "latitude": lat, "longitude": lon})
        encoding = {name: {"zlib": True, "chunksizes": (chunk, *shape[1:])} for name in data}
        dataset.to_netcdf(folder / f"{year}.nc", encoding=encoding)
    return sorted(folder.glob("*.nc"))


@pytest.mark.parametrize(
    ("formula", "limit"), [*(("thornthwaite", limit) for limit in LIMITS), ("oudin", "budyko"), ("hamon", "none")]
)
def test_climate_is_aligned_and_evapotranspiration_limited(tmp_path, formula, limit):
    et = settings(formula, limit)
    aligned = align(make_years(), tmp_path / "climate.nc", start="2001-04", end="2002-09", et=et)
    assert list(aligned.data_vars) == [*REGRIDDED, "evapotranspiration", "land_share"]
    assert aligned.sizes["time"] == 18
    assert aligned["time"].values[0] == np.datetime64("2001-04-01", "ns")
    assert all(aligned[name].dtype == np.float32 for name in aligned)
    assert aligned["precipitation"].attrs["units"] == "mm month-1"
    np.testing.assert_allclose(aligned["surface_pressure"], 950.0, rtol=1e-5)
    actual = aligned["evapotranspiration"].values
    assert (actual >= 0.0).all()
    arrays = [aligned[name].values for name in ("temperature", "precipitation", "lat", "time")]
    potential = estimate(*arrays, settings(formula, "none"))
    assert (actual <= potential * (1 + 1e-6)).all()
    if limit != "none":
        # No more can evaporate than precipitation and soil water.
        assert (actual.sum(axis=0) <= 18 * 60.0 + 100.0 + 1e-2).all()
        assert (actual < potential).any()
    if formula == "thornthwaite" and limit == "none":
        warmest = aligned["time.month"].values[actual[:, :, 10].argmax(axis=0)]
        assert dict(zip(aligned["lat"].values, warmest, strict=True))[45.0] == 7
        assert dict(zip(aligned["lat"].values, warmest, strict=True))[-45.0] in (1, 12)


@pytest.mark.parametrize("limit", LIMITS[:2])
def test_in_a_desert_all_rain_evaporates(limit):
    months = np.arange("2001-01", "2004-01", dtype="datetime64[M]")
    warm, rain = (np.full((36, 1, 1), value, dtype=np.float32) for value in (30.0, 5.0))
    actual = estimate(warm, rain, np.array([25.0]), months, settings("thornthwaite", limit))
    np.testing.assert_allclose(actual[12:], 5.0, atol=0.01)


@pytest.mark.parametrize(
    ("change", "grid", "message"),
    [
        (lambda year: year.isel(time=slice(None, 11)), Grid(10.0), "lacks 2001-12, 2002-12"),
        (lambda year: year.sel(lat=slice(-90, -50)), Grid(10.0, (0.0, 20.0, 40.0, 40.0)), "covers no cell"),
        (lambda year: year.drop_vars("soil_moisture"), Grid(10.0), "has no soil_moisture"),
    ],
)
def test_incomplete_climate_is_refused(tmp_path, change, grid, message):
    with pytest.raises(DataError, match=message):
        align(map(change, make_years()), tmp_path / "climate.nc", grid)


@pytest.mark.parametrize(
    ("chosen", "written"),
    [
        (["temperature", "precipitation"], ["precipitation", "temperature", "evapotranspiration"]),
        (["surface_pressure"], ["surface_pressure"]),
    ],
)
def test_a_subset_is_aligned_as_in_the_whole(tmp_path, chosen, written):
    whole = align(make_years(), tmp_path / "whole.nc")
    part = align((year[chosen] for year in make_years()), tmp_path / "part.nc", variables=chosen)
    assert list(part.data_vars) == [*written, "land_share"]
    xr.testing.assert_identical(part, whole[[*written, "land_share"]])


def test_preliminary_months_are_recorded(tmp_path):
    years = [year.assign_attrs(preliminary_months=f"{y}-11 {y}-12") for y, year in enumerate(make_years(), 2001)]
    aligned = align(years, tmp_path / "climate.nc", end="2002-11", attributes={"data_label": "a test"})
    assert aligned.attrs["preliminary_months"] == "2001-11 2001-12 2002-11"
    assert aligned.attrs["data_label"] == "a test"
    assert "preliminary_months" not in align(make_years(), tmp_path / "final.nc").attrs


def test_threads_and_schedulers_give_the_same_bytes(tmp_path):
    paths = write_deliveries(tmp_path, years=2)

    def run(name, **options):
        years = open_era5_land(paths, "2001-01", "2002-12", REGRIDDED).years
        align(years, tmp_path / name, Grid(5.0), et=settings("thornthwaite", "budyko"), **options)
        return (tmp_path / name).read_bytes()

    alone = run("one.nc")
    assert run("two.nc", threads=2) == alone
    cluster = LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None)
    with cluster, dask.config.set({"scheduler-address": cluster.scheduler_address}):
        assert run("cluster.nc") == alone


def test_a_scheduler_that_does_not_answer_is_an_error(tmp_path):
    address = {"scheduler-address": "tcp://127.0.0.1:9", "distributed.comm.timeouts.connect": "1s"}
    with dask.config.set(address), pytest.raises(ConfigError, match=r"dask_scheduler: no scheduler answers at tcp"):
        align(make_years(), tmp_path / "climate.nc")


MEMORY = """
import resource, sys
from pathlib import Path
from tests.data.test_climate import Grid, align, make_years
peaks = []
for years in (3, 12):
    align(make_years(years=years), Path(sys.argv[1]) / f"{years}.nc", Grid(2.0), end=f"{2000 + years}-12", threads=2,
          load=False)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3))
print(peaks[1] - peaks[0])
"""


def test_memory_does_not_grow_with_the_years(tmp_path):
    command = [sys.executable, "-c", MEMORY, str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    # Nine years of five variables on these cells are 35 MB.
    assert float(done.stdout) < 15.0
