import subprocess
import sys
from pathlib import Path

import dask
import netCDF4
import numpy as np
import pytest
import xarray as xr
from distributed import LocalCluster

from gwsd.errors import ConfigError, DataError
from gwsd.grid import Grid
from gwsd.inputs import climate
from gwsd.inputs.evapotranspiration import Normals, estimate_evapotranspiration
from gwsd.inputs.netcdf import write_inputs
from gwsd.inputs.regridding import Regridder
from gwsd.sources.era5_land import open_climate

SOIL_WATER = 100.0
REGRIDDED = list(climate.REGRIDDED)


def node_field(step, *, water=0.3, seed=1, months=2):
    """Noise on global nodes, some of it water."""
    lat = np.round(np.arange(-90.0, 90.0 + step / 2, step), 6)
    lon = np.round(np.arange(-180.0, 180.0, step), 6)
    rng = np.random.default_rng(seed)
    values = rng.normal(10.0, 5.0, (months, len(lat), len(lon))).astype(np.float32)
    values[:, rng.random((len(lat), len(lon))) < water] = np.nan
    time = np.arange("2001-01", f"2001-{months + 1:02d}", dtype="datetime64[M]").astype("datetime64[ns]")
    return xr.DataArray(values, dims=("time", "lat", "lon"), coords={"time": time, "lat": lat, "lon": lon})


def make_years(first=2001, years=2, step=5.0):
    for year in range(first, first + years):
        time = np.arange(f"{year}-01", f"{year + 1}-01", dtype="datetime64[M]").astype("datetime64[ns]")
        base = node_field(step, months=1, seed=3)
        shape = (12, base.sizes["lat"], base.sizes["lon"])
        season = np.cos(2 * np.pi * (np.arange(12) - 6) / 12)[:, None, None] * np.sign(base["lat"].values)[:, None]
        land = np.where(np.isfinite(base.values), 1.0, np.nan)
        warm = (25.0 - np.abs(base["lat"].values)[:, None] / 2.0 + 10.0 * season) * land
        fields = {
            "precipitation": np.broadcast_to(60.0 * land, shape),
            "soil_moisture": np.broadcast_to(0.25 * land, shape),
            "temperature": warm,
            "surface_pressure": np.broadcast_to(950.0 * land, shape),
        }
        yield xr.Dataset(
            {name: (("time", "lat", "lon"), np.array(field, dtype=np.float32)) for name, field in fields.items()},
            coords={"time": time, "lat": base["lat"], "lon": base["lon"]},
        )


def align(datasets, path, grid=None, *, start="2001-01", end="2002-12", formula="oudin", limit="none", **options):
    """Align, and read what was written."""
    climate.align_climate(
        datasets,
        grid or Grid(10.0),
        path,
        climate_start=start,
        end=end,
        formula=formula,
        limit=limit,
        soil_water_mm=SOIL_WATER,
        **options,
    )
    with xr.open_dataset(path) as aligned:
        return aligned.load()


def estimate(temperature, precipitation, lat, months, **options):
    """Evapotranspiration of whole arrays."""
    normals = Normals(temperature.shape[1:])
    for t, month in enumerate(months):
        normals.add(month, temperature[t], precipitation[t])
    return np.stack(
        list(
            estimate_evapotranspiration(
                lambda t: (temperature[t], precipitation[t]), normals, lat, months, soil_water_mm=SOIL_WATER, **options
            )
        )
    )


def write_deliveries(folder, years, *, step=2.0, chunk=4):
    """Noise with moving water, as ERA5-Land's files have it."""
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
@pytest.mark.parametrize("limit", ["budyko", "water", "none"])
def test_climate_is_aligned_and_evapotranspiration_bounded(tmp_path, formula, limit):
    aligned = align(make_years(), tmp_path / "climate.nc", start="2001-04", end="2002-09", formula=formula, limit=limit)
    assert list(aligned.data_vars) == [*REGRIDDED, "evapotranspiration", "land_share"]
    assert aligned.sizes["time"] == 18
    assert aligned["time"].values[0] == np.datetime64("2001-04-01", "ns")
    assert all(aligned[name].dtype == np.float32 for name in aligned)
    assert aligned["precipitation"].attrs["units"] == "mm month-1"
    np.testing.assert_allclose(aligned["surface_pressure"], 950.0, rtol=1e-5)
    actual = aligned["evapotranspiration"].values
    assert np.isfinite(actual).all()
    assert (actual >= 0.0).all()
    potential = estimate(
        aligned["temperature"].values,
        aligned["precipitation"].values,
        aligned["lat"].values,
        aligned["time"].values,
        formula=formula,
        limit="none",
    )
    assert (actual <= potential * (1 + 1e-6)).all()
    if limit != "none":
        # Over the whole period no more can evaporate than fell and was stored.
        assert (actual.sum(axis=0) <= 18 * 60.0 + SOIL_WATER + 1e-2).all()
        assert (actual < potential).any()


def test_warm_places_evaporate_most_in_their_own_summer(tmp_path):
    aligned = align(make_years(), tmp_path / "climate.nc", end="2001-12", formula="thornthwaite")
    cell = aligned["evapotranspiration"].isel(lon=10)
    assert cell.sel(lat=45.0).values.argmax() == 6
    assert cell.sel(lat=-45.0).values.argmax() in (0, 11)


def test_a_desert_evaporates_what_rains():
    months = np.arange("2001-01", "2004-01", dtype="datetime64[M]")
    temperature = np.full((36, 1, 1), 30.0, dtype=np.float32)
    rain = np.full((36, 1, 1), 5.0, dtype=np.float32)
    for limit in ("budyko", "water"):
        actual = estimate(temperature, rain, np.array([25.0]), months, formula="thornthwaite", limit=limit)
        np.testing.assert_allclose(actual[12:], 5.0, atol=0.01)


def test_normals_are_the_means_of_calendar_months():
    months = np.arange("2001-03", "2004-01", dtype="datetime64[M]")
    rng = np.random.default_rng(0)
    temperature, rain = rng.normal(10.0, 5.0, (2, len(months), 2, 3)).astype(np.float32)
    temperature[5, 0, 0] = rain[7, 1, 1] = np.nan
    normals = Normals((2, 3))
    for t, month in enumerate(months):
        normals.add(month, temperature[t], rain[t])
    np.testing.assert_array_equal(normals.known, [[False, True, True], [True, False, True]])
    july = months.astype(int) % 12 == 6
    np.testing.assert_allclose(normals.temperature()[6], temperature[july].mean(axis=0), rtol=1e-6)
    short = Normals((2, 3))
    for t in (1, 2):
        short.add(months[t], temperature[t], rain[t])
    np.testing.assert_allclose(short.temperature()[11], temperature[1:3].mean(axis=0), rtol=1e-6)


def test_a_missing_month_and_a_climate_elsewhere_are_refused(tmp_path):
    path = tmp_path / "climate.nc"
    with pytest.raises(DataError, match="lacks 2003-01"):
        align(make_years(), path, end="2003-01")
    south = (year.sel(lat=slice(-90, -50)) for year in make_years())
    with pytest.raises(DataError, match="covers no cell of the region"):
        align(south, path, Grid(10.0, (0.0, 20.0, 40.0, 40.0)))
    without = (year.drop_vars("soil_moisture") for year in make_years())
    with pytest.raises(DataError, match="gives no soil_moisture"):
        align(without, path)


@pytest.mark.parametrize(
    ("chosen", "written"),
    [
        (["temperature", "precipitation"], ["precipitation", "temperature", "evapotranspiration"]),
        (["precipitation", "soil_moisture"], ["precipitation", "soil_moisture"]),
        (["surface_pressure"], ["surface_pressure"]),
    ],
)
def test_any_subset_is_aligned_as_in_the_whole(tmp_path, chosen, written):
    whole = align(make_years(), tmp_path / "whole.nc")
    years = (year[chosen] for year in make_years())
    part = align(years, tmp_path / "part.nc", variables=chosen)
    assert list(part.data_vars) == [*written, "land_share"]
    xr.testing.assert_identical(part, whole[[*written, "land_share"]])


def test_preliminary_months_are_kept_and_said(tmp_path):
    years = [
        year.assign_attrs(preliminary_months=f"{2001 + k}-11 {2001 + k}-12") for k, year in enumerate(make_years())
    ]
    aligned = align(years, tmp_path / "climate.nc", end="2002-11", attributes={"data_label": "a test"})
    assert aligned.attrs["preliminary_months"] == "2001-11 2001-12 2002-11"
    assert aligned.attrs["data_label"] == "a test"
    assert "preliminary_months" not in align(make_years(), tmp_path / "final.nc").attrs


def test_the_file_is_like_one_written_whole(tmp_path):
    # Other programs of the workflow read both.
    aligned = align(make_years(), tmp_path / "monthly.nc")
    write_inputs(aligned.drop_encoding(), tmp_path / "whole.nc")
    with netCDF4.Dataset(tmp_path / "monthly.nc") as one, netCDF4.Dataset(tmp_path / "whole.nc") as other:
        assert list(one.variables) == [*aligned.coords, *aligned.data_vars]
        for name, variable in one.variables.items():
            twin = other[name]
            assert (variable.dtype, variable.dimensions) == (twin.dtype, twin.dimensions), name
            assert (variable.chunking(), variable.filters()) == (twin.chunking(), twin.filters()), name
            assert {key: str(variable.getncattr(key)) for key in variable.ncattrs()} == {
                key: str(twin.getncattr(key)) for key in twin.ncattrs()
            }, name


def test_no_bit_depends_on_threads_or_scheduler(tmp_path):
    paths = write_deliveries(tmp_path, years=2)

    def run(name, **options):
        years = open_climate(paths, "2001-01", "2002-12", REGRIDDED)
        align(years, tmp_path / name, Grid(5.0), formula="thornthwaite", limit="budyko", **options)
        return (tmp_path / name).read_bytes()

    alone = run("one.nc")
    assert run("again.nc") == alone
    assert run("two.nc", threads=2) == alone
    cluster = LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None)
    with cluster, dask.config.set({"scheduler-address": cluster.scheduler_address}):
        assert run("cluster.nc") == alone
    # Against the regridder on fields read by hand.
    grid = Grid(5.0)
    with xr.open_dataset(paths[1]) as raw, xr.open_dataset(tmp_path / "one.nc") as aligned:
        kelvin = raw["t2m"].assign_coords(longitude=(raw["longitude"] + 180) % 360 - 180)
        kelvin = kelvin.sortby(["latitude", "longitude"])
        by_hand = Regridder(kelvin["latitude"].values, kelvin["longitude"].values, grid)
        warmth = kelvin.values[7] - np.float32(273.15)
        np.testing.assert_array_equal(aligned["temperature"].values[12 + 7], by_hand(warmth))


def test_each_block_is_read_once(tmp_path, monkeypatch):
    from gwsd.sources import deliveries, era5_land

    monkeypatch.setattr(deliveries, "BLOCK_BYTES", 1)
    load, blocks = era5_land._load, []
    monkeypatch.setattr(
        era5_land,
        "_load",
        lambda member, short, indices: blocks.append((short, *indices)) or load(member, short, indices),
    )
    align(open_climate(write_deliveries(tmp_path, years=1), "2001-01", "2001-12"), tmp_path / "a.nc", end="2001-12")
    assert sorted(blocks) == sorted(
        (short, *range(first, first + 4)) for short in ("tp", "t2m", "swvl1", "sp") for first in (0, 4, 8)
    )


def test_a_scheduler_that_does_not_answer_is_said(tmp_path):
    address = {"scheduler-address": "tcp://127.0.0.1:9", "distributed.comm.timeouts.connect": "1s"}
    with (
        dask.config.set(address),
        pytest.raises(ConfigError, match=r"dask_scheduler: no scheduler answers at tcp://127"),
    ):
        align(make_years(), tmp_path / "climate.nc")


MEMORY = """
import sys
from pathlib import Path
from gwsd.grid import Grid
from gwsd.inputs.climate import align_climate
from tests.inputs.test_climate import make_years
years = int(sys.argv[1])
align_climate(make_years(years=years), Grid(2.0), Path(sys.argv[2]), climate_start="2001-01",
              end=f"{2000 + years}-12", formula="oudin", limit="water", soil_water_mm=100.0, threads=2)
status = Path("/proc/self/status").read_text()
print(status.split("VmHWM:")[1].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_does_not_grow_with_the_years(tmp_path):
    def peak(years):
        command = [sys.executable, "-c", MEMORY, str(years), str(tmp_path / f"{years}.nc")]
        root = Path(__file__).parents[2]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        return int(done.stdout) / 1000.0

    # Fifteen years of five variables on these cells are 58 MB.
    assert peak(18) - peak(3) < 20.0
