"""`gwsd doctor` on a stand-in machine with servers on 127.0.0.1."""

from importlib import metadata
from types import SimpleNamespace

import pytest

from gwsd import doctor
from gwsd.config import PROJECT_FILE
from gwsd.doctor import examine, missing_files, read_documents
from gwsd.errors import ConfigError
from tests.loopback.climate_data_store import ClimateDataStoreServer


@pytest.fixture
def store():
    with ClimateDataStoreServer({}) as server:
        yield server


@pytest.fixture
def machine(tmp_path, store, monkeypatch):
    """A CPU with 1 TB of free disk; the working directory has the project's settings."""
    for name, value in {**store.environment(), "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "config.yaml").write_text(PROJECT_FILE.read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "training_seconds", lambda settings: 60.0)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1e12))
    monkeypatch.setattr(doctor, "MEMORY_BYTES", 1e6)
    return tmp_path


def statuses(folder, scenario="paper", **options):
    return {check.name.split(" ")[0]: check.status for check in examine(read_documents(folder), scenario, **options)}


def test_files_that_are_present_or_not_needed_are_not_missing(machine):
    (machine / "local.yaml").write_text("raw_dir: raw\n")
    (machine / "more.yaml").write_text("settings: {period: {end: 2010-12}}\n")
    config = read_documents(machine, [machine / "more.yaml"])
    (machine / "raw/era5_land").mkdir(parents=True)
    (machine / "raw/era5_land/era5_land_2003.nc").touch()
    missing = [path.name for path in missing_files(config, config.settings("paper"))]
    assert missing == ["G3P_v1.12.zip", *(f"era5_land_{year}.nc" for year in range(2001, 2011) if year != 2003)]
    assert missing_files(config, config.settings("twin")) == []
    with pytest.raises(ConfigError, match=r"none\.yaml: no such file"):
        read_documents(machine, [machine / "none.yaml"])


def test_a_suitable_machine_passes_every_check(machine, store):
    checks = list(examine(read_documents(machine), "paper"))
    assert [check.status for check in checks] == ["ok"] * 7, checks
    text = "\n".join(map(str, checks))
    assert "24 will be downloaded to raw" in text
    assert "key and licence are accepted" in text
    assert store.key not in text
    assert store.submissions == []


def test_problems_are_failures(machine, store, monkeypatch):
    store.licence_accepted = False
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: SimpleNamespace(free=30e9))
    monkeypatch.setattr(doctor, "MEMORY_BYTES", 1e15)
    monkeypatch.setattr(doctor, "training_seconds", lambda settings: 9 * 3600.0)
    monkeypatch.setattr(metadata, "requires", lambda name: ["numpy>=99", "nosuchpackage", "x; extra == 'test'"])
    found = {check.name.split(" ")[0]: check for check in examine(read_documents(machine), "paper")}
    failed = {name for name, check in found.items() if check.status == "FAIL"}
    assert failed == {"packages", "memory", "disk", "Climate"}
    assert found["GPU"].status == "warn"
    assert "(needs >=99), nosuchpackage is missing." in found["packages"].text
    assert "accept it at https://cds" in found["Climate"].text


def test_a_missing_key_is_a_failure_and_no_server_is_asked_offline_or_for_a_twin(machine, store, monkeypatch):
    assert "Climate" not in statuses(machine, "twin")
    assert statuses(machine, offline=True)["Climate"] == "ok"
    monkeypatch.delenv("ECMWF_DATASTORES_KEY")
    assert statuses(machine)["Climate"] == "FAIL"
    assert store.asked_for == []
