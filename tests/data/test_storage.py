"""Alignment of storage with half-degree cells, against brute force."""

import numpy as np
import pytest
import xarray as xr

from gwsd.data.storage import align_storage, describe_grid, to_half_degrees
from gwsd.data.storage_files import read_storage
from gwsd.errors import DataError
from gwsd.grid import Grid

PERIOD = {"start": "2002-04", "end": "2002-12"}


def make_storage(lat, lon, *, months=1, holes=0.0, value=None):
    """Noise, or one value, on cells with these centres."""
    rng = np.random.default_rng(1)
    values = rng.normal(0.0, 50.0, (months, len(lat), len(lon))).astype(np.float32)
    if value is not None:
        values[:] = value
    values[:, rng.random((len(lat), len(lon))) < holes] = np.nan
    time = np.arange("2002-04", months, dtype="datetime64[M]").astype("datetime64[ns]")
    wrapped = np.round((np.asarray(lon) + 180.0) % 360.0 - 180.0, 6)
    data = {"storage": (("time", "lat", "lon"), values, {"units": "mm"})}
    return xr.Dataset(data, coords={"time": time, "lat": np.round(lat, 6), "lon": wrapped}).sortby("lon")


def centres(low, high, step):
    return low + step * (np.arange(round((high - low) / step)) + 0.5)


def globe(step):
    return centres(-90.0, 90.0, step), centres(-180.0, 180.0, step)


def overlaps(centre, step, low, high, *, rows):
    """Share of each target interval that each source interval covers."""
    if rows:
        bottom, top = np.clip(centre - step / 2, -90, 90), np.clip(centre + step / 2, -90, 90)
        inner = np.minimum(top, high[:, None]), np.maximum(bottom, low[:, None])
        lengths = np.where(inner[0] > inner[1], np.sin(np.deg2rad(inner[0])) - np.sin(np.deg2rad(inner[1])), 0.0)
        return lengths / (np.sin(np.deg2rad(high)) - np.sin(np.deg2rad(low)))[:, None]
    edges = [(centre - step / 2 + turn, centre + step / 2 + turn) for turn in (-360.0, 0.0, 360.0)]
    lengths = sum(np.maximum(np.minimum(b, high[:, None]) - np.maximum(a, low[:, None]), 0.0) for a, b in edges)
    return lengths / (high - low)[:, None]


def average_by_force(storage, step):
    """Mean of each half-degree cell, and the share of the cell that has values."""
    grid = Grid(0.5)
    rows = overlaps(storage["lat"].values, step, grid.lat - 0.25, grid.lat + 0.25, rows=True)
    columns = overlaps(storage["lon"].values, step, grid.lon - 0.25, grid.lon + 0.25, rows=False)
    values = storage["storage"].values[0].astype(np.float64)
    share = rows @ np.isfinite(values) @ columns.T
    with np.errstate(invalid="ignore"):
        return rows @ np.nan_to_num(values) @ columns.T / share, share


GRIDS = {
    **{f"globe {step:.3g}": (*globe(step), step) for step in (0.25, 1.0, 1 / 3, 0.4)},
    **{
        f"nodes {step}": (np.arange(-90, 90 + step / 2, step), np.arange(-180, 180 - step / 2, step), step)
        for step in (0.25, 0.5)
    },
    "region": (centres(-12.1, 6.2, 0.1), centres(20.3, 40.1, 0.1), 0.1),
    "at the pole": (centres(40.0, 90.0, 1.0), centres(-100.0, -80.0, 1.0), 1.0),
    "odd step": (centres(0.2, 20.0, 0.7), centres(10.0, 31.0, 0.7), 0.7),
    "date line": (centres(-30.0, -10.0, 1 / 3), centres(170.0, 200.0, 1 / 3), 1 / 3),
    "date line, odd step": (centres(-20.3, -10.5, 0.7), centres(170.1, 191.1, 0.7), 0.7),
    "gap at Greenwich": (centres(-20.0, 20.0, 2.0), centres(2.0, 358.0, 2.0), 2.0),
}


@pytest.mark.parametrize("name", GRIDS)
def test_averages_agree_with_brute_force(name):
    lat, lon, step = GRIDS[name]
    storage = make_storage(lat, lon, holes=0.3)
    storage["uncertainty"] = storage["storage"]  # averaged alike
    aligned = align_storage(storage, Grid(0.5), **PERIOD)
    ours = aligned["storage"].values[0]
    np.testing.assert_array_equal(aligned["uncertainty"].values[0], ours)
    mean, share = average_by_force(storage, step)
    clear = np.abs(share - 0.5) > 1e-3  # rounding decides at exactly one half
    np.testing.assert_array_equal(np.isfinite(ours)[clear], (share >= 0.5)[clear])
    known = np.isfinite(ours)
    assert known.sum() > 20
    np.testing.assert_allclose(ours[known], mean[known], atol=2e-3)


def test_half_degree_cells_are_not_changed():
    storage = make_storage(centres(-10.0, 12.0, 0.5), centres(100.0, 130.0, 0.5), holes=0.2, months=3)
    assert describe_grid(storage) == []
    aligned = align_storage(storage, Grid(0.5, (90.0, -15.0, 120.0, 10.0)), start="2002-05", end="2002-06")
    inside = storage["storage"].sel(lat=slice(-10, 10), lon=slice(100, 120))[1:]
    np.testing.assert_array_equal(aligned["storage"].values[:, 10:, 20:], inside.values)
    assert np.isnan(aligned["storage"].values[:, :10]).all()
    assert aligned["storage"].dtype == np.float32
    date_line = make_storage(np.delete(centres(-10.0, 12.0, 0.5), [3, 4]), centres(170.0, 190.0, 0.5))
    assert np.isfinite(align_storage(date_line, Grid(0.5), **PERIOD)["storage"].values).sum() == 42 * 40


def test_absent_rows_of_a_finer_file_are_empty():
    full = make_storage(centres(-10.0, 10.0, 0.25), centres(30.0, 50.0, 0.25))
    holes = full.isel(lat=np.delete(np.arange(80), [20, 21, 22, 23]), lon=np.delete(np.arange(80), [7]))
    averaged, reference = to_half_degrees(holes)["storage"], to_half_degrees(full)["storage"]
    assert np.isnan(averaged.sel(lat=[-4.75, -4.25])).all()
    inside = {"lat": slice(-3, 9), "lon": slice(33, 49)}
    np.testing.assert_allclose(averaged.sel(inside), reference.sel(inside), atol=1e-4)
    # One of two columns is left: half of the area.
    assert np.isfinite(averaged.sel(lon=31.75, lat=slice(-3, 9))).all()


def test_rounded_coordinates_are_regular():
    lat, lon = centres(-10.0, 10.0, 1 / 3), centres(30.0, 50.0, 1 / 3)
    field = 50.0 * np.sin(np.deg2rad(9.0 * lat))[:, None] + 30.0 * np.cos(np.deg2rad(7.0 * lon))
    inside = {"lat": slice(-9.5, 9.5), "lon": slice(30.5, 49.5)}
    exact = to_half_degrees(make_storage(lat, lon, value=field))["storage"].sel(inside)
    for rounded in ((np.round(lat, 2), np.round(lon, 2)), (lat.astype(np.float32), lon.astype(np.float32))):
        ours = to_half_degrees(make_storage(*rounded, value=field))["storage"].sel(inside)
        np.testing.assert_allclose(ours, exact, atol=0.1)


@pytest.mark.parametrize(
    ("lat", "lon", "size", "coarser"),
    [
        (*globe(1.0), "1°", True),
        (np.arange(-10.0, 10.1, 0.5), np.arange(0.0, 20.1, 0.5), "0.5°, shifted,", False),
        (np.arange(-10.0, 10.1, 0.5), np.arange(0.0, 20.1, 0.625), "0.5° x 0.625°", True),
    ],
)
def test_regridding_is_reported(lat, lon, size, coarser):
    first, *more = describe_grid(make_storage(lat, lon))
    assert first == f"storage: {size} regridded conservatively to 0.5°"
    assert bool(more) == coarser


def test_irregular_axes_are_refused_with_the_name_of_the_file(tmp_path):
    nodes, _ = np.polynomial.legendre.leggauss(96)
    dataset = make_storage(np.rad2deg(np.arcsin(nodes)), centres(0.0, 360.0, 1.875)).rename(storage="gwsa")
    path = tmp_path / "gaussian.nc"
    dataset.to_netcdf(path)
    with pytest.raises(DataError, match=r"gaussian\.nc: its latitudes are not evenly spaced \(steps from 1\.8"):
        align_storage(read_storage([path]), Grid(0.5), **PERIOD)
    for lon in ([10.0, 10.3, 11.0, 12.0, 13.0], [10.0, 10.5, 10.5, 11.0]):
        with pytest.raises(DataError, match="its longitudes are not evenly spaced"):
            to_half_degrees(make_storage(centres(0.0, 5.0, 0.25), lon))
    lat, lon = globe(0.5)
    for shift in (-0.25, 0.25):
        with pytest.raises(DataError, match=r"corners of cells.*shift both axes by half"):
            to_half_degrees(make_storage(lat + shift, lon + shift))
