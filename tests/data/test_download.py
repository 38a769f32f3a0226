"""Downloads of G3P from a server on this machine."""

import hashlib
import json

import numpy as np
import pytest
import xarray as xr

from gwsd.data.download import CHUNK_BYTES, download_g3p
from gwsd.errors import DataError
from tests.data.test_archives import make_zip
from tests.loopback.file_server import FileServer

PATH = "/G3P_v1.12.zip"
PART = ".part-G3P_v1.12.zip"
MEMBER = "G3P_v1.12/GWSA/gwsa_g3p_200204_202309_monthly_05_degree_250km_gauss_filtered_gravis.nc"


@pytest.fixture(scope="module")
def netcdf(tmp_path_factory):
    lat, lon = np.arange(59.75, -60, -0.5), np.arange(-59.75, 60, 0.5)
    time = np.array([f"2002-{month:02d}-16" for month in range(4, 10)], dtype="datetime64[ns]")
    values = np.random.default_rng(0).normal(0, 60, (6, len(lat), len(lon))).astype(np.float32)
    both = {"GWSA": values, "uncertainty": np.abs(values)}
    fields = {name: (("time", "lat", "lon"), data, {"units": "mm"}) for name, data in both.items()}
    path = tmp_path_factory.mktemp("g3p") / "gwsa.nc"
    xr.Dataset(fields, coords={"time": time, "lat": lat, "lon": lon}).to_netcdf(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def product(netcdf):
    return make_zip({MEMBER: netcdf, "G3P_v1.12/readme.txt": b"text"})


@pytest.fixture
def server(product):
    with FileServer() as running:
        running.files[PATH] = product
        yield running


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "g3p").mkdir()
    return tmp_path / "g3p"


@pytest.fixture
def fetch(server, folder):
    def run(urls=None, **options):
        terms = {"retries": 2, "backoff_s": 0.01, "max_bytes": 2 * 10**8, **options}
        return download_g3p(urls or [server.url(PATH)], folder / "G3P.zip", folder.parent / "raw.lock.json", **terms)

    return run


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_the_first_download_is_complete_and_locked(server, fetch, folder, product):
    facts = fetch(["http://127.0.0.1:9/G3P_v1.12.zip", server.url("/absent"), server.url(PATH) + "?token=s3cret"])
    assert (facts["url"], facts["bytes"], facts["sha256"]) == (server.url(PATH), len(product), sha256(product))
    assert facts["doi"] == "10.5880/G3P.2024.001"
    assert files(folder) == ["G3P.zip"]
    entry = json.loads((folder.parent / "raw.lock.json").read_text())["G3P_v1.12.zip"]
    assert (entry["sha256"], entry["url"]) == (sha256(product), server.url(PATH))


def test_a_busy_server_that_cuts_the_connection_is_retried_and_the_download_resumed(server, fetch, product):
    server.failures[PATH] = [429, 503]
    server.cuts[PATH] = [600_000]
    assert fetch(retries=4)["sha256"] == sha256(product)
    assert server.ranges(PATH) == [None, f"bytes={2 * CHUNK_BYTES}-"]


def test_a_failed_download_keeps_what_arrived_and_the_next_one_resumes(server, fetch, folder, product):
    server.cuts[PATH] = [600_000]
    with pytest.raises(DataError, match=r"(?s)the connection was cut.*0\.5 MB are kept and resumed"):
        fetch(retries=0)
    assert files(folder) == [PART]
    server.failures[PATH] = [503] * 3
    with pytest.raises(DataError, match=r"HTTP 503 \(Service Unavailable\), 3 attempts"):
        fetch()
    assert fetch()["sha256"] == sha256(product)
    assert server.ranges(PATH)[1:] == [f"bytes={2 * CHUNK_BYTES}-"]


def test_a_part_of_another_file_is_not_mixed_with_this_one(server, fetch, folder, product):
    (folder / PART).write_bytes(b"PK\x03\x04" + bytes(500_000))
    with pytest.raises(DataError, match="the zip is truncated or damaged"):
        fetch()
    assert fetch()["sha256"] == sha256(product)
    (folder / PART).write_bytes(product + b"longer")
    assert fetch()["sha256"] == sha256(product)
    (folder / PART).write_bytes(bytes(1000))
    server.supports_ranges = False
    assert fetch()["sha256"] == sha256(product)


BAD = {
    "web page": (
        lambda _: b"\n<!doctype html><title>Service notice</title>",
        r"web page or message \('Service notice'",
    ),
    "truncated netCDF": (lambda netcdf: make_zip({MEMBER: netcdf[:-9000]}), "truncated or damaged"),
    "damaged member": (
        lambda _: make_zip({"tws.nc": b"abcdef"}).replace(b"abcdef", b"abcdeg", 1),
        "of 'tws.nc' is wrong",
    ),
    "another zip": (lambda _: make_zip({"photos/one.jpg": b"x" * 3000}), "it contains photos/one.jpg"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_not_the_product_is_one_message_and_leaves_nothing(server, fetch, netcdf, folder, kind):
    make, message = BAD[kind]
    server.files[PATH] = make(netcdf)
    with pytest.raises(DataError, match=rf"(?s)G3P_v1.12.zip could not be .*{message}.*storage_path=FILE") as caught:
        fetch()
    assert files(folder) == []
    assert files(folder.parent) == ["g3p"]
    assert ".part-" not in str(caught.value)


def test_a_download_that_is_too_large_is_refused(fetch, folder):
    with pytest.raises(DataError, match=r"more than the 0\.001 GB of downloads\.max_file_gb"):
        fetch(max_bytes=1_000_000)
    assert files(folder) == []


def test_a_download_that_differs_from_the_lock_is_refused_until_the_entry_is_removed(server, fetch, product, folder):
    fetch()
    (folder / "G3P.zip").unlink()
    changed = server.files[PATH] = product[:-2] + b"\x04\x00word"  # a zip with a comment
    message = rf"its SHA-256 is {sha256(changed)}, but .*lock\.json has {sha256(product)} .*remove the entry"
    for _ in range(2):
        with pytest.raises(DataError, match=message):
            fetch()
    assert files(folder) == [PART]
    assert len(server.ranges(PATH)) == 2  # a retry does not transfer it again
    (folder.parent / "raw.lock.json").write_text("{}")
    assert fetch()["sha256"] == sha256(changed)


def test_a_damaged_lock_file_is_named(fetch, folder):
    (folder.parent / "raw.lock.json").write_text('{"G3P_v1.12.zip": {"bytes": 3}}')
    with pytest.raises(DataError, match=r"raw\.lock\.json: not a list of checksums"):
        fetch()
