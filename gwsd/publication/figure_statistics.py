"""Statistics of the figures' data that claims of the paper mention and no figure prints."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gwsd.artifacts.formatting import format_number
from gwsd.artifacts.json_face import Entry, entry
from gwsd.units import MM_PER_CM

EDGE_CELLS = 8
"""Fine cells along a patch's border that count as its edge."""

Statistics = dict[str, tuple[float, str]]
"""Value and unit by name."""


def figure_statistics(paths: Mapping[str, Path], results: str) -> list[Entry]:
    """Compute the statistics of all figures from their data files, with ids such as `claims:figure4:smallest_mae_cm`.

    `results` is the results folder relative to the project's root, for the entries' `file`.
    """
    entries = []
    for figure, compute in STATISTICS.items():
        path = paths[figure]
        data = xr.load_dataset(path) if path.suffix == ".nc" else pd.read_csv(path)
        for name, (number, unit) in compute(data).items():
            known = bool(np.isfinite(number))
            value = round(number) if known and number == round(number) else float(number)
            form = "d" if isinstance(value, int) else ".3g"
            entries.append(
                entry(
                    artifact="claims",
                    row=figure,
                    column=name,
                    value=value if known else None,
                    text=format_number(value, form),
                    unit=unit,
                    format=form,
                    label=f"{figure.capitalize()}: {name.removesuffix('_cm').replace('_', ' ')}",
                    file=f"{results}/figures/{path.name}",
                )
            )
    return entries


def trends(data: xr.Dataset) -> Statistics:
    """Figure 1: fastest significant loss."""
    significant = data["trend"].where(data["significant"] == 1)
    return {"fastest_loss_mm_per_year": (-float(significant.min()), "mm/yr")}


def examples(data: xr.Dataset) -> Statistics:
    """Figure 3: sizes of errors and anomalies; errors where the target is steep and at the patches' edges."""
    error = data["absolute_error"].values / MM_PER_CM
    target = data["target"].values / MM_PER_CM
    valid = np.isfinite(error)
    steepness = np.stack([np.hypot(*np.gradient(field)) for field in target])
    known = valid & np.isfinite(steepness)
    low, high = np.quantile(steepness[known], (0.25, 0.75))
    edge = np.ones(error.shape, bool)
    edge[:, EDGE_CELLS:-EDGE_CELLS, EDGE_CELLS:-EDGE_CELLS] = False
    return {
        "examples": (data.sizes["example"], ""),
        "share_below_5_cm": (float((error[valid] < 5).mean()), ""),
        "largest_loss_cm": (-float(np.nanmin(target)), "cm"),
        "largest_gain_cm": (float(np.nanmax(target)), "cm"),
        "error_in_steepest_quarter_cm": (float(error[known & (steepness >= high)].mean()), "cm"),
        "error_in_flattest_quarter_cm": (float(error[known & (steepness <= low)].mean()), "cm"),
        "error_at_edge_cm": (float(error[valid & edge].mean()), "cm"),
        "error_inside_cm": (float(error[valid & ~edge].mean()), "cm"),
    }


def seasons(data: xr.Dataset) -> Statistics:
    """Figure 4: errors by calendar month, and the seasonal cycle of the northern hemisphere."""
    mae, patches, month = data["mae_mean"] / MM_PER_CM, data["patches"], data["month"].values
    summer = np.isin(month, (7, 8))
    north = data.sel(hemisphere="northern") / MM_PER_CM
    season, swing = north["all_cells"].values, north["predicted"]
    change = np.abs(season - np.roll(season, 1))
    known = np.isfinite(season).any()
    return {
        "months": (int(np.isfinite(mae).sum()), "months"),
        "smallest_mae_cm": (float(mae.min()), "cm"),
        "largest_mae_cm": (float(mae.max()), "cm"),
        "mae_all_months_cm": (float((mae * patches).sum() / patches.sum()), "cm"),
        "mae_july_august_cm": (float((mae * patches)[summer].sum() / patches[summer].sum()), "cm"),
        "month_of_minimum_north": (int(month[np.nanargmin(season)]) if known else np.nan, ""),
        "month_of_maximum_north": (int(month[np.nanargmax(season)]) if known else np.nan, ""),
        "change_july_august_cm": (float(change[summer].mean()), "cm"),
        "change_other_months_cm": (float(change[~summer].mean()), "cm"),
        "swing_north_cm": (float(swing.max() - swing.min()), "cm"),
    }


def regions(data: xr.Dataset) -> Statistics:
    """Figure 5: sizes of errors."""
    error = data["error"].values / MM_PER_CM
    known = error[np.isfinite(error)]
    return {
        "regions": (data.sizes["region"], ""),
        "share_below_3_cm": (float((known < 3).mean()), ""),
        "lowest_quarter_cm": (float(np.quantile(known, 0.25)), "cm"),
    }


def convergence(data: pd.DataFrame) -> Statistics:
    """Figure 6: training of `full`, first seed, from the end of epoch 1 as in the paper."""
    full = data[data["variant"] == "full"]
    epochs = full[(full["seed"] == full["seed"].min()) & (full["epoch"] >= 1)].sort_values("epoch")
    total, first, last = epochs["train_total"].to_numpy(), epochs.iloc[0], epochs.iloc[-1]
    return {
        "loss_start": (float(total[0]), ""),
        "loss_end": (float(total[-1]), ""),
        "epochs_in_which_loss_rises": (int((np.diff(total) > 0).sum()), "epochs"),
        "mae_start_cm": (float(first["val_mae_mm"]) / MM_PER_CM, "cm"),
        "mae_end_cm": (float(last["val_mae_mm"]) / MM_PER_CM, "cm"),
        "r2_start": (float(first["val_r2"]), ""),
        "r2_end": (float(last["val_r2"]), ""),
    }


def uncertainty(data: xr.Dataset) -> Statistics:
    """Figure 7: errors by quartile of predicted uncertainty."""
    median = data["quartile_error"].sel(quantile=0.5).values / MM_PER_CM
    return {
        "median_error_cm": (float(np.nanmedian(data["absolute_error"].values / MM_PER_CM)), "cm"),
        "median_error_quartile_1_cm": (float(median[0]), "cm"),
        "median_error_quartile_4_cm": (float(median[-1]), "cm"),
    }


STATISTICS: dict[str, Callable[[Any], Statistics]] = {
    "figure1": trends,
    "figure3": examples,
    "figure4": seasons,
    "figure5": regions,
    "figure6": convergence,
    "figure7": uncertainty,
}
