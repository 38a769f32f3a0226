"""The scripts of the rules: a year, a repeated year, a year without months, and the check."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gwsd.provenance.job import run
from tests.product import toy_globe
from tests.product.test_downscale import half_degree_means
from tests.product.user_files import write_network


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("inputs")
    files = {name: folder / f"{name}.nc" for name in ("storage", "climate", "mask")}
    for path, dataset in zip(files.values(), toy_globe.datasets(), strict=True):
        dataset.assign_attrs(data_label="synthetic: a toy").to_netcdf(path)
    return files | {"weights": write_network(folder / "weights.safetensors")}


def execute(monkeypatch, script: str, inputs: dict[str, Path], outputs: dict[str, Path], year=2002, **product) -> None:
    settings = {
        "product": toy_globe.settings(**product).model_dump(),
        "sources": {"storage": "twin", "climate": "twin"},
        "patch_size": 16,
        "cpu_threads": 1,
        "device": "cpu",
        "scenario": "toy",
        "title": "a toy",
        "year": year,
    }
    words = [word for name, path in (inputs | outputs).items() for word in (f"--{name}", str(path))]
    record = f"{next(iter(outputs.values()))}.record.json"
    monkeypatch.setattr(sys, "argv", [f"{script}.py", *words, "--settings", json.dumps(settings), "--record", record])
    module = importlib.import_module(f"workflow_scripts.{script}")
    names = ["storage", "climate", "mask", "test", "weights", "truth"]
    run(getattr(module, script), inputs=names, outputs=list(outputs))


def test_a_year_of_the_product(monkeypatch: pytest.MonkeyPatch, inputs: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "a.nc"
    execute(monkeypatch, "product", inputs, {"product": out})
    record = json.loads((tmp_path / "a.nc.record.json").read_text())
    assert record["inference"] == "full_field"
    with xr.open_dataset(out) as data, xr.open_dataset(inputs["storage"]) as storage:
        assert record["key"] == data.attrs["job_key"]
        months = data["time"].dt.strftime("%Y-%m").values.tolist()
        assert months == [f"2002-{number:02d}" for number in (3, 4, 6, 7, 9, 10, 11, 12)]
        for number, month in enumerate(months):
            coarse = storage["storage"].sel(time=f"{month}-01").values
            np.testing.assert_allclose(half_degree_means(data, number), coarse, atol=1e-3)


@pytest.mark.parametrize(("method", "year", "months"), [("bicubic", 2003, ["2003-01", "2003-02"]), ("full", 2010, [])])
def test_interpolations_and_years_without_months(monkeypatch, inputs, tmp_path: Path, method, year, months) -> None:
    files = {name: path for name, path in inputs.items() if name != "weights" or method == "full"}
    execute(monkeypatch, "product", files, {"product": tmp_path / "a.nc"}, method=method, year=year)
    with xr.open_dataset(tmp_path / "a.nc") as data:
        assert data["time"].size == len(months)
        assert [str(time)[:7] for time in data["time"].values] == months
        assert ("gwsa_sd" in data) == (method == "full")


def test_the_check_writes_its_tables(monkeypatch, inputs: dict[str, Path], tmp_path: Path) -> None:
    table = tmp_path / "test.csv"
    pd.DataFrame({"month": ["2002-04", "2002-06"], "row": [4, 4], "col": [8, 9]}).to_csv(table, index=False)
    outputs = {name: tmp_path / f"{name}.csv" for name in ("inference", "seams", "correction", "errors")}
    execute(monkeypatch, "product_check", inputs | {"test": table}, outputs, inference="tiled")
    for path in outputs.values():
        found = pd.read_csv(path)
        assert len(found)
        assert set(found["data_label"]) == {"synthetic: a toy"}
