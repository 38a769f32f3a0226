"""Compare six statistics of the synthetic storage with an observed GRACE field (JPL RL06, 250 km Gaussian).

Both are reduced to common cells and months first. docs/twin-earth.md gives the measured ratios, all within 1.5.
"""

import numpy as np
import pandas as pd
import torch
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from gwsd.errors import DataError
from gwsd.resample import Kernel, upsample

PATCH_SIZE = 32
"""Side of a patch, coarse cells (the paper, section 3.4)."""

KM_PER_DEGREE = 111.19
"""Length of a degree of a great circle, km."""

SPECTRAL_BAND_KM = (400.0, 1800.0)
"""Wavelengths between which the spectral slope is fitted, km. Below about 400 km a 250 km Gaussian leaves less than
the 0.1 mm to which storage files are rounded; a patch holds no whole wave above 1800 km."""

Floats = NDArray[np.floating]


def common_part(first: xr.DataArray, second: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Align two storage fields, dims (time, lat, lon), on common months and cells; NaN where either has no value.

    Stamps may be on any day of the month, and latitudes in either order; the result has first days and increases.
    """
    first, second = (
        field.assign_coords(
            time=field["time"].to_numpy().astype("datetime64[M]").astype("datetime64[ns]"),
            lat=field["lat"].astype(np.float64).round(4),
            lon=field["lon"].astype(np.float64).round(4),
        ).sortby("lat")
        for field in (first, second)
    )
    first, second = xr.align(first, second, join="inner")
    if first.size == 0:
        raise DataError(
            "The two storage fields share no month or no cell: both must be monthly, with the same spacing "
            "and longitudes from -180 to 180."
        )
    both = (first.notnull() & second.notnull()).to_numpy()
    return first.where(both), second.where(both)


def lag_1_correlation(storage: Floats, months: NDArray[np.int64]) -> Floats:
    """Correlate each month with the previous one, shape (N,), without bridging gaps; NaN if undefined.

    `storage` has shape (M, N), `months` is the running number of each month, shape (M,).
    """
    later = np.flatnonzero(np.diff(months) == 1) + 1
    if len(later) == 0:
        return np.full(storage.shape[1], np.nan)
    now, before = storage[later].astype(np.float64), storage[later - 1].astype(np.float64)
    now -= now.mean(axis=0)
    before -= before.mean(axis=0)
    scale = np.sqrt((now**2).sum(axis=0) * (before**2).sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((now * before).sum(axis=0) / scale)


def draw_patches(valid: NDArray[np.bool_], *, patches: int, min_valid_share: float, seed: int) -> NDArray[np.int64]:
    """Draw random patches with enough valid cells: month, row and column of the corner, shape (patches, 3).

    `valid` has shape (M, rows, columns).
    """
    size = PATCH_SIZE
    total = np.pad(valid.any(axis=0).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    count = total[size:, size:] - total[:-size, size:] - total[size:, :-size] + total[:-size, :-size]
    places = np.argwhere(count >= min_valid_share * size**2)
    if len(places) == 0:
        raise DataError(
            f"No {size} x {size} patch of the storage field has {min_valid_share:.0%} valid cells: "
            "give a larger region or a smaller share."
        )
    random = np.random.Generator(np.random.PCG64(seed))
    months = random.integers(valid.shape[0], size=patches)
    return np.column_stack([months, places[random.integers(len(places), size=patches)]]).astype(np.int64)


def radial_spectrum(patch: Floats, spacing_km: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return wavenumber (cycles per km) and power of a patch (n, n), detrended by a plane, with a Hann window.

    `spacing_km` is the distance between rows and between columns.
    """
    n = patch.shape[0]
    y, x = np.meshgrid(np.arange(n) - (n - 1) / 2, np.arange(n) - (n - 1) / 2, indexing="ij")
    design = np.column_stack([np.ones(n * n), y.ravel(), x.ravel()])
    plane, *_ = np.linalg.lstsq(design, patch.ravel(), rcond=None)
    window = np.outer(np.hanning(n), np.hanning(n))
    power = np.abs(np.fft.fft2((patch - (design @ plane).reshape(n, n)) * window)) ** 2
    ky, kx = np.fft.fftfreq(n, spacing_km[0]), np.fft.fftfreq(n, spacing_km[1])
    return np.hypot(*np.meshgrid(ky, kx, indexing="ij")).ravel(), power.ravel()


def realism(storage: xr.DataArray, *, patches: int, min_valid_share: float, seed: int) -> dict[str, float]:
    """Compute the statistics of a storage field, dims (time, lat, lon), mm, latitude increasing, NaN without value.

    Before interpolation cells without a value are filled from their nearest neighbour; errors do not count them.

    Returns
    -------
    dict of str to float
        sd_mm (over all cells and months), patch_sd_mm (mean over patches of the spatial standard deviation), lag_1
        (mean autocorrelation), spectral_slope (of log power on log wavenumber in `SPECTRAL_BAND_KM`), nearest_mae_mm
        and bilinear_mae_mm (mean absolute error against bicubic interpolation by a factor of 4).
    """
    field = storage.transpose("time", "lat", "lon").to_numpy().astype(np.float32)
    valid = np.isfinite(field)
    months = storage["time"].to_numpy().astype("datetime64[M]").astype(np.int64)
    spacing = abs(float(storage["lat"][1] - storage["lat"][0]))
    step = spacing * KM_PER_DEGREE
    spreads, nearest, bilinear, spectra = [], [], [], []
    for month, row, column in draw_patches(valid, patches=patches, min_valid_share=min_valid_share, seed=seed):
        window = np.s_[month, row : row + PATCH_SIZE, column : column + PATCH_SIZE]
        known = valid[window]
        index = distance_transform_edt(~known, return_distances=False, return_indices=True)
        patch = field[window][tuple(index)]
        spreads.append(patch[known].std())
        coarse = torch.from_numpy(patch)[None, None]
        target = upsample(coarse, Kernel.BICUBIC)
        counts = torch.from_numpy(np.kron(known, np.ones((4, 4), dtype=bool)))[None, None]
        nearest.append(float((upsample(coarse, Kernel.NEAREST) - target).abs()[counts].mean()))
        bilinear.append(float((upsample(coarse, Kernel.BILINEAR) - target).abs()[counts].mean()))
        lat = float(storage["lat"][row]) + spacing * PATCH_SIZE / 2
        spectra.append(radial_spectrum(patch.astype(np.float64), (step, step * np.cos(np.deg2rad(lat)))))
    correlation = lag_1_correlation(field[:, valid.all(axis=0)], months)
    correlation = correlation[np.isfinite(correlation)]
    return {
        "sd_mm": float(np.std(field[valid], dtype=np.float64)),
        "patch_sd_mm": float(np.mean(spreads)),
        "lag_1": float(correlation.mean()) if len(correlation) else float("nan"),
        "spectral_slope": _slope(*np.concatenate(spectra, axis=1)),
        "nearest_mae_mm": float(np.mean(nearest)),
        "bilinear_mae_mm": float(np.mean(bilinear)),
    }


def _slope(wavenumber: Floats, power: Floats) -> float:
    """Fit log mean power against log wavenumber in eight bins across the band."""
    edges = np.geomspace(1 / SPECTRAL_BAND_KM[1], 1 / SPECTRAL_BAND_KM[0], 9)
    bins = np.digitize(wavenumber, edges)
    held = [bins == number for number in range(1, len(edges)) if (bins == number).any()]
    x, y = (np.log([values[inside].mean() for inside in held]) for values in (wavenumber, power))
    return float(np.polyfit(x, y, 1)[0])


def compare(twin: dict[str, float], real: dict[str, float]) -> pd.DataFrame:
    """Tabulate statistic, twin, real and factor (larger over smaller magnitude; infinite if the signs differ)."""
    rows = []
    for name, value in twin.items():
        ratio = value / real[name] if real[name] else np.inf
        factor = max(ratio, 1 / ratio) if ratio > 0 else np.inf
        rows.append({"statistic": name, "twin": value, "real": real[name], "factor": factor})
    return pd.DataFrame(rows)
