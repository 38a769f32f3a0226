"""Figure 7: predicted standard deviation against absolute error, over a sample of test cells."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from scipy import stats

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.data_file import Printed, foot, labelled, number, significant, texts
from gwsd.artifacts.predicted_patches import QUANTILES, PredictedPatches, read_patches
from gwsd.artifacts.settings import Plot
from gwsd.artifacts.style import BLUE, COAST, INK, ORANGE, box_plot, error_colours, new_figure, panel_letter, styled
from gwsd.errors import DataError
from gwsd.units import MM_PER_CM

SAMPLE_SEED = 7  # Seed of the sample, fixed so that every method is seen at the same cells
BINS = 10  # Bins of the calibration curve, each with as many cells
NOMINAL = 0.9  # Probability of the central interval whose coverage is printed
SHOWN = 99.5  # Percentile of sd and of |error| at which panel (a) ends
HALF_NORMAL = float(np.sqrt(2.0 / np.pi))
"""Mean |error| of a Gaussian of standard deviation 1: what a calibrated forecast has, not 1."""

SD_LABEL = "Predicted standard deviation (cm)"
ERROR_LABEL = "|error| (cm)"


def sample_cells(patches: PredictedPatches, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sd and error (target minus prediction), mm, of a sample of valid cells, in the patches' order."""
    if patches.sd is None:
        raise DataError("predictions.nc: has no sd; Figure 7 needs a method that predicts its uncertainty.")
    cells = np.flatnonzero(patches.valid)
    if len(cells) > count:
        generator = np.random.Generator(np.random.PCG64(SAMPLE_SEED))
        cells = np.sort(generator.choice(cells, size=count, replace=False, shuffle=False))
    sd = patches.sd.ravel()[cells].astype(np.float64)
    if not (np.isfinite(sd) & (sd > 0.0)).all():
        raise DataError("predictions.nc: sd must be positive in all valid cells.")
    return sd, (patches.target.ravel()[cells].astype(np.float64) - patches.mean.ravel()[cells])


def compute(inputs: ArtifactInputs) -> xr.Dataset:
    """Compute statistics of sd and |error|, mm, over a sample of `evaluation.pixel_sample` cells.

    Both per cell, the histogram of sd, and |error| in bins and quartiles of sd; correlations and scores as attributes.
    """
    import torch

    from gwsd.metrics import gaussian_crps, in_interval

    patches = read_patches(inputs.dataset("predictions"))
    sd, error = sample_cells(patches, int(inputs.settings["evaluation"]["pixel_sample"]))
    size = np.abs(error)
    order = np.argsort(sd, kind="stable")
    groups = [group for group in np.array_split(order, BINS) if len(group)]
    quarters = [group for group in np.array_split(order, 4) if len(group)]
    histogram, edge = np.histogram(sd, bins=60)
    varies = sd.std() > 0.0 and size.std() > 0.0
    data = xr.Dataset(
        {
            "sd": ("cell", sd.astype(np.float32)),
            "absolute_error": ("cell", size.astype(np.float32)),
            "histogram": ("bar", histogram.astype(np.int64)),
            "edge": ("bar_edge", edge),
            "bin_sd": ("bin", [sd[group].mean() for group in groups]),
            "bin_error": ("bin", [size[group].mean() for group in groups]),
            "bin_error_sd": ("bin", [size[group].std() for group in groups]),
            "bin_rms": ("bin", [np.sqrt((size[group] ** 2).mean()) for group in groups]),
            "quartile_low": ("quartile", [sd[group].min() for group in quarters]),
            "quartile_high": ("quartile", [sd[group].max() for group in quarters]),
            "quartile_mean": ("quartile", [size[group].mean() for group in quarters]),
            "quartile_error": (("quartile", "quantile"), [np.quantile(size[group], QUANTILES) for group in quarters]),
        },
        {"quantile": list(QUANTILES)},
    )
    for name in data.data_vars:
        data[name].attrs["units"] = "1" if name == "histogram" else "mm"
    forecast = (torch.from_numpy(error), torch.zeros(len(error), dtype=torch.float64), torch.from_numpy(sd))
    return labelled(
        data,
        "figure7",
        inputs,
        title="Predicted standard deviation and absolute error over a sample of test cells",
        method=patches.method,
        cells_in_all=int(patches.valid.sum()),
        pearson=float(np.corrcoef(sd, size)[0, 1]) if varies else float("nan"),
        spearman=float(stats.spearmanr(sd, size).statistic) if varies else float("nan"),
        mean_sd_mm=float(sd.mean()),
        mae_mm=float(size.mean()),
        rmse_mm=float(np.sqrt((size**2).mean())),
        coverage_90=float(in_interval(*forecast, NOMINAL).double().mean()),
        crps_mm=float(gaussian_crps(*forecast).mean()),
        sd_of_standardised_error=float((error / sd).std()),
    )


def values(data: xr.Dataset) -> list[Printed]:
    """Return correlations, scores and the ends of the quartiles; errors and standard deviations in cm."""
    facts = {name: float(value) for name, value in data.attrs.items() if isinstance(value, int | float | np.number)}
    mean, rmse, crps = (facts[f"{name}_mm"] / MM_PER_CM for name in ("mean_sd", "rmse", "crps"))
    low, high = (data[f"quartile_{end}"].values / MM_PER_CM for end in ("low", "high"))
    ends = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    # As many digits as tell the ends of each quartile apart.
    digits = next((n for n in (2, 3, 4) if all(f"{a:.{n}g}" != f"{b:.{n}g}" for a, b in ends)), 2)
    name = "sd and |error| of the drawn cells"
    return [
        number("correlation", "pearson", facts["pearson"], ".2f", "", f"Correlation of {name}"),
        number("correlation", "spearman", facts["spearman"], ".2f", "", f"Rank correlation of {name}"),
        number("cells", "count", data.sizes["cell"], ",d", "", "Drawn cells"),
        number("sd", "mean", mean, significant(mean, 3), "cm", "Mean predicted sd"),
        number("error", "rmse", rmse, significant(rmse, 3), "cm", "RMSE of the drawn cells"),
        number("interval_90", "coverage", 100.0 * facts["coverage_90"], ".0f", "%", "Errors inside the 90 % interval"),
        number("crps", "mean", crps, significant(crps), "cm", "CRPS of the drawn cells"),
        *(
            number(f"quartile_{q}", end, value, significant(value, digits), "cm", f"{end.title()} end of quartile {q}")
            for q, pair in enumerate(ends, start=1)
            for end, value in zip(("low", "high"), pair, strict=True)
        ),
    ]


@styled
def draw(data: xr.Dataset, style: Plot) -> Figure:
    """Draw four panels: cells, distribution, calibration and quartiles of the predicted uncertainty."""
    text = texts(values(data))
    figure = new_figure(style, height_mm=138.0, **foot(data))
    panels = figure.subplots(2, 2)
    _scatter(figure, panels[0, 0], data, text, style)
    _histogram(panels[0, 1], data, text)
    _curve(panels[1, 0], data, text)
    _boxes(panels[1, 1], data, text)
    return figure


def _scatter(figure: Figure, axes: Axes, data: xr.Dataset, text: dict[str, str], style: Plot) -> None:
    sd, error = data["sd"].values / MM_PER_CM, data["absolute_error"].values / MM_PER_CM
    low, high = np.percentile(sd, [100.0 - SHOWN, SHOWN])
    margin = 0.05 * max(high - low, 0.1 * high)
    low, high = max(0.0, float(low - margin)), float(high + margin)
    top = max(float(np.percentile(error, SHOWN)), 1.05 * low)
    inside = (sd >= low) & (sd <= high) & (error <= top)
    look: Any = {"norm": LogNorm(), "cmap": error_colours(style), "linewidths": 0.2, "edgecolors": "face"}
    extent = (low, high, 0.0, top)
    cells = axes.hexbin(sd[inside], error[inside], gridsize=45, extent=extent, mincnt=1, rasterized=True, **look)
    _lines(axes, low, high)
    axes.set(xlim=(low, high), ylim=(0.0, top), xlabel=SD_LABEL, ylabel=ERROR_LABEL)
    legend = axes.legend(loc="upper left", handlelength=1.8, frameon=True, framealpha=0.85, edgecolor="none")
    legend.set_in_layout(False)
    figure.colorbar(cells, ax=axes, pad=0.02, aspect=25).set_label("Cells")
    pearson, spearman = (text[f"correlation:{kind}"] for kind in ("pearson", "spearman"))
    panel_letter(axes, 0, f"r = {pearson}, rank r = {spearman}, n = {text['cells:count']}")


def _lines(axes: Axes, low: float, high: float) -> None:
    ends = np.array([low, high])
    axes.plot(ends, ends, "--", color=INK, linewidth=0.9, label="|error| = sd")
    axes.plot(ends, HALF_NORMAL * ends, ":", color=BLUE, linewidth=1.1, label="calibrated Gaussian, mean |error|")


def _histogram(axes: Axes, data: xr.Dataset, text: dict[str, str]) -> None:
    share = 100.0 * data["histogram"].values / data["histogram"].values.sum()
    edge = data["edge"].values / MM_PER_CM
    axes.stairs(share, edge, fill=True, color="#9cc3df")
    mean, rmse = data.attrs["mean_sd_mm"] / MM_PER_CM, data.attrs["rmse_mm"] / MM_PER_CM
    axes.axvline(mean, color=ORANGE, linestyle="--", label=f"mean sd {text['sd:mean']} cm")
    label = f"RMSE {text['error:rmse']} cm"
    if edge[0] <= rmse <= edge[-1]:
        axes.axvline(rmse, color=INK, linestyle=":", label=label)
    else:
        axes.plot([], [], color=INK, linestyle=":", label=f"{label} (off the axis)")
    # A few cells with a large sd would press all others into one corner.
    axes.set_xlim(edge[0], max(float(np.percentile(data["sd"], 99.9)) / MM_PER_CM, edge[1]))
    axes.set(xlabel=SD_LABEL, ylabel="Share of cells (%)")
    axes.legend(loc="best", handlelength=1.8, frameon=True, framealpha=0.9, edgecolor="none").set_in_layout(False)
    panel_letter(axes, 1, f"{data.attrs['method']}: predicted sd")


def _curve(axes: Axes, data: xr.Dataset, text: dict[str, str]) -> None:
    sd, error, spread = (data[name].values / MM_PER_CM for name in ("bin_sd", "bin_error", "bin_error_sd"))
    _lines(axes, 0.0, float(sd.max()) * 1.05)
    bars = [np.minimum(spread, error), spread]
    label = "mean |error| ± 1 sd in the bin"
    axes.errorbar(sd, error, bars, color=ORANGE, marker="o", elinewidth=0.8, capsize=2.0, label=label)
    margin = 0.08 * (float(np.ptp(sd)) or float(sd.max()))
    axes.set(xlim=(max(0.0, float(sd.min()) - margin), float(sd.max()) + margin), xlabel=SD_LABEL, ylabel=ERROR_LABEL)
    axes.set_ylim(bottom=0.0)
    axes.legend(loc="upper left", handlelength=1.8).set_in_layout(False)
    panel_letter(axes, 2, f"90 % interval covers {text['interval_90:coverage']} %, CRPS {text['crps:mean']} cm")


def _boxes(axes: Axes, data: xr.Dataset, text: dict[str, str]) -> None:
    quarters = range(1, data.sizes["quartile"] + 1)
    quantiles, means = data["quartile_error"].values / MM_PER_CM, data["quartile_mean"].values / MM_PER_CM
    box_plot(axes, quantiles, means, quarters)
    ranges = [f"Q{q}\n{text[f'quartile_{q}:low']}–{text[f'quartile_{q}:high']}" for q in quarters]
    axes.set_xticks(quarters, ranges)
    axes.set(xlabel="Quartile of predicted sd (its range, cm)", ylabel=ERROR_LABEL)
    axes.set_ylim(bottom=0.0)
    mae = data.attrs["mae_mm"] / MM_PER_CM
    axes.axhline(mae, color=COAST, linewidth=0.6, linestyle=":")
    axes.text(0.52, mae, "MAE", va="bottom", fontsize=7)
    panel_letter(axes, 3, "diamond mean, whiskers 5 to 95 %")
