"""Climate on the storage grid, and evapotranspiration."""

import subprocess
import sys
from pathlib import Path

import dask
import netCDF4
import numpy as np
import pytest
import xarray as xr
from distributed import LocalCluster

from gwsd.data import cds_files, climate, era5_land
from gwsd.data.era5_land import open_era5_land
from gwsd.data.evapotranspiration import estimate_evapotranspiration, mean_temperature
from gwsd.data.netcdf_io import write_inputs
from gwsd.data.regridding import Regridder
from gwsd.data.settings import Evapotranspiration
from gwsd.errors import ConfigError, DataError
from gwsd.grid import Grid

REGRIDDED = list(climate.REGRIDDED)
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


def align(years, path, grid=None, *, start="2001-01", end="2002-12", variables=REGRIDDED, et=None, **options):
    """Align, and read what was written."""
    options = {"start": start, "end": end, "variables": variables, **options}
    climate.align_climate(years, grid or Grid(10.0), path, evapotranspiration=et or settings(), **options)
    with xr.open_dataset(path) as aligned:
        return aligned.load()


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


@pytest.mark.parametrize("formula", ["thornthwaite", "oudin", "hamon"])
@pytest.mark.parametrize("limit", LIMITS)
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


def test_normals_are_the_means_of_calendar_months():
    months = np.arange("2001-03", "2004-01", dtype="datetime64[M]")
    temperature, rain = np.random.default_rng(0).normal(10.0, 5.0, (2, len(months), 2, 3)).astype(np.float32)
    temperature[5, 0, 0] = rain[7, 1, 1] = np.nan
    normals, known = mean_temperature(lambda t: (temperature[t], rain[t]), months)
    np.testing.assert_array_equal(known, [[False, True, True], [True, False, True]])
    july = months.astype(int) % 12 == 6
    np.testing.assert_allclose(normals[6], temperature[july].mean(axis=0), rtol=1e-6)
    normals, _ = mean_temperature(lambda t: (temperature[t], rain[t]), months[:2])
    np.testing.assert_allclose(normals[11], temperature[:2].mean(axis=0), rtol=1e-6)


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
        (["precipitation", "soil_moisture"], ["precipitation", "soil_moisture"]),
        (["surface_pressure"], ["surface_pressure"]),
    ],
)
def test_a_subset_is_aligned_as_in_the_whole(tmp_path, chosen, written):
    whole = align(make_years(), tmp_path / "whole.nc")
    part = align((year[chosen] for year in make_years()), tmp_path / "part.nc", variables=chosen)
    assert list(part.data_vars) == [*written, "land_share"]
    xr.testing.assert_identical(part, whole[[*written, "land_share"]])


def test_preliminary_months_are_recorded(tmp_path):
    years = [
        year.assign_attrs(preliminary_months=f"{2001 + k}-11 {2001 + k}-12") for k, year in enumerate(make_years())
    ]
    aligned = align(years, tmp_path / "climate.nc", end="2002-11", attributes={"data_label": "a test"})
    assert aligned.attrs["preliminary_months"] == "2001-11 2001-12 2002-11"
    assert aligned.attrs["data_label"] == "a test"
    assert "preliminary_months" not in align(make_years(), tmp_path / "final.nc").attrs


def test_the_file_has_the_layout_of_write_inputs(tmp_path):
    aligned = align(make_years(), tmp_path / "monthly.nc")
    write_inputs(aligned.drop_encoding(), tmp_path / "whole.nc")
    with netCDF4.Dataset(tmp_path / "monthly.nc") as monthly, netCDF4.Dataset(tmp_path / "whole.nc") as whole:
        for name, variable in monthly.variables.items():
            other = whole[name]
            assert (variable.dtype, variable.dimensions) == (other.dtype, other.dimensions), name
            assert (variable.chunking(), variable.filters()) == (other.chunking(), other.filters()), name
            assert {key: str(variable.getncattr(key)) for key in variable.ncattrs()} == {
                key: str(other.getncattr(key)) for key in other.ncattrs()
            }, name


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
    # The same by hand.
    with xr.open_dataset(paths[1]) as raw, xr.open_dataset(tmp_path / "one.nc") as aligned:
        kelvin = raw["t2m"].assign_coords(longitude=(raw["longitude"] + 180) % 360 - 180)
        kelvin = kelvin.sortby(["latitude", "longitude"])
        by_hand = Regridder(kelvin["latitude"].values, kelvin["longitude"].values, Grid(5.0))
        expected = by_hand(kelvin.values[7] - np.float32(273.15))
        np.testing.assert_array_equal(aligned["temperature"].values[12 + 7], expected)


def test_each_block_is_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(cds_files, "MIN_BLOCK_BYTES", 1)
    load, blocks = era5_land._load, []
    monkeypatch.setattr(
        era5_land,
        "_load",
        lambda header, short, indices: blocks.append((short, *indices)) or load(header, short, indices),
    )
    opened = open_era5_land(write_deliveries(tmp_path, years=1), "2001-01", "2001-12")
    align(opened.years, tmp_path / "a.nc", end="2001-12")
    starts = (0, 4, 8)
    expected = [(short, *range(first, first + 4)) for short in ("tp", "t2m", "swvl1", "sp") for first in starts]
    assert sorted(blocks) == sorted(expected)


def test_a_scheduler_that_does_not_answer_is_an_error(tmp_path):
    address = {"scheduler-address": "tcp://127.0.0.1:9", "distributed.comm.timeouts.connect": "1s"}
    with dask.config.set(address), pytest.raises(ConfigError, match=r"dask_scheduler: no scheduler answers at tcp"):
        align(make_years(), tmp_path / "climate.nc")


MEMORY = """
import resource, sys
from pathlib import Path
from gwsd.grid import Grid
from tests.data.test_climate import align, climate, make_years, settings
years = int(sys.argv[1])
climate.align_climate(make_years(years=years), Grid(2.0), Path(sys.argv[2]), start="2001-01", end=f"{2000 + years}-12",
                      variables=list(climate.REGRIDDED), evapotranspiration=settings(), threads=2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3))
"""


def test_memory_does_not_grow_with_the_years(tmp_path):
    def peak(years):
        command = [sys.executable, "-c", MEMORY, str(years), str(tmp_path / f"{years}.nc")]
        root = Path(__file__).parents[2]
        return float(subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout)

    # Nine years of five variables on these cells are 35 MB.
    assert peak(12) - peak(3) < 15.0
