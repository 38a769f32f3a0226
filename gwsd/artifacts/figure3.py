"""Figure 3: a few test patches, chosen by rank so that they are typical and not the best."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.data_file import Printed, foot, labelled, number, quantity_of, significant, texts, words
from gwsd.artifacts.maps import Map, degrees_east, degrees_north, name_degrees, region_of
from gwsd.artifacts.predicted_patches import PredictedPatches, read_patches
from gwsd.artifacts.settings import Plot
from gwsd.artifacts.style import NO_DATA, anomaly_colours, error_colours, new_figure, panel_letter, round_up, styled
from gwsd.grid import FINE_SPACING
from gwsd.units import MM_PER_CM

FULL = 0.9  # Valid share from which a patch is a candidate; where too few have it, all patches are
SHOWN = 99.0  # Percentile of |storage| and of |error| at which the colours end


def choose_examples(patches: PredictedPatches, count: int) -> list[int]:
    """Choose patches in the middle of equal parts of the ranking by MAE; return their indices by increasing MAE.

    Three are those nearest to the 17th, 50th and 83rd percentile among patches with at least 90 % valid cells. A patch
    that overlaps one chosen before it is passed over if another is left.
    """
    mae = patches.patch_mae
    candidates = np.flatnonzero(np.isfinite(mae) & (patches.valid.mean(axis=(1, 2)) >= FULL))
    if len(candidates) < count:
        candidates = np.flatnonzero(np.isfinite(mae))
    ranked = candidates[np.argsort(mae[candidates], kind="stable")]
    rows, columns = patches.mean.shape[1:]
    chosen: list[int] = []
    for part in range(min(count, len(ranked))):
        middle = (part + 0.5) / count * len(ranked) - 0.5
        by_nearness = ranked[np.argsort(np.abs(np.arange(len(ranked)) - middle), kind="stable")]
        free = by_nearness[~np.isin(by_nearness, chosen)]
        down = np.abs(patches.row[free, None] - patches.row[None, chosen]) < rows
        across = np.abs(patches.col[free, None] - patches.col[None, chosen]) < columns
        apart = free[~(down & across).any(axis=1)]
        chosen.append(int(apart[0] if len(apart) else free[0]))
    return sorted(chosen, key=lambda patch: (float(mae[patch]), patch))


def compute(inputs: ArtifactInputs) -> xr.Dataset:
    """Collect the fields of the examples, mm (NaN where errors do not count), their coordinates and land fraction.

    Per example also `patch`, `month`, `mae` and `rank` (percent of the test patches with a smaller MAE).
    """
    land = inputs.dataset("land")
    patches = read_patches(inputs.dataset("predictions"))
    chosen = choose_examples(patches, int(inputs.settings["evaluation"]["figure_patches"]))
    windows = [patches.window(patch) for patch in chosen]
    factor = patches.mean.shape[1] // patches.storage.shape[1]
    valid = patches.valid[chosen]
    rows, columns = patches.storage.shape[1:]
    any_valid = valid.reshape(len(chosen), rows, factor, columns, factor).any(axis=(2, 4))
    mae = patches.patch_mae
    fine = ("example", "y", "x")
    mm = {"units": "mm"}

    def shown(field: np.ndarray) -> tuple[tuple[str, str, str], np.ndarray, dict[str, str]]:
        return fine, np.where(valid, field[chosen], np.nan).astype(np.float32), mm

    data = xr.Dataset(
        {
            "coarse": (("example", "cy", "cx"), np.where(any_valid, patches.storage[chosen], np.nan), mm),
            "target": shown(patches.target),
            "prediction": shown(patches.mean),
            "absolute_error": shown(patches.absolute_error),
            "land_fraction": (fine, np.stack([land["land_fraction"].values[window] for window in windows])),
            "lat": (("example", "y"), np.stack([land["lat"].values[rows] for rows, _ in windows])),
            "lon": (("example", "x"), np.stack([land["lon"].values[columns] for _, columns in windows])),
            "patch": ("example", patches.number[chosen]),
            "month": ("example", [f"{month:%Y-%m}" for month in patches.month[chosen]]),
            "mae": ("example", mae[chosen], mm),
            "rank": ("example", [100.0 * float(np.mean(mae[np.isfinite(mae)] < mae[patch])) for patch in chosen]),
        }
    )
    title = "Test patches: coarse storage, target, prediction and absolute error"
    quantity = quantity_of(inputs.dataset("storage"))
    return labelled(
        data, "figure3", inputs, title=title, quantity=quantity, method=patches.method, cell_degrees=FINE_SPACING
    )


@styled
def draw(data: xr.Dataset, style: Plot) -> Figure:
    """Draw a row per example: coarse storage, target, prediction and |error|."""
    rows = data.sizes["example"]
    fields = [data[name].values / MM_PER_CM for name in ("coarse", "target", "prediction", "absolute_error")]
    limit = round_up(float(np.nanpercentile(np.abs(np.concatenate([field.ravel() for field in fields[:3]])), SHOWN)))
    largest = round_up(float(np.nanpercentile(fields[3], SHOWN)))
    norms = [Normalize(-limit, limit)] * 3 + [Normalize(0.0, largest)]
    colours = [anomaly_colours(style)] * 3 + [error_colours(style)]
    text = texts(values(data))
    figure = new_figure(style, height_mm=26.0 + 43.5 * rows * style.width_mm / 180.0, **foot(data))
    panels = figure.subplots(rows, 4, squeeze=False)
    meshes = []
    for example in range(rows):
        lat, lon = data["lat"].values[example], data["lon"].values[example]
        west, south, east, north = region_of(lat, lon)
        key = f"example_{example + 1}"
        for column, axes in enumerate(panels[example]):
            chart = Map(axes)
            field = fields[column][example]
            step = len(lat) // field.shape[0]
            cell_lat, cell_lon = (centres.reshape(-1, step).mean(axis=1) for centres in (lat, lon))
            axes.set_facecolor(NO_DATA)
            meshes.append(chart.cells(cell_lat, cell_lon, field, colours[column], norms[column]))
            chart.coast(lat, lon, data["land_fraction"].values[example])
            axes.set(xlim=(west, east), ylim=(south, north), aspect="equal")
            name_degrees(axes, columns=3 if style.width_mm > 22.0 * style.font_size else 1, rows=4)
            axes.tick_params(labelleft=column == 0)
            heading = ("coarse", "target", "prediction", f"MAE {text[f'{key}:mae']} cm")[column]
            panel_letter(axes, 4 * example + column, heading)
        panels[example, 0].set_ylabel(
            f"{text[f'{key}:month']} at {text[f'{key}:latitude']}, {text[f'{key}:longitude']}\n"
            f"percentile {text[f'{key}:rank']} of MAE",
            fontsize=style.small,
        )
    below: Any = {"orientation": "horizontal"}
    left = figure.colorbar(meshes[0], ax=list(panels[:, :3].flat), extend="both", shrink=0.7, aspect=40, **below)
    left.set_label(f"{data.attrs['quantity']} anomaly (cm water equivalent)".capitalize())
    right = figure.colorbar(meshes[3], ax=list(panels[:, 3]), extend="max", shrink=0.95, aspect=20, **below)
    right.set_label(f"|error| of {data.attrs['method']} (cm)")
    return figure


def values(data: xr.Dataset) -> list[Printed]:
    """Return month, place, MAE and rank of each example."""
    found = []
    for example in range(data.sizes["example"]):
        key, name = f"example_{example + 1}", f"Example {example + 1}"
        west, south, east, north = region_of(data["lat"].values[example], data["lon"].values[example])
        mae = float(data["mae"].values[example]) / MM_PER_CM
        rank = float(data["rank"].values[example])
        found += [
            words(key, "month", str(data["month"].values[example]), f"{name}: month"),
            words(key, "latitude", degrees_north(round((south + north) / 2.0, 1)), f"{name}: latitude"),
            words(key, "longitude", degrees_east(round((west + east) / 2.0, 1)), f"{name}: longitude"),
            number(key, "mae", mae, significant(mae), "cm", f"{name}: MAE"),
            number(key, "rank", rank, ".0f", "%", f"{name}: share of patches with a smaller MAE"),
        ]
    return found
