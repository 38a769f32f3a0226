import numpy as np
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.grid import Grid
from gwsd.inputs import climate

SOIL_WATER = 100.0


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


@pytest.mark.parametrize("formula", ["thornthwaite", "oudin", "hamon"])
@pytest.mark.parametrize("limit", ["budyko", "water", "none"])
def test_climate_is_aligned_and_evapotranspiration_bounded(formula, limit):
    aligned = climate.align_climate(
        make_years(),
        Grid(10.0),
        climate_start="2001-04",
        end="2002-09",
        formula=formula,
        limit=limit,
        soil_water_mm=SOIL_WATER,
    )
    assert list(aligned.data_vars) == [*climate.VARIABLES, "land_share"]
    assert aligned.sizes["time"] == 18
    assert aligned["time"].values[0] == np.datetime64("2001-04-01", "ns")
    assert all(aligned[name].dtype == np.float32 for name in aligned)
    assert aligned["precipitation"].attrs["units"] == "mm month-1"
    np.testing.assert_allclose(aligned["surface_pressure"], 950.0, rtol=1e-5)
    actual = aligned["evapotranspiration"].values
    assert np.isfinite(actual).all()
    assert (actual >= 0.0).all()
    potential = climate.estimate_evapotranspiration(
        aligned["temperature"].values,
        aligned["precipitation"].values,
        aligned["lat"].values,
        aligned["time"].values,
        formula=formula,
        limit="none",
        soil_water_mm=SOIL_WATER,
    )
    assert (actual <= potential * (1 + 1e-6)).all()
    if limit != "none":
        # Over the whole period no more can evaporate than fell and was stored.
        assert (actual.sum(axis=0) <= 18 * 60.0 + SOIL_WATER + 1e-2).all()
        assert (actual < potential).any()


def test_warm_places_evaporate_most_in_their_own_summer():
    aligned = climate.align_climate(
        make_years(),
        Grid(10.0),
        climate_start="2001-01",
        end="2001-12",
        formula="thornthwaite",
        limit="none",
        soil_water_mm=SOIL_WATER,
    )
    cell = aligned["evapotranspiration"].isel(lon=10)
    assert cell.sel(lat=45.0).values.argmax() == 6
    assert cell.sel(lat=-45.0).values.argmax() in (0, 11)


def test_a_desert_evaporates_what_rains():
    months = np.arange("2001-01", "2004-01", dtype="datetime64[M]")
    temperature = np.full((36, 1, 1), 30.0, dtype=np.float32)
    rain = np.full((36, 1, 1), 5.0, dtype=np.float32)
    for limit in ("budyko", "water"):
        actual = climate.estimate_evapotranspiration(
            temperature, rain, np.array([25.0]), months, formula="thornthwaite", limit=limit, soil_water_mm=SOIL_WATER
        )
        np.testing.assert_allclose(actual[12:], 5.0, atol=0.01)


def test_a_missing_month_and_a_climate_elsewhere_are_refused():
    with pytest.raises(DataError, match="lacks 2003-01"):
        climate.align_climate(
            make_years(),
            Grid(10.0),
            climate_start="2001-01",
            end="2003-01",
            formula="oudin",
            limit="none",
            soil_water_mm=SOIL_WATER,
        )
    south = (year.sel(lat=slice(-90, -50)) for year in make_years())
    region = (0.0, 20.0, 40.0, 40.0)
    with pytest.raises(DataError, match="covers no cell of the region"):
        climate.align_climate(
            south,
            Grid(10.0, region),
            climate_start="2001-01",
            end="2002-12",
            formula="oudin",
            limit="none",
            soil_water_mm=SOIL_WATER,
        )
