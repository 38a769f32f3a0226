"""Years of ERA5-Land from a server on this machine, through the real client."""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import zipfile
from collections.abc import Iterator
from io import BytesIO
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.provenance.closure import ROOT
from gwsd.sources.credentials import Credentials, Key
from gwsd.sources.era5_land import VARIABLES, open_climate_year
from gwsd.sources.era5_land_download import STATE_FOLDER, download_year
from gwsd.sources.era5_land_request import Area, area_of, file_name, request_of, split
from tests.loopback.climate_data_store import HTML, ClimateDataStoreServer

PROGRAM = ROOT / "workflow_scripts/download_era5_land.py"
SHORT = {request: short for short, request, _ in VARIABLES.values()}
ALL = list(VARIABLES)


def deliver(request: dict, *, cells: int = 4, early: tuple[str, ...] = (), lack: str | None = None) -> xr.Dataset:
    """What the store would make of a request: a few nodes, each value a function of month and variable."""
    months = [f"{year}-{month}" for year in request["year"] for month in request["month"]]
    noise = np.random.default_rng(int(request["year"][0])).random((len(months), cells, cells)).astype(np.float32)
    scale = {"tp": 0.002, "swvl1": 0.3, "t2m": 280.0, "sp": 90000.0}
    units = {"tp": "m", "swvl1": "m**3 m**-3", "t2m": "K", "sp": "Pa"}
    shorts = [SHORT[name] for name in request["variable"] if SHORT[name] != lack]
    fields = {
        short: (("valid_time", "latitude", "longitude"), scale[short] * (1 + 0.01 * noise), {"units": units[short]})
        for short in shorts
    }
    step = np.arange(cells) * 0.1
    return xr.Dataset(
        fields,
        coords={
            "valid_time": np.array(months, dtype="datetime64[ns]"),
            "latitude": 10.0 - step,
            "longitude": 20.0 + step,
            "number": 0,
            "expver": ("valid_time", ["0005" if month in early else "0001" for month in months]),
        },
    )


def as_bytes(dataset: xr.Dataset) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        dataset.to_netcdf(path := Path(folder) / "delivery.nc")
        return path.read_bytes()


def netcdf(request: dict, **options: object) -> bytes:
    return as_bytes(deliver(request, **options))


def zipped(content: bytes, name: str = "data_stream-moda.nc") -> bytes:
    with BytesIO() as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        return stream.getvalue()


@pytest.fixture
def store() -> Iterator[ClimateDataStoreServer]:
    with ClimateDataStoreServer(netcdf, polls=2) as server:
        yield server


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)  # of every library: nothing of it may show the key
    return caplog


def check_secret(error: BaseException, key: str) -> None:
    assert key not in "".join(traceback.format_exception(error))


@pytest.fixture
def download(store: ClimateDataStoreServer, tmp_path: Path, log, capfd: pytest.CaptureFixture[str]):
    """Download a year quickly; afterwards nobody may have seen the key."""

    def run(year: int = 2003, target: Path = tmp_path / "era5_land_2003.nc", **options: object) -> dict:
        key = Key(str(options.pop("key", store.key)))
        try:
            return download_year(
                year,
                target,
                variables=options.pop("variables", ALL),
                credentials=Credentials(str(options.pop("url", store.url)), key, "~/.cdsapirc"),
                state_folder=tmp_path / STATE_FOLDER,
                **{"attempts": 4, "wait_seconds": 0.02, **options},
            )
        except DataError as error:
            check_secret(error, key.reveal())
            raise

    yield run
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    shown = capfd.readouterr()
    for text in (*written, log.text.encode(), shown.out.encode(), shown.err.encode()):
        assert store.key.encode() not in text
    assert store.keys_in_assets == 0


def state(tmp_path: Path, year: int = 2003) -> dict:
    return json.loads((tmp_path / STATE_FOLDER / f"era5_land_{year}.json").read_text())


def left_in(tmp_path: Path) -> set[str]:
    """What stands beside the state folder, and what deliveries lie in it."""
    state_folder = tmp_path / STATE_FOLDER
    return {path.name for path in tmp_path.iterdir() if path != state_folder} | {
        path.name for path in state_folder.glob("*.nc")
    }


# Requests.


def test_a_request_has_the_keys_that_the_store_expects() -> None:
    assert request_of(2003, ["temperature", "precipitation"], Area(10, 90, -10, 110)) == {
        "product_type": ["monthly_averaged_reanalysis"],
        "variable": ["total_precipitation", "2m_temperature"],
        "year": ["2003"],
        "month": [f"{month:02d}" for month in range(1, 13)],
        "time": ["00:00"],
        "data_format": "netcdf",
        "download_format": "unarchived",
        "area": [10, 90, -10, 110],
    }
    assert "area" not in request_of(2003, ALL)


def test_splitting_keeps_every_month_once() -> None:
    waiting, months = [request_of(2003, ALL)], []
    while waiting:
        request = waiting.pop(0)
        halves = split(request)
        if len(halves) == 1:
            months += request["month"]
        waiting += halves if len(halves) == 2 else []
    assert sorted(months) == request_of(2003, ALL)["month"]


def test_an_area_covers_the_cells_at_the_border_and_names_the_file() -> None:
    assert area_of([-180, -90, 180, 90]) is None
    area = area_of([-52.0, -6.0, -44.3, 6.25])
    assert area is not None
    assert area.sides() == [6.4, -52.1, -6.1, -44.2]
    assert file_name(2003, area) == "era5_land_2003_6.4_-52.1_-6.1_-44.2.nc"
    assert file_name(2003) == "era5_land_2003.nc"
    with pytest.raises(DataError, match=r"expected \[north, west, south, east\]"):
        Area(-10, 90, 10, 110)


def test_an_unknown_variable_is_named() -> None:
    with pytest.raises(DataError, match="snow is unknown; expected some of precipitation"):
        request_of(2003, ["snow"])


# The straight way.


def test_a_year_goes_through_the_queue_and_is_described(download, store, tmp_path: Path) -> None:
    facts = download()
    year = open_climate_year(tmp_path / "era5_land_2003.nc")
    assert year.sizes["time"] == 12
    assert store.submissions == [request_of(2003, ALL)]
    content = (tmp_path / "era5_land_2003.nc").read_bytes()
    assert facts["bytes"] == len(content)
    assert facts["request_ids"] == list(store.jobs)
    assert facts["request"] == request_of(2003, ALL)
    assert facts["doi"] == "10.24381/cds.68d2bb30"
    assert facts["licence"] == "CC-BY-4.0"
    assert facts["stored_as"] == "delivered"
    assert facts["preliminary_months"] == []
    assert facts["retrieved"].endswith("+00:00")
    json.dumps(facts)
    assert left_in(tmp_path) == {"era5_land_2003.nc"}


def test_an_area_and_fewer_variables_are_asked_for(download, store, tmp_path: Path) -> None:
    area = Area(10, 20, 9.5, 20.5)
    target = tmp_path / file_name(2003, area)
    download(target=target, variables=["precipitation", "temperature"], area=area)
    assert store.submissions[0]["area"] == [10, 20, 9.5, 20.5]
    assert set(open_climate_year(target, variables=("precipitation", "temperature"))) == {
        "precipitation",
        "temperature",
    }


def test_preliminary_months_are_used_and_said(download, store, log) -> None:
    store.files = lambda request: zipped(netcdf(request, early=("2003-11", "2003-12")))
    assert download()["preliminary_months"] == ["2003-11", "2003-12"]
    assert "preliminary fields (expver 0005), which may still be replaced, are used for 2003-11, 2003-12" in log.text


@pytest.mark.parametrize("form", ["scalar", "side by side"])
def test_preliminary_months_are_found_in_every_form(download, store, form: str) -> None:
    def content(request: dict) -> bytes:
        data = deliver(request).drop_vars("expver")
        if form == "scalar":
            return as_bytes(data.assign_coords(expver="0005"))
        late = data["valid_time"] >= np.datetime64("2003-12-01")
        both = xr.concat([data.where(~late), data.where(late)], dim="expver").assign_coords(expver=[1, 5])
        return as_bytes(both)

    store.files = content
    months = download()["preliminary_months"]
    assert months == ([f"2003-{month:02d}" for month in range(1, 13)] if form == "scalar" else ["2003-12"])


# Requests that outlive a job, and several at once.


def run_program(
    tmp_path: Path, store: ClimateDataStoreServer, year: int = 2003, **environment: str
) -> subprocess.Popen:
    settings = {"year": year, "variables": ALL, "area": None, "attempts": 4, "wait_seconds": 0.05}
    command = [sys.executable, str(PROGRAM), "--settings", json.dumps(settings), "--log", f"logs/{year}.log"]
    return subprocess.Popen(
        [*command, "--climate", f"raw/era5_land_{year}.nc"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), **store.environment(), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(condition, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_a_killed_job_is_taken_up_by_the_next_one(store, tmp_path: Path) -> None:
    store.hold = True
    first = run_program(tmp_path, store)
    wait_for(lambda: store.asked("job") >= 2)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert len(store.submissions) == 1
    assert not (tmp_path / "raw/era5_land_2003.nc").exists()
    store.hold = False
    second = run_program(tmp_path, store)
    said = second.communicate(timeout=60)[0]
    assert second.returncode == 0, said
    (request_id,) = store.jobs
    assert f"taking up request {request_id}" in said
    assert len(store.submissions) == 1
    record = json.loads((tmp_path / "raw/era5_land_2003.nc.record.json").read_text())
    assert record["raw"]["request_ids"] == [request_id]
    assert record["raw"]["sha256"] == record["outputs"][0]["sha256"]
    assert "preliminary" not in said
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or store.key.encode() not in path.read_bytes()
    assert store.key not in said


def in_another_process(store: ClimateDataStoreServer, folder: Path, year: int, **options: object) -> BaseProcess:
    """A download that begins at once: a fork has everything imported."""

    def work() -> None:
        download_year(
            year,
            folder / f"era5_land_{year}.nc",
            variables=ALL,
            credentials=Credentials(store.url, Key(store.key), "~/.cdsapirc"),
            state_folder=folder / STATE_FOLDER,
            **{"attempts": 4, "wait_seconds": 0.02, **options},
        )

    process = get_context("fork").Process(target=work)
    process.start()
    return process


def test_two_jobs_and_their_years_ahead_never_overfill_the_queue(store, download, tmp_path: Path) -> None:
    store.seconds = 0.3
    years = range(2003, 2008)
    store.files = {year: netcdf(request_of(year, ALL)) for year in years}
    jobs = [in_another_process(store, tmp_path, year, ahead=years, requests_at_once=2) for year in (2003, 2004)]
    for job in jobs:
        job.join(60)
        assert job.exitcode == 0
    assert store.most_in_flight == 2
    asked = [int(request["year"][0]) for request in store.submissions]
    assert len(asked) == len(set(asked))
    assert set(asked[:2]) == {2003, 2004}
    for year in years[2:]:
        download(year, tmp_path / f"era5_land_{year}.nc")
    # Years that were requested ahead are found, not requested again.
    assert sorted(int(request["year"][0]) for request in store.submissions) == [*years]


def test_years_ahead_are_requested_while_this_one_waits(download, store, tmp_path: Path) -> None:
    (tmp_path / "era5_land_2005.nc").write_bytes(b"here already")
    download(ahead=[2003, 2004, 2005, 2006, 2007], requests_at_once=3)
    asked = [int(request["year"][0]) for request in store.submissions]
    assert asked[:3] == [2003, 2004, 2006]
    assert 2005 not in asked
    before = list(asked)
    download(2004, tmp_path / "era5_land_2004.nc")
    assert [int(request["year"][0]) for request in store.submissions] == before


@pytest.mark.timeout(60)
def test_a_request_ahead_that_has_left_the_queue_gives_its_place(download, store, log, tmp_path: Path) -> None:
    download(ahead=[2004], requests_at_once=2)
    download(2005, tmp_path / "era5_land_2005.nc", requests_at_once=1)
    assert "era5_land_2005: the queue holds 1 of our requests, as many as may be; waiting for a place" in log.text
    assert [request["year"] for request in store.submissions] == [["2003"], ["2004"], ["2005"]]


def test_a_year_ahead_that_is_refused_does_not_stop_this_one(download, store, log) -> None:
    store.faults["execution"] = [None, 400]
    download(ahead=[2004, 2005])
    assert [request["year"] for request in store.submissions] == [["2003"], ["2005"]]
    assert "era5_land_2004 cannot be requested ahead: The Climate Data Store refuses the request" in log.text


def test_a_year_that_is_done_is_not_requested_ahead_again(download, store, tmp_path: Path) -> None:
    download()
    (tmp_path / "era5_land_2003.nc").unlink()  # as between two jobs, before the file has its final name
    download(2004, tmp_path / "era5_land_2004.nc", ahead=[2003])
    assert [request["year"] for request in store.submissions] == [["2003"], ["2004"]]
    download()
    assert [request["year"] for request in store.submissions] == [["2003"], ["2004"], ["2003"]]


def test_another_request_for_the_same_year_is_not_taken_up(download, store, tmp_path: Path) -> None:
    store.outcomes = ["failed", "failed"]
    with pytest.raises(DataError, match="asked for twice"):
        download()
    store.hold = True
    thread = threading.Thread(target=lambda: download(variables=["temperature"]), daemon=True)
    thread.start()
    wait_for(lambda: len(store.submissions) == 3)
    store.hold = False
    thread.join(30)
    assert store.submissions[2]["variable"] == ["2m_temperature"]


def test_a_request_at_another_store_is_not_taken_up(download, store, log) -> None:
    store.key_expires_after = 2
    with pytest.raises(DataError, match="is kept"):
        download()
    with ClimateDataStoreServer(netcdf) as other:
        download(url=other.url)
        assert len(other.submissions) == 1
    assert "taking up" not in log.text


@pytest.mark.timeout(60)
def test_two_processes_do_not_fetch_the_same_year(download, store, tmp_path: Path) -> None:
    store.hold = True
    store.files = {2003: netcdf(request_of(2003, ALL))}
    other = in_another_process(store, tmp_path, 2003)
    wait_for(lambda: store.submissions)
    with pytest.raises(DataError, match=r"2003: another process is downloading it into .*Wait for that to end"):
        download(target=tmp_path / "other.nc")
    store.hold = False
    other.join(60)
    assert other.exitcode == 0


def test_a_request_that_the_store_has_forgotten_is_made_anew(download, store, log) -> None:
    store.key_expires_after = 3
    with pytest.raises(DataError):
        download()
    store.key_expires_after = None
    store.jobs.clear()
    download()
    assert len(store.submissions) == 2
    assert "has no request" in log.text


def test_a_file_that_the_store_no_longer_keeps_is_requested_anew(download, store) -> None:
    store.outcomes = ["expired"]
    download()
    assert len(store.submissions) == 2
    store.faults["asset head"] = [404]
    download(2004)
    assert len(store.submissions) == 4


# Too large.


def test_a_year_that_costs_too_much_comes_in_parts_and_is_one_file(download, store, log, tmp_path: Path) -> None:
    store.months_at_most = 4
    store.files = lambda request: zipped(netcdf(request)) if request["month"][0] == "01" else netcdf(request)
    facts = download(requests_at_once=2)
    assert [request["month"] for request in store.submissions] == [
        ["01", "02", "03"],
        ["04", "05", "06"],
        ["07", "08", "09"],
        ["10", "11", "12"],
    ]
    assert store.most_in_flight <= 2
    target = tmp_path / "era5_land_2003.nc"
    with zipfile.ZipFile(target) as archive:
        members = archive.infolist()
    assert all(member.compress_type == zipfile.ZIP_STORED and member.filename.endswith(".nc") for member in members)
    assert len(members) == 4
    assert open_climate_year(target).sizes["time"] == 12
    assert facts["stored_as"] == "one uncompressed zip of 4 deliveries"
    assert [part["months"][0] for part in facts["parts"]] == ["2003-01", "2003-04", "2003-07", "2003-10"]
    assert len(facts["request_ids"]) == 4
    assert "2003-01 to 2003-12 cost too much in one request: asking for the halves" in log.text
    assert left_in(tmp_path) == {"era5_land_2003.nc"}


def test_a_killed_download_in_parts_keeps_what_it_has(download, store, tmp_path: Path) -> None:
    store.months_at_most = 6
    store.outcomes = ["successful", "failed", "failed"]
    with pytest.raises(DataError, match="2003-07 to 2003-12"):
        download()
    assert len([part for part in state(tmp_path)["parts"] if part["file"]]) == 1
    assert not (tmp_path / "era5_land_2003.nc").exists()
    download()
    assert [request["month"][0] for request in store.submissions] == ["01", "07", "07", "07"]
    assert open_climate_year(tmp_path / "era5_land_2003.nc").sizes["time"] == 12


def test_a_month_that_still_costs_too_much_is_told(download, store, tmp_path: Path) -> None:
    store.months_at_most = 0
    with pytest.raises(DataError, match=r"too large .*cost limits exceeded"):
        download()
    assert store.submissions == []


# Refusals.


@pytest.mark.parametrize("which", ["licence_accepted", "policies_accepted"])
def test_a_licence_that_is_not_accepted_is_told_with_its_address_and_not_tried_again(
    download, store, tmp_path: Path, which: str
) -> None:
    setattr(store, which, False)
    address = r"datasets/reanalysis-era5-land-monthly-means\?tab=download#manage-licences, then run"
    with pytest.raises(DataError, match=f"has not accepted the licence .*{address}"):
        download(ahead=[2004])
    assert store.asked("execution") == 1
    assert left_in(tmp_path) == set()


def test_a_refused_key_is_told_with_where_it_came_from(download, store, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"2003: ~/\.cdsapirc: .*refuses the key .*401.*how-to-api"):
        download(key="11112222-3333-4444")
    assert store.asked("execution") == 1
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("calls", [2, 7])
def test_a_key_that_expires_half_way_keeps_the_request(download, store, tmp_path: Path, calls: int) -> None:
    store.key_expires_after = calls
    store.polls = 3
    with pytest.raises(DataError, match=r"refuses the key .*is kept: the same command takes it up again") as caught:
        download()
    (request_id,) = store.jobs
    assert request_id in str(caught.value)
    assert left_in(tmp_path) == set()
    store.key_expires_after = None
    download()
    assert len(store.submissions) == 1


def test_another_store_is_told_from_this_one(download, store) -> None:
    store.faults["process"] = [404]
    with pytest.raises(DataError, match=r"Expected the address https://cds\.climate\.copernicus\.eu/api"):
        download()


def test_a_log_in_page_in_place_of_the_store_is_told(download, store) -> None:
    store.faults["execution"] = ["html"]
    with pytest.raises(DataError, match=r"did not answer .* as the Climate Data Store does\. Check the address"):
        download()


def test_nobody_at_the_address_is_told(download, store) -> None:
    store.stop()
    with pytest.raises(DataError, match=r"cannot be reached for .*: connection refused\. Check the network"):
        download()


# Requests that fail.


def test_a_failed_request_is_made_once_more(download, store, log) -> None:
    store.outcomes = ["failed"]
    download()
    assert len(store.submissions) == 2
    assert "came to nothing: The job has failed; The job failed with: MultiAdaptorNoDataError; submitting" in log.text


@pytest.mark.parametrize(
    ("outcome", "words"),
    [("failed", "MultiAdaptorNoDataError"), ("rejected", "selection is not allowed"), ("dismissed", "dismissed")],
)
def test_a_request_that_fails_twice_is_told_with_its_reason_and_id(
    download, store, tmp_path: Path, outcome: str, words: str
) -> None:
    store.outcomes = [outcome, outcome]
    with pytest.raises(DataError, match=f"2003-01 to 2003-12: request .*{words}.*asked for twice") as caught:
        download()
    assert list(store.jobs)[1] in str(caught.value)
    assert len(store.submissions) == 2
    assert left_in(tmp_path) == set()
    download()
    assert len(store.submissions) == 3


def test_a_server_that_repeats_the_key_does_not_give_it_away(download, store, log) -> None:
    store.outcomes = ["failed", "failed"]
    store.reason = f"no such user: {store.key}"
    with pytest.raises(DataError, match=r"no such user: \(key\)"):
        download()
    assert "no such user: (key)" in log.text


def test_a_full_queue_is_waited_for(download, store, log) -> None:
    store.outcomes = ["queue full", "queue full"]
    download()
    assert len(store.submissions) == 3
    assert "the queue is full for this account" in log.text


def test_a_queue_that_stays_full_is_told(download, store) -> None:
    store.outcomes = ["queue full"] * 9
    with pytest.raises(DataError, match=r"rejected 2 requests .*temporarily limited.*requests_at_once to less"):
        download(attempts=2)
    assert len(store.submissions) == 2


# A bad line.


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("kind", ["execution", "job", "results", "asset"])
def test_a_busy_server_is_tried_again(download, store, log, kind: str, status: int) -> None:
    store.faults[kind] = [status, status]
    download()
    assert len(store.submissions) == 1
    assert f"{status}" in log.text


@pytest.mark.parametrize("kind", ["job", "asset"])
def test_a_server_that_stays_busy_is_told_and_the_request_kept(download, store, tmp_path: Path, kind: str) -> None:
    store.faults[kind] = [503] * 20
    with pytest.raises(DataError, match=r"(?s)503.* is kept"):
        download(attempts=2)
    assert left_in(tmp_path) == set()
    store.faults.clear()
    download()
    assert len(store.submissions) == 1


def test_a_cut_transfer_goes_on_where_it_stood(download, store, tmp_path: Path) -> None:
    content = netcdf(request_of(2003, ALL), cells=80)
    store.files = {2003: content}
    store.faults["asset"] = [None, "cut:500000", None, "cut:300000"]
    download()
    assert (tmp_path / "era5_land_2003.nc").read_bytes() == content
    assert sum(store.served.values()) < 1.5 * len(content)


def test_a_killed_transfer_goes_on_where_it_stood(download, store, tmp_path: Path) -> None:
    content = netcdf(request_of(2003, ALL), cells=80)
    store.files = {2003: content}
    store.faults["asset"] = [None, "cut:700000", *[503] * 9]
    with pytest.raises(DataError, match="could not be downloaded"):
        download(attempts=2)
    store.faults.clear()
    download()
    assert (tmp_path / "era5_land_2003.nc").read_bytes() == content
    assert sum(store.served.values()) < 1.5 * len(content)
    assert len(store.submissions) == 1


def test_the_key_does_not_follow_a_redirect_to_another_host(download, store) -> None:
    with ClimateDataStoreServer(netcdf) as stranger:
        elsewhere = stranger.url.replace("127.0.0.1", "localhost")
        store.faults["job"] = [f"to:{elsewhere}/retrieve/v1/jobs/none"]
        with pytest.raises(DataError, match="refuses the key"):
            download()
        assert stranger.asked("job") == 1
        assert stranger.keys == [None]


# Deliveries that are not what was asked for.


def test_a_web_page_in_place_of_the_file_is_told(download, store, tmp_path: Path) -> None:
    store.files = lambda request: HTML
    with pytest.raises(DataError, match=r"(?s)web page .*Request .* is kept"):
        download()
    assert left_in(tmp_path) == set()


def test_a_file_of_another_size_is_requested_anew_and_then_told(download, store, tmp_path: Path) -> None:
    store.size_error = 7
    with pytest.raises(DataError, match=r"has [\d,]+ bytes where the store states [\d,]+\. It was asked for twice"):
        download()
    assert len(store.submissions) == 2
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda request: zipped(netcdf(request, cells=30)[:-5000]), "truncated or damaged"),
        (lambda request: netcdf(request, cells=30)[:-5000], "truncated or damaged"),
        (lambda request: zipped(netcdf(request, cells=30))[:-5000], "the zip is truncated or damaged"),
        (lambda request: zipped(b"GRIB....7777", "data.grib"), "holds no .nc"),
        (lambda request: b"GRIB" + bytes(5000), "GRIB"),
        (lambda request: netcdf(request, lack="t2m"), "t2m .*is absent"),
        (lambda request: netcdf(request | {"month": request["month"][:11]}), "tp lacks 2003-12, which was asked for"),
    ],
    ids=["netcdf cut in a good zip", "netcdf cut", "zip cut", "zip of grib", "grib", "variable", "month"],
)
def test_a_bad_delivery_is_requested_anew_and_then_told(download, store, tmp_path: Path, spoil, words: str) -> None:
    store.files = spoil
    with pytest.raises(DataError, match=f"request .* came to nothing: .*{words}.*It was asked for twice"):
        download()
    assert len(store.submissions) == 2
    assert left_in(tmp_path) == set()
    store.files = netcdf
    download()
    assert open_climate_year(tmp_path / "era5_land_2003.nc").sizes["time"] == 12


def test_a_month_without_any_value_is_told(download, store) -> None:
    def content(request: dict) -> bytes:
        data = deliver(request)
        data["swvl1"][4] = np.nan
        return as_bytes(data)

    store.files = content
    with pytest.raises(DataError, match="swvl1 of 2003-05 holds no value at all"):
        download()


def test_a_zip_within_a_zip_is_flattened(download, store, tmp_path: Path) -> None:
    store.files = lambda request: zipped(zipped(netcdf(request)), "inner.zip")
    download()
    assert open_climate_year(tmp_path / "era5_land_2003.nc").sizes["time"] == 12
