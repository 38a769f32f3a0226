"""Figure 4: errors by calendar month, and the seasonal cycle of each hemisphere."""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.data_file import Printed, foot, labelled, number, texts
from gwsd.artifacts.predicted_patches import QUANTILES, PredictedPatches, read_patches
from gwsd.artifacts.settings import Plot
from gwsd.artifacts.style import BLUE, COAST, ORANGE, Array, box_plot, new_figure, panel_letter, styled
from gwsd.units import MM_PER_CM

CELLS = ("hemisphere", "month")
HEMISPHERES = ("northern", "southern")
MONTHS = range(1, 13)


def error_by_month(patches: PredictedPatches) -> xr.Dataset:
    """Compute mean, standard deviation, quantiles, mm, and number of the patches' MAE in each calendar month."""
    monthly = pd.Series(patches.patch_mae).groupby(patches.month.month)
    table = monthly.agg(["mean", "std", "count"]).reindex(MONTHS)
    quantiles = monthly.quantile(np.array(QUANTILES)).unstack().reindex(MONTHS)
    return xr.Dataset(
        {
            "mae_mean": ("month", table["mean"].to_numpy()),
            "mae_sd": ("month", table["std"].to_numpy()),
            "mae_quantile": (("month", "quantile"), quantiles.to_numpy()),
            "patches": ("month", table["count"].fillna(0).to_numpy(np.int32)),
        }
    )


def seasonal_cycle(patches: PredictedPatches, fine_lat: Array) -> xr.Dataset:
    """Compute the area-weighted mean storage of the test patches by hemisphere and month, target and predicted, mm.

    The standard error (`_se`) treats patches as independent and is that of a ratio of sums (Cochran, 1977, section
    6.3); NaN for a single patch. `fine_lat` has the latitudes of the fine grid's rows, degrees north.
    """
    lat = np.stack([fine_lat[start : start + patches.mean.shape[1]] for start in patches.row])  # (P, Y)
    side = np.stack([lat > 0.0, lat < 0.0])
    area = patches.valid * (side * np.cos(np.deg2rad(lat)))[..., None]  # (hemisphere, P, Y, X)
    total = area.sum(axis=(2, 3))
    month = patches.month.month.to_numpy() - 1
    in_month = np.eye(12)[month]  # (P, month)
    count, weight = (total > 0.0) @ in_month, total @ in_month
    data = xr.Dataset()
    for name, field in (("target", patches.target), ("predicted", patches.mean)):
        sums = np.where(area > 0.0, area * field, 0.0).sum(axis=(2, 3))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = sums @ in_month / weight
            scatter = (sums - np.nan_to_num(mean)[:, month] * total) ** 2 @ in_month
            error = np.where(count > 1, np.sqrt(scatter * count / (count - 1)) / weight, np.nan)
        data[name], data[f"{name}_se"] = (CELLS, mean), (CELLS, error)
    return data.assign(hemisphere_patches=(CELLS, count.astype(np.int32)))


def whole_cycle(storage: xr.Dataset, mask: xr.Dataset) -> Array:
    """Compute the mean coarse storage of all valid cells and months, shape (hemisphere, month), mm."""
    lat = storage["lat"].values[:, None]
    cycle = []
    for side in (lat > 0.0, lat < 0.0):
        here = (mask["valid"].values == 1) & side
        area = np.broadcast_to(np.cos(np.deg2rad(lat)), here.shape)[here]
        monthly = storage["storage"].values[:, here].astype(np.float64) @ area / max(area.sum(), 1e-9)
        mean = pd.Series(monthly).groupby(storage["time"].dt.month.values).mean().reindex(MONTHS)
        cycle.append(mean.to_numpy() if here.any() else np.full(12, np.nan))
    return np.stack(cycle)


def compute(inputs: ArtifactInputs) -> xr.Dataset:
    """Compute the fields of `error_by_month` and `seasonal_cycle`, and `all_cells` (hemisphere, month); mm."""
    patches = read_patches(inputs.dataset("predictions"))
    data = xr.merge([error_by_month(patches), seasonal_cycle(patches, inputs.dataset("land")["lat"].values)])
    data["all_cells"] = (CELLS, whole_cycle(inputs.dataset("storage"), inputs.dataset("mask")))
    for name in data.data_vars:
        data[name].attrs["units"] = "1" if str(name).endswith("patches") else "mm"
    months = np.array(MONTHS, dtype=np.int32)
    data = data.assign_coords(month=months, quantile=[*QUANTILES], hemisphere=[*HEMISPHERES])
    title = "Errors by calendar month and the seasonal cycle of the test patches"
    return labelled(data, "figure4", inputs, title=title, method=patches.method)


def values(data: xr.Dataset) -> list[Printed]:
    """Return the numbers of patches."""
    found = [
        number(f"month_{month}", "patches", int(count), "d", "", f"Test patches in calendar month {month}")
        for month, count in enumerate(data["patches"].values, start=1)
    ]
    for name, counts in zip(data["hemisphere"].values, data["hemisphere_patches"].values, strict=True):
        label = f"patches of a month in the {name} hemisphere"
        found += [
            number(str(name), "fewest_patches", int(counts.min()), "d", "", f"Fewest {label}"),
            number(str(name), "most_patches", int(counts.max()), "d", "", f"Most {label}"),
        ]
    return found


@styled
def draw(data: xr.Dataset, style: Plot) -> Figure:
    """Draw the errors by month above, the seasonal cycles of both hemispheres below."""
    text = texts(values(data))
    figure = new_figure(style, height_mm=120.0, **foot(data))
    grid = figure.add_gridspec(2, 2)
    _errors(figure.add_subplot(grid[0, :]), data, text, style)
    first = figure.add_subplot(grid[1, 0])
    second = figure.add_subplot(grid[1, 1], sharey=first)
    for half, axes in enumerate((first, second)):
        _cycle(axes, data.isel(hemisphere=half), half, text, style)
    first.set_ylabel("Mean storage anomaly\n(cm water equivalent)")
    first.legend(loc="best", handlelength=1.8).set_in_layout(False)
    return figure


def _months(axes: Axes) -> None:
    axes.set_xlim(0.4, 12.6)
    axes.set_xticks(MONTHS, list("JFMAMJJASOND"))
    axes.set_xlabel("Calendar month")


def _errors(axes: Axes, data: xr.Dataset, text: dict[str, str], style: Plot) -> None:
    quantiles = data["mae_quantile"].values / MM_PER_CM
    mean = data["mae_mean"].values / MM_PER_CM
    full = np.flatnonzero(np.isfinite(mean))
    box_plot(axes, quantiles[full], mean[full], full + 1)
    _months(axes)
    top = float(np.nanmax(quantiles))
    axes.set_ylim(0.0, 1.12 * top)
    for month in MONTHS:
        label = f"n = {text[f'month_{month}:patches']}"
        axes.text(month, 1.11 * top, label, ha="center", va="top", fontsize=style.small, color=COAST)
    axes.set_ylabel("MAE of a patch\n(cm water equivalent)")
    method = data.attrs["method"]
    panel_letter(axes, 0, f"method {method}: box quartiles, line median, diamond mean, whiskers 5 to 95 %; n patches")


def _cycle(axes: Axes, data: xr.Dataset, half: int, text: dict[str, str], style: Plot) -> None:
    month = np.arange(1, 13)
    axes.axhline(0.0, color=COAST, linewidth=0.5)
    axes.plot(month, data["all_cells"] / MM_PER_CM, ":", color=COAST, linewidth=1.0, label="all cells, all months")
    for name, colour, form, shift in (("target", BLUE, "o-", -0.12), ("predicted", ORANGE, "s--", 0.12)):
        axes.errorbar(
            month + shift,
            data[name] / MM_PER_CM,
            np.nan_to_num(data[f"{name}_se"] / MM_PER_CM),
            fmt=form,
            color=colour,
            elinewidth=0.7,
            capsize=1.5,
            label=f"{name}, test patches (± 1 s.e.)",
        )
    _months(axes)
    name = str(data["hemisphere"].values)
    fewest, most = text[f"{name}:fewest_patches"], text[f"{name}:most_patches"]
    if not data["hemisphere_patches"].values.any():
        axes.text(6.5, 0.0, "no test patch", ha="center", va="bottom", fontsize=style.small, color=COAST)
    counts = f"{fewest} to {most}" if fewest != most else fewest
    panel_letter(axes, half + 1, f"{name.capitalize()} hemisphere, {counts} patches a month")
