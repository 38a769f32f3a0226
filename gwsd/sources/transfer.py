"""Fetching one file from the first of its hosts that gives it whole.

`multiurl` streams, asks for the rest of what was begun, and shows the progress. It leaves to its caller what is
here: whether what lies on the disk belongs to the file that the server has now, which errors are worth another
try and when (its own retries do not look at Retry-After, nor go on after a cut), and words for a person.
"""

import contextlib
import hashlib
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from multiurl import Downloader
from tqdm import tqdm

from gwsd.errors import DataError
from gwsd.sources.refusals import Refusal, explain
from gwsd.sources.unfinished import Offer, Part, begun_part

LOG = logging.getLogger("gwsd.transfer")

LOOK_BYTES = 2048
"""Read of a file before it is transferred: enough to tell data from a web page."""

CHUNK_BYTES = 256 << 10
"""Written at a time: the most that a cut connection costs."""

TIMEOUTS = (20.0, 120.0)
"""Longest wait for a connection, and for the next bytes, s."""

LONGEST_PAUSE = 120.0
"""Between tries, s, unless the server asks for more."""

LONGEST_RETRY_AFTER = 900.0
"""A server that asks for more patience is asked again after this, s."""


@dataclass(frozen=True)
class Transferred:
    """A file that arrived whole: where from (without credentials), bytes, SHA-256."""

    url: str
    bytes: int
    sha256: str


Check = Callable[[Path, Transferred], None]
"""Raises `DataError` where a whole file is not what is wanted."""


@dataclass(frozen=True)
class _Terms:
    """What is the same for every address."""

    name: str
    attempts: int
    wait_seconds: float
    largest_bytes: int
    check: Check | None
    progress: bool


class _NotFromHereError(Exception):
    """An address does not give the file; why, in words."""


class _UnsuitedError(_NotFromHereError):
    """What an address gives is not what is wanted."""


class _ChangedError(Exception):
    """The server has another file than the one that was begun."""


class _ShortError(Exception):
    """The transfer ended before the file did."""


def shown(url: str) -> str:
    """Return an address without user, password, query and fragment: what may be printed and kept."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def transfer(
    urls: Sequence[str],
    target: Path,
    *,
    attempts: int,
    wait_seconds: float,
    largest_bytes: int,
    name: str | None = None,
    check: Check | None = None,
    otherwise: str = "",
    progress: bool = True,
) -> Transferred:
    """Fetch a file; nothing stands under the target's name before it is whole and checked.

    A transfer that broke off, in this process or in one that was killed, goes on where it stood if the server
    still has the same file (size, ETag, first bytes). Answers 408, 429 and 5xx, silence and cut connections are
    tried again after a pause that doubles, or as long as the server asks; anything else goes to the next address.

    Parameters
    ----------
    urls : sequence of str
        Addresses of the same file, http or https, tried in this order.
    target : Path
        Written by renaming.
    attempts : int
        Tries an address without progress.
    wait_seconds : float
        Before the second try, s.
    largest_bytes : int
        A larger file is refused.
    name : str, optional
        What messages call the file and what its part is named after; the target's name unless given, which it
        must be where that differs from run to run.
    check : callable, optional
        Given the whole file and what is known of it. A file that it refuses is removed, and fetched anew if it
        was begun earlier, or else from the next address.
    otherwise : str
        What else a person can do, for the message.
    progress : bool
        Show a bar where the screen is a terminal.

    Returns
    -------
    Transferred

    Raises
    ------
    DataError
        If no address gives the file: one message with each address and why. Also if the disk is too small, or
        another process is at it.
    """
    terms = _Terms(name or target.name, attempts, wait_seconds, largest_bytes, check, progress)
    failures: list[str] = []
    unreached = False
    with begun_part(target.with_name(terms.name)) as part:
        for url in urls:
            try:
                arrived = _bring(url, part, terms)
            except _NotFromHereError as error:
                failures.append(f"  {shown(url)}: {error}")
                unreached = unreached or not isinstance(error, _UnsuitedError)
            else:
                os.replace(part.path, target)
                return arrived
        kept = f"; the {part.size / 1e6:.1f} MB that have arrived are kept and continued" if part.size else ""
    advice = [f"Check the connection and run the same command again{kept}."] if unreached else []
    lines = [f"{terms.name} could not be downloaded:", *failures, " ".join([*advice, otherwise]).strip()]
    raise DataError("\n".join(filter(None, lines)))


def _bring(url: str, part: Part, terms: _Terms) -> Transferred:
    """Bring the part to its full size from one address, and check it."""
    while True:
        continued = _fetch(url, part, terms)
        with part.path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        arrived = Transferred(shown(url), part.size, sha256)
        try:
            if terms.check is not None:
                terms.check(part.path, arrived)
        except DataError as error:
            part.remove()
            # What was begun earlier may be at fault, such as another host's copy or a power cut: once more, whole.
            if not continued:
                raise _UnsuitedError(str(error)) from None
            LOG.info("%s: what was begun earlier does not fit; fetching it whole", terms.name)
        else:
            return arrived


def _fetch(url: str, part: Part, terms: _Terms) -> bool:
    """Bring the part to its full size; tell whether it was begun before."""
    tries, furthest = 0, 0
    continued: bool | None = None  # until the host has answered
    address, credentials = _split_credentials(url)
    with requests.Session() as session:
        session.auth = credentials
        # A compressed body has another length, and cannot be continued.
        session.headers["Accept-Encoding"] = "identity"
        session.hooks["response"].append(_refuse)
        while True:
            try:
                offer = _look(session, address)
                begun = part.keep_if_fits(offer)
                continued = begun > 0 if continued is None else continued
                _check_room(part, offer, terms)
                if begun != offer.size:
                    _stream(session, address, part, offer, terms)
                return continued
            except _ChangedError:
                part.remove()
                refusal = Refusal("the file changed while it was transferred", again=True)
            except _ShortError:
                refusal = Refusal("the transfer ended early", again=True)
            except requests.RequestException as error:
                refusal = explain(error, reached=continued is not None)
            tries = 1 if part.size >= furthest + CHUNK_BYTES else tries + 1
            furthest = max(furthest, part.size)
            if not refusal.again or tries >= terms.attempts:
                raise _NotFromHereError(refusal.reason + (f", {tries} times" if tries > 1 else "")) from None
            pause = min(LONGEST_PAUSE, terms.wait_seconds * 2 ** (tries - 1))
            if refusal.retry_after is not None:
                pause = min(LONGEST_RETRY_AFTER, max(pause, refusal.retry_after))
            again = f"trying again in {pause:.0f} s ({tries + 1} of {terms.attempts})"
            LOG.info("%s: %s: %s; %s", terms.name, shown(url), refusal.reason, again)
            time.sleep(pause)


def _look(session: requests.Session, address: str) -> Offer:
    """Ask for the first bytes: they tell what the server has, and that it is no web page."""
    with session.get(address, headers={"Range": f"bytes=0-{LOOK_BYTES - 1}"}, stream=True, timeout=TIMEOUTS) as answer:
        first = next(answer.iter_content(LOOK_BYTES), b"")
    headers = answer.headers
    ranged = answer.status_code == requests.codes.partial_content
    size = headers.get("Content-Range", "").rpartition("/")[2] if ranged else headers.get("Content-Length", "")
    plain = headers.get("Content-Encoding", "identity") == "identity"
    if (sign := first.lstrip(b"\xef\xbb\xbf \r\n\t")[:1]) in (b"<", b"{"):
        title = re.search(rb"<title[^>]*>([^<]*)", first, re.IGNORECASE)
        words = " ".join((title[1] if title else b"").decode("utf-8", "replace").split())
        called = f" ('{words[:60]}')" if words and words.isprintable() else ""
        kind = "web page" if sign == b"<" else "message"
        raise _NotFromHereError(f"answers with a {kind}{called} in place of the file")
    if not first:
        raise _NotFromHereError("the file there is empty")
    whole = int(size) if plain and size.isdigit() else None
    tag = headers.get("ETag") or headers.get("Last-Modified") or ""
    # Where ranges or the size are not known, nothing can be continued.
    return Offer(shown(address), whole, tag if ranged and whole is not None else None, first)


def _check_room(part: Part, offer: Offer, terms: _Terms) -> None:
    if (offer.size or 0) > terms.largest_bytes:
        raise _NotFromHereError(_too_large(f"has {(offer.size or 0) / 1e9:.3g} GB", terms))
    folder = part.path.parent
    free, needed = shutil.disk_usage(folder).free, (offer.size or 0) - part.size
    if needed > free:
        raise DataError(
            f"{terms.name}: {needed / 1e9:.3g} GB are still to come, but the disk of {folder} has {free / 1e9:.3g} GB "
            "free. Free some space, or set raw_dir to a folder on a larger disk."
        )


def _too_large(has: str, terms: _Terms) -> str:
    return f"the file {has}, more than the {terms.largest_bytes / 1e9:.3g} GB that downloads.largest_gb allows"


def _stream(session: requests.Session, address: str, part: Part, offer: Offer, terms: _Terms) -> None:
    """Let multiurl transfer the file, or the rest of it."""

    def bar(*, total: int | None, initial: int = 0, desc: str | None = None) -> Any:
        hidden = None if terms.progress else True  # None: where the screen is no terminal
        return tqdm(
            total=total, initial=initial, desc=terms.name, unit="B", unit_scale=True, leave=False, disable=hidden
        )

    def observe() -> None:
        if part.size > terms.largest_bytes:
            part.remove()
            raise _NotFromHereError(_too_large("is larger", terms))

    known = {} if offer.size is None else {"content-length": str(offer.size)}
    downloader = Downloader(
        address,
        session=session,
        timeout=TIMEOUTS,
        chunk_size=CHUNK_BYTES,
        maximum_retries=1,
        resume_transfers=True,
        # multiurl forgets an error of its HEAD request and would then begin anew; what it would ask is known.
        fake_headers=known if offer.tag is None else {**known, "accept-ranges": "bytes"},
        http_headers={"If-Range": offer.tag} if (offer.tag or "").startswith('"') else {},
        progress_bar=bar,
        observer=observe,
    )
    with contextlib.suppress(AssertionError):  # multiurl's word on the size, which follows in ours
        downloader.download(str(part.path))
    if offer.size is not None and part.size != offer.size:
        raise _ShortError if part.size < offer.size else _ChangedError


def _refuse(answer: requests.Response, **options: Any) -> None:
    """Raise for an answer that is not the one asked for, before multiurl logs its address and its text."""
    if answer.is_redirect:
        return
    answer.raise_for_status()
    asked = re.fullmatch(r"bytes=([1-9]\d*)-", str(answer.request.headers.get("Range", "")))
    got = answer.headers.get("Content-Range", "")
    if asked and not (answer.status_code == requests.codes.partial_content and got.startswith(f"bytes {asked[1]}-")):
        raise _ChangedError


def _split_credentials(url: str) -> tuple[str, tuple[str, str] | None]:
    """Take user and password out of an address: multiurl logs addresses."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _NotFromHereError("it is not an http or https address")
    credentials = requests.utils.get_auth_from_url(url)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return bare, credentials if any(credentials) else None
