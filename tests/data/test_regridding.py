"""Invariants of conservative regridding; tests/data/test_storage.py compares it with brute force."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import xarray as xr

from gwsd.data.regridding import Regridder
from gwsd.grid import Grid


def node_field(step, *, offset=0.0, water=0.3, seed=1, months=2):
    """Noise on global nodes, partly water."""
    lat = np.round(np.arange(-90.0, 90.0 + step / 2, step), 6)
    lon = np.round(np.arange(-180.0, 180.0, step) + offset, 6)
    rng = np.random.default_rng(seed)
    values = rng.normal(10.0, 5.0, (months, len(lat), len(lon))).astype(np.float32)
    values[:, rng.random((len(lat), len(lon))) < water] = np.nan
    return xr.DataArray(values, dims=("time", "lat", "lon"), coords={"lat": lat, "lon": lon})


def regrid(field, grid):
    return Regridder(field["lat"].values, field["lon"].values, grid).months(field.values)


def test_a_node_at_the_pole_is_a_cap():
    field = node_field(5.0, water=0.0, months=1)
    field[:] = 0.0
    field[:, -1] = 1.0
    cap = 1.0 - np.sin(np.deg2rad(87.5))
    np.testing.assert_allclose(regrid(field, Grid(10.0))[0, -1], cap / (1.0 - np.sin(np.deg2rad(80.0))), rtol=1e-5)


def test_a_constant_stays_and_the_total_is_conserved():
    field = node_field(2.5, water=0.0)
    regridded = regrid(field, Grid(5.0))
    bands = np.diff(np.sin(np.deg2rad(np.linspace(-90, 90, 37))))
    edges = np.concatenate([[-90.0], field["lat"].values[:-1] + 1.25, [90.0]])
    source = (field.values.mean(axis=2) * np.diff(np.sin(np.deg2rad(edges)))).sum(axis=1)
    np.testing.assert_allclose((regridded.mean(axis=2) * bands).sum(axis=1), source, rtol=1e-5)
    np.testing.assert_allclose(regrid(xr.full_like(field, 7.0), Grid(5.0)), 7.0, rtol=1e-5)


def test_share_is_the_area_with_values():
    field = node_field(5.0, water=0.0, months=1)
    field[:, :, field["lon"].values < 0.0] = np.nan
    share = Regridder(field["lat"].values, field["lon"].values, Grid(10.0)).share(np.isfinite(field.values[0]))
    # The node at 0 degrees reaches 2.5 degrees to the west; the one at -180 is water.
    np.testing.assert_allclose(share[:, [0, 16, 17, 18, 34]], [[0.0, 0.0, 0.25, 1.0, 1.0]] * 18, atol=1e-5)
    np.testing.assert_allclose(share[:, 35], 0.75, atol=1e-5)


def test_a_region_agrees_with_the_globe_and_is_empty_outside():
    field = node_field(2.5)
    whole = regrid(field, Grid(5.0))[:, 20:26, 48:56]
    nodes = field.sel(lat=slice(10, 40), lon=slice(60, 100))
    for source in (field, nodes):
        np.testing.assert_allclose(regrid(source, Grid(5.0, (60.0, 10.0, 100.0, 40.0))), whole, atol=1e-5)
    wider = regrid(nodes.fillna(1.0), Grid(5.0, (50.0, 0.0, 110.0, 50.0)))
    assert np.isnan(wider[:, :, 0]).all()
    assert np.isnan(wider[:, 0]).all()
    assert np.isfinite(wider[:, 2:8, 2:10]).all()


def test_months_do_not_affect_one_another_in_threads_or_processes():
    # Water differs from month to month, and weights are cached.
    field = node_field(5.0, months=3)
    field[1, 3:9, 10:40] = np.nan
    field[2, 20:30] = np.nan
    alone = np.concatenate([regrid(field[[k]], Grid(10.0)) for k in range(3)])
    regridder = Regridder(field["lat"].values, field["lon"].values, Grid(10.0))
    np.testing.assert_array_equal(regridder.months(field.values[::-1]), alone[::-1])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(regridder)).months(field.values), alone)
    with ThreadPoolExecutor(4) as pool:
        for k, there in enumerate(pool.map(regridder, [field.values[k % 3] for k in range(60)])):
            np.testing.assert_array_equal(there, alone[k % 3])
