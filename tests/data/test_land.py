"""Land fraction and ice sheets."""

import numpy as np
import pytest

from gwsd.data.land import is_ice_sheet, land_fraction
from gwsd.errors import DataError
from gwsd.grid import FINE_SPACING, Grid, cell_area


@pytest.fixture(scope="module")
def arctic():
    """Greenland, Ellesmere and Iceland: the north of the mask is read first, so this is quick."""
    return land_fraction(Grid(FINE_SPACING, (-90.0, 59.0, -10.0, 84.0)))


def test_the_fraction_counts_cells_of_the_mask(arctic):
    assert arctic.dims == ("lat", "lon")
    assert arctic.shape == (200, 640)
    counts = arctic.values.astype(np.float64) * 225
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-3)
    assert np.unique(np.rint(counts)).size > 150
    coarse = land_fraction(Grid(0.5, (-90.0, 59.0, -10.0, 84.0)))
    np.testing.assert_allclose(coarse, arctic.values.reshape(50, 4, 160, 4).mean(axis=(1, 3)), atol=1e-5)


@pytest.mark.parametrize(
    ("lat", "lon", "fraction"),
    [(72.0, -40.0, 1.0), (65.0, -18.5, 1.0), (80.0, -78.0, 1.0), (65.0, -30.0, 0.0), (75.0, -65.0, 0.0)],
    ids=["Greenland", "Iceland", "Ellesmere", "Denmark Strait", "Baffin Bay"],
)
def test_known_places_are_land_or_sea(arctic, lat, lon, fraction):
    assert arctic.sel(lat=lat, lon=lon, method="nearest") == fraction


def test_ice_sheets(arctic):
    sheet = is_ice_sheet(arctic["lat"].values[:, None], arctic["lon"].values[None, :])
    area = (arctic.values * sheet * cell_area(arctic["lat"].values, FINE_SPACING)[:, None]).sum()
    assert area == pytest.approx(2.166e6, rel=0.02)  # km², Greenland with its islands
    neighbours = is_ice_sheet([82.5, 80.0, 65.0, 70.0], [-63.0, -75.0, -18.0, -71.0])
    assert not neighbours.any()
    assert is_ice_sheet([-60.1, -75.0, -59.9, -55.0], [0.0, 100.0, 0.0, -68.0]).tolist() == [True, True, False, False]


def test_a_spacing_that_splits_cells_of_the_mask_is_refused():
    with pytest.raises(DataError, match="multiple of 1/120 degree"):
        land_fraction(Grid(0.013, (0.0, 80.0, 1.3, 81.3)))
