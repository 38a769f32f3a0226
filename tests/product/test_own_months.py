"""`gwsd downscale`: a person's own months, without the workflow."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml

from gwsd.cli import main
from gwsd.product import own_inputs, own_making, own_months
from gwsd.product.own_choices import around, select_region
from tests.product.own_files import CLIMATE_MONTHS, MONTHS, REGION, write_climate, write_network, write_storage
from tests.training.toy_earth import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("GWSD_REAL_DATA", ROOT.parent / "shared/data"))
OBSERVED = REAL / "observed_storage/twsa_jpl_l2_gauss250km_05deg_200204_202309.nc"
DEMO = Path(os.environ.get("GWSD_DEMO_RESULTS", ROOT / "results/demo"))
DEMO_WEIGHTS = DEMO / "models/full/seed0/weights.safetensors"
DEMO_CLIMATE = DEMO / "raw/era5_land"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("own")
    return {
        "storage": write_storage(folder / "storage.nc"),
        "climate": write_climate(folder / "climate.nc"),
        "weights": write_network(folder / "weights.safetensors"),
    }


def downscale(files: dict[str, Path], out: Path, *more: str) -> Path:
    words = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    main(["downscale", *words, "--out", str(out), "--threads", "1", "--device", "cpu", *more])
    return out


def half_degree_means(data: xr.Dataset, number: int) -> np.ndarray:
    rows, cols = data.sizes["lat"] // 4, data.sizes["lon"] // 4
    area = np.cos(np.deg2rad(data["lat"].values)).reshape(rows, 4, 1, 1)
    blocks = data["gwsa"].values[number].astype(np.float64).reshape(rows, 4, cols, 4)
    return (blocks * area).sum(axis=(1, 3)) / (4 * area.sum(axis=1)[:, :, 0])


def test_months_of_ones_own(files, tmp_path: Path, capsys) -> None:
    out = downscale(files, tmp_path / "own.nc")
    assert capsys.readouterr().out.strip() == str(out)
    with xr.open_dataset(out) as data, xr.open_dataset(files["storage"]) as storage:
        assert data["time"].values.astype("datetime64[M]").tolist() == MONTHS.tolist()
        assert data["gwsa"].shape == (MONTHS.size, 80, 96)
        assert float(data["gwsa_sd"].min()) > 0
        for number in range(MONTHS.size):
            means, coarse = half_degree_means(data, number), storage["lwe_thickness"].values[number]
            np.testing.assert_array_equal(np.isnan(means), np.isnan(coarse))
            assert np.nanmax(np.abs(means - coarse)) < 1e-3
        inside = data["gwsa"].values[:, 16:]  # without the correction nothing varies within a cell of zeros
        assert np.nanstd(inside - np.repeat(np.repeat(storage["lwe_thickness"].values, 4, 1), 4, 2)[:, 16:]) > 0.1
    assert [path.name for path in tmp_path.iterdir()] == ["own.nc"]


def test_the_same_files_make_the_same_bytes_and_other_months_another_key(files, tmp_path: Path) -> None:
    one = downscale(files, tmp_path / "a.nc", "--months", "2010-05:2010-06")
    other = downscale(files, tmp_path / "b.nc", "--months", "2010-05:2010-06")
    third = downscale(files, tmp_path / "c.nc", "--months", "2010-06")
    assert one.read_bytes() == other.read_bytes()
    keys = [xr.open_dataset(path).attrs["job_key"] for path in (one, third)]
    assert keys[0] != keys[1]
    with xr.open_dataset(one) as data, xr.open_dataset(third) as single:
        np.testing.assert_array_equal(data["gwsa"].values[1], single["gwsa"].values[0])


def test_what_a_network_of_a_synthetic_earth_answers_for_real_months_says_so(files, tmp_path: Path, capsys) -> None:
    weights = write_network(tmp_path / "twin.safetensors", label="synthetic: twin Earth, not observations")
    out = downscale({**files, "weights": weights}, tmp_path / "own.nc", "--months", "2010-05")
    with xr.open_dataset(out) as data:
        assert data.attrs["title"] == (
            "Partly synthetic: water storage anomaly on a 0.125 degree grid, 2010-05, by a network trained on "
            "synthetic data: a trial, not a result about the Earth"
        )
        assert "network trained on: synthetic: twin Earth" in data.attrs["data_label"]
        assert "network trained on: synthetic: twin Earth" in data.attrs["comment"]
        assert data.attrs["weights_job_key"] == "0123456789abcdef" * 4
        assert data["gwsa"].attrs["long_name"] == "water storage anomaly"
    assert "a trial, not a result about the Earth" in capsys.readouterr().err


def test_what_has_nothing_observed_in_it_is_synthetic(tmp_path: Path) -> None:
    synthetic = {"comment": "SYNTHETIC: made by a model"}
    files = {
        "storage": write_storage(tmp_path / "storage.nc", **synthetic),
        "climate": write_climate(tmp_path / "climate.nc", **synthetic),
        "weights": write_network(tmp_path / "w.safetensors", label="synthetic: twin Earth, not observations"),
    }
    with xr.open_dataset(downscale(files, tmp_path / "own.nc", "--months", "2010-05")) as data:
        assert data.attrs["title"] == "Synthetic: water storage anomaly on a 0.125 degree grid, 2010-05"
        assert data.attrs["data_label"] == "synthetic: twin Earth, not observations"


def test_observed_months_by_a_network_of_observed_data_are_not_called_synthetic(files, tmp_path: Path) -> None:
    with xr.open_dataset(downscale(files, tmp_path / "own.nc", "--months", "2010-05")) as data:
        assert "synthetic" not in str(data.attrs).lower()


def test_a_region_lies_where_it_should_and_agrees_with_the_whole(files, tmp_path: Path) -> None:
    whole = downscale(files, tmp_path / "whole.nc", "--months", "2010-07", "--no-correction")
    # Rounded outward to half degrees; the network is shown more, here all there is.
    part = downscale(
        files, tmp_path / "part.nc", "--months", "2010-07", "--no-correction", "--region", "104.2,3,108,7.4"
    )
    with xr.open_dataset(part) as data, xr.open_dataset(whole) as all_:
        assert data["lat_bnds"].values[[0, -1], [0, 1]].tolist() == [3.0, 7.5]
        assert data["lon_bnds"].values[[0, -1], [0, 1]].tolist() == [104.0, 108.0]
        same = all_["gwsa"].sel(lat=data["lat"], lon=data["lon"])
        # The network sees as far as its poolings carry: a little depends on where what it is shown ends.
        np.testing.assert_allclose(data["gwsa"].values, same.values, atol=0.02)
        assert float(same.std()) > 1


@pytest.mark.parametrize(
    ("region", "divisor", "wanted"),
    [
        ((-180.0, -90.0, 180.0, 90.0), 8, (-180.0, -90.0, 180.0, 90.0)),
        ((98.0, 8.0, 110.0, 20.0), 8, (88.0, -2.0, 120.0, 30.0)),
        ((170.0, 70.0, 178.0, 88.0), 8, (-180.0, 62.0, 180.0, 90.0)),  # the whole circle beyond the date line
    ],
)
def test_a_network_meets_the_cells_of_a_region_as_those_of_the_globe(region, divisor: int, wanted) -> None:
    assert around(region, divisor) == wanted
    assert all((edge + 180.0) % 4.0 == 0 for edge in (wanted[0], wanted[2]))
    assert all((edge + 90.0) % 4.0 in (0.0, 2.0) for edge in (wanted[1], wanted[3]))


def test_months_that_the_storage_lacks_are_named_and_not_made_up(files, tmp_path: Path, capsys) -> None:
    out = downscale(files, tmp_path / "own.nc", "--months", "2010-03:2010-05")
    with xr.open_dataset(out) as data:
        assert data["time"].dt.strftime("%Y-%m").values.tolist() == ["2010-03", "2010-05"]
    assert "the storage lacks 2010-04; no month is made up" in capsys.readouterr().err


def test_tiles_and_the_field_differ_little(files, tmp_path: Path, capsys) -> None:
    field = downscale(files, tmp_path / "field.nc", "--months", "2010-07", "--way", "field")
    tiles = downscale(files, tmp_path / "tiles.nc", "--months", "2010-07", "--way", "tiles", "--patch-size", "16")
    assert "tiles of 16 cells, one every 12" in capsys.readouterr().err
    for said, words in (
        (None, "tiles of 32 cells (a default: the weights do not say"),
        ("24", "tiles of 24 cells, one"),
    ):
        weights = write_network(tmp_path / "weights.safetensors", patch_size=said)
        again = ("--months", "2010-07", "--way", "tiles", "--force")
        downscale({**files, "weights": weights}, tmp_path / "again.nc", *again)
        assert words in capsys.readouterr().err
    with xr.open_dataset(field) as one, xr.open_dataset(tiles) as other:
        assert "blended" in other.attrs["method"]
        difference = np.abs(one["gwsa"].values - other["gwsa"].values)
        assert np.nanmax(difference) > 0
        assert np.nanmean(difference) < 0.2 * float(one["gwsa"].std())


def test_an_interpolation_needs_neither_weights_nor_climate(files, tmp_path: Path) -> None:
    out = downscale({"storage": files["storage"]}, tmp_path / "own.nc", "--method", "bicubic", "--months", "2010-05")
    with xr.open_dataset(out) as data, xr.open_dataset(files["storage"]) as storage:
        assert "gwsa_sd" not in data
        coarse = storage["lwe_thickness"].sel(time="2010-05-01").values
        assert np.nanmax(np.abs(half_degree_means(data, 0) - coarse)) < 1e-3


def test_a_file_of_one_month_is_enough(files, tmp_path: Path, capsys) -> None:
    storage = write_storage(tmp_path / "one.nc", months=MONTHS[-1:])
    downscale({**files, "storage": storage}, tmp_path / "own.nc")
    assert "cells that never change cannot be told from others" in capsys.readouterr().err


def test_a_file_that_is_there_is_replaced_only_when_asked(files, tmp_path: Path) -> None:
    out = tmp_path / "own.nc"
    out.write_text("mine")
    with pytest.raises(SystemExit, match=r"own\.nc: is there already; --force replaces it"):
        downscale(files, out, "--months", "2010-05")
    assert out.read_text() == "mine"
    downscale(files, out, "--months", "2010-05", "--force")
    assert out.read_bytes() != b"mine"


MISTAKES = {
    "a month that the storage lacks": (
        {"months": "2010-04"},
        r"storage.nc: has no storage of 2010-04. It holds 7 months from 2010-01 to 2010-08, the nearest 2010-02, "
        "2010-03, 2010-05: choose others with --months",
    ),
    "months beyond the storage": ({"months": "2010-06:2011-02"}, "has no storage of all of 2010-06 to 2011-02"),
    "no month": ({"months": "2010"}, "--months: '2010' is no month; expected YYYY-MM or YYYY-MM:YYYY-MM"),
    "the end first": ({"months": "2010-05:2010-02"}, "ends before it starts"),
    "a region elsewhere": (
        {"region": "-60,0,-50,10"},
        "--region -60,0,-50,10: outside the storage, which covers 100,0,112,10",
    ),
    "no region": ({"region": "10,0,5,10"}, "no region; expected W,S,E,N in degrees"),
    "half a region": ({"region": "10,0"}, "expected W,S,E,N in degrees, such as 98,8,110,20"),
    "an unknown product": ({"storage-format": "grace"}, "--storage-format grace: no such product; expected one of"),
    "other units": ({"storage-units": "cm"}, "--storage-units"),
    "no such climate": ({"climate": "nowhere/*.nc"}, "--climate: nowhere/.*: no file matches this pattern"),
    "no such folder": ({"out": "nowhere/own.nc"}, "there is no folder nowhere"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_message(files, tmp_path: Path, mistake: str, monkeypatch) -> None:
    options, words = MISTAKES[mistake]
    monkeypatch.chdir(tmp_path)
    given = {**{name: str(path) for name, path in files.items()}, "out": "own.nc", **options}
    with pytest.raises(SystemExit, match=words):
        main(["downscale", *(word for name, text in given.items() for word in (f"--{name}", text))])
    assert list(tmp_path.iterdir()) == []


def test_climate_that_is_missing_is_named(files, tmp_path: Path) -> None:
    kept = np.delete(CLIMATE_MONTHS, [0, 4])
    climate = write_climate(tmp_path / "climate.nc", months=kept)
    with pytest.raises(SystemExit) as stopped:
        downscale({**files, "climate": climate}, tmp_path / "own.nc")
    assert str(stopped.value) == (
        f"error: {climate}: no climate for 2009-12, 2010-04. The network sees 2 months of climate, the month itself "
        "last: 2010-01 to 2010-08 needs 2009-12 to 2010-08. Give the files of these months too, or choose other months "
        "with --months"
    )
    without = write_climate(tmp_path / "without.nc", without="swvl1")
    with pytest.raises(SystemExit, match=r"no soil_moisture \(swvl1\), but the network was trained with precipitation"):
        downscale({**files, "climate": without}, tmp_path / "own.nc")
    with pytest.raises(SystemExit, match="no climate was given, but the network was trained with"):
        downscale({name: files[name] for name in ("storage", "weights")}, tmp_path / "own.nc")


def test_weights_that_are_none_are_refused(files, tmp_path: Path) -> None:
    text = tmp_path / "text.safetensors"
    text.write_text("these are no weights, but a text")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(files["weights"].read_bytes()[:-100])
    other = write_network(tmp_path / "other.safetensors", model=None, data_label=None)
    model = {"climate_variables": VARIABLES, "memory": 2}
    misfit = write_network(tmp_path / "misfit.safetensors", model=json.dumps(model))
    for weights, words in (
        (text, "text.safetensors: no file of weights"),
        (cut, "cut.safetensors: the weights end early"),
        (other, "weights of another project: their metadata have no model, data_label"),
        (misfit, "the weights do not fit the model that they say they are of"),
        (tmp_path / "none.safetensors", "cannot be read"),
    ):
        with pytest.raises(SystemExit, match=words):
            downscale({**files, "weights": weights}, tmp_path / "own.nc")
    assert not list(tmp_path.glob("*.nc")) + list(tmp_path.glob(".partial*"))


def test_weights_or_an_interpolation_are_asked_for(files, tmp_path: Path) -> None:
    for more in ([], ["--weights", str(files["weights"]), "--method", "bicubic"]):
        with pytest.raises(SystemExit, match="give either the weights of a trained network, or an interpolation"):
            main(["downscale", "--storage", str(files["storage"]), "--out", str(tmp_path / "own.nc"), *more])


def test_storage_without_a_unit_says_which_option_to_use(files, tmp_path: Path) -> None:
    storage = write_storage(tmp_path / "s.nc", units=None)
    with pytest.raises(SystemExit, match="--storage-units") as stopped:
        downscale({**files, "storage": storage}, tmp_path / "own.nc")
    assert "sources." not in str(stopped.value)
    assert "config" not in str(stopped.value)
    downscale({**files, "storage": storage}, tmp_path / "own.nc", "--storage-units", "mm", "--months", "2010-05")


def test_limits_are_those_of_the_workflow() -> None:
    settings = yaml.safe_load((ROOT / "config.yaml").read_text())["settings"]
    expected = {"expected_cells": None, "expected_months": None}
    assert asdict(own_inputs.QUALITY) == settings["quality"] | expected
    assert settings["evapotranspiration"] == own_inputs.EVAPOTRANSPIRATION
    assert settings["patches"]["size"] == own_months.PATCH_SIZE
    assert settings["product"]["stride"] == own_making.STRIDE
    assert settings["product"]["batch_size"] == own_making.BATCH_SIZE
    assert own_months.CORRECTED.on == settings["product"]["correction"]
    assert own_months.CORRECTED.error_correlation == settings["product"]["error_correlation"]


def test_memory_does_not_grow_with_the_months(files) -> None:
    """What is held of climate at a time is a calendar year's, whatever the number of months."""
    held = []
    original = own_making.Cube.from_datasets

    def counted(storage: xr.Dataset, climate: xr.Dataset, *more, **options):
        held.append((storage.sizes["time"], climate.sizes["time"]))
        return original(storage, climate, *more, **options)

    months = np.arange("2008-11", "2011-02", dtype="datetime64[M]")
    folder = files["storage"].parent
    storage = write_storage(folder / "long.nc", months=months)
    climate = write_climate(folder / "long_climate.nc", months=np.arange("2008-10", "2011-02", dtype="datetime64[M]"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_making.Cube, "from_datasets", counted)
        out = downscale({**files, "storage": storage, "climate": climate}, folder / "long_out.nc")
    assert held == [(2, 3), (12, 13), (12, 13), (1, 2)]
    with xr.open_dataset(out) as data:
        assert data.sizes["time"] == months.size


@pytest.mark.skipif(
    not (OBSERVED.is_file() and DEMO_WEIGHTS.is_file() and DEMO_CLIMATE.is_dir()),
    reason="needs the observed storage (GWSD_REAL_DATA) and the demo's weights and climate (GWSD_DEMO_RESULTS)",
)
def test_real_months_keep_their_half_degree_means(tmp_path: Path) -> None:
    files = {"storage": OBSERVED, "climate": DEMO_CLIMATE, "weights": DEMO_WEIGHTS}
    out = downscale(files, tmp_path / "own.nc", "--months", "2023-08:2023-09", "--region", "98,8,110,20")
    with xr.open_dataset(out) as data, xr.open_dataset(OBSERVED) as observed:
        assert data.attrs["title"].startswith("Partly synthetic: ")
        assert data["gwsa"].shape == (2, 96, 96)
        coarse = observed["twsa"].sel(lat=slice(8, 20), lon=slice(98, 110), time=slice("2023-08", "2023-09")).values
        for number in range(2):
            means = half_degree_means(data, number)
            known = np.isfinite(means)
            assert known.mean() > 0.5
            assert np.abs(means - coarse[number])[known].max() < 1e-3


def test_the_region_of_these_tests_is_what_the_storage_covers(files) -> None:
    opened = own_inputs.open_storage([files["storage"]], "local", variable=None, units=None)
    assert select_region(opened.raw, None) == REGION
