"""Figures 2, 6 and 7 and the quality map: what is computed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from gwsd.errors import DataError
from gwsd.figures import figure2_data, figure6_data, figure7_data, quality_map_data
from gwsd.model.downscaler import Downscaler, count_parameters
from tests.figures.conftest import LABELS

SETTINGS = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())["settings"]
CLIMATE = SETTINGS["climate_variables"]
SMALL = SETTINGS["model"] | {
    "climate_variables": CLIMATE,
    "lstm_channels": 8,
    "unet_channels": [8, 16, 32],
    "bottleneck_channels": 64,
}


def components(**changes: object) -> pd.DataFrame:
    return figure2_data.compute(model=SMALL | changes, patches={"size": 16}, loss=SETTINGS["loss"], **LABELS)


@pytest.mark.parametrize(
    "changes", [{}, {"temporal_encoder": "none"}, {"variance_head": False}, {"lstm_layers": 1, "memory": 12}]
)
def test_parts_hold_all_parameters_of_the_model(changes: dict[str, object]) -> None:
    table = components(**changes)
    assert table["parameters"].sum() == count_parameters(Downscaler(**SMALL | changes))
    assert (table["role"] == "conv_lstm").any() == (changes.get("temporal_encoder") != "none")


def test_shapes_are_those_of_the_forward_pass() -> None:
    table = components().set_index("name")
    assert table.loc["climate", ["months", "channels", "height", "width"]].tolist() == [6, 4, 16, 16]
    assert table.loc["U-Net bottleneck", ["channels", "height", "width"]].tolist() == [64, 2, 2]
    assert table.loc["upsampling", ["channels", "height", "width"]].tolist() == [1, 64, 64]


def test_constraints_bear_their_equations_and_weights() -> None:
    table = components()
    assert table.loc[table["role"] == "constraint", "detail"].str.extract(r"eq\.\s(\d+)")[0].tolist() == [
        "12", "13", "14",
    ]  # fmt: skip
    assert "0.05 · physics + 0.01 · smoothness" in table["detail"].iloc[-1]


@pytest.mark.parametrize(
    ("climate", "equations", "total"),
    [
        (["temperature", "precipitation"], ["12"], "eq.\u00a010: data + 0.05 · physics + 0.01 · smoothness"),
        (["soil_moisture"], [], "eq.\u00a010: data + 0.01 · smoothness"),
    ],
)
def test_constraints_that_the_climate_does_not_allow_are_not_listed(
    climate: list[str], equations: list[str], total: str
) -> None:
    table = components(climate_variables=climate)
    assert table.loc[0, ["name", "channels", "detail"]].tolist() == [
        "climate", len(climate), ", ".join(climate).replace("_", " "),
    ]  # fmt: skip
    of_constraints = table.loc[table["role"] == "constraint", "detail"]
    assert [detail[4:6] for detail in of_constraints] == equations
    assert table["detail"].iloc[-1] == total
    assert table["note"].str.contains("constraints are left out").all()
    assert "note" not in components()


def test_histories_become_one_table(histories: dict[str, dict[int, pd.DataFrame]]) -> None:
    table = figure6_data.compute(histories, climate_variables=CLIMATE, reported="MAE 1.64 cm", **LABELS)
    assert table.groupby(["variant", "seed"]).size().to_dict() == {("full", 0): 6, ("full", 1): 6, ("residual", 0): 6}
    assert set(table["reported"]) == {"reported by the paper: MAE 1.64 cm"}


def test_a_history_without_a_column_is_named(histories: dict[str, dict[int, pd.DataFrame]]) -> None:
    broken = {"full": {0: histories["full"][0].drop(columns=["val_r2", "train_data"])}}
    with pytest.raises(DataError, match=r"history\.csv of full: lacks the columns train_data, val_r2"):
        figure6_data.compute(broken, climate_variables=CLIMATE, **LABELS)


def test_calibrated_errors_are_seen_as_calibrated(predictions: xr.Dataset) -> None:
    data = figure7_data.compute(predictions, evaluation={"pixel_sample": 20000}, **LABELS)
    assert data.sizes["cell"] == 20000
    assert data.attrs["coverage_90"] == pytest.approx(0.9, abs=0.01)
    assert data.attrs["sd_of_standardised_error"] == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(data["bin_error"], np.sqrt(2.0 / np.pi) * data["bin_sd"], rtol=0.06)
    assert (np.diff(data["quartile_error"].sel(quantile=0.5)) > 0).all()
    assert (data["quartile_high"].values[:-1] <= data["quartile_low"].values[1:]).all()


def test_crps_agrees_with_an_integral(predictions: xr.Dataset) -> None:
    from scipy.stats import norm

    one = predictions.isel(patch=slice(0, 1))
    data = figure7_data.compute(one, evaluation={"pixel_sample": 40}, **LABELS)
    x = np.linspace(-120.0, 120.0, 48001)
    scores = [
        np.trapezoid((norm.cdf(x, 0.0, sd) - (x >= error)) ** 2, x)
        for sd, error in zip(data["sd"].values, data["absolute_error"].values, strict=True)
    ]
    assert data.attrs["crps_mm"] == pytest.approx(np.mean(scores), rel=1e-3)


def test_the_sample_is_the_same_each_time(predictions: xr.Dataset) -> None:
    first, second = (figure7_data.compute(predictions, evaluation={"pixel_sample": 500}, **LABELS) for _ in range(2))
    xr.testing.assert_identical(first, second)


def test_a_constant_sd_has_no_correlation(predictions: xr.Dataset) -> None:
    constant = predictions.assign(sd=xr.full_like(predictions["sd"], 5.0))
    data = figure7_data.compute(constant, evaluation={"pixel_sample": 500}, **LABELS)
    assert np.isnan(data.attrs["pearson"])
    assert data["histogram"].sum() == 500


def test_a_method_without_sd_is_refused(predictions: xr.Dataset) -> None:
    with pytest.raises(DataError, match="has no sd; Figure 7 needs a method that predicts its uncertainty"):
        figure7_data.compute(predictions.drop_vars("sd"), evaluation={"pixel_sample": 500}, **LABELS)


def test_reasons_are_counted(mask: xr.Dataset, land: xr.Dataset) -> None:
    data = quality_map_data.compute(mask, land, **LABELS)
    cells = dict(zip(data["meaning"].values, data["cells"].values, strict=True))
    assert cells["filled"] == 1
    assert cells["ice"] == 0
    assert sum(cells.values()) == mask["reason"].size


def test_reasons_without_names_are_refused(mask: xr.Dataset, land: xr.Dataset) -> None:
    nameless = mask.copy(deep=True)
    nameless["reason"].attrs["flag_meanings"] = "valid ocean"
    with pytest.raises(DataError, match="needs flag_values and flag_meanings"):
        quality_map_data.compute(nameless, land, **LABELS)
