"""A small region with everything that the figures read, in the formats of the workflow's files."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gwsd.figures.style import PlotStyle

LABELS = {"data_label": "synthetic: made for a test", "source": "0" * 16}
SIZE = 16  # coarse cells along a patch's side
REGION = (60.0, -24.0, 140.0, 40.0)


@pytest.fixture(scope="session")
def style() -> PlotStyle:
    return PlotStyle(width_mm=180.0, font="DejaVu Sans", font_size=8.0, map="balance", error_map="amp", dpi=60)


@pytest.fixture(scope="session")
def land() -> xr.Dataset:
    west, south, east, north = REGION
    lat = np.arange(south + 0.0625, north, 0.125)
    lon = np.arange(west + 0.0625, east, 0.125)
    coast = 62.0 + 6.0 * np.sin(np.deg2rad(6.0 * lat))  # water in the west, with a wavy coast
    fraction = np.clip(0.5 + (lon[None, :] - coast[:, None]) / 0.25, 0.0, 1.0).astype(np.float32)
    return xr.Dataset({"land_fraction": (("lat", "lon"), fraction)}, {"lat": lat, "lon": lon})


@pytest.fixture(scope="session")
def coarse(land: xr.Dataset) -> xr.Dataset:
    return land.coarsen(lat=4, lon=4).mean()


@pytest.fixture(scope="session")
def mask(coarse: xr.Dataset) -> xr.Dataset:
    valid = coarse["land_fraction"].values > 0.5
    reason = np.where(valid, 0, 1).astype(np.int8)
    reason[5, 100] = 3
    valid[5, 100] = False
    flags = {"flag_values": np.arange(4, dtype=np.int8), "flag_meanings": "valid ocean ice filled"}
    return xr.Dataset(
        {"valid": (("lat", "lon"), valid.astype(np.int8)), "reason": (("lat", "lon"), reason, flags)}, coarse.coords
    )


@pytest.fixture(scope="session")
def storage(mask: xr.Dataset) -> xr.Dataset:
    months = pd.date_range("2002-04", "2007-12", freq="MS")
    months = months.delete([2, 3, 20])
    years = (months.year + (months.month - 0.5) / 12.0).to_numpy()
    lat, lon = mask["lat"].values, mask["lon"].values
    slope = 10.0 * np.sin(np.deg2rad(4.0 * lat))[:, None] * np.cos(np.deg2rad(3.0 * lon))[None, :]
    noise = np.random.default_rng(5).normal(size=(len(months), len(lat), len(lon)))
    season = 40.0 * np.cos(2.0 * np.pi * (years - 0.2))[:, None, None] * np.sign(lat)[:, None]
    field = slope * (years - years.mean())[:, None, None] + season + 12.0 * noise
    return xr.Dataset(
        {"storage": (("time", "lat", "lon"), np.where(mask["valid"].values == 1, field, np.nan).astype(np.float32))},
        {"time": months, "lat": lat, "lon": lon},
    )


@pytest.fixture(scope="session")
def predictions(storage: xr.Dataset, mask: xr.Dataset) -> xr.Dataset:
    generator = np.random.default_rng(11)
    valid = mask["valid"].values == 1
    field = np.nan_to_num(storage["storage"].values)
    rows, columns = valid.shape
    places: list[tuple[int, int, int]] = []
    while len(places) < 30:
        time, row, col = (int(generator.integers(n)) for n in (len(field), rows - SIZE, columns - SIZE))
        if valid[row : row + SIZE, col : col + SIZE].mean() > 0.5:
            places.append((time, row, col))
    windows = [(slice(row, row + SIZE), slice(col, col + SIZE)) for _, row, col in places]
    blocks = np.stack([field[time][window] for (time, *_), window in zip(places, windows, strict=True)])
    target = blocks.repeat(4, 1).repeat(4, 2)
    sd = generator.uniform(2.0, 8.0, target.shape).astype(np.float32)
    error = (sd * generator.normal(size=target.shape)).astype(np.float32)
    inside = np.stack([valid[window] for window in windows]).repeat(4, 1).repeat(4, 2)
    fine = ("patch", "y", "x")
    return xr.Dataset(
        {
            "mean": (fine, target + error),
            "sd": (fine, sd),
            "target": (fine, target),
            "valid": (fine, inside.astype(np.int8)),
            "storage": (("patch", "cy", "cx"), blocks),
        },
        {
            "patch": np.arange(30),
            "month": ("patch", [str(storage["time"].values[time])[:7] for time, *_ in places]),
            "row": ("patch", [row for _, row, _ in places]),
            "col": ("patch", [col for *_, col in places]),
        },
        {"method": "full"},
    )


@pytest.fixture(scope="session")
def histories() -> dict[str, dict[int, pd.DataFrame]]:
    def history(start: float, floor: float) -> pd.DataFrame:
        epoch = np.arange(6)
        fall = floor + (start - floor) * np.exp(-epoch / 2.0)
        table = {"epoch": epoch, "steps": 48 * epoch, "learning_rate": np.full(6, 1e-3)}
        terms = ("total", "data", "sign", "magnitude", "regional", "physics", "smoothness", "sign_as_written")
        for part in ("train", "val"):
            for number, term in enumerate(terms):
                values = np.log(fall) + 0.3 * number
                table[f"{part}_{term}"] = np.where((part == "train") & (epoch == 0), np.nan, values)
        table |= {"val_mae_mm": fall, "val_rmse_mm": 1.6 * fall, "val_r2": 1.0 - (fall / 60.0) ** 2}
        return pd.DataFrame({**table, "val_bilinear_mae_mm": 0.5})

    return {
        "full": {0: history(40.0, 12.0), 1: history(42.0, 11.0)},
        "residual": {0: history(0.52, 0.4)},
    }
