"""Parts of the twin Earth against brute force: filter, noise, nodes, pumping, the multi-year mode."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gwsd.errors import ConfigError
from gwsd.grid import EARTH_RADIUS_KM, FINE_SPACING, Grid, cell_area
from gwsd.sources.twin.aquifers import AQUIFERS, pumping_rate, seasonal_factor
from gwsd.sources.twin.cells import find_land
from gwsd.sources.twin.climate import MODE_DAMPING, MODE_NEWS_SD, MODE_PERIOD
from gwsd.sources.twin.gravity import CorrelatedNoise, SphereGaussian, smooth_over_land
from gwsd.sources.twin.nodes import place_nodes
from gwsd.sources.twin.noise import NoiseCube, positions, texture
from gwsd.sources.twin.points import place_points
from gwsd.sources.twin.settings import TwinSettings

PLAIN = TwinSettings(0.5, None, False, 8.0, 250.0, {}, 0)


def all_land(region):
    grid = Grid(FINE_SPACING, region)
    return xr.DataArray(np.ones(grid.shape), dims=("lat", "lon"), coords={"lat": grid.lat, "lon": grid.lon})


def random(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize("grid", [Grid(6.0), Grid(2.0, (-30.0, 40.0, 10.0, 70.0))])
def test_filter_is_the_direct_sum_over_the_sphere(grid):
    radius = 900.0
    field = random().standard_normal((2, *grid.shape), dtype=np.float32)
    lat, lon = (np.deg2rad(v).ravel() for v in np.meshgrid(grid.lat, grid.lon, indexing="ij"))
    cosine = np.outer(np.sin(lat), np.sin(lat)) + np.outer(np.cos(lat), np.cos(lat)) * np.cos(lon[:, None] - lon)
    weight = np.exp(np.log(0.5) * (1 - cosine) / (1 - np.cos(radius / EARTH_RADIUS_KM)))
    weight = weight * np.repeat(cell_area(grid.lat, grid.spacing), grid.shape[1])
    expected = (weight @ field.reshape(2, -1).T).T.reshape(field.shape)
    np.testing.assert_allclose(SphereGaussian(grid, radius)(field), expected, atol=2e-4 * np.abs(expected).max())


def test_a_constant_on_land_stays_constant():
    grid = Grid(2.0)
    share = (random(1).random(grid.shape) > 0.6).astype(np.float64)
    field = np.where(share > 0, 7.0, -99.0).astype(np.float32)[None]
    smooth = smooth_over_land(field, share, SphereGaussian(grid, 500.0))
    np.testing.assert_allclose(smooth[0][share > 0], 7.0, rtol=1e-5)


@pytest.mark.parametrize("grid", [Grid(4.0), Grid(2.0, (0.0, 10.0, 40.0, 60.0))])
def test_noise_has_unit_variance_everywhere_and_the_filters_correlation(grid):
    noise = CorrelatedNoise(grid, 600.0, SphereGaussian(grid, 600.0)).draw(600, random(2))
    assert np.abs(noise.std(axis=0) - 1.0).max() < 0.2
    near = np.corrcoef(noise[:, 10, 4], noise[:, 11, 4])[0, 1]
    far = np.corrcoef(noise[:, 5, 4], noise[:, 15, 14])[0, 1]
    assert near > 0.6
    assert abs(far) < 0.25


def test_cube_gives_two_independent_fields_of_unit_variance_with_the_slope_asked_for():
    cube = NoiseCube(random(3), -2.2)
    line = np.linspace(-90.0, 90.0, 512, endpoint=False)  # along a great circle, through the pole
    draws = random(4)
    pairs = [cube.cut(positions(line, np.zeros(512)), draws) for _ in range(60)]
    first, second = (np.array([pair[k] for pair in pairs]) for k in (0, 1))
    assert 0.85 < first.std() < 1.15
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.1
    windowed = (first - first.mean(axis=1, keepdims=True)) * np.hanning(512)
    power = (np.abs(np.fft.rfft(windowed, axis=1)) ** 2).mean(axis=0)
    band = slice(5, 30)  # wavelengths of 4,000 to 670 km; a line shows the surface's slope plus one
    slope = np.polyfit(np.log(np.arange(5, 30)), np.log(power[band]), 1)[0]
    assert slope == pytest.approx(-1.2, abs=0.5)


def test_texture_has_energy_from_three_degrees_to_the_grid_only():
    field = texture((240, 480), 0.125, -2.6, random(5))
    assert field.std() == pytest.approx(1.0, abs=1e-3)
    power = np.abs(np.fft.rfft2(field)) ** 2
    k = np.hypot(np.fft.fftfreq(240, 0.125)[:, None], np.fft.rfftfreq(480, 0.125)[None, :])
    assert power[k < 1 / 3.1].sum() < 1e-6 * power.sum()
    assert power[k > 2.0].sum() > 1e-3 * power.sum()


def test_interpolation_to_cells_keeps_a_constant_and_a_plane():
    cells = find_land(all_land((10.0, 20.0, 16.0, 26.0)), PLAIN)
    points = place_points(cells)
    np.testing.assert_allclose(points.to_cells @ np.ones(len(points.lat)), 1.0, rtol=1e-6)
    plane = (2.0 * points.lat - points.lon).astype(np.float32)
    inner = (np.abs(cells.lat - 23) < 2.7) & (np.abs(cells.lon - 13) < 2.7)
    expected = 2.0 * cells.lat - cells.lon
    np.testing.assert_allclose((points.to_cells @ plane)[inner], expected[inner], atol=1e-4)


@pytest.mark.parametrize("step", [0.1, 0.25, 0.5])
def test_nodes_average_by_area_and_cover_each_cell_of_the_product(step, land):
    cells = find_land(land, PLAIN)
    nodes = place_nodes(cells, place_points(cells), step)
    values = random(6).random(cells.count).astype(np.float32)
    at_nodes = (nodes.from_cells @ values)[nodes.donor]
    grid = np.full(nodes.land.size, np.nan)
    grid[nodes.land] = at_nodes
    grid = grid.reshape(len(nodes.lat), len(nodes.lon))
    # brute force at a node well inside the land
    y, x = int(np.argmin(np.abs(nodes.lat - 30.0))), int(np.argmin(np.abs(nodes.lon - 80.0)))
    tall = np.minimum(cells.lat + 0.0625, 30.0 + step / 2) - np.maximum(cells.lat - 0.0625, 30.0 - step / 2)
    wide = np.minimum(cells.lon + 0.0625, 80.0 + step / 2) - np.maximum(cells.lon - 0.0625, 80.0 - step / 2)
    weight = np.clip(tall, 0, None) * np.clip(wide, 0, None) * np.cos(np.deg2rad(cells.lat))
    assert grid[y, x] == pytest.approx(float((weight * values).sum() / weight.sum()), rel=1e-4)
    # at least half of each cell that the product covers lies under nodes with climate
    rows, columns = np.nonzero(cells.chosen)
    for row, column in zip(rows, columns, strict=True):
        dy = np.clip((0.5 + step) / 2 - np.abs(nodes.lat - cells.coarse.lat[row]), 0, min(0.5, step))
        dx = np.clip((0.5 + step) / 2 - np.abs(nodes.lon - cells.coarse.lon[column]), 0, min(0.5, step))
        near = np.ix_(dy > 1e-9, dx > 1e-9)
        assert (np.outer(dy, dx)[near] * np.isfinite(grid[near])).sum() >= 0.4999 * 0.25
    assert np.isnan(grid).any()


def test_ice_sheets_have_nodes_but_no_cells():
    region = (-50.0, 70.0, -12.0, 78.0)  # Greenland, and beyond its outline a sea that is land here
    cells = find_land(all_land(region), PLAIN)
    assert cells.ice[40, 40]
    assert not cells.ice[cells.row, cells.column].any()
    assert cells.ice.sum() + cells.count == cells.ice.size
    assert not cells.chosen[10, 10]
    nodes = place_nodes(cells, place_points(cells), 0.5)
    assert (nodes.land ^ nodes.ice).all()
    assert nodes.ice.sum() > nodes.land.sum() > 0
    assert nodes.ice_point.min() >= 0


def test_a_region_of_ice_alone_is_refused():
    with pytest.raises(ConfigError, match="holds no land outside Greenland and Antarctica"):
        find_land(all_land((-45.0, 70.0, -40.0, 75.0)), PLAIN)


def test_published_volumes_are_pumped():
    cells = find_land(all_land((60.0, 15.0, 100.0, 40.0)), PLAIN)
    rate = pumping_rate(cells, random(7).standard_normal(cells.count).astype(np.float32))
    volume = (rate * cells.area).sum() * 12 / 1e6
    assert volume == pytest.approx(17.7 + 36.3, rel=0.01)  # Tiwari et al. (2009): northern India, 54 km³ a year
    assert rate.min() == 0.0
    assert rate.max() * 12 < 150.0


def test_every_aquifer_names_its_source():
    for aquifer in AQUIFERS:
        assert aquifer.rate_km3 > 0
        assert any(str(year) in aquifer.citation for year in range(2005, 2025)), aquifer.name
        assert len(aquifer.outline) >= 4
    names = " ".join(aquifer.name for aquifer in AQUIFERS)
    for place in ("India", "Iran", "Central Valley", "High Plains", "North China Plain"):
        assert place in names


def test_pumping_peaks_in_summer_and_its_year_is_one():
    factors = np.array([seasonal_factor(np.array([30.0, -30.0]), month) for month in range(12)])
    np.testing.assert_allclose(factors.mean(axis=0), 1.0)
    np.testing.assert_array_equal(factors.argmax(axis=0), [6, 0])


def test_multi_year_mode_has_unit_variance_and_returns_after_its_period():
    news = MODE_NEWS_SD * random(8).standard_normal(60_000)
    x = np.zeros(len(news))
    for t in range(2, len(x)):
        turn = 2 * MODE_DAMPING * np.cos(2 * np.pi / MODE_PERIOD)
        x[t] = turn * x[t - 1] - MODE_DAMPING**2 * x[t - 2] + news[t]
    assert x.std() == pytest.approx(1.0, abs=0.05)
    lag = np.array([np.corrcoef(x[:-k], x[k:])[0, 1] for k in (12, 23, 46)])
    assert lag[1] < -0.2
    assert lag[2] > 0.1


def test_the_docs_table_of_aquifers_is_the_one_in_the_code():
    page = (Path(__file__).resolve().parents[3] / "docs" / "twin-earth.md").read_text(encoding="utf-8")
    for aquifer in AQUIFERS:
        assert f"| {aquifer.name} | {aquifer.rate_km3:g} | {aquifer.citation} | {aquifer.note} |" in page
