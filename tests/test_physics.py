import numpy as np
import pandas as pd
import pyet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwsd import physics
from gwsd.data import calendar
from gwsd.physics import Limit

LATITUDES = np.array([-54.75, -23.25, 0.25, 37.75, 64.25])
MIDDLES = pd.DatetimeIndex([f"2021-{month:02d}-15" for month in range(1, 13)])


def test_the_day_lasts_twelve_hours_at_the_equator_and_all_or_nothing_at_the_poles():
    days = np.array([15.0, 172.0, 355.0])
    np.testing.assert_allclose(physics.day_length(0.0, days), 12.0)
    assert physics.day_length(89.0, 172.0) == 24.0
    assert physics.day_length(89.0, 355.0) == 0.0
    # Allen et al. (1998), example 9: 3 September (day 246) at 20 degrees south has 11.7 hours.
    np.testing.assert_allclose(physics.day_length(-20.0, 246.0), 11.7, atol=0.05)


def test_radiation_of_a_published_example():
    # Allen et al. (1998), example 8: 3 September at 20 degrees south has 32.2 MJ m-2 day-1.
    np.testing.assert_allclose(physics.extraterrestrial_radiation(-20.0, 246.0), 32.2, atol=0.05)


@pytest.mark.parametrize("lat", LATITUDES)
def test_oudin_and_hamon_agree_with_pyet(lat):
    temperature = pd.Series(np.linspace(-12.0, 33.0, 12), index=MIDDLES)
    day = MIDDLES.dayofyear.to_numpy().astype(float)
    days = MIDDLES.days_in_month.to_numpy()
    radians = np.deg2rad(lat)
    ours = physics.oudin(temperature.to_numpy(), physics.extraterrestrial_radiation(lat, day), days)
    np.testing.assert_allclose(ours, pyet.oudin(temperature, radians).to_numpy() * days, rtol=1e-6)
    ours = physics.hamon(temperature.to_numpy(), physics.day_length(lat, day), days)
    np.testing.assert_allclose(ours, pyet.hamon(temperature, radians, method=0).to_numpy() * days, rtol=1e-6)


@pytest.mark.parametrize("index", [45.0, 80.0, 120.0, 140.0])
def test_thornthwaite_converges_at_26_5_degrees_as_published(index):
    # Thornthwaite (1948): whatever the heat index, 26.5 degC means 13.5 cm in 30 days of 12 hours.
    hours = np.array([12.0])
    found = physics.thornthwaite(np.array([26.49, 26.5]), np.array([index]), hours, 30)
    np.testing.assert_allclose(found, 135.0, rtol=0.02)


def test_thornthwaite_of_a_published_example():
    # The documentation of PyETo works Aberdeen (57.15 degrees north) in 2014 through.
    temperature = np.array([3.1, 3.5, 5.0, 6.7, 9.3, 12.1, 14.3, 14.1, 11.8, 8.9, 5.5, 3.8])
    hours = np.array(
        [7.1828, 9.1351, 11.5230, 14.0353, 16.2770, 17.5052, 16.8914, 14.8618, 12.3942, 9.8850, 7.6583, 6.4895]
    )
    published = [11.05, 14.23, 27.80, 43.18, 70.48, 93.99, 109.70, 95.24, 64.99, 41.06, 19.56, 12.09]
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    index = physics.heat_index(temperature)
    np.testing.assert_allclose(physics.thornthwaite(temperature, index, hours, days), published, atol=0.01)
    # It averages day lengths over the month; those of its middle differ by less than 1.5 %.
    middle = physics.day_length(57.1526, calendar.mid_month_day_of_year(MIDDLES.to_numpy()))
    np.testing.assert_allclose(middle, hours, rtol=0.015)


@given(
    potential=st.floats(0.0, 400.0),
    rain=st.floats(0.0, 1000.0),
    soil=st.floats(0.0, 100.0),
    limit=st.sampled_from(list(Limit)),
)
@settings(deadline=None)
def test_evapotranspiration_stays_within_its_bounds(potential, rain, soil, limit):
    actual, after = physics.evapotranspire(
        np.array([potential]), np.array([rain]), np.array([soil]), capacity=100.0, limit=limit
    )
    assert 0.0 <= actual[0] <= potential * (1 + 1e-12)
    assert 0.0 <= after[0] <= 100.0
    if limit is not Limit.NONE:
        assert actual[0] <= (rain + soil) * (1 + 1e-12)
        assert actual[0] + after[0] <= rain + soil + 1e-9


def test_the_limits_are_what_their_names_say():
    potential, water = np.array([100.0, 100.0, 1.0]), np.array([100.0, 1e6, 1000.0])
    np.testing.assert_array_equal(
        physics.limit_by_water(potential, water, limit=Limit.PRECIPITATION_PLUS_SOIL_WATER), [100.0, 100.0, 1.0]
    )
    np.testing.assert_allclose(
        physics.limit_by_water(potential, water, limit=Limit.BUDYKO), [100.0 / np.sqrt(2.0), 100.0, 1.0], rtol=1e-5
    )
    np.testing.assert_array_equal(physics.limit_by_water(potential, 0.0 * water, limit=Limit.NONE), potential)
    dry = physics.limit_by_water(np.array([0.0, 50.0]), np.array([0.0, 0.0]), limit=Limit.BUDYKO)
    np.testing.assert_array_equal(dry, 0.0)
