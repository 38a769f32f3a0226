import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr
import xarray_regrid  # noqa: F401  registers the accessor `.regrid`

from gwsd.errors import DataError
from gwsd.grid import Grid
from gwsd.inputs.regridding import Regridder


def node_field(step, *, offset=0.0, water=0.3, seed=1, months=2):
    """Noise on global nodes, some of it water."""
    lat = np.round(np.arange(-90.0, 90.0 + step / 2, step), 6)
    lon = np.round(np.arange(-180.0, 180.0, step) + offset, 6)
    rng = np.random.default_rng(seed)
    values = rng.normal(10.0, 5.0, (months, len(lat), len(lon))).astype(np.float32)
    values[:, rng.random((len(lat), len(lon))) < water] = np.nan
    time = np.arange("2001-01", f"2001-{months + 1:02d}", dtype="datetime64[M]").astype("datetime64[ns]")
    return xr.DataArray(values, dims=("time", "lat", "lon"), coords={"time": time, "lat": lat, "lon": lon})


def regrid(field, grid):
    regridder = Regridder(field["lat"].values, field["lon"].values, grid)
    return np.stack([regridder(month) for month in field.values])


def average_by_force(field, lat_edges, lon_edges, step):
    """Area mean over one cell: every node box is cut with the cell on the sphere."""
    weight = total = 0.0
    for i, lat in enumerate(field["lat"].values):
        low, high = max(lat - step / 2, lat_edges[0], -90.0), min(lat + step / 2, lat_edges[1], 90.0)
        if high <= low:
            continue
        band = np.sin(np.deg2rad(high)) - np.sin(np.deg2rad(low))
        for j, lon in enumerate(field["lon"].values):
            # A box may lie on either side of the date line.
            width = sum(
                max(0.0, min(lon + step / 2 + turn, lon_edges[1]) - max(lon - step / 2 + turn, lon_edges[0]))
                for turn in (-360.0, 0.0, 360.0)
            )
            value = float(field.values[0, i, j])
            if width > 1e-9 and np.isfinite(value):
                weight += width * band
                total += width * band * value
    return total / weight if weight else np.nan


@pytest.mark.parametrize(("step", "offset"), [(5.0, 0.0), (5.0, 1.5), (4.0, 2.0), (3.0, 0.0), (2.5, 0.0)])
def test_regridding_agrees_with_brute_force_everywhere(step, offset):
    field = node_field(step, offset=offset, months=1)
    grid = Grid(10.0)
    # Both poles, both sides of the date line, and cells between.
    rows, columns = [0, 1, 8, 16, 17], [0, 1, 17, 35]
    ours = regrid(field, grid)[0][np.ix_(rows, columns)]
    oracle = [
        [average_by_force(field, (lat - 5, lat + 5), (lon - 5, lon + 5), step) for lon in grid.lon[columns]]
        for lat in grid.lat[rows]
    ]
    # Steps that cut a cell in the middle of a half box are split by degrees, not by sines.
    tolerance = 1e-4 if step in (5.0, 2.5) else 0.05
    np.testing.assert_allclose(ours, oracle, atol=tolerance)


def test_the_pole_rows_are_exact():
    # A node on the pole stands for a cap half a step wide, a third as large as the rest of the polar row.
    field = node_field(5.0, water=0.0, months=1)
    field[:] = 0.0
    field[:, -1] = 1.0
    row = regrid(field, Grid(10.0))[0, -1]
    cap = 1.0 - np.sin(np.deg2rad(87.5))
    np.testing.assert_allclose(row, cap / (1.0 - np.sin(np.deg2rad(80.0))), rtol=1e-5)


def test_a_constant_stays_and_the_total_is_conserved():
    field = node_field(2.5, water=0.0)
    grid = Grid(5.0)
    regridded = regrid(field, grid)
    bands = np.diff(np.sin(np.deg2rad(np.linspace(-90, 90, 37))))
    edges = np.concatenate([[-90.0], field["lat"].values[:-1] + 1.25, [90.0]])
    source = (field.values.mean(axis=2) * np.diff(np.sin(np.deg2rad(edges)))).sum(axis=1)
    np.testing.assert_allclose((regridded.mean(axis=2) * bands).sum(axis=1), source, rtol=1e-5)
    constant = regrid(xr.full_like(field, 7.0), grid)
    np.testing.assert_allclose(constant, 7.0, rtol=1e-5)


def test_land_share_is_the_area_with_values():
    field = node_field(5.0, water=0.0, months=1)
    field[:, :, field["lon"].values < 0.0] = np.nan
    share = Regridder(field["lat"].values, field["lon"].values, Grid(10.0)).share(np.isfinite(field.values[0]))
    # The node on 0 degrees reaches 2.5 degrees to the west of it; the one on -180 is water.
    np.testing.assert_allclose(share[:, [0, 16, 17, 18, 34]], [[0.0, 0.0, 0.25, 1.0, 1.0]] * 18, atol=1e-5)
    np.testing.assert_allclose(share[:, 35], 0.75, atol=1e-5)


def test_a_region_agrees_with_the_globe():
    field = node_field(2.5)
    south, west = 90 + 10, 180 + 60
    whole = regrid(field, Grid(5.0))[:, south // 5 : south // 5 + 6, west // 5 : west // 5 + 8]
    region = Grid(5.0, (60.0, 10.0, 100.0, 40.0))
    np.testing.assert_allclose(regrid(field, region), whole, atol=1e-5)
    nodes = field.sel(lat=slice(10, 40), lon=slice(60, 100))
    np.testing.assert_allclose(regrid(nodes, region), whole, atol=1e-5)


def test_cells_beyond_the_nodes_have_no_value():
    nodes = node_field(2.5, water=0.0).sel(lat=slice(10, 40), lon=slice(60, 100))
    wider = regrid(nodes, Grid(5.0, (50.0, 0.0, 110.0, 50.0)))
    assert np.isnan(wider[:, :, 0]).all()
    assert np.isnan(wider[:, 0]).all()
    assert np.isfinite(wider[:, 2:8, 2:10]).all()


def test_it_is_what_the_library_gives_for_boxes_cut_in_two():
    # Also where water differs from month to month.
    field = node_field(0.5, months=3)
    field[1, 100:140, 50:300] = np.nan
    grid = Grid(1.0)
    target = xr.Dataset(coords={"lat": grid.lat, "lon": grid.lon})
    halves = (field["lat"].values[:, None] + [-0.125, 0.125]).ravel()
    cut = field.isel(lat=np.repeat(np.arange(361), 2)).assign_coords(lat=halves)
    library = cut.regrid.conservative(target, skipna=True).values
    np.testing.assert_allclose(regrid(field, grid), library, atol=1e-4)


def test_months_are_averaged_each_by_itself_also_on_another_process():
    # Water differs from month to month: what is kept of one month must not reach another.
    field = node_field(5.0, months=3)
    field[1, 3:9, 10:40] = np.nan
    field[2, 20:30] = np.nan
    grid = Grid(10.0)
    alone = np.stack([Regridder(field["lat"].values, field["lon"].values, grid)(month) for month in field.values])
    regridder = Regridder(field["lat"].values, field["lon"].values, grid)
    np.testing.assert_array_equal(regridder.months(field.values), alone)
    np.testing.assert_array_equal(regridder.months(field.values[::-1]), alone[::-1])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(regridder)).months(field.values), alone)
    with ThreadPoolExecutor(4) as pool:
        for k, there in enumerate(pool.map(regridder, [field.values[k % 3] for k in range(60)])):
            np.testing.assert_array_equal(there, alone[k % 3])


def test_uneven_nodes_are_refused():
    with pytest.raises(DataError, match=r"latitudes are not evenly spaced.*Expected"):
        Regridder(np.array([0.0, 1.0, 3.0]), np.arange(0.0, 9.0), Grid(1.0, (0.0, 0.0, 3.0, 3.0)))
