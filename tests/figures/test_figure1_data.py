"""The trend: known slopes, the season, gaps, and persistence."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.figures.figure1_data import compute, fit_trend
from tests.figures.conftest import LABELS

MONTHS = pd.date_range("2002-04", "2023-09", freq="MS").delete([2, 3, 50, 120, 121]).to_numpy()
ELAPSED = (MONTHS.astype("datetime64[M]").astype(int) - 387) / 12.0
CALENDAR = MONTHS.astype("datetime64[M]").astype(int) % 12


def persistent(count: int, r: float, series: int, seed: int = 3) -> np.ndarray:
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(count, series))
    for step in range(1, count):
        noise[step] = r * noise[step - 1] + np.sqrt(1.0 - r**2) * noise[step]
    return noise


def test_slope_and_season_are_told_apart_exactly() -> None:
    season = 80.0 * np.cos(2 * np.pi * CALENDAR / 12 + 1.0) + 15.0 * np.sin(4 * np.pi * CALENDAR / 12)
    series = np.stack([7.5 * ELAPSED + season, -2.0 * ELAPSED - season, season], axis=1)
    np.testing.assert_allclose(fit_trend(series, MONTHS).slope, [7.5, -2.0, 0.0], atol=1e-9)


def test_a_short_record_is_not_tilted_by_its_season() -> None:
    months = pd.date_range("2002-04", periods=30, freq="MS").to_numpy()
    season = 100.0 * np.sin(2 * np.pi * (months.astype("datetime64[M]").astype(int) % 12) / 12)
    years = np.arange(30) / 12.0
    assert abs(np.polyfit(years, season, 1)[0]) > 3.0  # what a straight line alone would say
    assert abs(fit_trend(season[:, None], months).slope[0]) < 1e-9


def test_independent_residuals_give_the_textbook_error() -> None:
    noise = np.random.default_rng(0).normal(size=(len(MONTHS), 400))
    trend = fit_trend(noise, MONTHS)
    textbook = noise.std() / np.sqrt(((ELAPSED - ELAPSED.mean()) ** 2).sum())
    assert trend.standard_error.mean() == pytest.approx(textbook, rel=0.1)
    assert trend.effective_size.mean() == pytest.approx(len(MONTHS), rel=0.12)


def test_persistence_does_not_pass_for_a_trend() -> None:
    noise = persistent(len(MONTHS), 0.8, 2000)
    share = (fit_trend(noise, MONTHS).p_value < 0.05).mean()
    assert 0.02 < share < 0.13  # 0.05 were it perfect
    shuffled = np.random.default_rng(1).permutation(noise)
    naive = fit_trend(noise, MONTHS).slope / fit_trend(shuffled, MONTHS).standard_error
    assert (np.abs(naive) > 1.97).mean() > 0.4  # what is claimed when months count as independent


def test_effective_size_follows_the_autocorrelation() -> None:
    trend = fit_trend(persistent(len(MONTHS), 0.6, 500), MONTHS)
    assert trend.effective_size.mean() == pytest.approx(len(MONTHS) * 0.4 / 1.6, rel=0.15)


def test_gaps_are_not_stepped_across() -> None:
    # The sign turns at every gap: across a gap r is −1, within the runs +1.
    months = pd.date_range("2003-01", periods=72, freq="MS").to_numpy()
    kept = np.arange(72) % 4 < 2  # pairs of months, each pair after a gap
    generator = np.random.default_rng(2)
    pairs = generator.normal(size=(18, 300))
    series = np.repeat(np.where(np.arange(18)[:, None] % 2, 1.0, -1.0) * np.abs(pairs), 2, axis=0)
    assert (fit_trend(series, months[kept]).effective_size < 12).all()


def test_a_constant_has_no_trend() -> None:
    trend = fit_trend(np.full((len(MONTHS), 2), 3.0), MONTHS)
    np.testing.assert_allclose(trend.slope, 0.0, atol=1e-12)
    assert (trend.p_value > 0.05).all()


def test_less_than_two_years_are_refused() -> None:
    with pytest.raises(DataError, match="a trend needs at least 24 months, there are 12"):
        fit_trend(np.zeros((12, 1)), MONTHS[:12])


def test_map_holds_the_valid_cells_alone(storage: xr.Dataset, mask: xr.Dataset, land: xr.Dataset) -> None:
    data = compute(storage, mask, land, trend={"significance": 0.05}, **LABELS)
    valid = mask["valid"].values == 1
    assert (np.isfinite(data["trend"].values) == valid).all()
    assert data["trend"].attrs["units"] == "mm year-1"
    lat, lon = storage["lat"].values, storage["lon"].values
    slope = 10.0 * np.sin(np.deg2rad(4.0 * lat))[:, None] * np.cos(np.deg2rad(3.0 * lon))[None, :]
    assert np.corrcoef(data["trend"].values[valid], slope[valid])[0, 1] > 0.98
    assert data.attrs["data_label"] == LABELS["data_label"]
    strict = compute(storage, mask, land, trend={"significance": 0.001}, **LABELS)
    assert 0 < strict["significant"].values.sum() < data["significant"].values.sum()
    shares = data.attrs["share_of_area_losing"] + data.attrs["share_of_area_gaining"]
    area = np.cos(np.deg2rad(lat))[:, None] * valid
    assert shares == pytest.approx((area * data["significant"].values).sum() / area.sum(), rel=1e-3)


def test_holes_in_valid_cells_are_refused(storage: xr.Dataset, mask: xr.Dataset, land: xr.Dataset) -> None:
    broken = storage.copy(deep=True)
    broken["storage"][3, 60, 100] = np.nan
    with pytest.raises(DataError, match="valid cells have months without a value"):
        compute(broken, mask, land, trend={"significance": 0.05}, **LABELS)


def test_a_mask_of_another_grid_is_refused(storage: xr.Dataset, mask: xr.Dataset, land: xr.Dataset) -> None:
    with pytest.raises(DataError, match=r"mask\.nc: has \(120, 160\) cells, storage\.nc \(128, 160\)"):
        compute(storage, mask.isel(lat=slice(8, None)), land, trend={"significance": 0.05}, **LABELS)
