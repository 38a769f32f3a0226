"""Statistics of storage fields, for known fields and for the observed one."""

import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.twin.realism import common_part, compare, draw_patches, lag_1_correlation, realism

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


random = np.random.default_rng


def test_lag_1_is_pearsons_and_never_bridges_a_gap():
    series = random(0).standard_normal((40, 3)).cumsum(axis=0)
    months = np.where(np.arange(40) < 20, 0, 5) + np.arange(40)
    kept = np.arange(1, 40) != 20
    expected = [np.corrcoef(series[1:, k][kept], series[:-1, k][kept])[0, 1] for k in range(3)]
    np.testing.assert_allclose(lag_1_correlation(series, months), expected)


def test_patches_have_enough_valid_cells():
    valid = np.ones((3, 50, 60), dtype=bool)
    valid[:, :, :20] = False
    places = draw_patches(valid, patches=200, min_valid_share=0.9, seed=1)
    assert min(valid[m, r : r + 32, c : c + 32].mean() for m, r, c in places) >= 0.9
    with pytest.raises(DataError, match="has 100% valid cells"):
        draw_patches(valid[:, :, :40], patches=1, min_valid_share=1.0, seed=1)


def test_fields_of_known_slope_and_spread():
    k = np.maximum(np.hypot(np.fft.fftfreq(64)[:, None], np.fft.fftfreq(64)), 1e-3)
    white = np.fft.fft2(random(0).standard_normal((6, 64, 64)))
    found = []
    for slope in (-2.0, -3.0, -4.0):
        values = np.fft.ifft2(white * np.where(k > 1e-3, k ** (slope / 2), 0.0)).real
        found.append(realism(field(50.0 * values / values.std()), patches=20, min_valid_share=1.0, seed=2))
    slopes = [statistics["spectral_slope"] for statistics in found]
    np.testing.assert_allclose(slopes, [-2.0, -3.0, -4.0], atol=0.8)  # the window flattens the longest waves
    assert found[1]["sd_mm"] == pytest.approx(50.0, rel=1e-3)
    assert abs(found[1]["lag_1"]) < 0.5  # independent months
    rough, _, smooth = found
    assert rough["nearest_mae_mm"] > rough["bilinear_mae_mm"] > smooth["bilinear_mae_mm"] > 0


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


def test_the_observed_field_has_the_errors_measured_independently():
    files = sorted(REAL.glob("*.nc"))
    if not files:
        pytest.skip(f"no real storage file in {REAL} (set GWSD_REAL_DATA)")
    with xr.open_dataset(files[0]) as data:
        found = realism(data["twsa"].isel(time=slice(None, None, 12)).load(), patches=150, min_valid_share=0.9, seed=5)
    assert found["nearest_mae_mm"] == pytest.approx(2.57, rel=0.3)
    assert found["bilinear_mae_mm"] == pytest.approx(0.52, rel=0.3)
    assert 40.0 < found["patch_sd_mm"] < 70.0


def test_the_table_in_the_docs_keeps_within_a_factor_of_one_and_a_half():
    page = (ROOT / "docs" / "twin-earth.md").read_text()
    table = page.split("| statistic | twin | real | factor |")[1].split("\n\n")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| `")]
    twin, real, factor = ({row[0]: float(row[k]) for row in rows} for k in (1, 2, 3))
    assert len(rows) == 6
    assert max(factor.values()) <= 1.5
    assert compare(twin, real)["factor"].tolist() == pytest.approx(list(factor.values()), abs=0.02)
    assert compare({"slope": -3.0}, {"slope": 3.0})["factor"].tolist() == [np.inf]  # signs differ
