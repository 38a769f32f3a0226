"""The `paper` scenario from download to a table: the toy twin's files, served by both hosts on this machine.

The files are the twin Earth's, so the numbers must be those of the toy scenario itself.
"""

import json
import subprocess
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import yaml

from gwsd.data.lock_file import read_lock
from tests.loopback.climate_data_store import KEY, ClimateDataStoreServer
from tests.loopback.file_server import FileServer
from tests.workflow.conftest import ROOT, Project

pytestmark = pytest.mark.workflow

TOY_SECTIONS = ("period", "region", "quality", "patches", "model", "training", "evaluation")
AREA = "48.1_59.9_-0.1_116.1"
YEARS = range(2002, 2007)


@pytest.fixture(scope="module")
def zipped(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twin's storage in the layout of G3P's zip."""
    path = tmp_path_factory.mktemp("g3p") / "G3P_v1.12.zip"
    storage = next(finished.root.glob("results/toy/raw/g3p/GWSA/*.nc"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(storage, f"G3P_v1.12/GWSA/{storage.name}")
        archive.writestr("G3P_v1.12/README.txt", "Served by a test.")
    return path


def run(project: Project, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["snakemake", "--cores", "2", *arguments],
        cwd=project.root,
        env={**project.environment, "HOME": str(project.root / "home"), **environment},
        capture_output=True,
        text=True,
    )


def test_from_both_hosts_to_table_3(finished: Project, zipped: Path, tmp_path: Path) -> None:
    project = Project.copy(tmp_path / "project")
    (project.root / "home").mkdir()
    years = {year: finished.root / f"results/toy/raw/era5_land/era5_land_{year}.nc" for year in YEARS}
    toy = yaml.safe_load((ROOT / "tests/toy.yaml").read_text())["scenarios"]["toy"]
    with FileServer() as host, ClimateDataStoreServer(years) as store:
        host.fail("/down.zip", status=404)
        host.put("/G3P_v1.12.zip", zipped.read_bytes())
        host.cut("/G3P_v1.12.zip", after=300_000)
        paper = {name: toy[name] for name in TOY_SECTIONS}
        paper["downloads"] = {
            "g3p_urls": [host.url("/down.zip"), host.url("/G3P_v1.12.zip")],
            "requests_at_once": 3,
            "wait_seconds": 0.1,
        }
        (project.root / "local.yaml").write_text(yaml.safe_dump({"scenario": "paper", "scenarios": {"paper": paper}}))

        refused = run(project, {}, "table3")
        assert refused.returncode != 0
        assert "There is no key of the Climate Data Store" in refused.stderr + refused.stdout
        assert not (project.root / "raw").exists()

        result = run(project, store.environment(), "table3")
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-6000:]
        assert store.asked("execution") == len(YEARS)
        requests = host.count("/G3P_v1.12.zip"), store.asked("execution")

        again = run(project, store.environment(), "table3")
        assert "Nothing to be done" in again.stdout + again.stderr
        assert (host.count("/G3P_v1.12.zip"), store.asked("execution")) == requests

    made, toys = (
        pd.read_csv(one.root / f"results/{name}/tables/table3.csv", comment="#")
        for one, name in ((project, "paper"), (finished, "toy"))
    )
    measured = [column for column in made if "measured" in column]
    pd.testing.assert_frame_equal(
        made.drop(columns=measured).select_dtypes("number"), toys.drop(columns=measured).select_dtypes("number")
    )

    lock = read_lock(project.root / "raw.lock.json")
    record = json.loads((project.root / "raw/g3p/G3P_v1.12.zip.record.json").read_text())
    assert record["raw"]["sha256"] == lock["G3P_v1.12.zip"]["sha256"] == record["outputs"][0]["sha256"]
    assert record["raw"]["url"].endswith("/G3P_v1.12.zip")
    for year in YEARS:
        record = json.loads((project.root / f"raw/era5_land/era5_land_{year}_{AREA}.nc.record.json").read_text())
        assert record["raw"]["request"]["year"] == [str(year)]
        assert record["raw"]["doi"] == "10.24381/cds.68d2bb30"
        assert {"licence", "bytes", "sha256", "retrieved"} <= set(record["raw"])
    for path in project.root.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            assert KEY.encode() not in path.read_bytes() or path.is_relative_to(project.root / "tests"), path


def test_storage_and_climate_on_disk_need_no_download(finished: Project, zipped: Path, tmp_path: Path) -> None:
    project = Project.copy(tmp_path / "project")
    toy = yaml.safe_load((ROOT / "tests/toy.yaml").read_text())["scenarios"]["toy"]
    paper = {name: toy[name] for name in TOY_SECTIONS}
    local = {
        "scenario": "paper",
        "storage_path": str(zipped),
        "climate_path": str(finished.root / "results/toy/raw/era5_land"),
        "scenarios": {"paper": {**paper, "climate_variables": ["tp", "t2m"]}},
    }
    (project.root / "local.yaml").write_text(yaml.safe_dump(local))
    result = run(project, {}, "table3", "table6")
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-6000:]
    text = (project.root / "results/paper/tables/table6.md").read_text()
    assert "Because soil moisture is not among the climate variables" in text
    assert not (project.root / "raw").exists()
