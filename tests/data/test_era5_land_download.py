"""Downloads of ERA5-Land from a server on this machine, through the real client."""

import json
import logging
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from pydantic import SecretStr

from gwsd.data.credentials import Credentials
from gwsd.data.era5_land import VARIABLES, open_era5_land
from gwsd.data.era5_land_download import area_of, download_year, file_name, parse_file_name, request_of
from gwsd.errors import DataError
from tests.data.test_archives import make_zip
from tests.loopback.climate_data_store import ClimateDataStoreServer

SCALES = {"tp": (0.002, "m"), "swvl1": (0.3, "m**3 m**-3"), "t2m": (280.0, "K"), "sp": (90000.0, "Pa")}
WHOLE = request_of(2003)


def dataset(request: dict, cells: int = 4) -> xr.Dataset:
    """What the CDS delivers for a request: few nodes, December preliminary."""
    months = [f"{request['year'][0]}-{month}" for month in request["month"]]
    noise = 1 + 0.01 * np.random.default_rng(0).random((len(months), cells, cells)).astype(np.float32)
    dims, step = ("valid_time", "latitude", "longitude"), np.arange(cells) * 0.1
    fields = {short: (dims, scale * noise, {"units": units}) for short, (scale, units) in SCALES.items()}
    versions = ["0005" if month.endswith("12") else "0001" for month in months]
    nodes = {"latitude": 10.0 - step, "longitude": 20.0 + step, "expver": ("valid_time", versions)}
    return xr.Dataset(fields, coords={"valid_time": np.array(months, dtype="datetime64[ns]"), **nodes})


def netcdf(data: xr.Dataset) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        data.to_netcdf(path := Path(folder) / "delivery.nc")
        return path.read_bytes()


@pytest.fixture
def store():
    with ClimateDataStoreServer(lambda request: netcdf(dataset(request))) as server:
        yield server


@pytest.fixture
def download(store, tmp_path, caplog, capfd):
    """Download 2003; afterwards no file, log or output may contain the key."""
    caplog.set_level(logging.DEBUG)

    def run(key=None, area=None):
        credentials = Credentials(store.api, SecretStr(key or store.key), "~/.cdsapirc")
        target = tmp_path / file_name(2003, area)
        try:
            return download_year(target, 2003, area, credentials, retries=2, backoff_s=0.01)
        finally:
            shown = traceback.format_exc()
            assert (key or store.key) not in shown
            assert "DataError" not in shown or list(tmp_path.iterdir()) == []

    yield run
    shown = capfd.readouterr()
    texts = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert store.key.encode() not in b"".join([*texts, (caplog.text + shown.out + shown.err).encode()])
    assert store.keys_sent_with_files == 0


def test_file_names_state_year_and_area():
    assert area_of([-180, -90, 180, 90]) is None
    area = area_of([-52.0, -6.0, -44.3, 6.25])
    assert area == (6.4, -52.1, -6.1, -44.2)
    assert file_name(2003, area) == "era5_land_2003_6.4_-52.1_-6.1_-44.2.nc"
    for wanted in (area, None):
        assert parse_file_name(f".partial-17-{file_name(2003, wanted)}") == (2003, wanted)
    with pytest.raises(DataError, match=r"era5_land_03\.nc: expected a name like"):
        parse_file_name("era5_land_03.nc")


def test_a_year_is_requested_downloaded_and_described(download, store, tmp_path):
    area = (10.0, 20.0, 9.5, 20.5)
    facts = download(area=area)
    assert store.submissions == [facts["request"]] == [{**WHOLE, "area": list(area)}]
    assert WHOLE["variable"] == [requested for _, requested, _ in VARIABLES.values()]
    assert WHOLE["month"] == [f"{month:02d}" for month in range(1, 13)]
    (path,) = tmp_path.iterdir()
    (climate,) = open_era5_land([path], "2003-01", "2003-12").years
    assert climate.sizes["time"] == 12
    assert (facts["bytes"], facts["doi"]) == (path.stat().st_size, "10.24381/cds.68d2bb30")
    assert facts["preliminary_months"] == ["2003-12"]
    json.dumps(facts)


def test_refusals_are_explained_and_not_retried(download, store):
    with pytest.raises(DataError, match=r"2003: ~/\.cdsapirc: the CDS refuses the key .*401.*how-to-api"):
        download(key="11112222-3333-4444")
    store.licence_accepted = False
    with pytest.raises(DataError, match=r"licence of ERA5-Land is not accepted .*monthly-means\?tab=download#manage"):
        download()
    store.max_months = 0
    with pytest.raises(DataError, match=r"ERA5-Land 2003: the CDS did not fulfil .*cost limits exceeded.*climate_path"):
        download()
    assert store.count("execution") == 3


@pytest.mark.parametrize("outcome", ["failed", "rejected", "dismissed"])
def test_a_request_that_fails_is_reported_with_its_reason_without_the_key(download, store, outcome):
    store.outcomes, store.reason = [outcome], f"no data for {store.key}"
    words = "dismissed" if outcome == "dismissed" else r"no data for \(key\)"
    with pytest.raises(DataError, match=f"did not fulfil the request .*{words}"):
        download()


@pytest.mark.parametrize("kind", ["execution", "jobs", "results", "cache"])
def test_a_busy_server_is_retried(download, store, kind):
    store.failures[kind] = [503, 429]
    download()
    assert len(store.submissions) == 1


def test_a_server_that_stays_busy_or_cannot_be_reached_is_an_error(download, store):
    store.failures["jobs"] = [503] * 9
    with pytest.raises(DataError, match=r"did not fulfil the request .*503"):
        download()
    store.server_close()
    with pytest.raises(DataError, match="cannot be reached: the connection failed"):
        download()


def test_a_cut_transfer_is_resumed_and_its_size_checked(download, store, tmp_path):
    content = netcdf(dataset(WHOLE, cells=160))
    store.deliveries, store.cuts["cache"], store.size_error = {2003: content}, [3_000_000], 7
    with pytest.raises(DataError, match="the transfer is incomplete"):
        download()
    store.size_error = 0
    download()
    assert (tmp_path / "era5_land_2003.nc").read_bytes() == content
    assert str(store.ranges("cache")[1]).startswith("bytes=")


BAD = {
    "web page": (b"<!DOCTYPE html><html><body>Down for maintenance</body></html>", "web page|HTML"),
    "truncated netCDF": (netcdf(dataset(WHOLE, 30))[:-5000], "truncated or damaged"),
    "truncated zip": (make_zip({"a.nc": netcdf(dataset(WHOLE, 30))})[:-5000], "the zip is truncated or damaged"),
    "zip without netCDF": (make_zip({"data.grib": b"GRIB....7777"}), r"no \.nc"),
    "a variable is absent": (netcdf(dataset(WHOLE).drop_vars("t2m")), "t2m .*is absent"),
    "a month is absent": (netcdf(dataset({**WHOLE, "month": WHOLE["month"][:11]})), "lacks 2003-12"),
    "an empty month": (netcdf(dataset(WHOLE).where(dataset(WHOLE)["valid_time.month"] != 5)), "2003-05 has no valid"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_was_not_requested_is_refused(download, store, kind):
    content, words = BAD[kind]
    store.deliveries = {2003: content}
    with pytest.raises(DataError, match=f"2003: .*({words}).*to request 2003 anew"):
        download()


def test_the_script_takes_year_and_area_from_the_file_name(store, tmp_path):
    command = [sys.executable, "-m", "workflow_scripts.download_era5_land", "--log", "log", "--record", "raw/record"]
    command += ["--settings", '{"retries": 1, "backoff_s": 0.01}', "--climate", "raw/era5_land_2003_10_20_9.5_20.5.nc"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), **store.environment()}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "raw/record").read_text())
    assert (record["raw"]["request"]["year"], record["raw"]["request"]["area"]) == (["2003"], [10.0, 20.0, 9.5, 20.5])
    texts = [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert store.key not in "".join([*texts, done.stderr])
