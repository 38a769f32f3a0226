"""`gwsd downscale`: user-supplied months, without Snakemake."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gwsd.config import read_project_config
from gwsd.errors import GwsdError
from gwsd.product.commands import add_parsers
from gwsd.product.downscale import around
from tests.product.toy_globe import MODEL
from tests.product.user_files import CLIMATE_MONTHS, MONTHS, write_climate, write_network, write_storage


def run(*words: str) -> None:
    """Run a command as `gwsd` does."""
    parser = argparse.ArgumentParser()
    add_parsers(parser.add_subparsers(), lambda: read_project_config().settings("own"))
    arguments = parser.parse_args(list(words))
    arguments.run(arguments)


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
    run("downscale", *words, "--out", str(out), "--threads", "1", "--device", "cpu", *more)
    return out


def half_degree_means(data: xr.Dataset, number: int) -> np.ndarray:
    rows, cols = data.sizes["lat"] // 4, data.sizes["lon"] // 4
    area = np.cos(np.deg2rad(data["lat"].values)).reshape(rows, 4, 1, 1)
    blocks = data["gwsa"].values[number].astype(np.float64).reshape(rows, 4, cols, 4)
    return (blocks * area).sum(axis=(1, 3)) / (4 * area.sum(axis=1)[:, :, 0])


def test_all_months_keep_their_half_degree_means(files, tmp_path: Path, capsys) -> None:
    out = downscale(files, tmp_path / "own.nc")
    assert capsys.readouterr().out.strip() == str(out)
    with xr.open_dataset(out) as data, xr.open_dataset(files["storage"]) as storage:
        assert data["time"].values.astype("datetime64[M]").tolist() == MONTHS.tolist()
        assert data["gwsa"].shape == (MONTHS.size, 80, 96)
        assert float(data["gwsa_sd"].min()) > 0
        assert "synthetic" not in str(data.attrs).lower()
        for number in range(MONTHS.size):
            coarse = storage["lwe_thickness"].values[number]
            np.testing.assert_allclose(half_degree_means(data, number), coarse, atol=1e-3)
    assert [path.name for path in tmp_path.iterdir()] == ["own.nc"]


def test_the_same_files_give_the_same_bytes_and_other_months_another_key(files, tmp_path: Path) -> None:
    first, second = (downscale(files, tmp_path / name, "--months", "2010-05:2010-06") for name in ("a.nc", "b.nc"))
    third = downscale(files, tmp_path / "c.nc", "--months", "2010-06")
    assert first.read_bytes() == second.read_bytes()
    with xr.open_dataset(first) as data, xr.open_dataset(third) as single:
        assert data.attrs["job_key"] != single.attrs["job_key"]
        np.testing.assert_array_equal(data["gwsa"].values[1], single["gwsa"].values[0])


def test_synthetic_data_and_total_storage_are_named_in_the_file(files, tmp_path: Path, capsys) -> None:
    label, comment = "synthetic: twin Earth, not observations", {"comment": "SYNTHETIC: made by a model"}
    weights = write_network(tmp_path / "w.safetensors", label=label)
    with xr.open_dataset(downscale({**files, "weights": weights}, tmp_path / "own.nc", "--months", "2010-05")) as data:
        assert data.attrs["title"].startswith("Partly synthetic: ")
        assert data.attrs["title"].endswith("a demonstration, not a result about the Earth")
        assert f"network trained on: {label}" in data.attrs["data_label"]
        assert data.attrs["weights_job_key"] == "0123456789abcdef" * 4
    assert "a demonstration, not a result about the Earth" in capsys.readouterr().err
    synthetic = {
        "storage": write_storage(tmp_path / "storage.nc", name="twsa", **comment),
        "climate": write_climate(tmp_path / "climate.nc", **comment),
        "weights": weights,
    }
    with xr.open_dataset(downscale(synthetic, tmp_path / "twin.nc", "--months", "2010-05")) as data:
        assert data.attrs["title"] == "Synthetic: total water storage anomaly on a 0.125 degree grid, 2010-05"
        assert data.attrs["data_label"] == label
        assert data["gwsa"].attrs["long_name"] == "total water storage anomaly"


@pytest.mark.parametrize(("method", "tolerance"), [("weights", 0.02), ("bicubic", 0.001)])
def test_a_region_agrees_with_the_whole(files, tmp_path: Path, method: str, tolerance: float) -> None:
    given, more = files, ["--months", "2010-07", "--no-correction"]
    if method == "bicubic":
        given, more = {"storage": files["storage"]}, [*more, "--method", method]
    whole = downscale(given, tmp_path / "whole.nc", *more)
    part = downscale(given, tmp_path / "part.nc", *more, "--region", "104.2,3,108,7.4")
    with xr.open_dataset(part) as data, xr.open_dataset(whole) as all_:
        assert data["lat_bnds"].values[[0, -1], [0, 1]].tolist() == [3.0, 7.5]
        assert data["lon_bnds"].values[[0, -1], [0, 1]].tolist() == [104.0, 108.0]
        same = all_["gwsa"].sel(lat=data["lat"], lon=data["lon"])
        np.testing.assert_allclose(data["gwsa"].values, same.values, atol=tolerance)


def test_margin_of_a_region() -> None:
    assert around((98.0, 8.0, 110.0, 20.0), 8) == (88.0, -2.0, 120.0, 30.0)
    assert around((170.0, 70.0, 178.0, 88.0), 8) == (-180.0, 62.0, 180.0, 90.0)  # the margin crosses the date line


def test_one_month_and_several_years(files, tmp_path: Path, capsys) -> None:
    downscale({**files, "storage": write_storage(tmp_path / "one.nc", months=MONTHS[-1:])}, tmp_path / "own.nc")
    assert "constant cells cannot be recognised" in capsys.readouterr().err
    months = np.arange("2009-11", "2010-03", dtype="datetime64[M]")
    storage = write_storage(tmp_path / "long.nc", months=months)
    climate = write_climate(tmp_path / "climate.nc", months=np.arange("2009-10", "2010-03", dtype="datetime64[M]"))
    out = downscale({**files, "storage": storage, "climate": climate}, tmp_path / "long_out.nc")
    with xr.open_dataset(out) as data:
        assert data.sizes["time"] == months.size


def test_tiled_inference_and_absent_months(files, tmp_path: Path, capsys) -> None:
    months = ("--months", "2010-03:2010-05")
    field = downscale(files, tmp_path / "field.nc", *months, "--inference", "full_field")
    tiled = downscale(files, tmp_path / "tiled.nc", *months, "--inference", "tiled")
    assert "the storage lacks 2010-04" in capsys.readouterr().err
    with xr.open_dataset(field) as first, xr.open_dataset(tiled) as second:
        assert first["time"].dt.strftime("%Y-%m").values.tolist() == ["2010-03", "2010-05"]
        assert "blended" in second.attrs["method"]
        difference = np.abs(first["gwsa"].values - second["gwsa"].values)
        assert 0 < np.nanmean(difference) < 0.2 * float(first["gwsa"].std())


MISTAKES = {
    "absent month": ({"months": "2010-04"}, "the nearest are 2010-02, 2010-03, 2010-05"),
    "months beyond the storage": ({"months": "2010-06:2011-02"}, "7 months from 2010-01 to 2010-08"),
    "not a month": ({"months": "2010"}, "'2010' is not a month; expected YYYY-MM"),
    "the end first": ({"months": "2010-05:2010-02"}, "ends before it starts"),
    "a region elsewhere": ({"region": "-60,0,-50,10"}, "outside the storage, which covers 100,0,112,10"),
    "an impossible region": ({"region": "10,0,5,10"}, "expected W,S,E,N in degrees"),
    "an unknown format": ({"storage-format": "grace"}, "--storage-format grace: unknown; expected one of"),
    "no such climate": ({"climate": "nowhere/*.nc"}, "--climate: nowhere/.*: no file matches this pattern"),
    "no such folder": ({"out": "nowhere/own.nc"}, "the folder nowhere does not exist"),
    "output over an input": ({"storage": "own.nc", "force": None}, r"own\.nc: is also an input"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_one_message(files, tmp_path: Path, mistake: str, monkeypatch) -> None:
    options, message = MISTAKES[mistake]
    monkeypatch.chdir(tmp_path)
    given = {**{name: str(path) for name, path in files.items()}, "out": "own.nc", **options}
    if "force" in given:
        write_storage(tmp_path / "own.nc")
    before = list(tmp_path.iterdir())
    words = [word for name, text in given.items() for word in (f"--{name}", text) if word]
    with pytest.raises(GwsdError, match=message):
        run("downscale", *words)
    assert list(tmp_path.iterdir()) == before


def test_missing_climate_and_unit_and_existing_file(files, tmp_path: Path) -> None:
    out = tmp_path / "own.nc"
    for climate, message in (
        (write_climate(tmp_path / "gap.nc", months=np.delete(CLIMATE_MONTHS, [0, 4])), "lacks 2009, 2010-04"),
        (write_climate(tmp_path / "without.nc", without="swvl1"), "swvl1"),
    ):
        with pytest.raises(GwsdError, match=message):
            downscale({**files, "climate": climate}, out)
    with pytest.raises(GwsdError, match="--climate is missing: the network needs precipitation"):
        downscale({name: files[name] for name in ("storage", "weights")}, out)
    storage = {"storage": write_storage(tmp_path / "unitless.nc", units=None)}
    with pytest.raises(GwsdError, match="units"):
        downscale(storage, out, "--method", "bicubic")
    downscale(storage, out, "--method", "bicubic", "--storage-units", "mm", "--months", "2010-05")
    with pytest.raises(GwsdError, match=r"own\.nc: exists; --force replaces it"):
        downscale(storage, out, "--method", "nearest", "--storage-units", "mm")
    with pytest.raises(SystemExit):  # neither weights nor method
        downscale(storage, out)


def test_unusable_weights_are_refused(files, tmp_path: Path) -> None:
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(files["weights"].read_bytes()[:-100])
    wider = MODEL.model_copy(update={"lstm_channels": 5}).model_dump_json()
    scales = json.dumps({"storage": {"mean": 0.0, "std": -5.0}})
    for weights, message in (
        (cut, "cut.safetensors"),
        (tmp_path / "none.safetensors", "none.safetensors"),
        (write_network(tmp_path / "a.safetensors", patch_size=None), "no 'patch_size' in its metadata"),
        (write_network(tmp_path / "b.safetensors", model=wider), "not weights of this version of the project"),
        (write_network(tmp_path / "d.safetensors", normalisation=scales), "not weights of this version"),
    ):
        with pytest.raises(GwsdError, match=message):
            downscale({**files, "weights": weights}, tmp_path / "own.nc")
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".safetensors"]
