"""How like an observed storage field a coarse storage field is: six numbers, and their ratios.

The twin Earth must be no toy. Its coarse storage is set beside a real GRACE field on the same cells and in
the same months, and no statistic may differ by more than a factor (1.5 in the project's specification).
"""

from dataclasses import asdict, dataclass

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

KILOMETRES_A_DEGREE = 111.19
"""Length of a degree of a great circle, km."""

SPECTRAL_BAND_KM = (400.0, 1800.0)
"""Wavelengths between which the spectral slope is fitted, km. Below about 400 km a 250 km Gaussian leaves
less than the 0.1 mm to which storage files are rounded; above 1800 km a patch holds no whole wave."""


@dataclass(frozen=True)
class Realism:
    """Statistics of a coarse storage field.

    Parameters
    ----------
    sd_mm : float
        Standard deviation over all cells and months, mm.
    patch_sd_mm : float
        Mean over patches of the standard deviation over space inside a patch, mm.
    lag_1 : float
        Mean over cells of the correlation of a month with the month before.
    spectral_slope : float
        Slope of log power against log wavenumber between the wavelengths of `SPECTRAL_BAND_KM`.
    nearest_mae_mm, bilinear_mae_mm : float
        Mean absolute error against bicubic interpolation (factor 4), over patches, mm.
    """

    sd_mm: float
    patch_sd_mm: float
    lag_1: float
    spectral_slope: float
    nearest_mae_mm: float
    bilinear_mae_mm: float


def common_part(first: xr.DataArray, second: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Keep the months, the latitudes and the longitudes that two fields share, and cells valid in both.

    Parameters
    ----------
    first, second : DataArray, dims (time, lat, lon), mm
        Month stamps may fall on any day; latitudes and longitudes are cell centres of the same grid.

    Returns
    -------
    tuple of DataArray
        Both fields on (time: first day of the month, lat, lon), NaN wherever either has a gap.

    Raises
    ------
    DataError
        No month or no cell is common to both.
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


def lag_1_correlation(storage: NDArray[np.float32], months: NDArray[np.int64]) -> NDArray[np.float64]:
    """Correlate each month with the one before it, cell by cell; gaps in the calendar are not bridged.

    Parameters
    ----------
    storage : ndarray, shape (M, N)
        Any unit.
    months : ndarray, shape (M,)
        Running number of each month; only pairs that differ by one count.

    Returns
    -------
    ndarray, shape (N,)
        Pearson's correlation; NaN where no two months follow each other, or a series is constant.
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


def draw_patches(
    valid: NDArray[np.bool_], *, patches: int, min_valid_share: float, seed: int, size: int = PATCH_SIZE
) -> NDArray[np.int64]:
    """Draw random months and places whose share of valid cells is large enough.

    Parameters
    ----------
    valid : ndarray, shape (M, rows, columns)
        Where the field has a value.
    patches : int
        How many to draw (with repetition).
    min_valid_share : float
        Smallest share of valid cells in a patch.
    seed : int
        Of the random numbers.
    size : int
        Side of a patch, cells.

    Returns
    -------
    ndarray, shape (patches, 3)
        Month, row and column of the lower corner.

    Raises
    ------
    DataError
        No place holds enough valid cells.
    """
    ever = valid.any(axis=0)
    total = np.zeros((ever.shape[0] + 1, ever.shape[1] + 1))
    total[1:, 1:] = ever.cumsum(axis=0).cumsum(axis=1)
    count = total[size:, size:] - total[:-size, size:] - total[size:, :-size] + total[:-size, :-size]
    places = np.argwhere(count >= min_valid_share * size**2)
    if len(places) == 0:
        raise DataError(
            f"No {size} x {size} patch of the storage field has {min_valid_share:.0%} valid cells: "
            "give a larger region or a smaller share."
        )
    random = np.random.Generator(np.random.PCG64(seed))
    months = random.integers(valid.shape[0], size=patches)
    chosen = places[random.integers(len(places), size=patches)]
    return np.column_stack([months, chosen]).astype(np.int64)


def radial_spectrum(
    patch: NDArray[np.float64], spacing_km: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Power of a patch by wavenumber, its mean plane removed and a Hann window laid over it.

    Parameters
    ----------
    patch : ndarray, shape (n, n)
        Any unit, no gaps.
    spacing_km : tuple of float
        Distance between rows and between columns, km.

    Returns
    -------
    wavenumber : ndarray, shape (n * n,)
        Cycles per km.
    power : ndarray, shape (n * n,)
        Squared unit of the patch, arbitrary scale.
    """
    n = patch.shape[0]
    y, x = np.meshgrid(np.arange(n) - (n - 1) / 2, np.arange(n) - (n - 1) / 2, indexing="ij")
    design = np.column_stack([np.ones(n * n), y.ravel(), x.ravel()])
    plane, *_ = np.linalg.lstsq(design, patch.ravel(), rcond=None)
    window = np.outer(np.hanning(n), np.hanning(n))
    power = np.abs(np.fft.fft2((patch - (design @ plane).reshape(n, n)) * window)) ** 2
    ky, kx = np.fft.fftfreq(n, spacing_km[0]), np.fft.fftfreq(n, spacing_km[1])
    return np.hypot(*np.meshgrid(ky, kx, indexing="ij")).ravel(), power.ravel()


def realism(storage: xr.DataArray, *, patches: int, min_valid_share: float, seed: int) -> Realism:
    """Compute the statistics of a coarse storage field.

    Cells without a value are filled with their nearest neighbour's before interpolating, and errors are
    counted over cells that have one.

    Parameters
    ----------
    storage : DataArray, dims (time, lat, lon), mm
        NaN where there is no value; latitude increasing.
    patches : int
        Random patches for errors and spectra.
    min_valid_share : float
        Smallest share of valid cells in a patch.
    seed : int
        Of the random patches.

    Returns
    -------
    Realism
        The six statistics.
    """
    field = storage.transpose("time", "lat", "lon").to_numpy().astype(np.float32)
    valid = np.isfinite(field)
    always = valid.all(axis=0)
    months = storage["time"].to_numpy().astype("datetime64[M]").astype(np.int64)
    places = draw_patches(valid, patches=patches, min_valid_share=min_valid_share, seed=seed)
    spacing = abs(float(storage["lat"][1] - storage["lat"][0]))

    spreads, nearest, bilinear, wavenumbers, powers = [], [], [], [], []
    for month, row, column in places:
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
        step = spacing * KILOMETRES_A_DEGREE
        wavenumber, power = radial_spectrum(patch.astype(np.float64), (step, step * np.cos(np.deg2rad(lat))))
        wavenumbers.append(wavenumber)
        powers.append(power)

    return Realism(
        sd_mm=float(np.std(field[valid], dtype=np.float64)),
        patch_sd_mm=float(np.mean(spreads)),
        lag_1=_mean_of_known(lag_1_correlation(field[:, always], months)),
        spectral_slope=_slope(np.concatenate(wavenumbers), np.concatenate(powers)),
        nearest_mae_mm=float(np.mean(nearest)),
        bilinear_mae_mm=float(np.mean(bilinear)),
    )


def _mean_of_known(values: NDArray[np.float64]) -> float:
    """Mean of what is not NaN; NaN where nothing is left."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _slope(wavenumber: NDArray[np.float64], power: NDArray[np.float64]) -> float:
    """Fit log mean power against log wavenumber in eight bins across the band."""
    edges = np.geomspace(1 / SPECTRAL_BAND_KM[1], 1 / SPECTRAL_BAND_KM[0], 9)
    which = np.digitize(wavenumber, edges)
    rows = [
        (np.log(wavenumber[which == b].mean()), np.log(power[which == b].mean()))
        for b in range(1, len(edges))
        if (which == b).any()
    ]
    x, y = np.array(rows).T
    return float(np.polyfit(x, y, 1)[0])


def compare(twin: Realism, real: Realism) -> pd.DataFrame:
    """Set the twin's statistics beside the real field's.

    Parameters
    ----------
    twin, real : Realism
        From fields on common cells and months.

    Returns
    -------
    DataFrame
        Columns statistic, twin, real, factor (the larger over the smaller in magnitude, at least 1;
        infinite where the signs differ).
    """
    rows = []
    for name, value in asdict(twin).items():
        other = getattr(real, name)
        ratio = value / other if other else np.inf
        factor = max(ratio, 1 / ratio) if ratio > 0 else np.inf
        rows.append({"statistic": name, "twin": value, "real": other, "factor": factor})
    return pd.DataFrame(rows)
