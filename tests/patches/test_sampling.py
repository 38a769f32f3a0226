import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gwsd.data.calendar import month_range
from gwsd.errors import ConfigError, DataError
from gwsd.grid import Grid
from gwsd.patches.normalisation import fit_normalisation
from gwsd.patches.sampling import SPLITS, largest_size_that_fits, note_shortage, overlap, sample, tabulate_overlap
from gwsd.patches.settings import Blocks, Patches
from gwsd.patches.windows import valid_share
from tests.training.toy_earth import change

GRID = Grid(0.5, (-40.0, -20.0, 40.0, 30.0))  # 100 rows, 160 columns
EVERY = month_range("2002-04", "2008-03")
MONTHS = np.delete(EVERY, [2, 3, 14, 40])
BLOCKS = Blocks(size_in_patches=1.5, length_months=12, buffer_cells=5, buffer_months=3, holdout_fraction=0.1)
PATCHES = Patches(size=16, train=300, validation=60, test=40, split="random", min_valid_share=0.5, blocks=BLOCKS)


@pytest.fixture(scope="module")
def valid():
    """Land with an ocean in the middle and ragged holes."""
    mask = np.random.default_rng(5).random(GRID.shape) > 0.05
    mask[:, 70:95] = False
    return mask


def draw(valid, seed=0, months=MONTHS, **changes):
    rng = np.random.Generator(np.random.PCG64(seed))
    return sample(valid, months, GRID.lat, GRID.lon, change(PATCHES, **changes), rng)


@given(seed=st.integers(0, 1000), size=st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_valid_share_agrees_with_counting(seed, size):
    mask = np.random.default_rng(seed).random((12, 15)) > 0.4
    share = valid_share(mask, size)
    windows = np.lib.stride_tricks.sliding_window_view(mask, (size, size))
    np.testing.assert_allclose(share, windows.mean(axis=(2, 3)))


def test_random_tables_are_consistent(valid):
    tables = draw(valid)
    for name, table in tables.items():
        assert len(table) == getattr(PATCHES, name)
        assert table["patch"].tolist() == list(range(len(table)))
        assert table["row"].between(0, 100 - 16).all()
        assert table["col"].between(0, 160 - 16).all()
        for row in table.itertuples():
            window = valid[row.row : row.row + 16, row.col : row.col + 16]
            assert window.mean() == pytest.approx(row.valid_share, abs=1e-6)
            assert row.valid_share >= 0.5
            assert row.lat == GRID.lat[row.row] + 7.5 * 0.5
            assert row.lon == GRID.lon[row.col] + 7.5 * 0.5
    table = pd.concat(tables.values())
    assert not table.duplicated(["month", "row", "col"]).any()
    assert set(table["month"]) <= set(MONTHS.astype("datetime64[M]").astype(str))
    assert table["month"].nunique() > 60
    without = {"2002-04", "2002-08", "2003-07", "2005-09"}
    assert set(table.loc[table["has_previous"] == 0, "month"]) == without
    assert not set(table.loc[table["has_previous"] == 1, "month"]) & without


def test_the_seed_decides(valid):
    for split in ("random", "blocked"):
        first, again, other = draw(valid, split=split), draw(valid, split=split), draw(valid, seed=1, split=split)
        for name in SPLITS:
            pd.testing.assert_frame_equal(first[name], again[name])
            assert not first[name].equals(other[name])


def test_fewer_patches_than_asked_for_are_shared_out_and_reported(valid):
    places = int((valid_share(valid, 16) >= 0.5).sum())
    asked = {"train": 2 * places, "validation": places, "test": 1}
    tables = draw(valid, months=MONTHS[:2], **asked)
    whole = pd.concat(tables.values())
    assert len(whole) == len(whole.drop_duplicates(["month", "row", "col"])) == 2 * places
    assert [len(tables[name]) / (2 * places) for name in SPLITS] == pytest.approx([0.6667, 0.3333, 0.0], abs=1e-3)
    assert len(tables["test"]) == 1
    note = note_shortage(tables, change(PATCHES, **asked))
    assert f"{3 * places + 1:,} were asked for, and there are only {2 * places:,} distinct ones" in note
    assert "test 1)" in note
    enough = {"train": 30, "validation": 6, "test": 4}
    assert note_shortage(draw(valid, **enough), change(PATCHES, **enough)) is None


@pytest.mark.parametrize("asked", [(1, 1000, 1), (1, 1, 1), (900, 1, 1), (1, 1, 900)])
def test_no_split_is_left_empty_where_patches_are_few(asked):
    valid = np.ones((24, 25), dtype=bool)
    wanted = dict(zip(SPLITS, asked, strict=True))
    tables = draw(valid, size=24, months=MONTHS[:2], **wanted)
    assert sum(map(len, tables.values())) == min(4, sum(asked))
    assert all(len(table) >= 1 for table in tables.values())
    with pytest.raises(DataError, match=r"only 2 patches \(1 months x 2 windows\), too few for training"):
        draw(valid, size=24, months=MONTHS[:1], **wanted)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_blocked_splits_share_no_cell_month_and_keep_their_distance(valid, seed):
    tables = draw(valid, seed=seed, split="blocked")
    assert [len(tables[name]) for name in SPLITS] == [300, 60, 40]
    number = {name: np.array(table["month"], dtype="datetime64[M]").astype(int) for name, table in tables.items()}
    for name, other in [("test", "train"), ("test", "validation"), ("validation", "train")]:
        for patch, month in zip(tables[name].itertuples(), number[name], strict=True):
            rest = tables[other]
            near = np.abs(number[other] - month) <= BLOCKS.buffer_months
            # Cells between the two windows; negative where they overlap.
            gap = np.maximum(np.abs(rest["row"] - patch.row), np.abs(rest["col"] - patch.col)) - 16
            assert not (near & (gap < BLOCKS.buffer_cells)).any()
    table = tabulate_overlap(tables, size=16, valid=valid)
    assert table["split"].tolist() == ["validation", "test"]
    assert table["shared_cell_months"].tolist() == [0, 0]
    # Elsewhere in time the same places are trained on.
    assert (table["shared_cells"] > 0).all()
    random = tabulate_overlap(draw(valid, seed=seed), size=16, valid=valid)
    assert (random["shared_share"] > 0.02).all()


def test_blocks_too_few_to_hold_out(valid):
    with pytest.raises(ConfigError, match=r"only \d blocks of 72 x 72 cells.*Choose 'random'"):
        draw(valid, split="blocked", size=48, months=MONTHS[:5])
    with pytest.raises(ConfigError, match=r"patches\.test asks for 1,000,000 patches, but with blocks.*only"):
        draw(valid, split="blocked", test=1_000_000)


def test_a_patch_larger_than_the_grid_names_the_size_that_fits(valid):
    with pytest.raises(ConfigError, match=r"100 by 160 cells, .* is 96 \(325 windows in each of 68 months\)"):
        draw(valid, size=128, min_valid_share=0.01)
    region = np.ones((24, 24), dtype=bool)
    months = EVERY[:60]
    with pytest.raises(ConfigError, match=r"the grid has 24 by 24 cells.*is 24 \(1 window in each of 60 months\)"):
        draw(region, size=32, months=months)
    assert len(draw(region, size=24, months=months, train=40, validation=10, test=10)["train"]) == 40
    # The same region within the globe: all around it is ocean.
    globe = np.zeros((360, 720), dtype=bool)
    globe[200:224, 500:524] = True
    with pytest.raises(ConfigError, match=r"no patch of 32 by 32 cells has 90% of them valid; the best.* 56\.2%"):
        draw(globe, size=32, min_valid_share=0.9)
    assert largest_size_that_fits(globe, 0.9, 31) == (24, 13)


def test_no_valid_patch_to_sample(valid):
    sparse = np.zeros_like(valid)
    sparse[40:48, 40:48] = True
    with pytest.raises(ConfigError, match=r"the best has 25\.0%.*largest size that fits is 8 .*or lower patches\."):
        draw(sparse)
    with pytest.raises(DataError, match=r"No smaller size fits either, down to 8\. Lower patches\.min_valid_share"):
        draw(sparse, min_valid_share=1.1)
    with pytest.raises(DataError, match=r"and the grid of 100 by 160 cells has 0 valid ones.*inputs/quality\.csv"):
        draw(np.zeros_like(valid), min_valid_share=0.0)


def test_overlap_agrees_with_sets(valid):
    tables = draw(valid, train=40, months=MONTHS[:6])

    def cells(table):
        return {
            (row.month, i, j)
            for row in table.itertuples()
            for i in range(row.row, row.row + 16)
            for j in range(row.col, row.col + 16)
            if valid[i, j]
        }

    train, test = cells(tables["train"]), cells(tables["test"])
    counted = overlap(tables["train"], tables["test"], size=16, valid=valid)
    assert counted["cell_months"] == len(test)
    assert counted["shared_cell_months"] == len(test & train)
    assert counted["shared_share"] == pytest.approx(len(test & train) / len(test), abs=1e-6)
    places, trained = {cell[1:] for cell in test}, {cell[1:] for cell in train}
    assert counted["cells"] == len(places)
    assert counted["shared_cells"] == len(places & trained)


def test_normalisation_is_fitted_on_training_patches_alone(valid):
    train = draw(valid, train=30, months=MONTHS[:8])["train"]
    rng = np.random.default_rng(3)
    dims, coords = ("time", "lat", "lon"), {"lat": GRID.lat, "lon": GRID.lon}
    storage = xr.DataArray(rng.normal(5, 60, (8, *GRID.shape)), {"time": MONTHS[:8], **coords}, dims)
    pressure = xr.DataArray(rng.normal(950, 3, (len(EVERY), *GRID.shape)), {"time": EVERY, **coords}, dims)
    drawn = {"storage": [], "surface_pressure": []}
    seen = np.zeros(storage.shape, dtype=bool)
    for row in train.itertuples():
        window = (slice(row.row, row.row + 16), slice(row.col, row.col + 16))
        for name, field in (("storage", storage), ("surface_pressure", pressure)):
            drawn[name].append(field.sel(time=f"{row.month}-01").values[window][valid[window]])
        seen[storage.get_index("time").get_loc(f"{row.month}-01"), *window] = True
    storage = storage.where(seen, 1e6).where(valid)  # what training never sees must not count
    climate = xr.Dataset({"surface_pressure": pressure})
    fitted = fit_normalisation(storage, climate, train, valid, size=16, variables=["surface_pressure"])
    for name, parts in drawn.items():
        values = np.concatenate(parts)
        assert fitted[name] == pytest.approx({"mean": values.mean(), "std": values.std()}, rel=1e-9)
