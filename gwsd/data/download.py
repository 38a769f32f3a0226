"""Download the zip of G3P v1.12: resumable, checked, and locked to the checksum of the first download."""

import hashlib
import json
import logging
import os
import re
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from http.client import responses
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import multiurl
import requests
from multiurl.base import NoBar, progress_bar
from multiurl.retry import RETRIABLE

from gwsd.data.archives import list_members
from gwsd.data.storage_files import G3P_DOI, open_g3p
from gwsd.errors import DataError

LOG = logging.getLogger("gwsd.download")
G3P_ZIP = "G3P_v1.12.zip"  # name of the zip in raw_dir, in raw.lock.json and in messages
CHUNK_BYTES = 256 << 10
TIMEOUTS = (20.0, 120.0)  # for the connection and for the next bytes, s
MAX_PAUSE = 120.0  # between two attempts, s
HEADERS = {"Accept-Encoding": "identity"}  # a compressed transfer cannot be resumed


class _Relay(logging.Handler):
    """Passes warnings of multiurl to the job's log, without URL queries and without the text of web pages."""

    def emit(self, record: logging.LogRecord) -> None:
        LOG.info("%s", re.sub(r"\?\S*", "", " ".join(record.getMessage().split()))[:200])


logging.getLogger("multiurl").addHandler(_Relay(logging.WARNING))
logging.getLogger("multiurl").propagate = False


def download_g3p(
    urls: Sequence[str], target: Path, lock: Path, *, retries: int, backoff_s: float, max_bytes: int
) -> dict[str, Any]:
    """Download G3P to `target`, which is written by renaming a complete and checked file.

    A partial download is kept in the same folder as `.part-G3P_v1.12.zip` and resumed by the next call.

    Parameters
    ----------
    urls : sequence of str
        Addresses of the same file, tried in this order.
    lock : Path
        JSON object of file names to checksums (`raw.lock.json`). The first download adds an entry; later ones must
        match it.
    retries, backoff_s
        Further attempts per address after a temporary failure, and the pause before the first of them, s; doubled
        before each further one.
    max_bytes : int
        Limit of the size of the zip, and of what it unpacks to.

    Returns the facts for the record. Raises `DataError` if no address delivers the zip, it is damaged or not G3P, or
    its checksum differs from the lock file's.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".part-{G3P_ZIP}")
    failures = []
    for url in urls:
        try:
            _fetch(url, part, retries=retries, backoff_s=backoff_s, max_bytes=max_bytes)
            _check_zip(part, max_bytes)
            break
        except DataError as error:
            failures.append(f"  {_public_url(url)}: {error}")
    else:
        kept = f"{part.stat().st_size / 1e6:.1f} MB are kept and resumed. " if part.exists() else ""
        raise DataError(
            f"{G3P_ZIP} could not be downloaded:\n" + "\n".join(failures) + f"\n{kept}Check the connection and run "
            "the same command again; if the zip has moved, set downloads.g3p_urls. Or download it by hand from "
            f"https://doi.org/{G3P_DOI} and pass it with --config storage_path=FILE."
        )
    with part.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    facts = {"url": _public_url(url), "bytes": part.stat().st_size, "sha256": sha256}
    now = datetime.now(UTC)
    _check_lock(lock, G3P_ZIP, {**facts, "first_seen": now.date().isoformat()}, part)
    os.replace(part, target)
    page = f"https://doi.org/{G3P_DOI}"
    return {**facts, "doi": G3P_DOI, "licence": f"see {page}", "retrieved": now.isoformat(timespec="seconds")}


def _check_lock(lock: Path, name: str, facts: dict[str, Any], part: Path) -> None:
    """Compare the file `part` with its entry in the lock file; add `facts` as the entry if there is none."""
    try:
        entries = json.loads(lock.read_text() or "{}") if lock.exists() else {}
        entry = entries.get(name, {})
        expected = str(entry["sha256"]) if entry else None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DataError(
            f"{lock}: not a list of checksums. Expected a JSON object with the 'sha256' of each file: restore the "
            "committed version, or remove the file."
        ) from None
    if expected is None:
        temporary = lock.with_name(f".{lock.name}.{os.getpid()}")
        try:
            temporary.write_text(json.dumps({**entries, name: facts}, indent=1, sort_keys=True) + "\n")
            os.replace(temporary, lock)
        except OSError as error:
            problem = f"cannot be written ({error.strerror}), so the checksum of {name} cannot be kept"
            raise DataError(f"{lock}: {problem}. Make it writable, or run in another folder.") from None
    elif expected != facts["sha256"]:
        raise DataError(
            f"{name}: its SHA-256 is {facts['sha256']}, but {lock} has {expected} (first seen "
            f"{entry.get('first_seen', 'at an unknown date')}). Expected the same file. If the publisher has replaced "
            f"it, remove the entry '{name}' from {lock} and run the same command again: results made from the former "
            f"file will differ. Otherwise remove {part} to download it again."
        )


def describe_failure(error: Exception) -> str:
    """Describe an error of requests without its text, which may contain a URL's query or a proxy's password."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code} ({responses.get(response.status_code, 'unknown')})"
    kinds = {
        requests.exceptions.SSLError: "its certificate is not accepted",
        requests.exceptions.ProxyError: "the proxy refused the connection (https_proxy in the environment)",
        requests.Timeout: "the server does not answer in time",
        requests.exceptions.ChunkedEncodingError: "the connection was cut",
        requests.ConnectionError: "the connection failed or was cut",
        AssertionError: "the transfer ended early",
    }
    return next((text for kind, text in kinds.items() if isinstance(error, kind)), type(error).__name__)


def _public_url(url: str) -> str:
    """Return a URL without user, password, query and fragment, for messages and records."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _fetch(url: str, part: Path, *, retries: int, backoff_s: float, max_bytes: int) -> None:
    """Complete the partial download from one address."""
    for attempt in range(retries + 1):
        try:
            head = requests.head(url, headers=HEADERS, allow_redirects=True, timeout=TIMEOUTS)
            head.raise_for_status()
            size = int(head.headers.get("Content-Length", 0))
            if size > max_bytes:
                sizes = f"{size / 1e9:.3g} GB, more than the {max_bytes / 1e9:.3g} GB"
                raise DataError(f"the file has {sizes} of downloads.max_file_gb")
            if size and part.exists() and part.stat().st_size >= size:
                if part.stat().st_size == size:
                    return
                part.unlink()  # of another file
            multiurl.download(
                url,
                str(part),
                resume_transfers=True,
                # multiurl ignores failures of its own HEAD request, and would then overwrite the partial download.
                fake_headers={name.lower(): value for name, value in head.headers.items()},
                http_headers=HEADERS,
                maximum_retries=1,
                timeout=TIMEOUTS,
                chunk_size=CHUNK_BYTES,
                progress_bar=progress_bar if sys.stderr.isatty() else NoBar,
            )
            return
        except (requests.RequestException, AssertionError) as error:
            reason, response = describe_failure(error), getattr(error, "response", None)
            permanent = isinstance(error, requests.exceptions.SSLError) or (
                response is not None and response.status_code not in RETRIABLE
            )
            if permanent or attempt == retries:
                raise DataError(reason if attempt == 0 else f"{reason}, {attempt + 1} attempts") from None
            pause = min(MAX_PAUSE, backoff_s * 2**attempt)
            LOG.info("%s: %s; retry %d of %d in %.0f s", _public_url(url), reason, attempt + 1, retries, pause)
            time.sleep(pause)


def _check_zip(part: Path, max_bytes: int) -> None:
    """Check that the downloaded file is G3P's zip and undamaged; remove it if not."""
    try:
        with part.open("rb") as stream:
            first = stream.read(2048)
        if first.lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"<", b"{")):
            title = re.search(rb"<title[^>]*>([^<]*)", first, re.IGNORECASE)
            text = ascii(title[1].decode("utf-8", "replace").strip()[:60]) if title else "no title"
            raise DataError(f"the server answers with a web page or message ({text}) instead of the zip")
        list_members(part, max_bytes=max_bytes, contents=True)
        open_g3p([part])  # reads every month
    except DataError as error:
        part.unlink()
        raise DataError(str(error).replace(str(part), G3P_ZIP)) from None
