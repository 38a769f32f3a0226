"""`gwsd info`: what a file is, what it holds, and where it came from."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gwsd.cli import main
from gwsd.provenance.records import record_text
from tests.product.own_files import write_climate, write_network, write_storage


def record(results: Path, *files: Path, job: str = "train", **more: object) -> Path:
    """Write the record of a job that made some files of `results/toy`."""
    outputs = [
        {
            "path": f"results/toy/{path.relative_to(results)}",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in files
    ]
    document = {
        "job": job,
        "key": "0123456789abcdef" * 4,
        "inputs": {"storage": [{"path": "results/toy/inputs/storage.nc", "sha256": "0" * 64, "bytes": 1}]},
        "code": [],
        "settings": {"data_label": "synthetic: a toy", "patch_size": 32},
        "seed": 17,
        "outputs": outputs,
        "command": ["python"],
        "started": "2026-01-02T03:04:05+00:00",
        "ended": "2026-01-02T03:05:06+00:00",
        "resumed": False,
        "device": "cuda:0",
        "environment": {"commit": "abcdef12", "dirty": True, "processor": "a processor"},
        **more,
    }
    path = files[0].with_name(f"{files[0].name}.record.json")
    path.write_text(record_text(document))
    return path


def info(capsys: pytest.CaptureFixture[str], *paths: Path) -> str:
    main(["info", *map(str, paths)])
    return capsys.readouterr().out


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results/toy"
    (folder / "models").mkdir(parents=True)
    return folder


def test_weights_say_what_they_were_trained_on_and_by_which_job(results: Path, capsys) -> None:
    weights = write_network(results / "models/weights.safetensors", label="synthetic: a toy")
    history = results / "models/history.csv"
    history.write_text("epoch,learning_rate,train_total,val_mae_mm\n0,0.1,3,9.5\n1,0.1,2,7.25\n")
    record(results, weights, history)
    said = info(capsys, weights)
    for words in (
        "weights of a trained network",
        "variant          full",
        "memory 2",
        "storage -5 ± 50",
        "data             synthetic: a toy",
        "job key          0123456789abcdef",
        "job              train",
        "made from        storage: results/toy/inputs/storage.nc",
        "patch_size: 32",
        "seed             17",
        "commit           abcdef12, with changes",
        "run              2026-01-02T03:04:05+00:00 to 2026-01-02T03:05:06+00:00",
        "device           cuda:0",
        "seal intact",
        ", intact\n",
    ):
        assert words in said, words
    said = info(capsys, history)
    assert "history of a training, epoch by epoch" in said
    assert "validation MAE 7.250 mm in epoch 1" in said
    assert "weights.safetensors.record.json" in said
    assert ", intact\n" in said


def test_a_file_that_was_changed_since_is_said_to_be_so(results: Path, capsys) -> None:
    table = results / "tables/table3.csv"
    table.parent.mkdir()
    table.write_text("method,mae_cm,data\nfull,1.2,synthetic: a toy\n")
    path = record(results, table, job="table")
    before = hashlib.sha256(table.read_bytes()).hexdigest()
    table.write_text(table.read_text().replace("1.2", "1.1"))
    assert f"CHANGED: the record says {before}" in info(capsys, table)
    path.write_text(path.read_text().replace('"seed": 17', '"seed": 18'))
    assert "SEAL BROKEN: the record was changed" in info(capsys, table)


def test_results_may_lie_elsewhere_and_the_record_in_another_folder(results: Path, capsys, tmp_path: Path) -> None:
    (results / "raw/g3p").mkdir(parents=True)
    (results / "raw/era5_land").mkdir()
    storage = write_storage(results / "raw/g3p/storage.nc")
    climate = write_climate(results / "raw/era5_land/climate.nc", comment="SYNTHETIC: made by a model")
    record(results, storage, climate, job="twin_earth")
    said = info(capsys, climate)
    assert "climate, as the Climate Data Store delivers it" in said
    assert "months           9, 2009-12 to 2010-08" in said
    assert "data             synthetic: it says so itself" in said
    assert "job              twin_earth" in said
    assert "t2m (valid_time, latitude, longitude) [K]" in said
    moved = tmp_path / "elsewhere"
    (results / "raw/g3p").rename(moved)
    assert "coarse storage, as it came" in info(capsys, moved / "storage.nc")


def test_a_file_that_no_job_made_is_told_all_the_same(tmp_path: Path, capsys) -> None:
    said = info(capsys, write_storage(tmp_path / "own.nc"))
    assert "lwe_thickness (time, lat, lon) [mm]" in said
    assert "job key          none: the file was not made by a job" in said
    assert "record           none beside the file" in said


def test_other_kinds_are_known(results: Path, capsys) -> None:
    axes = {"lat": [0.25, 0.75], "lon": [0.25, 0.75]}
    fields = {name: (("lat", "lon"), np.ones((2, 2), np.int8)) for name in ("valid", "reason")}
    xr.Dataset(fields, axes, {"data_label": "synthetic: a toy", "job_key": "ab"}).to_netcdf(results / "mask.nc")
    files = {
        "patches.csv": (b"patch,month,row,col,valid_share\n0,2010-02,1,2,0.5\n1,2009-01,1,2,1\n", "patches of a split"),
        "normalisation.json": (b'{"storage": {"mean": 1.0, "std": 2.0}}', "normalisation of the training patches"),
        "numbers.json": (
            json.dumps({"scenario": "toy", "data_label": "synthetic: a toy", "values": [{}, {}]}).encode(),
            "every published value",
        ),
        "table3.json": (b'{"artifact": "table3", "caption": "C", "values": []}', "values of table3"),
        "table3.tex": (b"\\begin{tabular}", "table 3"),
        "figure4.pdf": (b"%PDF-1.7", "figure 4"),
        "figure4.png": (
            b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IHDR" + bytes([0, 0, 3, 0, 0, 0, 2, 0]),
            "768 by 512 pixels",
        ),
        "epoch-00008.ckpt": (hashlib.sha256(b"state").digest() + b"state", "checkpoint of a training"),
        "epoch-00009.ckpt": (hashlib.sha256(b"state").digest() + b"stale", "DAMAGED"),
    }
    assert "mask of quality control" in info(capsys, results / "mask.nc")
    for name, (content, words) in files.items():
        (results / name).write_bytes(content)
        assert words in info(capsys, results / name), name
    assert "months           2, 2009-01 to 2010-02" in info(capsys, results / "patches.csv")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("song.mp3", b"ID3", r"song.mp3: no file that this project makes or reads \(it begins with b'ID3'\)"),
        ("a.csv", b"x,y\n1,2\n", "a CSV file with the columns x, y"),
        ("a.nc", b"no NetCDF", "cannot be read as NetCDF"),
        ("a.json", b"{", "no JSON"),
        ("a.png", b"no picture", "no file that this project makes or reads"),
        ("a.safetensors", b"12345678", "no file of weights"),
    ],
)
def test_an_unknown_file_is_one_message(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SystemExit, match=words):
        main(["info", str(tmp_path / name)])
    with pytest.raises(SystemExit, match="no such file; check the path"):
        main(["info", str(tmp_path / "none.nc")])
    with pytest.raises(SystemExit, match="a folder; expected a file in it"):
        main(["info", str(tmp_path)])
