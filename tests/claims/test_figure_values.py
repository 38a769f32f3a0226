import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gwsd.claims.figure_values import (
    FIGURES,
    convergence,
    examples,
    figure_values,
    regions,
    seasons,
    trends,
    uncertainty,
)

MONTHS = np.arange(1, 13)


def figure1():
    field = (("lat", "lon"), np.array([[-30.0, -50.0], [5.0, 1.0]]))
    return xr.Dataset({"trend": field, "significant": (("lat", "lon"), np.array([[1, 0], [1, 1]]))})


def figure3():
    """One example: a step of 20 cm in the middle column, with an error of 2 cm there and 1 cm elsewhere."""
    target = np.zeros((1, 32, 32))
    target[:, :, 16:] = 200.0
    error = np.full((1, 32, 32), 10.0)
    error[:, :, 14:18] = 20.0
    error[0, 0, 0] = np.nan
    dims = ("example", "y", "x")
    return xr.Dataset({"target": (dims, target), "absolute_error": (dims, error)})


def figure4():
    season = 100.0 * np.cos(2 * np.pi * (MONTHS - 3) / 12)
    both = (("hemisphere", "month"), np.stack([season, -season]))
    mae = np.where(np.isin(MONTHS, (7, 8)), 17.0, 15.0)
    return xr.Dataset(
        {
            "mae_mean": ("month", mae),
            "patches": ("month", np.full(12, 10)),
            "all_cells": both,
            "predicted": both,
        },
        {"month": MONTHS, "hemisphere": ["northern", "southern"]},
    )


def figure5():
    return xr.Dataset({"error": (("region", "y", "x"), np.array([[[5.0, 15.0], [25.0, 45.0]]]))})


def figure6():
    rows = [("full", 0, 0, None, 50.0, -0.1), ("full", 0, 1, 15.2, 42.0, 0.92), ("full", 0, 2, 15.3, 30.0, 0.95)]
    rows += [("full", 0, 3, 2.8, 16.4, 0.998), ("other", 0, 3, 9.0, 9.0, 0.9), ("full", 1, 3, 9.0, 9.0, 0.9)]
    return pd.DataFrame(rows, columns=["variant", "seed", "epoch", "train_total", "val_mae_mm", "val_r2"])


def figure7():
    quartiles = np.array([[1.0, 2.0, 3.0], [1, 3, 4], [1, 4, 5], [1, 8, 9]]) * 10
    return xr.Dataset(
        {"quartile_error": (("quartile", "quantile"), quartiles), "absolute_error": ("cell", np.array([0.0, 10, 50]))},
        {"quantile": [0.25, 0.5, 0.75]},
    )


def test_the_fastest_significant_loss():
    assert trends(figure1())["fastest_loss_mm_per_year"][0] == 30


def test_errors_of_the_examples():
    found = {name: value for name, (value, _) in examples(figure3()).items()}
    assert found["largest_gain_cm"] == 20
    assert found["share_below_5_cm"] == 1
    assert found["error_in_steepest_quarter_cm"] > found["error_in_flattest_quarter_cm"]
    assert found["error_inside_cm"] > found["error_at_edge_cm"]


def test_the_season_of_the_north():
    found = {name: value for name, (value, _) in seasons(figure4()).items()}
    assert (found["month_of_maximum_north"], found["month_of_minimum_north"]) == (3, 9)
    assert found["swing_north_cm"] == pytest.approx(20)
    assert (found["smallest_mae_cm"], found["largest_mae_cm"], found["mae_july_august_cm"]) == (1.5, 1.7, 1.7)
    assert found["change_july_august_cm"] < found["change_other_months_cm"] + 5


def test_a_month_without_patches_is_not_counted():
    data = figure4()
    data["mae_mean"][0] = np.nan
    assert seasons(data)["months"][0] == 11


def test_a_region_without_a_north_has_no_northern_season(tmp_path):
    paths = write_figures(tmp_path)
    data = figure4()
    for name in ("all_cells", "predicted"):
        data[name][0] = np.nan
    data.to_netcdf(tmp_path / "south.nc")
    entries = figure_values({**paths, "figure4": tmp_path / "south.nc"}, "results/demo")
    swing, month = (
        next(one for one in entries if one["id"] == f"claims:figure4:{name}")
        for name in ("swing_north_cm", "month_of_minimum_north")
    )
    assert (swing["value"], swing["text"], month["value"]) == (None, "–", None)


def test_errors_of_the_regions():
    found = {name: value for name, (value, _) in regions(figure5()).items()}
    assert found == {"regions": 1, "share_below_3_cm": 0.75, "lowest_quarter_cm": 1.25}


def test_the_training_of_the_first_seed_from_epoch_1():
    found = {name: value for name, (value, _) in convergence(figure6()).items()}
    assert (found["loss_start"], found["loss_end"], found["epochs_in_which_loss_rises"]) == (15.2, 2.8, 1)
    assert (found["mae_start_cm"], found["mae_end_cm"], found["r2_end"]) == (4.2, 1.64, 0.998)


def test_errors_by_quartile_of_uncertainty():
    found = {name: value for name, (value, _) in uncertainty(figure7()).items()}
    assert (found["median_error_quartile_1_cm"], found["median_error_quartile_4_cm"]) == (2, 8)
    assert found["median_error_cm"] == 1


def write_figures(folder):
    """Write the data files of all figures that claims read."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name in FIGURES:
        made = globals()[name]()
        paths[name] = folder / f"{name}.{'csv' if isinstance(made, pd.DataFrame) else 'nc'}"
        made.to_csv(paths[name], index=False) if isinstance(made, pd.DataFrame) else made.to_netcdf(paths[name])
    return paths


def test_values_are_published_with_their_file(tmp_path):
    entries = {one["id"]: one for one in figure_values(write_figures(tmp_path), "results/demo")}
    swing = entries["claims:figure4:swing_north_cm"]
    assert (swing["unit"], swing["file"]) == ("cm", "results/demo/figures/figure4.nc")
    assert format(swing["value"], swing["format"]) == swing["text"]


def test_every_value_that_the_ledger_names_is_computed(ledger, tmp_path):
    computed = {one["id"] for one in figure_values(write_figures(tmp_path), "results/demo")}
    named = {
        name
        for claim in ledger.claims
        for check in claim.checks
        for name in (check.cell, *check.where.values())
        if name
    }
    assert {name for name in named if name.startswith("claims:")} <= computed
    assert computed <= named
