"""Parts of the twin Earth: filter, noise, nodes, pumping, multi-year mode."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.signal import lfilter

from gwsd.errors import ConfigError
from gwsd.grid import EARTH_RADIUS_KM, FINE_SPACING, Grid, cell_area
from gwsd.twin.aquifers import AQUIFERS, pumping_rate
from gwsd.twin.climate import MODE_INNOVATION_SD, PHI_1, PHI_2
from gwsd.twin.geography import find_land, place_nodes, place_points
from gwsd.twin.noise import FilteredNoise, SphereGaussian
from gwsd.twin.settings import FaultCounts
from tests.twin.conftest import SETTINGS, make_land

PLAIN = SETTINGS.model_copy(update={"faults": FaultCounts(constant=0, spike=0, gap=0, missing_land=0)})


def all_land(region):
    grid = Grid(FINE_SPACING, region)
    return xr.DataArray(np.ones(grid.shape), dims=("lat", "lon"), coords={"lat": grid.lat, "lon": grid.lon})


random = np.random.default_rng


@pytest.mark.parametrize("grid", [Grid(6.0), Grid(2.0, (-30.0, 40.0, 10.0, 70.0))])
def test_filter_is_the_direct_sum_over_the_sphere(grid):
    radius = 900.0
    field = random(0).standard_normal((2, *grid.shape), dtype=np.float32)
    lat, lon = (np.deg2rad(v).ravel() for v in np.meshgrid(grid.lat, grid.lon, indexing="ij"))
    cosine = np.outer(np.sin(lat), np.sin(lat)) + np.outer(np.cos(lat), np.cos(lat)) * np.cos(lon[:, None] - lon)
    weight = np.exp(np.log(0.5) * (1 - cosine) / (1 - np.cos(radius / EARTH_RADIUS_KM)))
    weight = weight * np.repeat(cell_area(grid.lat, grid.spacing), grid.shape[1])
    expected = (weight @ field.reshape(2, -1).T).T.reshape(field.shape)
    np.testing.assert_allclose(SphereGaussian(grid, radius)(field), expected, atol=2e-4 * np.abs(expected).max())


@pytest.mark.parametrize("grid", [Grid(4.0), Grid(2.0, (0.0, 10.0, 40.0, 60.0))])
def test_noise_has_unit_variance_everywhere_and_the_filters_correlation(grid):
    noise = FilteredNoise(grid, 600.0, SphereGaussian(grid, 600.0)).draw(600, random(2))
    assert np.abs(noise.std(axis=0) - 1.0).max() < 0.2
    assert np.corrcoef(noise[:, 10, 4], noise[:, 11, 4])[0, 1] > 0.6
    assert abs(np.corrcoef(noise[:, 5, 4], noise[:, 15, 14])[0, 1]) < 0.25


@pytest.mark.parametrize("step", [0.1, 0.25, 0.5])
def test_nodes_average_by_area_and_cover_the_product(step):
    cells = find_land(make_land(), PLAIN)
    nodes = place_nodes(cells, place_points(cells), step)
    values = random(6).random(cells.count).astype(np.float32)
    grid = np.full((len(nodes.lat), len(nodes.lon)), np.nan)
    grid.ravel()[nodes.land] = nodes.from_cells @ values
    # brute force at a node well inside the land
    y, x = int(np.argmin(np.abs(nodes.lat - 30.0))), int(np.argmin(np.abs(nodes.lon - 80.0)))
    tall = np.minimum(cells.lat + 0.0625, 30.0 + step / 2) - np.maximum(cells.lat - 0.0625, 30.0 - step / 2)
    wide = np.minimum(cells.lon + 0.0625, 80.0 + step / 2) - np.maximum(cells.lon - 0.0625, 80.0 - step / 2)
    weight = np.clip(tall, 0, None) * np.clip(wide, 0, None) * np.cos(np.deg2rad(cells.lat))
    assert grid[y, x] == pytest.approx(float((weight * values).sum() / weight.sum()), rel=1e-4)
    # nodes with climate cover at least half of each cell of the product
    for row, column in np.argwhere(cells.covered):
        dy = np.clip((0.5 + step) / 2 - np.abs(nodes.lat - cells.coarse.lat[row]), 0, min(0.5, step))
        dx = np.clip((0.5 + step) / 2 - np.abs(nodes.lon - cells.coarse.lon[column]), 0, min(0.5, step))
        near = np.ix_(dy > 1e-9, dx > 1e-9)
        assert (np.outer(dy, dx)[near] * np.isfinite(grid[near])).sum() >= 0.4999 * 0.25
    assert np.isnan(grid).any()


def test_ice_sheets_have_nodes_but_no_cells():
    region = (-50.0, 70.0, -12.0, 78.0)  # Greenland, and beyond its outline a sea that is land here
    cells = find_land(all_land(region), PLAIN)
    assert not cells.ice[cells.row, cells.column].any()
    assert cells.ice.sum() + cells.count == cells.ice.size
    nodes = place_nodes(cells, place_points(cells), 0.5)
    assert (nodes.land ^ nodes.ice).all()
    assert nodes.ice.sum() > nodes.land.sum() > 0
    with pytest.raises(ConfigError, match="no land outside Greenland and Antarctica"):
        find_land(all_land((-45.0, 70.0, -40.0, 75.0)), PLAIN)


def test_published_volumes_are_pumped():
    cells = find_land(all_land((60.0, 15.0, 100.0, 40.0)), PLAIN)
    rate = pumping_rate(cells, random(7).standard_normal(cells.count).astype(np.float32))
    volume = (rate * cells.area).sum() * 12 / 1e6
    assert volume == pytest.approx(17.7 + 36.3, rel=0.01)  # Tiwari et al. (2009): northern India, 54 km³ a year
    assert 0.0 == rate.min() < rate.max() * 12 < 150.0


def test_multi_year_mode_has_unit_variance_and_its_period():
    innovations = MODE_INNOVATION_SD * random(8).standard_normal(60_000)
    x = lfilter([1.0], [1.0, -PHI_1, -PHI_2], innovations)
    assert x.std() == pytest.approx(1.0, abs=0.05)
    assert np.corrcoef(x[:-23], x[23:])[0, 1] < -0.2
    assert np.corrcoef(x[:-46], x[46:])[0, 1] > 0.1


def test_the_table_of_aquifers_in_the_docs_is_that_of_the_code():
    page = (Path(__file__).resolve().parents[2] / "docs" / "twin-earth.md").read_text(encoding="utf-8")
    for aquifer in AQUIFERS:
        assert f"| {aquifer.name} | {aquifer.rate_km3:g} | {aquifer.citation} | {aquifer.note} |" in page
