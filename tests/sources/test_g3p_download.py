import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import xarray as xr

from gwsd.errors import DataError
from gwsd.sources import archives
from gwsd.sources.g3p import open_storage
from gwsd.sources.g3p_download import download_g3p
from gwsd.sources.lock_file import read_lock
from tests.loopback.file_server import FileServer, closed_port
from tests.sources.test_g3p import SINGLE, make_product, write, zip_folder

ROOT = Path(__file__).resolve().parents[2]
PATH = "/grace/GravIS/G3P/v1.12/G3P_v1.12.zip"
MEMBER = f"G3P_v1.12/GWSA/{SINGLE}"
FACTS = {"url", "doi", "licence", "bytes", "sha256", "retrieved"}


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    """The zip's bytes."""
    folder = tmp_path_factory.mktemp("product")
    write(make_product(), folder / "zipped" / MEMBER)
    (folder / "zipped" / "G3P_v1.12" / "readme.txt").write_text("text")
    return zip_folder(folder / "zipped", folder / "G3P_v1.12.zip").read_bytes()


@pytest.fixture
def server(product):
    with FileServer() as running:
        running.put(PATH, product)
        yield running


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw" / "g3p"
    folder.mkdir(parents=True)
    return folder


def fetch(server, raw, *, urls=None, **options):
    terms = {"attempts": 3, "wait_seconds": 0.02, "largest_bytes": 10**8, "progress": False, **options}
    return download_g3p(urls or [server.url(PATH)], raw / "G3P_v1.12.zip", raw.parent.parent / "raw.lock.json", **terms)


def make_zip(members, folder, compression=zipfile.ZIP_DEFLATED):
    path = folder / "made.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path.read_bytes()


def test_a_first_download_stands_whole_and_its_sum_is_kept(server, raw, product):
    facts = fetch(server, raw)
    lock = raw.parent.parent / "raw.lock.json"
    sha256 = hashlib.sha256(product).hexdigest()
    assert set(facts) == FACTS
    assert (facts["url"], facts["bytes"], facts["sha256"]) == (server.url(PATH), len(product), sha256)
    assert facts["doi"] == "10.5880/G3P.2024.001"
    assert facts["retrieved"].endswith("+00:00")
    assert read_lock(lock)["G3P_v1.12.zip"]["sha256"] == sha256
    assert [path.name for path in raw.iterdir()] == ["G3P_v1.12.zip"]
    (raw / "straight.nc").write_bytes(zipfile.ZipFile(raw / "G3P_v1.12.zip").read(MEMBER))
    xr.testing.assert_identical(open_storage(raw / "G3P_v1.12.zip"), open_storage(raw / "straight.nc"))
    text = lock.read_text()
    fetch(server, raw)  # the same file again
    assert lock.read_text() == text


def test_the_second_host_serves_when_the_first_is_down(server, raw):
    facts = fetch(server, raw, urls=[f"http://127.0.0.1:{closed_port()}{PATH}", server.url(PATH)])
    assert facts["url"] == server.url(PATH)


def test_a_busy_host_that_cuts_the_connection_still_serves(server, raw, product):
    server.fail(PATH, 429, headers={"Retry-After": "0"})
    server.fail(PATH, 503)
    server.cut(PATH, after=len(product) - 1000)
    assert fetch(server, raw, attempts=4)["sha256"] == hashlib.sha256(product).hexdigest()
    assert server.count(PATH) == 6


def broken_netcdf(product, tmp_path):
    with zipfile.ZipFile(io.BytesIO(product)) as archive:
        content = archive.read(MEMBER)
    return make_zip({MEMBER: content[: len(content) * 2 // 3]}, tmp_path)


def damaged_field(product, tmp_path):
    """A file of the right length and with good metadata, of which one compressed block is noise."""
    path = write(make_product(), tmp_path / "made.nc", zlib=True, chunksizes=(1, 40, 60))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = os.urandom(2000)
    return make_zip({MEMBER: bytes(content)}, tmp_path)


def flipped(product, tmp_path):
    content = bytearray(product)
    content[len(product) // 2] ^= 8
    return bytes(content)


def flipped_elsewhere(product, tmp_path):
    """Damage in a compartment that nobody reads."""
    with zipfile.ZipFile(io.BytesIO(product)) as archive:
        members = {"G3P_v1.12/TWS/tws.nc": os.urandom(3000), MEMBER: archive.read(MEMBER)}
    content = bytearray(make_zip(members, tmp_path))
    content[1000] ^= 8
    return bytes(content)


DELIVERIES = {
    "a web page": (
        lambda product, folder: b"<!doctype html><title>Service notice</title>" + b" " * 9000,
        r"answers with a web page \('Service notice'\)",
    ),
    "a member that leaves the folder": (
        lambda product, folder: make_zip({"../evil.nc": b"x", MEMBER: b"y"}, folder),
        r"G3P_v1\.12\.zip: its member '\.\./evil\.nc' leads out of the folder by '\.\.'",
    ),
    "a truncated file in a good zip": (
        broken_netcdf,
        r"G3P_v1\.12\.zip: G3P_v1\.12/GWSA/gwsa\S+: the file is truncated or damaged",
    ),
    "a damaged field in a good zip": (
        damaged_field,
        r"G3P_v1\.12\.zip: G3P_v1\.12/GWSA/gwsa\S+: the file is truncated or damaged",
    ),
    "a truncated zip": (
        lambda product, folder: product[:-5000],
        r"G3P_v1\.12\.zip: the zip is truncated or damaged",
    ),
    "a zip with a flipped bit": (flipped, r"G3P_v1\.12\.zip: the zip is truncated or damaged"),
    "a zip with a flipped bit elsewhere": (
        flipped_elsewhere,
        r"G3P_v1\.12\.zip: the zip is truncated or damaged \(the checksum of 'G3P_v1\.12/TWS/tws\.nc' is wrong\)",
    ),
    "a zip bomb": (
        lambda product, folder: make_zip({MEMBER: bytes(20_000_000)}, folder),
        r"G3P_v1\.12\.zip: the zip unpacks to 0\.02 GB, \d+ times its size",
    ),
    "a zip that unpacks to too much": (
        lambda product, folder: make_zip({f"{k}.nc": os.urandom(1000) * 200 for k in range(600)}, folder),
        r"unpacks to 0\.12 GB, more than the 0\.1 GB that are allowed",
    ),
    "another zip": (
        lambda product, folder: make_zip({"photos/one.jpg": b"x" * 3000}, folder),
        r"holds no \.nc or \.nc4 file .* it holds photos/one\.jpg",
    ),
    "another product": (
        lambda product, folder: make_zip({MEMBER: b"\x89HDF\r\n\x1a\n" + b"x" * 3000}, folder),
        r"gwsa\S+: the file is truncated or damaged",
    ),
}


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_what_is_not_the_product_is_one_message_and_leaves_nothing(
    server, raw, product, tmp_path, delivery, monkeypatch
):
    monkeypatch.setattr(archives, "HARMLESS_BYTES", 1_000_000)
    monkeypatch.setattr(archives, "LARGEST_RATIO", 300)
    make, message = DELIVERIES[delivery]
    server.put(PATH, make(product, tmp_path))
    with pytest.raises(DataError, match=message) as caught:
        fetch(server, raw)
    assert list(raw.iterdir()) == []
    assert not (tmp_path / "raw.lock.json").exists()
    assert list(tmp_path.parent.glob("evil*")) == []
    lines = str(caught.value).splitlines()
    assert lines[0] == "G3P_v1.12.zip could not be downloaded:"
    assert lines[1].startswith(f"  {server.url(PATH)}: ")
    assert lines[2].endswith(
        "Or download it by hand from https://doi.org/10.5880/G3P.2024.001 and give it: --config storage_path=FILE."
    )
    assert len(lines) == 3
    assert ".part-" not in str(caught.value)


def test_a_download_that_differs_from_the_lock_file_names_both_sums(server, raw, product, tmp_path):
    fetch(server, raw)
    (raw / "G3P_v1.12.zip").unlink()
    text = (tmp_path / "raw.lock.json").read_text()
    changed = product[:-2] + b"\x04\x00word"  # a zip with a comment: good, but another
    server.put(PATH, changed)
    sums = [hashlib.sha256(content).hexdigest() for content in (changed, product)]
    message = rf"its SHA-256 is {sums[0]}, but .*raw\.lock\.json has {sums[1]} \(first seen 20.*remove the entry"
    with pytest.raises(DataError, match=message) as caught:
        fetch(server, raw)
    assert "connection" not in str(caught.value)
    assert list(raw.iterdir()) == []
    assert (tmp_path / "raw.lock.json").read_text() == text
    (tmp_path / "raw.lock.json").write_text("{}")
    assert fetch(server, raw)["sha256"] == sums[0]


def run_program(folder, urls, attempts=2):
    settings = {"g3p_urls": urls, "attempts": attempts, "wait_seconds": 0.02, "largest_gb": 1.0, "requests_at_once": 4}
    command = [sys.executable, str(ROOT / "workflow_scripts" / "download_g3p.py"), "--settings", json.dumps(settings)]
    command += ["--zip", "raw/g3p/G3P_v1.12.zip", "--log", "raw/logs/g3p.log"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_program_leaves_the_zip_its_record_and_the_lock_file(server, tmp_path, product):
    done = run_program(tmp_path, [server.url("/nowhere"), server.url(PATH).replace("//", "//user:s3cret@")])
    sha256 = hashlib.sha256(product).hexdigest()
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip().splitlines() == [
        f"G3P v1.12 from {server.url(PATH)}: {len(product) / 1e6:.1f} MB, SHA-256 {sha256}"
    ]
    folder = tmp_path / "raw" / "g3p"
    assert sorted(path.name for path in folder.iterdir()) == ["G3P_v1.12.zip", "G3P_v1.12.zip.record.json"]
    assert read_lock(tmp_path / "raw.lock.json")["G3P_v1.12.zip"]["url"] == server.url(PATH)
    record = (folder / "G3P_v1.12.zip.record.json").read_text()
    assert set(json.loads(record)["raw"]) == FACTS


def test_the_program_goes_on_with_what_a_former_run_began(server, tmp_path):
    # Stored, not deflated, and global: larger than what is written at a time.
    file = write(make_product(("2002-04",), global_grid=True), tmp_path / "made.nc")
    server.put(PATH, make_zip({MEMBER: file.read_bytes()}, tmp_path, zipfile.ZIP_STORED))
    server.cut(PATH, after=1_000_000, times=2)
    server.fail("/other", 503)
    first = run_program(tmp_path, [server.url(PATH), server.url("/other")], attempts=1)
    assert first.returncode == 1
    lines = first.stderr.strip().splitlines()
    assert lines[0] == "error: G3P_v1.12.zip could not be downloaded:"
    assert "the 0.8 MB that have arrived are kept and continued" in lines[-1]
    assert "Traceback" not in first.stderr
    assert sorted(path.name for path in (tmp_path / "raw" / "g3p").iterdir()) == [
        ".part-G3P_v1.12.zip",
        ".part-G3P_v1.12.zip.json",
    ]
    second = run_program(tmp_path, [server.url(PATH)], attempts=2)
    assert second.returncode == 0, second.stderr
    assert "the connection was cut; trying again in 0 s (2 of 2)" in second.stderr
    assert server.ranges(PATH)[3] == "bytes=786432-"
