"""Data of the figures."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gwsd.artifacts import figure1, figure2, figure3, figure4, figure5, figure7, quality_map
from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.figure1 import fit_trend
from gwsd.artifacts.predicted_patches import read_patches
from gwsd.errors import DataError
from gwsd.model.downscaler import Downscaler, count_parameters
from gwsd.model.settings import Model
from tests.artifacts.conftest import FIGURE_SETTINGS, LABELS, SIZE, Changed, Drawn, Files

LAT, LON = np.arange(-89.75, 90.0, 0.5), np.arange(-179.75, 180.0, 0.5)
MONTHS = pd.date_range("2002-04", "2023-09", freq="MS").delete([2, 3, 50, 120, 121]).to_numpy()
ELAPSED = (MONTHS.astype("datetime64[M]").astype(int) - 387) / 12.0
CALENDAR = MONTHS.astype("datetime64[M]").astype(int) % 12


def persistent(count: int, r: float, series: int, seed: int = 3) -> np.ndarray:
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(count, series))
    for step in range(1, count):
        noise[step] = r * noise[step - 1] + np.sqrt(1.0 - r**2) * noise[step]
    return noise


@pytest.mark.parametrize("count", [30, len(MONTHS)])  # a short record is not tilted by its season
def test_slope_and_season_are_separated_exactly(count: int) -> None:
    season = 80.0 * np.cos(2 * np.pi * CALENDAR / 12 + 1.0) + 15.0 * np.sin(4 * np.pi * CALENDAR / 12)
    series = np.stack([7.5 * ELAPSED + season, -2.0 * ELAPSED - season, season], axis=1)
    np.testing.assert_allclose(fit_trend(series[:count], MONTHS[:count])["trend"], [7.5, -2.0, 0.0], atol=1e-9)


def test_independent_residuals_give_the_textbook_error() -> None:
    noise = np.random.default_rng(0).normal(size=(len(MONTHS), 400))
    trend = fit_trend(noise, MONTHS)
    textbook = noise.std() / np.sqrt(((ELAPSED - ELAPSED.mean()) ** 2).sum())
    assert trend["standard_error"].mean() == pytest.approx(textbook, rel=0.1)
    assert trend["effective_months"].mean() == pytest.approx(len(MONTHS), rel=0.12)
    persistent_months = fit_trend(persistent(len(MONTHS), 0.6, 500), MONTHS)["effective_months"]
    assert persistent_months.mean() == pytest.approx(len(MONTHS) * 0.4 / 1.6, rel=0.15)


def test_persistence_does_not_pass_for_a_trend() -> None:
    share = (fit_trend(persistent(len(MONTHS), 0.8, 2000), MONTHS)["p_value"] < 0.05).mean()
    assert 0.02 < share < 0.13  # 0.05 were it perfect


def test_gaps_are_not_stepped_across() -> None:
    # The sign turns at every gap: across a gap r is −1, within the runs +1.
    months = pd.date_range("2003-01", periods=72, freq="MS").to_numpy()
    kept = np.arange(72) % 4 < 2  # pairs of months, each pair after a gap
    generator = np.random.default_rng(2)
    pairs = generator.normal(size=(18, 300))
    series = np.repeat(np.where(np.arange(18)[:, None] % 2, 1.0, -1.0) * np.abs(pairs), 2, axis=0)
    assert (fit_trend(series, months[kept])["effective_months"] < 12).all()


def test_a_constant_has_no_trend_and_two_years_are_needed() -> None:
    trend = fit_trend(np.full((len(MONTHS), 2), 3.0), MONTHS)
    np.testing.assert_allclose(trend["trend"], 0.0, atol=1e-12)
    assert (trend["p_value"] > 0.05).all()
    with pytest.raises(DataError, match="a trend needs at least 24 months, there are 12"):
        fit_trend(np.zeros((12, 1)), MONTHS[:12])


def test_map_has_the_valid_cells_only(earth: Files, inputs: ArtifactInputs, changed: Changed) -> None:
    data = figure1.compute(inputs)
    valid = earth["mask"]["valid"].values == 1
    assert (np.isfinite(data["trend"].values) == valid).all()
    assert data["trend"].attrs["units"] == "mm year-1"
    lat, lon = data["lat"].values, data["lon"].values
    slope = 10.0 * np.sin(np.deg2rad(4.0 * lat))[:, None] * np.cos(np.deg2rad(3.0 * lon))[None, :]
    assert np.corrcoef(data["trend"].values[valid], slope[valid])[0, 1] > 0.98
    assert data.attrs["data_label"] == LABELS["data_label"]
    assert data.attrs["quantity"] == "total water storage"
    strict = figure1.compute(changed({"trend": {"significance": 0.001}}))
    assert 0 < strict["significant"].values.sum() < data["significant"].values.sum()
    shares = data.attrs["share_of_area_losing"] + data.attrs["share_of_area_gaining"]
    area = np.cos(np.deg2rad(lat))[:, None] * valid
    assert shares == pytest.approx((area * data["significant"].values).sum() / area.sum(), rel=1e-3)


def test_missing_months_of_valid_cells_are_refused(earth: Files, changed: Changed) -> None:
    broken = earth["storage"].copy(deep=True)
    broken["storage"][3, 60, 100] = np.nan
    with pytest.raises(DataError, match="valid cells have months without a value"):
        figure1.compute(changed(storage=broken))


@pytest.mark.parametrize(
    "change", [{}, {"temporal_encoder": "none"}, {"variance_head": False}, {"lstm_layers": 1, "history_months": 12}]
)
def test_parts_have_the_shapes_and_parameters_of_the_model(change: dict[str, object], changed: Changed) -> None:
    model = FIGURE_SETTINGS["model"] | change
    table = figure2.compute(changed({"model": model}))
    network = Downscaler(Model.from_job(model), FIGURE_SETTINGS["climate_variables"])
    assert table["parameters"].sum() == count_parameters(network)
    assert (table["role"] == "conv_lstm").any() == (change.get("temporal_encoder") != "none")
    shapes = table.set_index("name")[["months", "channels", "height", "width"]]
    assert shapes.loc["climate"].tolist() == [model["history_months"], 4, 16, 16]
    assert shapes.loc["U-Net bottleneck"].tolist() == [1, 64, 2, 2]
    assert shapes.loc["upsampling"].tolist() == [1, 1, 64, 64]


def brute_mae(predictions: xr.Dataset, patch: int) -> float:
    chosen = predictions.isel(patch=patch)
    return float(np.abs(chosen["mean"].values - chosen["target"].values)[chosen["valid"].values == 1].mean())


def in_month(predictions: xr.Dataset, month: int) -> list[int]:
    return [p for p in range(30) if predictions["month"].values[p].endswith(f"-{month:02d}")]


def test_examples_are_in_the_middle_of_the_ranking(earth: Files, drawn: Drawn) -> None:
    data = drawn["figure3"][1]
    assert data.sizes["example"] == 3
    assert (np.diff(data["mae"].values) >= 0).all()
    assert 5.0 < data["rank"].values[0] < 45.0 < 60.0 < data["rank"].values[2] < 95.0
    patch = int(data["patch"].values[1])
    assert float(data["mae"].values[1]) == pytest.approx(brute_mae(earth["predictions"], patch), rel=1e-5)
    corner = int(earth["predictions"]["row"].values[patch]) * 4
    np.testing.assert_allclose(data["lat"].values[1], earth["land"]["lat"].values[corner : corner + 4 * SIZE])
    south, west = data["lat"].values[:, 0], data["lon"].values[:, 0]
    for i, j in ((0, 1), (0, 2), (1, 2)):  # they do not overlap
        assert max(abs(south[i] - south[j]), abs(west[i] - west[j])) >= SIZE / 2
    two = read_patches(earth["predictions"].isel(patch=slice(0, 2)))
    assert sorted(figure3.choose_examples(two, 5)) == [0, 1]


def test_errors_by_month_agree_with_a_loop(earth: Files, drawn: Drawn) -> None:
    data = drawn["figure4"][1]
    assert int(data["patches"].sum()) == 30
    for month in range(1, 13):
        maes = [brute_mae(earth["predictions"], patch) for patch in in_month(earth["predictions"], month)]
        found = data.sel(month=month)
        assert int(found["patches"]) == len(maes)
        assert float(found["mae_mean"]) == pytest.approx(np.mean(maes) if maes else np.nan, rel=1e-5, nan_ok=True)
        if len(maes) > 1:
            assert float(found["mae_sd"]) == pytest.approx(np.std(maes, ddof=1), rel=1e-5)
            np.testing.assert_allclose(found["mae_quantile"], np.quantile(maes, data["quantile"]), rtol=1e-5)


def test_seasonal_cycle_agrees_with_a_loop(earth: Files, drawn: Drawn) -> None:
    data, predictions, lat = drawn["figure4"][1], earth["predictions"], earth["land"]["lat"].values
    for half, side in enumerate((1, -1)):
        for month in range(1, 13):
            sums, areas = [], []
            for patch in in_month(predictions, month):
                start = 4 * int(predictions["row"].values[patch])
                rows = lat[start : start + 4 * SIZE]
                weight = np.cos(np.deg2rad(rows)) * (np.sign(rows) == side)
                area = weight[:, None] * predictions["valid"][patch].values
                if area.sum() > 0.0:
                    sums.append(float((area * predictions["mean"][patch].values).sum()))
                    areas.append(float(area.sum()))
            found = data.isel(hemisphere=half).sel(month=month)
            mean = sum(sums) / sum(areas) if areas else np.nan
            assert float(found["predicted"]) == pytest.approx(mean, rel=1e-4, nan_ok=True)
            scatter = sum((s - mean * a) ** 2 for s, a in zip(sums, areas, strict=True))
            n = len(areas)
            error = np.sqrt(scatter * n / (n - 1)) / sum(areas) if n > 1 else np.nan
            assert float(found["predicted_se"]) == pytest.approx(error, rel=1e-3, nan_ok=True)
            assert int(found["hemisphere_patches"]) == n
    assert np.corrcoef(*data["all_cells"].values)[0, 1] < -0.9  # opposite seasons


def test_overlapping_patches_are_averaged(earth: Files) -> None:
    predictions, shape = earth["predictions"], earth["land"]["land_fraction"].shape
    mean, count = figure5.mean_error_map(read_patches(predictions), shape)
    stack = np.full((30, *shape), np.nan)
    for patch in range(30):
        row, col = (4 * int(predictions[name].values[patch]) for name in ("row", "col"))
        chosen = predictions.isel(patch=patch)
        error = np.where(chosen["valid"] == 1, np.abs(chosen["mean"] - chosen["target"]), np.nan)
        stack[patch, row : row + 4 * SIZE, col : col + 4 * SIZE] = error
    assert (count == np.isfinite(stack).sum(axis=0)).all()
    assert count.max() > 1
    np.testing.assert_allclose(mean, pd.DataFrame(stack.reshape(30, -1)).mean().to_numpy().reshape(shape), rtol=1e-5)


def test_regions_are_the_best_covered_of_each_continent() -> None:
    count = np.zeros((360, 720), dtype=np.int32)
    named = {candidate.name: candidate for candidate in figure5.NAMED}
    wanted = ("East Asia", "South Asia", "Australia", "Southern Africa", "Western and central Europe")
    for patches, name in zip((9, 8, 3, 2, 1), wanted, strict=True):
        window = figure5.window_of(named[name].region, LAT, LON)
        count[window] = np.maximum(count[window], patches)
    chosen = figure5.choose_regions(count, np.ones_like(count, dtype=bool), LAT, LON)
    assert {candidate.name for candidate in chosen} == {*wanted} - {"South Asia"}
    assert [candidate.region for candidate in chosen] == sorted(candidate.region for candidate in chosen)


def test_boxes_replace_named_regions_where_the_grid_is_a_region(drawn: Drawn) -> None:
    data = drawn["figure5"][1]
    assert set(data["name"].values) == {""}
    assert "world_land" not in data
    assert (np.isfinite(data["error"].values) == (data["patches_over"].values > 0)).all()


@pytest.mark.parametrize("figure", [figure3, figure4, figure5, figure7])
def test_predictions_without_a_valid_cell_are_refused(figure: object, earth: Files, changed: Changed) -> None:
    predictions = earth["predictions"]
    with pytest.raises(DataError, match="no test patch has a valid cell"):
        figure.compute(changed(predictions=predictions.assign(valid=predictions["valid"] * 0)))  # type: ignore[attr-defined]


def test_calibrated_errors_are_found_calibrated(changed: Changed) -> None:
    data, again = (figure7.compute(changed({"evaluation": {"pixel_sample": 20000}})) for _ in range(2))
    xr.testing.assert_identical(data, again)
    assert data.sizes["cell"] == 20000
    assert data.attrs["coverage_90"] == pytest.approx(0.9, abs=0.01)
    assert data.attrs["sd_of_standardised_error"] == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(data["bin_error"], np.sqrt(2.0 / np.pi) * data["bin_sd"], rtol=0.06)
    assert (np.diff(data["quartile_error"].sel(quantile=0.5)) > 0).all()
    assert (data["quartile_high"].values[:-1] <= data["quartile_low"].values[1:]).all()


def test_a_constant_sd_has_no_correlation_and_none_is_refused(earth: Files, changed: Changed) -> None:
    constant = xr.full_like(earth["predictions"]["sd"], 5.0)
    assert np.isnan(figure7.compute(changed(predictions=earth["predictions"].assign(sd=constant))).attrs["pearson"])
    with pytest.raises(DataError, match="has no sd; Figure 7 needs a method that predicts its uncertainty"):
        figure7.compute(changed(predictions=earth["predictions"].drop_vars("sd")))


def test_reasons_are_counted(inputs: ArtifactInputs) -> None:
    data = quality_map.compute(inputs)
    cells = dict(zip(data["meaning"].values, data["cells"].values, strict=True))
    assert (cells["filled"], cells["ice"], sum(cells.values())) == (1, 0, data["reason"].size)
