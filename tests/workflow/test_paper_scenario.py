"""The `paper` scenario from its downloads to the inputs: the toy twin's files, served by two hosts on this machine."""

import json
import zipfile
from pathlib import Path

import pytest
import xarray as xr
import yaml

from tests.loopback.climate_data_store import KEY, ClimateDataStoreServer
from tests.loopback.file_server import FileServer
from tests.workflow.conftest import ROOT, Project

pytestmark = pytest.mark.workflow

TOY_SECTIONS = ("period", "region", "quality", "patches", "model", "training", "evaluation")
AREA = "48.1_59.9_-0.1_116.1"
YEARS = range(2002, 2007)
TARGETS = [f"results/paper/inputs/{name}.nc" for name in ("storage", "climate", "mask")]


def test_from_both_hosts_to_the_inputs(finished: Project, tmp_path: Path) -> None:
    project = Project.copy(tmp_path / "project")
    storage = next(finished.root.glob("results/toy/raw/g3p/GWSA/*.nc"))
    with zipfile.ZipFile(tmp_path / "G3P_v1.12.zip", "w") as archive:
        archive.write(storage, f"G3P_v1.12/GWSA/{storage.name}")
        archive.writestr("G3P_v1.12/README.txt", "Served by a test.")
    years = {year: finished.root / f"results/toy/raw/era5_land/era5_land_{year}.nc" for year in YEARS}
    toy = yaml.safe_load((ROOT / "tests/toy.yaml").read_text())["scenarios"]["toy"]
    with FileServer() as host, ClimateDataStoreServer(years) as store:
        host.failures["/down.zip"] = [404, 404]
        host.files["/G3P_v1.12.zip"] = (tmp_path / "G3P_v1.12.zip").read_bytes()
        host.cuts["/G3P_v1.12.zip"] = [300_000]
        paper = {name: toy[name] for name in TOY_SECTIONS}
        urls = [host.url("/down.zip"), host.url("/G3P_v1.12.zip")]
        paper["downloads"] = {"g3p_urls": urls, "max_concurrent_requests": 3, "backoff_s": 0.1}
        local = {"scenario": "paper", "scenarios": {"paper": paper}}
        (project.root / "local.yaml").write_text(yaml.safe_dump(local))

        refused = project.snakemake(*TARGETS, toy=False)
        assert refused.returncode != 0
        assert "key" in refused.stderr
        assert not (project.root / "raw").exists()

        environment = {"HOME": str(tmp_path), **store.environment()}
        result = project.run("snakemake", "--cores", "2", *TARGETS, environment=environment)
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-6000:]
        requests = host.count("/G3P_v1.12.zip"), store.count("execution")
        again = project.run("snakemake", "--cores", "2", *TARGETS, environment=environment)
        assert "Nothing to be done" in again.stdout + again.stderr
        assert (host.count("/G3P_v1.12.zip"), store.count("execution")) == requests
        assert requests[1] == len(YEARS)

    for name in ("storage", "climate", "mask"):
        made, toys = (
            xr.open_dataset(root / f"{name}.nc")
            for root in (project.root / "results/paper/inputs", finished.root / "results/toy/inputs")
        )
        xr.testing.assert_equal(made, toys)

    lock = json.loads((project.root / "raw.lock.json").read_text())
    record = json.loads((project.root / "raw/g3p/G3P_v1.12.zip.record.json").read_text())
    assert record["raw"]["sha256"] == lock["G3P_v1.12.zip"]["sha256"] == record["outputs"][0]["sha256"]
    for year in YEARS:
        record = json.loads((project.root / f"raw/era5_land/era5_land_{year}_{AREA}.nc.record.json").read_text())
        assert record["raw"]["doi"] == "10.24381/cds.68d2bb30"
    for path in project.root.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            assert KEY.encode() not in path.read_bytes() or path.is_relative_to(project.root / "tests"), path
