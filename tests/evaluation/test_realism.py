"""Statistics of a coarse storage field, against known fields and against the real one."""

import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.evaluation.realism import (
    Realism,
    common_part,
    compare,
    draw_patches,
    lag_1_correlation,
    radial_spectrum,
    realism,
)

ROOT = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("GWSD_REAL_DATA", ROOT.parent / "shared" / "data")) / "observed_storage"


def field(values, first="2004-01"):
    months = np.datetime64(first) + np.arange(len(values))
    coords = {
        "time": months.astype("datetime64[ns]"),
        "lat": 20.25 + 0.5 * np.arange(values.shape[1]),
        "lon": 10.25 + 0.5 * np.arange(values.shape[2]),
    }
    return xr.DataArray(values.astype(np.float32), dims=("time", "lat", "lon"), coords=coords)


def random(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def test_lag_1_is_pearsons_and_never_bridges_a_gap():
    series = random().standard_normal((40, 3)).cumsum(axis=0)
    months = np.arange(40)
    expected = [np.corrcoef(series[1:, k], series[:-1, k])[0, 1] for k in range(3)]
    np.testing.assert_allclose(lag_1_correlation(series, months), expected)
    gap = np.where(np.arange(40) < 20, months, months + 5)
    kept = np.arange(1, 40) != 20
    expected = [np.corrcoef(series[1:, k][kept], series[:-1, k][kept])[0, 1] for k in range(3)]
    np.testing.assert_allclose(lag_1_correlation(series, gap), expected)


def test_patches_hold_the_share_of_valid_cells_asked_for():
    valid = np.ones((3, 50, 60), dtype=bool)
    valid[:, :, :20] = False
    places = draw_patches(valid, patches=200, min_valid_share=0.9, seed=1)
    shares = [valid[m, r : r + 32, c : c + 32].mean() for m, r, c in places]
    assert min(shares) >= 0.9
    assert len(np.unique(places[:, 2])) > 1
    with pytest.raises(DataError, match="has 100% valid cells"):
        draw_patches(valid[:, :, :40], patches=1, min_valid_share=1.0, seed=1)


def test_spectrum_finds_the_wave_that_is_there():
    x = np.arange(32)
    patch = np.tile(np.sin(2 * np.pi * 4 * x / 32), (32, 1)) + 0.3 * x[:, None]
    wavenumber, power = radial_spectrum(patch, (50.0, 50.0))
    assert wavenumber[power.argmax()] == pytest.approx(4 / (32 * 50.0))


def power_law(slope, n=64, months=6):
    k = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.fftfreq(n)[None, :])
    amplitude = np.where(k > 0, np.maximum(k, 1e-9) ** (slope / 2), 0.0)
    white = [np.fft.fft2(random(t).standard_normal((n, n))) for t in range(months)]
    values = np.stack([np.fft.ifft2(spectrum * amplitude).real for spectrum in white])
    return field(50.0 * values / values.std())


def test_fields_of_known_slope_and_spread():
    found = [realism(power_law(slope), patches=40, min_valid_share=1.0, seed=2) for slope in (-2.0, -3.0, -4.0)]
    slopes = [one.spectral_slope for one in found]
    assert slopes == sorted(slopes, reverse=True)
    np.testing.assert_allclose(slopes, [-2.0, -3.0, -4.0], atol=0.8)  # the window flattens the longest waves
    assert found[1].sd_mm == pytest.approx(50.0, rel=1e-3)
    assert abs(found[1].lag_1) < 0.5  # six months that know nothing of each other
    rough, _, smooth = found
    assert rough.nearest_mae_mm > rough.bilinear_mae_mm > smooth.bilinear_mae_mm > 0


def test_a_plane_is_interpolated_alike_but_not_by_the_nearest():
    y, x = np.meshgrid(np.arange(40.0), np.arange(40.0), indexing="ij")
    plane = np.stack([a * (y + x) for a in (1.0, 2.0, 3.0)])
    found = realism(field(plane), patches=20, min_valid_share=1.0, seed=3)
    # the mean distance of a fine centre is 0.25 cells along each axis; twice the mean slope of 2, both axes
    assert 0.4 < found.nearest_mae_mm < 1.2
    assert found.nearest_mae_mm > 5 * found.bilinear_mae_mm


def test_common_part_aligns_stamps_orientation_and_gaps():
    first = field(random(4).standard_normal((5, 40, 40)))
    second = first.assign_coords(time=first["time"] + np.timedelta64(15, "D"))
    second = second.isel(lat=slice(None, None, -1), time=slice(1, None))
    second = second.where(second["lon"] > 12.0)
    a, b = common_part(first, second)
    assert a.sizes["time"] == 4
    np.testing.assert_array_equal(a, b)
    assert int(np.isnan(a).sum()) == 4 * 40 * int((first["lon"] <= 12.0).sum())
    with pytest.raises(DataError, match="share no month"):
        common_part(first, field(np.ones((3, 40, 40)), first="2019-01"))


def test_factors_are_at_least_one_and_signs_must_agree():
    one = Realism(50.0, 40.0, 0.8, -3.0, 2.0, 0.5)
    other = Realism(100.0, 20.0, 0.8, 3.0, 2.0, 0.5)
    factors = compare(one, other).set_index("statistic")["factor"]
    assert factors["sd_mm"] == factors["patch_sd_mm"] == 2.0
    assert factors["lag_1"] == 1.0
    assert factors["spectral_slope"] == np.inf


def test_the_real_field_has_the_errors_that_were_measured_before():
    files = sorted(REAL.glob("*.nc"))
    if not files:
        pytest.skip(f"no real storage file in {REAL} (set GWSD_REAL_DATA)")
    with xr.open_dataset(files[0]) as data:
        found = realism(data["twsa"].isel(time=slice(None, None, 12)).load(), patches=150, min_valid_share=0.9, seed=5)
    assert found.nearest_mae_mm == pytest.approx(2.57, rel=0.3)
    assert found.bilinear_mae_mm == pytest.approx(0.52, rel=0.3)
    assert 40.0 < found.patch_sd_mm < 70.0


def test_the_table_in_the_docs_keeps_within_a_factor_of_one_and_a_half():
    page = (ROOT / "docs" / "twin-earth.md").read_text()
    table = page.split("| statistic | twin | real | factor |")[1].split("\n\n")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| `")]
    assert len(rows) == 6
    for name, twin, real, factor in ((cell.strip() for cell in row) for row in rows):
        ratio = float(twin) / float(real)
        assert max(ratio, 1 / ratio) == pytest.approx(float(factor), abs=0.02), name
        assert float(factor) <= 1.5, name
