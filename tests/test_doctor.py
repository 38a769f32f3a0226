"""What `gwsd doctor` finds: facts are injected, servers are on this machine."""

from pathlib import Path

import pytest

from gwsd.checks import (
    Check,
    check_cores,
    check_credentials,
    check_disk,
    check_g3p,
    check_gpu,
    check_memory,
    check_packages,
    check_python,
    check_store,
)
from gwsd.cli import main
from gwsd.config import Config
from gwsd.doctor import disk_needs, downloads_of, examine, read_documents
from gwsd.errors import ConfigError
from gwsd.provenance.closure import ROOT
from gwsd.sources.credentials import Credentials, Key
from tests.loopback.climate_data_store import ClimateDataStoreServer


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "local.yaml").write_text(f"raw_dir: {tmp_path / 'raw'}\n")
    return read_documents(tmp_path)


@pytest.fixture
def store():
    with ClimateDataStoreServer({}) as server:
        yield server


def asked(store: ClimateDataStoreServer, key: str | None = None) -> list[Check]:
    return list(check_store(Credentials(store.url, Key(key or store.key), "~/.cdsapirc"), timeout=5))


# The settings.


def test_settings_are_read_as_the_workflow_reads_them(tmp_path: Path, config: Config) -> None:
    assert config.raw_dir == str(tmp_path / "raw")
    more = tmp_path / "more.yaml"
    more.write_text("scenario: paper\nsettings: {period: {end: 2010-12}}\n")
    laid_over = read_documents(tmp_path, [more])
    assert laid_over.scenario == "paper"
    assert laid_over.settings("paper").period.end == "2010-12"
    assert laid_over.settings("paper").period.start == config.settings("paper").period.start


def test_settings_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: no such file"):
        read_documents(tmp_path, [tmp_path / "none.yaml"])
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"bad\.yaml: it is no YAML"):
        read_documents(tmp_path, [tmp_path / "bad.yaml"])


# Software.


def test_python_is_compared_with_what_is_needed() -> None:
    assert check_python("3.12.1", ">=3.11").status == "ok"
    check = check_python("3.10.2", ">=3.11")
    assert (check.status, check.found) == ("FAIL", "3.10.2, but >=3.11 is needed.")


def test_missing_and_old_packages_are_named() -> None:
    held = {"numpy": "2.1.0", "torch": "2.9.0"}
    needed = ["numpy>=2", "torch>=2.11", "dask>=2025.1", "tomli>=2; python_version < '3.0'", "pytest; extra == 'test'"]
    check = check_packages(needed, held.get)
    assert check.status == "FAIL"
    assert check.found == "torch 2.9.0 (needs >=2.11), dask is missing."
    assert check_packages(["numpy>=2"], held.get) == Check("packages", "ok", "all 1 as needed")
    assert check_packages([], held.get).status == "warn"


# The machine.


def test_disk_is_summed_over_folders_of_one_disk(tmp_path: Path) -> None:
    needs = {tmp_path / "raw": (20e9, "raw"), tmp_path / "a/b/results": (3e9, "results")}
    (enough,) = check_disk(needs, lambda _: 24e9)
    assert enough.status == "ok"
    assert "23.0 GB needed (raw + results), 24.0 GB free" in enough.found
    (short,) = check_disk(needs, lambda _: 22e9)
    assert short.status == "FAIL"
    assert "Free some space, or set raw_dir" in short.advice


def test_the_paper_needs_every_year_that_is_not_there(config: Config) -> None:
    settings = config.settings("paper")
    downloads = downloads_of(config, settings)
    assert downloads.years == list(range(2001, 2024))
    assert downloads.g3p
    needs = disk_needs(config, "paper", settings, downloads)
    assert needs[Path(config.raw_dir)][0] == pytest.approx(1.2e9 * 24 + 1e9)
    assert "1.2 GB × 23 years" in needs[Path(config.raw_dir)][1]
    folder = Path(config.raw_dir) / "era5_land"
    folder.mkdir(parents=True)
    (folder / "era5_land_2003.nc").touch()
    downloads = downloads_of(config, settings)
    assert 2003 not in downloads.years
    assert (len(downloads.years), downloads.years_there) == (22, 1)


def test_fewer_variables_and_a_region_need_less(tmp_path: Path) -> None:
    (tmp_path / "local.yaml").write_text(
        "settings: {climate_variables: [tp, t2m], region: [-180, 0, 0, 90]}\nclimate_path: null\n"
    )
    config = read_documents(tmp_path)
    assert downloads_of(config, config.settings("paper")).year_bytes == pytest.approx(1.2e9 / 8)


def test_a_twin_and_files_of_the_user_s_own_need_no_download(tmp_path: Path) -> None:
    (tmp_path / "local.yaml").write_text("storage_path: a.nc\nclimate_path: b.nc\n")
    config = read_documents(tmp_path)
    for scenario in ("twin", "own"):
        downloads = downloads_of(config, config.settings(scenario))
        assert (downloads.years, downloads.g3p) == ([], False)


def test_memory_and_cores() -> None:
    assert check_memory(8e9).status == "ok"
    check = check_memory(3e9)
    assert (check.status, check.found) == ("FAIL", "3.0 GB, 4 GB are needed.")
    assert check_cores(2).status == "ok"
    assert check_cores(1).status == "warn"


def test_a_gpu_and_what_is_without_one(config: Config, tmp_path: Path) -> None:
    paper = config.settings("paper")
    assert check_gpu(paper, ["H200"], lambda _: 1 / 0) == Check("GPU", "ok", "H200")
    check = check_gpu(paper, [], lambda _: 9 * 3600.0)
    assert check.status == "warn"
    assert check.found == f"none; each of the {len(paper.variants)} trainings takes about 9 hours on this CPU."
    assert check_gpu(paper, [], lambda _: 60.0).status == "ok"
    (tmp_path / "local.yaml").write_text("settings: {training: {device: cuda}}\n")
    check = check_gpu(read_documents(tmp_path).settings("paper"), [], lambda _: 60.0)
    assert (check.status, check.found) == ("FAIL", "none, but training.device is cuda.")


# The key and the hosts.


def test_a_missing_key_fails_and_one_that_others_can_read_warns(tmp_path: Path) -> None:
    check, credentials = check_credentials({}, tmp_path)
    assert check.status == "FAIL"
    assert "how-to-api" in check.found
    assert credentials is None
    file = tmp_path / ".cdsapirc"
    file.write_text("key: 123-abc\n")
    file.chmod(0o644)
    check, credentials = check_credentials({}, tmp_path)
    assert check.status == "warn"
    assert check.advice == f"chmod 600 {file}"
    assert credentials is not None
    file.chmod(0o600)
    assert check_credentials({}, tmp_path)[0].status == "ok"


def test_the_store_takes_the_key_and_the_licence_is_accepted(store) -> None:
    assert [check.status for check in asked(store)] == ["ok", "ok"]
    assert store.submissions == []


def test_a_licence_that_is_not_accepted_fails_with_its_address(store) -> None:
    store.licence_accepted = False
    check = asked(store)[1]
    assert check.status == "FAIL"
    assert "https://cds.climate.copernicus.eu/datasets/reanalysis-era5-land-monthly-means?tab=download" in check.advice


def test_a_refused_key_fails_and_is_not_shown(store) -> None:
    (check,) = asked(store, "another-key")
    assert check.status == "FAIL"
    assert "~/.cdsapirc: the Climate Data Store refuses the key" in check.found
    assert "another-key" not in str(check)


@pytest.mark.parametrize("how", ["nobody there", "busy"])
def test_a_store_that_does_not_answer_is_a_warning(store, how: str) -> None:
    if how == "busy":
        store.faults["verification"] = [503]
    else:
        store.stop()
    (check,) = asked(store)
    assert check.status == "warn"
    assert "not reachable; key and licence are not checked" in check.found


def test_g3p_needs_one_host_that_has_it(store) -> None:
    nobody = "http://127.0.0.1:9/G3P.zip"
    present, absent = f"{store.url}/catalogue/v1/messages", f"{store.url}/nowhere"
    assert check_g3p([nobody, absent, present]).status == "ok"
    check = check_g3p([nobody, absent])
    assert check.status == "FAIL"
    assert f"{nobody} is not reachable; {absent} answers HTTP 404." in check.found
    assert check_g3p([nobody]).status == "warn"


# All of it.


@pytest.fixture
def machine(tmp_path: Path, store, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {**store.environment(), "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "config.yaml").write_text((ROOT / "config.yaml").read_text())
    (tmp_path / "local.yaml").write_text(
        f"settings: {{downloads: {{g3p_urls: ['{store.url}/catalogue/v1/messages']}}}}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gwsd.doctor.training_seconds", lambda settings: 60.0)
    monkeypatch.setattr("gwsd.doctor._cores", lambda: 2)
    monkeypatch.setattr("gwsd.doctor._memory_bytes", lambda: 8e9)
    monkeypatch.setattr("gwsd.checks.shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1e12}))
    return tmp_path


def test_the_paper_scenario_is_checked_line_by_line(machine: Path, store, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--scenario", "paper"])
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("ok    ") for line in lines), lines
    names = [line[6:].split(":")[0] for line in lines]
    assert names[:2] == ["Python", "packages"]
    assert names[-4:] == ["key of the Climate Data Store", "Climate Data Store", "licence of ERA5-Land", "G3P"]
    assert store.key not in "".join(lines)


def test_a_failure_ends_with_status_1(machine: Path, store, capsys: pytest.CaptureFixture[str]) -> None:
    store.licence_accepted = False
    with pytest.raises(SystemExit) as caught:
        main(["doctor", "--scenario", "paper"])
    assert caught.value.code == 1
    assert "\nFAIL  licence of ERA5-Land: not accepted. Log in" in capsys.readouterr().out


def test_offline_asks_no_server(machine: Path, store, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--scenario", "paper", "--offline"])
    assert "key of the Climate Data Store: found in" in capsys.readouterr().out
    assert store.calls == []


def test_a_twin_needs_neither_key_nor_hosts(machine: Path, store, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--scenario", "twin"])
    assert "key" not in capsys.readouterr().out
    assert store.calls == []


def test_an_unknown_scenario_is_one_message(machine: Path) -> None:
    with pytest.raises(SystemExit, match=r"scenario 'papper'.*did you mean 'paper'"):
        main(["doctor", "--scenario", "papper"])


def test_years_that_are_all_there_need_no_key(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = read_documents(machine)
    folder = machine / "raw/era5_land"
    folder.mkdir(parents=True)
    for year in range(2001, 2024):
        (folder / f"era5_land_{year}.nc").touch()
    names = [check.name for check in examine(config, "paper", offline=True)]
    assert "ERA5-Land" in names
    assert "key of the Climate Data Store" not in names
