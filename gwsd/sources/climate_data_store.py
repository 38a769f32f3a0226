"""The Climate Data Store through ECMWF's client: submit, look, fetch; each mishap is told in one message.

The client's objects show the key when they are printed, so none of them leaves this module, and every text of the
client or of the server is stripped of the key before it is passed on.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import requests
from ecmwf.datastores import Client
from ecmwf.datastores.processing import LinkError, ProcessingFailedError, Remote

from gwsd.errors import DataError
from gwsd.sources.credentials import HOW_TO, STORE_URL, Credentials
from gwsd.sources.era5_land_request import LICENCE_ID, LICENCE_PAGE, Request
from gwsd.sources.refusals import explain
from gwsd.sources.transfer import Transferred, transfer

LOG = logging.getLogger("gwsd.climate_data_store")
TIMEOUT_SECONDS = 60.0
LONGEST_WAIT = 12
"""Longest pause between two tries or two looks, in first pauses."""

LARGEST_BYTES = 60_000_000_000
"""A larger delivery is refused; a year of the globe has about 1.2 GB."""

Answer = TypeVar("Answer")


class StoreError(DataError):
    """The store cannot be used as things are."""


class UnreachableError(StoreError):
    """The store does not answer, or only that it is busy."""


class CostLimitError(StoreError):
    """The request is too large; smaller ones may pass."""


class UnknownRequestError(StoreError):
    """The store knows no such request, or not any more."""


class FailedRequestError(StoreError):
    """The store gave a request up, or delivered what cannot be used; the message is the reason alone."""


class QueueFullError(FailedRequestError):
    """The store takes no more requests of this account for now."""


class ClimateDataStore:
    """A person's access to the store.

    Parameters
    ----------
    credentials : Credentials
        Address and key.
    attempts : int
        Tries of a call, or of a transfer that gets no further, before it is given up.
    wait_seconds : float
        Pause before the second try; doubled before each further one up to `LONGEST_WAIT` times.
    timeout : float
        Seconds that the server may keep silent.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        attempts: int = 8,
        wait_seconds: float = 5.0,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self.credentials = credentials
        self.attempts = attempts
        self.wait_seconds = wait_seconds
        self.timeout = timeout
        self._hide = credentials.key.hide
        self._remotes: dict[str, Remote] = {}
        # The client greets the catalogue when it is made and only warns where that fails: once is enough.
        with warnings.catch_warnings(), self._relayed():
            warnings.simplefilter("ignore")
            self._client = Client(
                url=credentials.url,
                key=credentials.key.reveal(),
                timeout=timeout,
                progress=False,
                maximum_tries=1,
                session=_Session(),
                log_callback=self._log,
            )
        self._client.maximum_tries = attempts
        # First and longest pause, and their growth: multiurl's retries, which the client uses, take all three.
        pauses: Any = (wait_seconds, LONGEST_WAIT * wait_seconds, 2.0) if wait_seconds > 0 else 0.0
        self._client.retry_after = pauses

    @property
    def url(self) -> str:
        """Address of the store."""
        return self.credentials.url

    def submit(self, dataset: str, request: Request) -> str:
        """Put a request into the store's queue and return its id.

        Raises
        ------
        CostLimitError
            If it is too large.
        DataError
            If the key or the request is refused, a licence is not accepted, or the store cannot be reached.
        """
        remote = self._call(lambda: self._client.submit(dataset, request), f"the request of {dataset}")
        self._remotes[remote.request_id] = remote
        return str(remote.request_id)

    def is_ready(self, request_id: str) -> bool:
        """Whether a request's file can be fetched.

        Raises
        ------
        UnknownRequestError
            If the store does not know the request.
        FailedRequestError, QueueFullError
            If the store gave it up.
        DataError
            If the key is refused or the store cannot be reached.
        """
        return self._call(lambda: self._remote(request_id).results_ready, _named(request_id), request_id)

    def status(self, request_id: str) -> str:
        """Return what the last look at a request said: accepted, running, successful …."""
        return str(getattr(self._remotes.get(request_id), "last_status", None) or "accepted")

    def fetch(
        self, request_id: str, target: Path, check: Callable[[Path], None], *, progress: bool = False
    ) -> Transferred:
        """Fetch a ready request's file; what an earlier process had of it is continued.

        Parameters
        ----------
        request_id : str
            As `submit` returned it.
        target : Path
            Written by renaming, when the file has the size that the store states and `check` has passed.
        check : callable
            Raises `DataError` where the file is not what was asked for.
        progress : bool
            Show a bar where the screen is a terminal.

        Raises
        ------
        UnknownRequestError
            If the store does not keep the file any more.
        FailedRequestError
            If the file is not what was asked for.
        DataError
            If the transfer breaks off too often, or a web page comes in place of the file.
        """
        results = self._call(lambda: self._remote(request_id).get_results(), _named(request_id), request_id)
        url, size = self._call(lambda: (results.location, results.content_length), _named(request_id), request_id)
        self._check_kept(url, request_id)
        problems: list[str] = []

        def check_all(part: Path, arrived: Transferred) -> None:
            try:
                if arrived.bytes != size:
                    raise DataError(f"it has {arrived.bytes:,} bytes where the store states {size:,}")
                check(part)
            except DataError as error:
                problems.append(str(error).replace(str(part), "the file"))
                raise

        # Not the client's own download: it begins at zero whenever it is called anew, takes a refusal for the file,
        # and ends in a bare assertion where the size is wrong. Files lie on another host and need no key.
        try:
            return transfer(
                [url],
                target,
                attempts=self.attempts,
                wait_seconds=self.wait_seconds,
                largest_bytes=LARGEST_BYTES,
                check=check_all,
                progress=progress,
            )
        except DataError as error:
            if problems:
                raise FailedRequestError(problems[-1]) from None
            raise StoreError(f"{error} Request {request_id} is kept: it is not made anew.") from None

    def check_key(self) -> None:
        """Ask the store whether it takes the key.

        Raises
        ------
        DataError
            If it does not, or cannot be reached.
        """
        self._call(self._client.check_authentication, "the check of the key")

    def licence_accepted(self) -> bool:
        """Whether the key's account has accepted the licence of ERA5-Land."""
        accepted = self._call(self._client.get_accepted_licences, "the list of accepted licences")
        return any(licence.get("id") == LICENCE_ID for licence in accepted)

    def _remote(self, request_id: str) -> Remote:
        if request_id not in self._remotes:
            self._remotes[request_id] = self._client.get_remote(request_id)
        return self._remotes[request_id]

    def _check_kept(self, url: str, request_id: str) -> None:
        """Results stay listed for a while after their files are gone."""
        try:
            status = requests.head(url, timeout=self.timeout, allow_redirects=True).status_code
        except requests.RequestException:
            return  # the transfer will tell
        if status in (404, 410):
            raise UnknownRequestError(
                f"The Climate Data Store does not keep the file of {_named(request_id)} any more."
            )

    def _call(self, function: Callable[[], Answer], about: str, request_id: str | None = None) -> Answer:
        """Ask the store, and tell what goes wrong."""
        try:
            with self._relayed():
                return function()
        except requests.HTTPError as error:
            raise self._explained(error, about, request_id) from None
        except ProcessingFailedError as error:
            raise FailedRequestError(self._hide(_one_line(str(error)))) from None
        # ValueError is what requests raises, too, for text that is no JSON.
        except (ValueError, KeyError, AssertionError, TypeError, LinkError):
            raise StoreError(
                f"{self.url} did not answer {about} as the Climate Data Store does. Check the address (expected "
                f"{STORE_URL}), and that no log-in page of the network is in between.{_kept(request_id)}"
            ) from None
        except requests.RequestException as error:
            raise UnreachableError(
                f"The Climate Data Store at {self.url} cannot be reached for {about}: "
                f"{explain(error, reached=False).reason}. Check the network, or try later.{_kept(request_id)}"
            ) from None

    def _explained(self, error: requests.HTTPError, about: str, request_id: str | None) -> StoreError:
        """Turn the server's refusal into the message for a person."""
        assert error.response is not None  # the client raises it for an answer
        status, said = error.response.status_code, self._hide(_said(error.response))
        words = said.lower()
        answer = f"HTTP {status}: {said}" if said else f"HTTP {status}"
        if status == 401:
            return StoreError(
                f"{self.credentials.origin}: the Climate Data Store refuses the key ({answer}). It may have expired or "
                f"been replaced: put the token that {HOW_TO} shows there.{_kept(request_id)}"
            )
        if status == 403 and ("cost limit" in words or "too large" in words):
            return CostLimitError(f"The Climate Data Store finds {about} too large ({answer}).")
        if status == 403 and any(word in words for word in ("licence", "license", "policies")):
            return StoreError(
                f"The key's account has not accepted the licence of ERA5-Land ({answer}). Log in and accept it, once, "
                f"at {LICENCE_PAGE}, then run the same command again."
            )
        if request_id is not None and status in (403, 404):
            return UnknownRequestError(f"The Climate Data Store has no {about} for this account ({answer}).")
        if request_id is not None and status == 400:
            full = "temporarily limited" in words or "queued requests" in words
            return (QueueFullError if full else FailedRequestError)(said)
        if status == 404:
            return StoreError(
                f"{self.url} does not know {about} ({answer}). Expected the address {STORE_URL}: correct it where the "
                f"key stands ({self.credentials.origin})."
            )
        if status < 500 and status not in (408, 429):
            return StoreError(f"The Climate Data Store refuses {about} ({answer}).{_kept(request_id)}")
        times = f", {self.attempts} times" if self.attempts > 1 else ""
        return UnreachableError(
            f"The Climate Data Store is not available: it answered {about} by {answer}{times}. "
            f"Try later.{_kept(request_id)}"
        )

    def _log(self, level: int, message: object, *_: object, **__: object) -> None:
        """Take what the client says; its debugging prints whole answers, also those about the account."""
        if level >= logging.INFO:
            line = self._hide(_one_line(str(message)))
            LOG.log(logging.INFO if level > logging.INFO else logging.DEBUG, "Climate Data Store: %s", line)

    @contextmanager
    def _relayed(self) -> Iterator[None]:
        """Log what multiurl says of the client's retries."""
        logger, relay = logging.getLogger("multiurl"), _Relay(self._hide)
        logger.addHandler(relay)
        try:
            yield
        finally:
            logger.removeHandler(relay)


class _Session(requests.Session):
    """Sends the key to the store alone, wherever it redirects to."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        super().rebuild_auth(prepared_request, response)
        if self.should_strip_auth(str(response.request.url), str(prepared_request.url)):
            prepared_request.headers.pop("PRIVATE-TOKEN", None)


class _Relay(logging.Handler):
    """Passes warnings of another library on to the job's log."""

    def __init__(self, hide: Callable[[str], str]) -> None:
        super().__init__(logging.WARNING)
        self._hide = hide

    def emit(self, record: logging.LogRecord) -> None:
        LOG.info("Climate Data Store: %s", self._hide(_one_line(record.getMessage())))


def _said(response: requests.Response) -> str:
    """Return what the server says, in one line: title, detail and traceback of its JSON."""
    try:
        document: Any = response.json()
    except ValueError:
        return str(response.reason or "")
    if not isinstance(document, dict):
        return str(response.reason or "")
    return _one_line("; ".join(str(document[key]) for key in ("title", "detail", "traceback") if document.get(key)))


def _one_line(text: str, longest: int = 400) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest]} …"


def _named(request_id: str) -> str:
    return f"request {request_id}"


def _kept(request_id: str | None) -> str:
    if request_id is None:
        return ""
    return f" The id of the request ({request_id}) is kept: the same command takes it up again."
