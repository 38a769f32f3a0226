"""The workflow's programs: a year, a year that is repeated, a year without months, and a check."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gwsd.training.weights import write_weights
from tests.product import toy_globe
from tests.product.toy_globe import NORMALISATION
from tests.training.toy_earth import MODEL

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("inputs")
    files = {name: folder / f"{name}.nc" for name in ("storage", "climate", "mask")}
    for path, dataset in zip(files.values(), toy_globe.datasets(), strict=True):
        dataset.to_netcdf(path)
    files["normalisation"] = folder / "normalisation.json"
    files["normalisation"].write_text(json.dumps(NORMALISATION))
    files["weights"] = folder / "weights.safetensors"
    model = MODEL | {"normalisation": "none"}
    write_weights(files["weights"], toy_globe.network().state_dict(), {"model": json.dumps(model)})
    return files


def settings(**product) -> str:
    how = {
        "method": "full",
        "way": "auto",
        "stride": 12,
        "batch_size": 4,
        "correction": True,
        "error_correlation": 0.0,
        "precision": "float32",
    }
    year = product.pop("year", 2002)
    source = {"name": "twin", "label": "twin Earth"}
    return json.dumps(
        {
            "product": how | product,
            "model": MODEL | {"normalisation": "none"},
            "patch_size": 16,
            "cpu_threads": 1,
            "device": "cpu",
            "data_label": "synthetic: a toy",
            "scenario": "toy",
            "title": "a toy",
            "seed": 0,
            "sources": {"storage": source, "climate": source},
            "year": year,
            "check_months": 2,
        }
    )


def run(monkeypatch: pytest.MonkeyPatch, program: str, files: dict[str, Path], *arguments: str) -> None:
    command = [f"workflow_scripts/{program}.py", *arguments]
    for name, path in files.items():
        command += [f"--{name}", str(path)]
    monkeypatch.setattr(sys, "argv", [str(ROOT / command[0]), *command[1:]])
    runpy.run_path(str(ROOT / command[0]), run_name="__main__")


def test_a_year_of_the_product(monkeypatch: pytest.MonkeyPatch, inputs: dict[str, Path], tmp_path: Path) -> None:
    out, again = tmp_path / "a.nc", tmp_path / "b.nc"
    for path in (out, again):
        run(monkeypatch, "product", inputs, "--settings", settings(), "--product", str(path))
    assert out.read_bytes() == again.read_bytes()
    with xr.open_dataset(out) as data, xr.open_dataset(inputs["storage"]) as storage:
        months = data["time"].dt.strftime("%Y-%m").values.tolist()
        assert months == [f"2002-{number:02d}" for number in (3, 4, 6, 7, 9, 10, 11, 12)]
        area = np.cos(np.deg2rad(data["lat"].values)).reshape(24, 4, 1, 1)
        for number, month in enumerate(months):
            blocks = data["gwsa"].values[number].reshape(24, 4, 48, 4)
            means = (blocks * area).sum(axis=(1, 3)) / (4 * area.sum(axis=1)[:, :, 0])
            coarse = storage["storage"].sel(time=f"{month}-01").values
            np.testing.assert_array_equal(np.isnan(means), np.isnan(coarse))
            assert np.nanmax(np.abs(means - coarse)) < 1e-3
        assert data.attrs["method"].startswith("full, seed 0, float32; the whole grid at once")
    record = json.loads((tmp_path / "a.nc.record.json").read_text())
    assert record["key"] == xr.open_dataset(out).attrs["job_key"]
    assert record["way"] == "field"


def test_an_interpolation_needs_no_weights(monkeypatch, inputs: dict[str, Path], tmp_path: Path) -> None:
    files = {name: path for name, path in inputs.items() if name != "weights"}
    out = tmp_path / "a.nc"
    run(monkeypatch, "product", files, "--settings", settings(method="bicubic", year=2003), "--product", str(out))
    with xr.open_dataset(out) as data:
        assert data["time"].dt.strftime("%Y-%m").values.tolist() == ["2003-01", "2003-02"]
        assert "gwsa_sd" not in data


def test_a_year_that_the_storage_lacks(monkeypatch, inputs: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "a.nc"
    run(monkeypatch, "product", inputs, "--settings", settings(year=2010), "--product", str(out))
    with xr.open_dataset(out) as data:
        assert data.sizes["time"] == 0


def test_weights_of_other_settings_are_refused(monkeypatch, inputs: dict[str, Path], tmp_path: Path, capsys) -> None:
    other = json.loads(settings())
    other["model"]["memory"] = 3
    with pytest.raises(SystemExit):
        run(monkeypatch, "product", inputs, "--settings", json.dumps(other), "--product", str(tmp_path / "a.nc"))
    assert "trained with model.memory = 2, but the scenario has 3" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_check_writes_its_tables(monkeypatch, inputs: dict[str, Path], tmp_path: Path) -> None:
    table = tmp_path / "test.csv"
    pd.DataFrame({"month": ["2002-04", "2002-06"], "row": [4, 4], "col": [8, 9]}).to_csv(table, index=False)
    names = ("ways", "seams", "correction", "errors")
    outputs = [word for name in names for word in (f"--{name}", str(tmp_path / f"{name}.csv"))]
    files = inputs | {"test": table}
    run(monkeypatch, "product_check", files, "--settings", settings(way="tiles"), *outputs)
    for name in names:
        found = pd.read_csv(tmp_path / f"{name}.csv")
        assert len(found)
        assert set(found["data_label"]) == {"synthetic: a toy"}
