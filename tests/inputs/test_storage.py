import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gwsd.errors import DataError
from gwsd.grid import Grid
from gwsd.inputs.storage import align_storage, count_parts, describe_grid, to_half_degrees
from gwsd.sources.local import open_storage

PERIOD = {"start": "2002-04", "end": "2002-12"}


def make_storage(lat, lon, *, months=1, holes=0.0, seed=1, value=None):
    """Noise, or one value, on cells with these middles; longitudes in the convention of the sources."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0.0, 50.0, (months, len(lat), len(lon))).astype(np.float32)
    if value is not None:
        values[:] = value
    values[:, rng.random((len(lat), len(lon))) < holes] = np.nan
    time = np.arange("2002-04", months, dtype="datetime64[M]").astype("datetime64[ns]")
    wrapped = np.round((np.asarray(lon) + 180.0) % 360.0 - 180.0, 6)
    dataset = xr.Dataset(
        {"storage": (("time", "lat", "lon"), values, {"units": "mm"})},
        coords={"time": time, "lat": np.round(lat, 6), "lon": wrapped},
    )
    return dataset.sortby("lon")


def middles(low, high, step):
    return low + step * (np.arange(round((high - low) / step)) + 0.5)


def globe(step):
    return middles(-90.0, 90.0, step), middles(-180.0, 180.0, step)


def overlaps(middle, step, low, high, *, rows):
    """Share of each target interval that each source interval covers, in double precision."""
    if rows:
        bottom, top = np.clip(middle - step / 2, -90, 90), np.clip(middle + step / 2, -90, 90)
        inner = np.minimum(top, high[:, None]), np.maximum(bottom, low[:, None])
        lengths = [np.where(inner[0] > inner[1], np.sin(np.deg2rad(inner[0])) - np.sin(np.deg2rad(inner[1])), 0.0)]
        whole = np.sin(np.deg2rad(high)) - np.sin(np.deg2rad(low))
    else:
        lengths = [
            np.maximum(
                np.minimum(middle + step / 2 + turn, high[:, None])
                - np.maximum(middle - step / 2 + turn, low[:, None]),
                0.0,
            )
            for turn in (-360.0, 0.0, 360.0)
        ]
        whole = high - low
    return sum(lengths) / whole[:, None]


def average_by_force(storage, step, grid, *, name="storage"):
    """Mean of each cell of a grid over the source's cells, and the share of the cell that they cover."""
    rows = overlaps(storage["lat"].values, step, grid.lat - 0.25, grid.lat + 0.25, rows=True)
    columns = overlaps(storage["lon"].values, step, grid.lon - 0.25, grid.lon + 0.25, rows=False)
    values = storage[name].values[0].astype(np.float64)
    known = np.isfinite(values).astype(np.float64)
    share = rows @ known @ columns.T
    with np.errstate(invalid="ignore"):
        return rows @ np.nan_to_num(values) @ columns.T / share, share


def check_against_force(storage, step, grid=None):
    grid = grid or Grid(0.5)
    aligned = align_storage(storage, grid, **PERIOD)
    mean, share = average_by_force(storage, step, grid)
    ours = aligned["storage"].values[0]
    clear = np.abs(share - 0.5) > 1e-3  # of exactly one half rounding decides
    np.testing.assert_array_equal(np.isfinite(ours)[clear], (share >= 0.5)[clear])
    both = np.isfinite(ours)
    assert both.sum() > 20
    np.testing.assert_allclose(ours[both], mean[both], atol=2e-3)
    return aligned


@pytest.mark.parametrize("step", [0.25, 1.0, 0.1, 1 / 3, 0.75, 0.4, 2.5])
def test_averages_over_the_globe_agree_with_brute_force(step):
    check_against_force(make_storage(*globe(step), holes=0.3), step)


@pytest.mark.parametrize("step", [0.1, 0.25, 0.5, 1.0])
def test_nodes_stand_for_the_boxes_around_them(step):
    lat, lon = np.arange(-90.0, 90.0 + step / 2, step), np.arange(-180.0, 180.0 - step / 2, step)
    check_against_force(make_storage(lat, lon, holes=0.2), step)


@pytest.mark.parametrize(
    ("lat", "lon", "step"),
    [
        (middles(-12.0, 6.0, 0.25), middles(20.0, 40.0, 0.25), 0.25),
        (middles(-12.1, 6.2, 0.1), middles(20.3, 40.1, 0.1), 0.1),
        (middles(40.0, 90.0, 1.0), middles(-100.0, -80.0, 1.0), 1.0),
        (middles(0.2, 20.0, 0.7), middles(10.0, 31.0, 0.7), 0.7),
        (middles(-30.0, -10.0, 0.1), middles(165.0, 195.0, 0.1), 0.1),
        (middles(-30.0, -10.0, 1 / 3), middles(170.0, 200.0, 1 / 3), 1 / 3),
        (middles(-20.3, -10.5, 0.7), middles(170.1, 191.1, 0.7), 0.7),
        (middles(-90.0, 0.0, 0.25), middles(-179.0, 179.0, 0.25), 0.25),
        (middles(-20.0, 20.0, 2.0), middles(2.0, 358.0, 2.0), 2.0),
    ],
)
@pytest.mark.parametrize("holes", [0.0, 0.3])
def test_averages_over_regions_agree_with_brute_force(lat, lon, step, holes):
    check_against_force(make_storage(lat, lon, holes=holes), step)


def total(values, lat, lat_step, lon_step):
    """Integral over the sphere, in double precision."""
    band = np.sin(np.deg2rad(np.clip(lat + lat_step / 2, -90, 90))) - np.sin(
        np.deg2rad(np.clip(lat - lat_step / 2, -90, 90))
    )
    return float((np.nan_to_num(values.astype(np.float64)) * band[:, None]).sum() * lon_step)


@pytest.mark.parametrize("step", [0.25, 1.0, 0.1, 1 / 3])
@pytest.mark.parametrize("area", ["globe", "region", "date line"])
def test_the_total_is_conserved(step, area):
    lat, lon = {
        "globe": globe(step),
        "region": (middles(-12.0, 45.0, step), middles(20.0, 41.0, step)),
        "date line": (middles(-45.0, -12.0, step), middles(168.0, 195.0, step)),
    }[area]
    storage = make_storage(lat, lon)
    storage["storage"] += 10.0
    averaged = to_half_degrees(storage)
    before = total(storage["storage"].values[0], storage["lat"].values, step, step)
    after = total(averaged["storage"].values[0], averaged["lat"].values, 0.5, 0.5)
    assert after == pytest.approx(before, rel=1e-6)


@given(
    step=st.sampled_from([0.05, 0.1, 0.125, 0.2, 0.25, 0.3, 1 / 3, 0.4, 0.625, 0.7, 1.0, 1.25, 2.0]),
    south=st.floats(-90.0, 60.0),
    west=st.floats(-180.0, 180.0),
    rows=st.integers(2, 40),
    columns=st.integers(2, 60),
)
@settings(max_examples=40, deadline=None)
def test_a_constant_stays_constant_and_no_cell_is_half_outside(step, south, west, rows, columns):
    rows = min(rows, int((90.0 - south) / step + 0.5))
    lat, lon = south + step * (np.arange(rows) + 0.5), west + step * (np.arange(columns) + 0.5)
    lat = lat[lat <= 90.0]
    storage = make_storage(lat, lon, value=7.0)
    averaged = to_half_degrees(storage)
    values = averaged["storage"].values[0]
    np.testing.assert_allclose(values[np.isfinite(values)], 7.0, rtol=1e-5)
    assert (np.diff(averaged["lat"]) > 0.0).all()
    assert (np.diff(averaged["lon"]) > 0.0).all()
    assert averaged["lon"].values.min() >= -180.0
    assert averaged["lon"].values.max() < 180.0
    _, share = average_by_force(storage, step, Grid(0.5))
    clear = np.abs(share - 0.5) > 1e-2
    expected = averaged["storage"][0].reindex(lat=Grid(0.5).lat, lon=Grid(0.5).lon).values
    np.testing.assert_array_equal(np.isfinite(expected)[clear], (share > 0.5)[clear])


def test_half_degree_cells_are_taken_as_they_are():
    storage = make_storage(middles(-10.0, 12.0, 0.5), middles(100.0, 130.0, 0.5), holes=0.2, months=3)
    assert to_half_degrees(storage) is storage
    assert describe_grid(storage) == []
    grid = Grid(0.5, (90.0, -15.0, 120.0, 10.0))
    aligned = align_storage(storage, grid, start="2002-05", end="2002-06")
    inside = storage["storage"].sel(lat=slice(-10, 10), lon=slice(100, 120))[1:]
    np.testing.assert_array_equal(aligned["storage"].values[:, 10:, 20:], inside.values)
    assert np.isnan(aligned["storage"].values[:, :10]).all()
    assert aligned["storage"].dtype == np.float32


def test_half_degree_cells_across_the_date_line_or_with_rows_left_out_are_taken_as_they_are():
    lon = middles(170.0, 190.0, 0.5)
    storage = make_storage(np.delete(middles(-10.0, 12.0, 0.5), [3, 4]), lon)
    assert to_half_degrees(storage) is storage
    aligned = align_storage(storage, Grid(0.5), **PERIOD)
    assert np.isfinite(aligned["storage"].values).sum() == 42 * 40


def test_rows_that_a_finer_file_leaves_out_are_empty():
    full = make_storage(middles(-10.0, 10.0, 0.25), middles(30.0, 50.0, 0.25))
    holes = full.isel(lat=np.delete(np.arange(80), [20, 21, 22, 23]), lon=np.delete(np.arange(80), [7]))
    averaged, reference = to_half_degrees(holes), to_half_degrees(full)
    assert np.isnan(averaged["storage"].sel(lat=[-4.75, -4.25])).all()
    same = averaged["storage"].sel(lat=slice(-3, 9), lon=slice(33, 49))
    np.testing.assert_allclose(same, reference["storage"].sel(lat=slice(-3, 9), lon=slice(33, 49)), atol=1e-4)
    # One of two columns is left: half of the area.
    assert np.isfinite(averaged["storage"].sel(lon=31.75, lat=slice(-3, 9))).all()


def test_a_cell_has_a_value_where_half_of_its_area_has():
    storage = make_storage(middles(-10.0, 10.0, 0.25), middles(30.0, 50.0, 0.25))
    values = storage["storage"].values[0]
    values[40:42, 0] = np.nan  # two of four, side by side: exactly half
    values[40:42, 2:4] = np.nan  # none
    values[40, 4:6] = values[41, 4] = np.nan  # one of four
    values[41, 6] = np.nan  # three of four
    row = to_half_degrees(storage)["storage"].sel(lat=0.25, lon=slice(30, 32)).values[0]
    np.testing.assert_array_equal(np.isfinite(row), [True, False, False, True])
    assert row[0] == pytest.approx(values[40:42, 1].mean(), abs=1e-2)


def test_a_month_with_holes_of_its_own_is_weighed_anew():
    storage = make_storage(middles(-10.0, 10.0, 0.25), middles(30.0, 50.0, 0.25), months=3)
    storage["storage"][1, 10:30, 10:30] = np.nan
    averaged = to_half_degrees(storage)["storage"]
    for month in range(3):
        alone = to_half_degrees(storage.isel(time=[month]))["storage"][0]
        np.testing.assert_array_equal(averaged[month], alone)
    assert np.isnan(averaged[1]).sum() == np.isnan(averaged[0]).sum() + 100


def test_the_uncertainty_is_the_mean_of_standard_deviations():
    storage = make_storage(middles(-10.0, 10.0, 0.25), middles(30.0, 50.0, 0.25))
    storage["uncertainty"] = np.abs(storage["storage"])
    aligned = align_storage(storage, Grid(0.5), **PERIOD)
    mean, share = average_by_force(storage, 0.25, Grid(0.5), name="uncertainty")
    np.testing.assert_allclose(aligned["uncertainty"].values[0][share > 0.9], mean[share > 0.9], atol=1e-3)
    assert aligned["uncertainty"].attrs["long_name"] == "standard deviation of the storage anomaly"


def test_coordinates_rounded_to_two_decimals_or_single_precision_are_regular():
    lat, lon = middles(-10.0, 10.0, 1 / 3), middles(30.0, 50.0, 1 / 3)
    # A smooth field: what is tested is where the cells are taken to lie.
    field = 50.0 * np.sin(np.deg2rad(9.0 * lat))[:, None] + 30.0 * np.cos(np.deg2rad(7.0 * lon))
    exact = to_half_degrees(make_storage(lat, lon, value=field))["storage"]
    inside = {"lat": slice(-9.5, 9.5), "lon": slice(30.5, 49.5)}
    for rounded in ((np.round(lat, 2), np.round(lon, 2)), (lat.astype(np.float32), lon.astype(np.float32))):
        ours = to_half_degrees(make_storage(*rounded, value=field))["storage"]
        np.testing.assert_allclose(ours.sel(inside), exact.sel(inside), atol=0.05)
    lat, lon = (axis.astype(np.float32) for axis in globe(0.1))
    assert to_half_degrees(make_storage(lat, lon)).sizes["lon"] == 720


def test_what_is_done_is_said_and_coarser_cells_are_noted():
    assert describe_grid(make_storage(*globe(0.25))) == ["storage: 0.25° regridded conservatively to 0.5°"]
    one, note = describe_grid(make_storage(*globe(1.0)))
    assert one == "storage: 1° regridded conservatively to 0.5°"
    assert note.startswith("NOTE: the storage's cells of 1° are coarser than 0.5°")
    (nodes,) = describe_grid(make_storage(np.arange(-10.0, 10.1, 0.5), np.arange(0.0, 20.1, 0.5)))
    assert nodes == "storage: 0.5°, shifted, regridded conservatively to 0.5°"
    oblong, note = describe_grid(make_storage(np.arange(-10.0, 10.1, 0.5), np.arange(0.0, 20.1, 0.625)))
    assert oblong == "storage: 0.5° x 0.625° regridded conservatively to 0.5°"
    assert "NOTE" in note


def test_cells_of_one_degree_give_their_value_to_the_four_within():
    storage = make_storage(*globe(1.0))
    averaged = to_half_degrees(storage)["storage"].values[0]
    np.testing.assert_allclose(averaged, np.kron(storage["storage"].values[0], np.ones((2, 2))), rtol=1e-6)


def test_irregular_axes_are_refused_by_the_name_of_their_file(tmp_path):
    nodes, _ = np.polynomial.legendre.leggauss(96)
    gaussian = np.rad2deg(np.arcsin(nodes))
    dataset = make_storage(gaussian, middles(0.0, 360.0, 1.875)).rename(storage="gwsa")
    path = tmp_path / "gaussian.nc"
    dataset.to_netcdf(path)
    message = r"gaussian\.nc: its latitudes are not evenly spaced \(steps from 1\.8\d* to 1\.86\d*.*Expected a regular"
    with pytest.raises(DataError, match=message):
        align_storage(open_storage(path), Grid(0.5), **PERIOD)
    with pytest.raises(DataError, match=message):
        describe_grid(open_storage(path))
    for lon in ([10.0, 10.3, 11.0, 12.0, 13.0], [10.0, 10.5, 10.5, 11.0]):
        with pytest.raises(DataError, match="its longitudes are not evenly spaced"):
            to_half_degrees(make_storage(middles(0.0, 5.0, 0.25), lon))


def test_cells_named_by_their_corners_are_refused():
    lat, lon = globe(0.5)
    for shift in (-0.25, 0.25):
        with pytest.raises(DataError, match=r"latitudes run from .* they name the corners.*shift both axes by half"):
            to_half_degrees(make_storage(lat + shift, lon + shift))


def test_longitudes_that_do_not_divide_the_circle_are_refused():
    with pytest.raises(DataError, match=r"go round the Earth in steps of 0\.7 degrees, which do not divide it"):
        to_half_degrees(make_storage(middles(-70.0, 70.0, 0.7), middles(-180.0, 179.8, 0.7)))


@pytest.mark.parametrize(
    ("edge", "step", "parts"), [(-90.0, 0.25, 1), (-90.05, 0.1, 1), (-12.0, 0.4, 2), (0.0, 5.0, 5)]
)
def test_rows_are_cut_so_that_edges_of_cells_fall_between_their_halves(edge, step, parts):
    assert count_parts(edge, step) == parts
