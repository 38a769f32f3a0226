"""What the paper says of its figures, computed from the data behind ours: no figure prints it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gwsd.numbers.entry import Entry, entry

MM_PER_CM = 10.0
EDGE = 8
"""Fine cells from a patch's edge that count as its edge."""
SUMMER = (7, 8)
"""July and August."""

Values = dict[str, tuple[float, str]]
"""Each value with its unit, by its name."""


def figure_values(paths: Mapping[str, Path], results: str) -> list[Entry]:
    """Compute, from the data of figures, what claims speak of and no figure prints.

    Parameters
    ----------
    paths : mapping of str to Path
        The data files by the names of their figures.
    results : str
        The folder of results, relative to the project's root: where the files are said to lie.

    Returns
    -------
    list of Entry
        With ids such as `claims:figure4:smallest_mae_cm`.
    """
    entries = []
    for figure, compute in _COMPUTED.items():
        path = paths[figure]
        if path.suffix == ".nc":
            with xr.open_dataset(path) as opened:
                found = compute(opened.load())
        else:
            found = compute(pd.read_csv(path))
        for name, (value, unit) in found.items():
            known = bool(np.isfinite(value))
            number = round(value) if known and value == round(value) else float(value)
            form = "d" if isinstance(number, int) else ".3g"
            entries.append(
                entry(
                    artifact="claims",
                    row=figure,
                    column=name,
                    value=number if known else None,
                    text=format(number, form).replace("-", "−") if known else "–",
                    unit=unit,
                    format=form,
                    label=f"{figure.capitalize()}: {name.removesuffix('_cm').replace('_', ' ')}",
                    file=f"{results}/figures/{path.name}",
                )
            )
    return entries


def trends(data: xr.Dataset) -> Values:
    """Of Figure 1: the fastest significant loss."""
    significant = data["trend"].where(data["significant"] == 1)
    return {"fastest_loss_mm_per_year": (-float(significant.min()), "mm/yr")}


def examples(data: xr.Dataset) -> Values:
    """Of Figure 3: sizes of errors and anomalies, and where errors gather."""
    error = data["absolute_error"].values / MM_PER_CM
    target = data["target"].values / MM_PER_CM
    valid = np.isfinite(error)
    steepness = np.stack([np.hypot(*np.gradient(np.where(np.isfinite(one), one, np.nan))) for one in target])
    known = valid & np.isfinite(steepness)
    low, high = np.quantile(steepness[known], (0.25, 0.75))
    edge = np.ones(error.shape, bool)
    edge[:, EDGE:-EDGE, EDGE:-EDGE] = False
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


def seasons(data: xr.Dataset) -> Values:
    """Of Figure 4: errors by calendar month, and the northern season."""
    mae = data["mae_mean"] / MM_PER_CM
    patches = data["patches"]
    month = data["month"].values
    summer = np.isin(month, SUMMER)
    north = data.sel(hemisphere="northern") / MM_PER_CM
    season = north["all_cells"].values
    change = np.abs(season - np.roll(season, 1))
    swing = north["predicted"]
    weighted = (mae * patches).sum() / patches.sum()
    in_summer = (mae * patches)[summer].sum() / patches[summer].sum()
    return {
        "months": (int(np.isfinite(mae).sum()), "months"),
        "smallest_mae_cm": (float(mae.min()), "cm"),
        "largest_mae_cm": (float(mae.max()), "cm"),
        "mae_all_months_cm": (float(weighted), "cm"),
        "mae_july_august_cm": (float(in_summer), "cm"),
        "month_of_minimum_north": (_month_of(season, month, smallest=True), ""),
        "month_of_maximum_north": (_month_of(season, month, smallest=False), ""),
        "change_july_august_cm": (float(change[summer].mean()), "cm"),
        "change_other_months_cm": (float(change[~summer].mean()), "cm"),
        "swing_north_cm": (float(swing.max() - swing.min()), "cm"),
    }


def _month_of(season: np.ndarray, month: np.ndarray, *, smallest: bool) -> float:
    if not np.isfinite(season).any():
        return float("nan")
    return int(month[np.nanargmin(season) if smallest else np.nanargmax(season)])


def regions(data: xr.Dataset) -> Values:
    """Of Figure 5: sizes of errors."""
    error = data["error"].values / MM_PER_CM
    known = error[np.isfinite(error)]
    return {
        "regions": (data.sizes["region"], ""),
        "share_below_3_cm": (float((known < 3).mean()), ""),
        "lowest_quarter_cm": (float(np.quantile(known, 0.25)), "cm"),
    }


def convergence(data: pd.DataFrame) -> Values:
    """Of Figure 6: the training of `full`, first seed; the start is the end of epoch 1, as in the paper."""
    full = data[data["variant"] == "full"]
    one = full[(full["seed"] == full["seed"].min()) & (full["epoch"] >= 1)].sort_values("epoch")
    total, first, last = one["train_total"].to_numpy(), one.iloc[0], one.iloc[-1]
    return {
        "loss_start": (float(total[0]), ""),
        "loss_end": (float(total[-1]), ""),
        "epochs_in_which_loss_rises": (int((np.diff(total) > 0).sum()), "epochs"),
        "mae_start_cm": (float(first["val_mae_mm"]) / MM_PER_CM, "cm"),
        "mae_end_cm": (float(last["val_mae_mm"]) / MM_PER_CM, "cm"),
        "r2_start": (float(first["val_r2"]), ""),
        "r2_end": (float(last["val_r2"]), ""),
    }


def uncertainty(data: xr.Dataset) -> Values:
    """Of Figure 7: errors by quartile of predicted uncertainty."""
    median = data["quartile_error"].sel(quantile=0.5).values / MM_PER_CM
    error = data["absolute_error"].values / MM_PER_CM
    return {
        "median_error_cm": (float(np.nanmedian(error)), "cm"),
        "median_error_quartile_1_cm": (float(median[0]), "cm"),
        "median_error_quartile_4_cm": (float(median[-1]), "cm"),
    }


_COMPUTED: dict[str, Callable[[Any], Values]] = {
    "figure1": trends,
    "figure3": examples,
    "figure4": seasons,
    "figure5": regions,
    "figure6": convergence,
    "figure7": uncertainty,
}
FIGURES = tuple(_COMPUTED)
"""Figures whose data are read."""
