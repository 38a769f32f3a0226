import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import numpy as np
import pytest

from gwsd.errors import DataError
from gwsd.sources import transfer as module
from gwsd.sources.lock_file import held, read_lock, record, verify
from gwsd.sources.refusals import retry_after
from gwsd.sources.transfer import CHUNK_BYTES, LOOK_BYTES, shown, transfer
from tests.loopback.file_server import Answer, FileServer, closed_port

PATH = "/data/product.zip"
LOOK = f"bytes=0-{LOOK_BYTES - 1}"
CONTENT = np.random.default_rng(1).bytes(1_200_000)
OTHER = np.random.default_rng(2).bytes(1_200_000)


@pytest.fixture
def server():
    with FileServer() as running:
        yield running


@pytest.fixture
def pauses(monkeypatch):
    """Seconds that would have been waited."""
    waited = []
    monkeypatch.setattr(module.time, "sleep", waited.append)
    return waited


def fetch(urls, target, **options):
    terms = {"attempts": 4, "wait_seconds": 5.0, "largest_bytes": 10**9, "progress": False, **options}
    return transfer([urls] if isinstance(urls, str) else urls, target, **terms)


def arrived_whole(folder, target, content=CONTENT):
    assert target.read_bytes() == content
    return [path.name for path in folder.iterdir()] == [target.name]


def test_a_good_server_gives_the_file_and_its_sum(server, tmp_path):
    server.put(PATH, CONTENT)
    done = fetch(server.url(PATH), tmp_path / "product.zip")
    assert done.url == server.url(PATH)
    assert (done.bytes, done.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert arrived_whole(tmp_path, tmp_path / "product.zip")
    assert server.ranges(PATH) == [LOOK, None]


@pytest.mark.parametrize("tag", ["", None, 'W/"weak"'])
def test_a_cut_connection_goes_on_where_it_stood(server, tmp_path, pauses, tag):
    server.put(PATH, CONTENT, tag=tag)
    server.cut(PATH, after=700_000)
    fetch(server.url(PATH), tmp_path / "product.zip")
    assert arrived_whole(tmp_path, tmp_path / "product.zip")
    stood = 700_000 // CHUNK_BYTES * CHUNK_BYTES
    assert server.ranges(PATH) == [LOOK, None, LOOK, f"bytes={stood}-"]
    assert pauses == [5.0]


def test_a_transfer_that_advances_is_never_given_up(server, tmp_path, pauses):
    server.put(PATH, CONTENT)
    server.cut(PATH, after=CHUNK_BYTES + 1000, times=4)
    fetch(server.url(PATH), tmp_path / "product.zip", attempts=2)
    assert arrived_whole(tmp_path, tmp_path / "product.zip")
    assert len(pauses) == 4


def test_a_server_that_knows_no_ranges_begins_anew(server, tmp_path, pauses):
    server.put(PATH, CONTENT, ranges=False)
    server.cut(PATH, after=700_000, times=2)
    fetch(server.url(PATH), tmp_path / "product.zip")
    assert arrived_whole(tmp_path, tmp_path / "product.zip")


def test_a_server_that_tells_no_length_still_gives_the_file(server, tmp_path):
    server.put(PATH, CONTENT, ranges=False, declares_length=False)
    fetch(server.url(PATH), tmp_path / "product.zip")
    assert arrived_whole(tmp_path, tmp_path / "product.zip")


@pytest.mark.parametrize("status", [429, 503, 500])
def test_a_busy_server_is_asked_again_after_pauses_that_double(server, tmp_path, pauses, status, caplog):
    server.put(PATH, CONTENT)
    server.fail(PATH, status, times=3)
    with caplog.at_level(logging.INFO, "gwsd"):
        fetch(server.url(PATH), tmp_path / "product.zip")
    assert arrived_whole(tmp_path, tmp_path / "product.zip")
    assert pauses == [5.0, 10.0, 20.0]
    assert f"HTTP {status}" in caplog.text
    assert "trying again in 10 s (3 of 4)" in caplog.text


def test_a_server_that_says_when_is_asked_then(server, tmp_path, pauses):
    server.put(PATH, CONTENT)
    server.fail(PATH, 429, headers={"Retry-After": "60"})
    server.fail(PATH, 503, headers={"Retry-After": "100000"})
    fetch(server.url(PATH), tmp_path / "product.zip")
    assert pauses == [60.0, module.LONGEST_RETRY_AFTER]


def test_retry_after_is_seconds_or_a_date():
    assert retry_after(None) is None
    assert retry_after("soon") is None
    assert retry_after("7") == 7.0
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)
    assert 48.0 <= retry_after(date) <= 50.0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


def test_an_answer_503_while_resuming_costs_nothing_that_has_arrived(server, tmp_path, pauses):
    server.put(PATH, CONTENT)
    server.cut(PATH, after=700_000)
    target = tmp_path / "product.zip"
    with pytest.raises(DataError, match=r"connection was cut"):
        fetch(server.url(PATH), target, attempts=1)
    stood = (tmp_path / ".part-product.zip").stat().st_size
    server.fail(PATH, 503, times=2)
    fetch(server.url(PATH), target)
    assert server.ranges(PATH)[-1] == f"bytes={stood}-"
    assert arrived_whole(tmp_path, target)


@pytest.mark.parametrize("first", ["refused", "unknown", "absent", "forbidden"])
def test_the_next_host_is_asked_at_once_where_waiting_cannot_help(server, tmp_path, pauses, first):
    server.put(PATH, CONTENT)
    server.fail("/old", 403)
    other = {
        "refused": f"http://127.0.0.1:{closed_port()}{PATH}",
        "unknown": f"http://host.invalid{PATH}",
        "absent": server.url("/nowhere"),
        "forbidden": server.url("/old"),
    }[first]
    done = fetch([other, server.url(PATH)], tmp_path / "product.zip")
    assert done.url == server.url(PATH)
    assert pauses == []
    assert arrived_whole(tmp_path, tmp_path / "product.zip")


def test_the_second_host_goes_on_with_what_the_first_began(tmp_path, pauses):
    with FileServer() as one, FileServer() as other:
        one.put(PATH, CONTENT, tag='"one"')
        one.cut(PATH, after=700_000, times=9)
        other.put(PATH, CONTENT, tag='"other"')
        fetch([one.url(PATH), other.url(PATH)], tmp_path / "product.zip", attempts=1)
        assert arrived_whole(tmp_path, tmp_path / "product.zip")
        assert other.ranges(PATH)[-1] == f"bytes={700_000 // CHUNK_BYTES * CHUNK_BYTES}-"


def test_when_all_hosts_fail_one_message_names_each_and_why(server, tmp_path, pauses):
    server.put(PATH, CONTENT)
    server.fail(PATH, 503, times=99)
    refused = f"http://127.0.0.1:{closed_port()}{PATH}"
    urls = [server.url("/nowhere"), refused, server.url(PATH)]
    with pytest.raises(DataError) as caught:
        fetch(urls, tmp_path / "product.zip", otherwise="Or take it from a friend.")
    assert str(caught.value).splitlines() == [
        "product.zip could not be downloaded:",
        f"  {urls[0]}: HTTP 404 (Not Found)",
        f"  {refused}: connection refused",
        f"  {urls[2]}: HTTP 503 (Service Unavailable), 4 times",
        "Check the connection and run the same command again. Or take it from a friend.",
    ]
    assert list(tmp_path.iterdir()) == []


def test_what_has_arrived_is_kept_for_the_next_run_and_said(server, tmp_path, pauses):
    server.put(PATH, CONTENT)
    server.cut(PATH, after=700_000)
    with pytest.raises(DataError, match=r"cut\nCheck .*; the 0\.5 MB that have arrived are kept and continued\."):
        fetch(server.url(PATH), tmp_path / "product.zip", attempts=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".part-product.zip", ".part-product.zip.json"]
    fetch(server.url(PATH), tmp_path / "product.zip")
    assert server.ranges(PATH)[-1] == f"bytes={700_000 // CHUNK_BYTES * CHUNK_BYTES}-"
    assert arrived_whole(tmp_path, tmp_path / "product.zip")


OTHER_TAIL = CONTENT[:600_000] + OTHER[600_000:]


@pytest.mark.parametrize(
    ("tag", "changed"),
    [
        ("", OTHER_TAIL),  # told by its tag alone
        ('"unchanged"', OTHER_TAIL[:-1000]),  # by its size
        (None, OTHER_TAIL[:-1000]),
        ('"unchanged"', OTHER),  # by its first bytes
        (None, OTHER),
    ],
)
def test_a_file_that_changed_meanwhile_is_fetched_whole(server, tmp_path, pauses, tag, changed):
    server.put(PATH, CONTENT, tag=tag)
    server.cut(PATH, after=700_000)
    with pytest.raises(DataError, match="cut"):
        fetch(server.url(PATH), tmp_path / "product.zip", attempts=1)
    server.put(PATH, changed, tag=tag)
    fetch(server.url(PATH), tmp_path / "product.zip")
    assert server.ranges(PATH)[-2:] == [LOOK, None]
    assert arrived_whole(tmp_path, tmp_path / "product.zip", changed)


def test_a_server_that_sends_another_range_than_was_asked_for_is_not_believed(server, tmp_path, pauses):
    server.put(PATH, CONTENT)
    server.cut(PATH, after=700_000)
    good = server.handlers[PATH]

    def answer(request):
        if request.range in (None, LOOK):
            return good(request)
        rest = len(CONTENT) - int(request.range[6:-1])
        return Answer(CONTENT[:rest], 206, {"Content-Range": f"bytes 0-{rest - 1}/{len(CONTENT)}"})

    server.handle(PATH, answer)
    fetch(server.url(PATH), tmp_path / "product.zip")
    assert arrived_whole(tmp_path, tmp_path / "product.zip")


def test_a_file_that_changes_between_the_look_and_the_rest_is_fetched_whole(server, tmp_path, pauses):
    server.put(PATH, CONTENT)
    server.cut(PATH, after=700_000)
    with pytest.raises(DataError, match="cut"):
        fetch(server.url(PATH), tmp_path / "product.zip", attempts=1)
    before = server.handlers[PATH]

    def change(request):
        server.put(PATH, OTHER)
        return before(request)

    server.handle(PATH, change)
    fetch(server.url(PATH), tmp_path / "product.zip")
    assert arrived_whole(tmp_path, tmp_path / "product.zip", OTHER)


def test_a_part_without_its_note_is_not_trusted(server, tmp_path):
    server.put(PATH, CONTENT)
    (tmp_path / ".part-product.zip").write_bytes(CONTENT[:1000] + b"x" * 300_000)
    fetch(server.url(PATH), tmp_path / "product.zip")
    assert arrived_whole(tmp_path, tmp_path / "product.zip")


def test_a_begun_part_that_is_refused_is_fetched_whole(server, tmp_path, pauses):
    server.put(PATH, CONTENT)
    server.cut(PATH, after=700_000)
    with pytest.raises(DataError, match="cut"):
        fetch(server.url(PATH), tmp_path / "product.zip", attempts=1)
    part = tmp_path / ".part-product.zip"
    part.write_bytes(CONTENT[:5000] + bytes(part.stat().st_size - 5000))  # as after a power cut

    def check(path, arrived):
        if path.read_bytes() != CONTENT:
            raise DataError("it is spoilt")

    fetch(server.url(PATH), tmp_path / "product.zip", check=check)
    assert arrived_whole(tmp_path, tmp_path / "product.zip")
    assert server.ranges(PATH)[-1] is None


def test_a_file_that_is_refused_is_removed_and_the_next_host_asked(server, tmp_path):
    server.put("/bad", OTHER)
    server.put(PATH, CONTENT)

    def check(path, arrived):
        if arrived.sha256 != hashlib.sha256(CONTENT).hexdigest():
            raise DataError("it is spoilt")

    done = fetch([server.url("/bad"), server.url(PATH)], tmp_path / "product.zip", check=check)
    assert done.url == server.url(PATH)
    with pytest.raises(DataError, match=r"^other\.zip could not be downloaded:\n  http\S+/bad: it is spoilt$"):
        fetch(server.url("/bad"), tmp_path / "other.zip", check=check)
    assert arrived_whole(tmp_path, tmp_path / "product.zip")


KILLED = """
import sys
from pathlib import Path
from gwsd.sources.transfer import transfer
transfer([sys.argv[1]], Path(sys.argv[2]), attempts=1, wait_seconds=1, largest_bytes=10**9, name="product.zip")
"""


def test_a_killed_process_is_continued_by_the_next(server, tmp_path):
    server.put(PATH, CONTENT, bytes_per_second=800_000)
    part, target = tmp_path / ".part-product.zip", tmp_path / "product.zip"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, server.url(PATH), str(tmp_path / ".partial-1-product.zip")]
    )
    try:
        deadline = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size >= 2 * CHUNK_BYTES):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with pytest.raises(DataError, match=r"product\.zip: another process is downloading it"):
            fetch(server.url(PATH), target)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    stood = part.stat().st_size
    assert not target.exists()
    server.put(PATH, CONTENT)
    fetch(server.url(PATH), target)
    assert server.ranges(PATH)[-1] == f"bytes={stood}-"
    assert arrived_whole(tmp_path, target)


@pytest.mark.parametrize("content_type", ["text/html", "application/zip"])
def test_a_web_page_in_place_of_a_file_is_named_and_costs_nothing_that_has_arrived(
    server, tmp_path, pauses, content_type
):
    server.put(PATH, CONTENT)
    server.cut(PATH, after=700_000)
    with pytest.raises(DataError, match="cut"):
        fetch(server.url(PATH), tmp_path / "product.zip", attempts=1)
    page = b"\n<!DOCTYPE html><html><head><title>Down for\n maintenance</title>"
    server.put(PATH, page, content_type=content_type)
    with pytest.raises(DataError, match=r"answers with a web page \('Down for maintenance'\) in place of the file"):
        fetch(server.url(PATH), tmp_path / "product.zip")
    assert not (tmp_path / "product.zip").exists()
    assert (tmp_path / ".part-product.zip").read_bytes() == CONTENT[: 2 * CHUNK_BYTES]


def test_a_message_or_nothing_in_place_of_a_file_is_named(server, tmp_path):
    server.put(PATH, b'{"error": "quota"}')
    with pytest.raises(DataError, match=r"answers with a message in place of the file"):
        fetch(server.url(PATH), tmp_path / "product.zip")
    server.put(PATH, b"", ranges=False)
    with pytest.raises(DataError, match=r"the file there is empty"):
        fetch(server.url(PATH), tmp_path / "product.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_file_beyond_the_bound_is_refused(server, tmp_path):
    for declares in (True, False):
        server.put(PATH, CONTENT, ranges=declares, declares_length=declares)
        with pytest.raises(DataError, match=r"more than the 0\.001 GB that downloads\.largest_gb allows"):
            fetch(server.url(PATH), tmp_path / "product.zip", largest_bytes=1_000_000)
        assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_too_small_is_said_before_anything_is_transferred(server, tmp_path, monkeypatch):
    server.put(PATH, CONTENT)
    usage = module.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda folder: usage._replace(free=1_000_000))
    with pytest.raises(DataError, match=r"product\.zip: 0\.0012 GB are still to come, but the disk of .* 0\.001 GB"):
        fetch([server.url(PATH)] * 2, tmp_path / "product.zip")
    assert server.ranges(PATH) == [LOOK]


def test_credentials_are_used_and_never_told(server, tmp_path, pauses, caplog, capfd):
    given = server.url(PATH).replace("http://", "http://someone:s3cret@") + "?token=t0ken"
    server.put(PATH, CONTENT)
    server.cut(PATH, after=700_000)
    with caplog.at_level(logging.DEBUG):
        done = fetch(given, tmp_path / "product.zip")
        server.fail(PATH, 401)
        with pytest.raises(DataError) as caught:
            fetch(given, tmp_path / "other.zip")
        server.fail(PATH, 500, times=9)
        with pytest.raises(DataError):
            fetch(given, tmp_path / "another.zip")
        with pytest.raises(DataError):
            fetch(f"http://someone:s3cret@127.0.0.1:{closed_port()}/?token=t0ken", tmp_path / "third.zip")
    assert server.requests[0].headers["Authorization"].startswith("Basic ")
    assert server.requests[0].query == "token=t0ken"
    assert shown(given) == done.url == server.url(PATH)
    ours = "".join(record.getMessage() for record in caplog.records if record.name.startswith("gwsd"))
    everything = caplog.text + "".join(capfd.readouterr()) + str(caught.value)
    assert "s3cret" not in everything
    assert "t0ken" not in ours + str(caught.value)


@pytest.mark.parametrize("url", ["ftp://host/x.zip", "/a/file.zip", "", "http://"])
def test_an_address_that_is_none_is_said(tmp_path, url):
    with pytest.raises(DataError, match=r"it is not an http or https address"):
        fetch(url, tmp_path / "product.zip")


def test_the_lock_file_keeps_the_first_sum_and_refuses_another(tmp_path):
    lock = tmp_path / "raw.lock.json"
    first, other = "a" * 64, "b" * 64
    assert not verify(lock, "z.zip", first)
    record(lock, "z.zip", sha256=first, size=7, url="https://one/z.zip")
    record(lock, "a.zip", sha256=other, size=8, url="https://one/a.zip")
    text = lock.read_text()
    assert list(json.loads(text)) == ["a.zip", "z.zip"]
    today = datetime.now(UTC).date().isoformat()
    assert read_lock(lock)["z.zip"] == {"sha256": first, "bytes": 7, "url": "https://one/z.zip", "first_seen": today}
    assert verify(lock, "z.zip", first)
    record(lock, "z.zip", sha256=first, size=7, url="https://two/z.zip")
    message = rf"z\.zip: its SHA-256 is {other}, but .*raw\.lock\.json has {first} \(first seen {today}, from"
    with pytest.raises(DataError, match=message + r".*remove the entry 'z\.zip' from .*raw\.lock\.json"):
        record(lock, "z.zip", sha256=other, size=7, url="https://one/z.zip")
    assert lock.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == [lock.name]


@pytest.mark.parametrize("text", ["{", "[1]", '{"z.zip": {"bytes": 3}}', '{"z.zip": {"sha256": "short"}}', "3"])
def test_a_lock_file_that_is_none_is_said(tmp_path, text):
    lock = tmp_path / "raw.lock.json"
    lock.write_text(text)
    with pytest.raises(DataError, match=r"raw\.lock\.json: it does not read as a list of checksums.*git checkout"):
        verify(lock, "z.zip", "a" * 64)


WRITER = """
import sys
from pathlib import Path
from gwsd.sources.lock_file import record
for k in range(40):
    record(Path(sys.argv[1]), f"{sys.argv[2]}{k:02d}.zip", sha256="c" * 64, size=1, url="https://one")
"""


def test_jobs_that_write_the_lock_file_at_once_lose_nothing(tmp_path):
    lock = tmp_path / "raw.lock.json"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(lock), name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(read_lock(lock)) == 120


def test_a_lock_is_free_when_its_holder_is_dead(tmp_path):
    path = tmp_path / "file"
    with held(path), pytest.raises(BlockingIOError), held(path, wait=False):
        pass
    with held(path, wait=False) as descriptor:
        assert descriptor > 0
