"""A small region with every file that the figures read, and each figure computed and drawn once."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from matplotlib.figure import Figure

from gwsd.artifacts import figure1
from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.data_file import FigureData, read_data, write_data
from gwsd.artifacts.registry import FIGURES
from gwsd.artifacts.settings import Plot

LABELS = {"data_label": "synthetic: made for a test", "source": "0" * 16}
SIZE = 16  # coarse cells along a patch's side
REGION = (60.0, -24.0, 140.0, 40.0)
STYLE = Plot(width_mm=180.0, font="DejaVu Sans", font_size=8.0, map="balance", error_map="amp", dpi=50)

SETTINGS = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())["settings"]
SMALL = {"lstm_channels": 8, "unet_channels": [8, 16, 32], "bottleneck_channels": 64}
FIGURE_SETTINGS: dict[str, Any] = {
    **{name: SETTINGS[name] for name in ("loss", "climate_variables")},
    "model": SETTINGS["model"] | SMALL,
    "trend": {"significance": 0.05},
    "patches": {"size": SIZE},
    "evaluation": {"figure_patches": 3, "pixel_sample": 3000},
}

Files = dict[str, xr.Dataset]
Changed = Callable[..., ArtifactInputs]
Drawn = dict[str, tuple[Path, FigureData, Figure]]


@pytest.fixture(scope="session")
def earth() -> Files:
    west, south, east, north = REGION
    lat, lon = np.arange(south + 0.0625, north, 0.125), np.arange(west + 0.0625, east, 0.125)
    coast = 62.0 + 6.0 * np.sin(np.deg2rad(6.0 * lat))  # water in the west, with a wavy coast
    fraction = np.clip(0.5 + (lon[None, :] - coast[:, None]) / 0.25, 0.0, 1.0).astype(np.float32)
    land = xr.Dataset({"land_fraction": (("lat", "lon"), fraction)}, {"lat": lat, "lon": lon})

    coarse = land.coarsen(lat=4, lon=4).mean()
    valid = coarse["land_fraction"].values > 0.5
    reason = np.where(valid, 0, 1).astype(np.int8)
    reason[5, 100], valid[5, 100] = 3, False
    flags = {"flag_values": np.arange(4, dtype=np.int8), "flag_meanings": "valid ocean ice filled"}
    cells = {"valid": (("lat", "lon"), valid.astype(np.int8)), "reason": (("lat", "lon"), reason, flags)}
    mask = xr.Dataset(cells, coarse.coords)

    months = pd.date_range("2002-04", "2007-12", freq="MS").delete([2, 3, 20])
    years = (months.year + (months.month - 0.5) / 12.0).to_numpy()
    lat, lon = mask["lat"].values, mask["lon"].values
    slope = 10.0 * np.sin(np.deg2rad(4.0 * lat))[:, None] * np.cos(np.deg2rad(3.0 * lon))[None, :]
    noise = np.random.default_rng(5).normal(size=(len(months), len(lat), len(lon)))
    season = 40.0 * np.cos(2.0 * np.pi * (years - 0.2))[:, None, None] * np.sign(lat)[:, None]
    field = np.where(valid, slope * (years - years.mean())[:, None, None] + season + 12.0 * noise, np.nan)
    quantity = {"quantity": "total water storage anomaly"}
    storage = xr.Dataset(
        {"storage": (("time", "lat", "lon"), field.astype(np.float32), quantity)}, {"time": months, **mask.coords}
    )
    return {"land": land, "mask": mask, "storage": storage, "predictions": predict(storage, valid)}


def predict(storage: xr.Dataset, valid: np.ndarray) -> xr.Dataset:
    """Make predictions whose standard deviations are right."""
    generator = np.random.default_rng(11)
    field = np.nan_to_num(storage["storage"].values)
    places: list[tuple[int, int, int]] = []
    while len(places) < 30:
        time, row, col = (int(generator.integers(n - SIZE)) for n in (len(field) + SIZE, *valid.shape))
        if valid[row : row + SIZE, col : col + SIZE].mean() > 0.5:
            places.append((time, row, col))
    windows = [(slice(row, row + SIZE), slice(col, col + SIZE)) for _, row, col in places]
    blocks = np.stack([field[time][window] for (time, *_), window in zip(places, windows, strict=True)])
    target = blocks.repeat(4, 1).repeat(4, 2)
    sd = generator.uniform(2.0, 8.0, target.shape).astype(np.float32)
    error = (sd * generator.normal(size=target.shape)).astype(np.float32)
    inside = np.stack([valid[window] for window in windows]).repeat(4, 1).repeat(4, 2)
    fine = {"mean": target + error, "sd": sd, "target": target, "valid": inside.astype(np.int8)}
    month = [str(storage["time"].values[time])[:7] for time, *_ in places]
    row, col = ([place[axis] for place in places] for axis in (1, 2))
    return xr.Dataset(
        {**{k: (("patch", "y", "x"), v) for k, v in fine.items()}, "storage": (("patch", "cy", "cx"), blocks)},
        {"patch": np.arange(30), "month": ("patch", month), "row": ("patch", row), "col": ("patch", col)},
        {"method": "full"},
    )


def history(start: float, floor: float) -> pd.DataFrame:
    epoch = np.arange(6)
    fall = floor + (start - floor) * np.exp(-epoch / 2.0)
    table = {"epoch": epoch, "steps": 480 * epoch, "learning_rate": np.full(6, 1e-3)}
    for part in ("train", "val"):
        for number, term in enumerate(("total", "data", "sign", "magnitude", "regional", "physics", "smoothness")):
            values = np.log(fall) + 0.3 * number
            table[f"{part}_{term}"] = np.where((part == "train") & (epoch == 0), np.nan, values)
        table[f"{part}_sign_as_written"] = fall
    table |= {"val_mae_mm": fall, "val_rmse_mm": 1.6 * fall, "val_r2": 1.0 - (fall / 60.0) ** 2}
    return pd.DataFrame({**table, "val_bilinear_mae_mm": 0.5})


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory, earth: Files) -> ArtifactInputs:
    folder = tmp_path_factory.mktemp("inputs")
    files = {name: [folder / f"{name}.nc"] for name in earth}
    for name, dataset in earth.items():
        dataset.to_netcdf(files[name][0])
    files["histories"] = []
    for name, seed, table in (
        ("full", 0, history(40.0, 12.0)),
        ("full", 1, history(42.0, 11.0)),
        ("residual", 0, history(0.52, 0.4)),
    ):
        path = folder / name / f"seed{seed}" / "history.csv"
        path.parent.mkdir(parents=True)
        table.to_csv(path, index=False)
        files["histories"].append(path)
    return ArtifactInputs(files, FIGURE_SETTINGS, LABELS["data_label"], LABELS["source"])


@pytest.fixture
def changed(inputs: ArtifactInputs, tmp_path: Path) -> Changed:
    """The inputs with other datasets or other settings."""

    def change(settings: dict[str, Any] | None = None, **datasets: xr.Dataset) -> ArtifactInputs:
        for name, dataset in datasets.items():
            dataset.to_netcdf(tmp_path / f"{name}.nc")
        files = {**inputs.files, **{name: [tmp_path / f"{name}.nc"] for name in datasets}}
        return replace(inputs, files=files, settings={**inputs.settings, **(settings or {})})

    return change


def world() -> xr.Dataset:
    """A data file of Figure 1 for the world, in cells of four degrees."""
    lat, lon = np.arange(-88.0, 90.0, 4.0), np.arange(-178.0, 180.0, 4.0)
    land = (np.sin(np.deg2rad(3 * lon))[None, :] * np.cos(np.deg2rad(lat))[:, None] > 0.0).astype(np.float32)
    trend = np.where(land > 0.5, 20.0 * np.sin(np.deg2rad(lat))[:, None], np.nan)
    fields = {"trend": trend, "significant": (np.abs(trend) > 5.0).astype(np.int8), "land_fraction": land}
    facts = {"significance": 0.05, "first_month": "2002-04", "last_month": "2023-09", "months": 225}
    shares = {"share_of_area_losing": 0.3, "share_of_area_gaining": 0.2, "mean_trend_mm_per_year": -1.0}
    data = {name: (("lat", "lon"), values) for name, values in fields.items()}
    return xr.Dataset(
        data, {"lat": lat, "lon": lon}, {**LABELS, **facts, **shares, "title": "", "quantity": "groundwater storage"}
    )


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory, inputs: ArtifactInputs) -> Drawn:
    """Path and content of the data file, and the drawing, of every figure and of Figure 1 for the world."""
    folder = tmp_path_factory.mktemp("figures")
    found: Drawn = {}
    for entry in FIGURES:
        module = import_module(f"gwsd.artifacts.{entry.name}")
        path = folder / f"{entry.name}.{entry.data_suffix}"
        write_data(module.compute(inputs), path)
        data = read_data(path)
        found[entry.name] = path, data, module.draw(data, STYLE)
    write_data(world(), folder / "world.nc")
    found["world"] = folder / "world.nc", world(), figure1.draw(world(), STYLE)
    return found
