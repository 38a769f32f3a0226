"""Why a server or the network refused, in words that name no address and no credentials."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import responses

import requests
from urllib3.exceptions import NameResolutionError, NewConnectionError

PASSING = (408, 429, 500, 502, 503, 504)
"""Statuses of a server that may well answer later."""


@dataclass(frozen=True)
class Refusal:
    """Why, whether another try may help, and how long the server asks to wait, s."""

    reason: str
    again: bool
    retry_after: float | None = None


def explain(error: requests.RequestException, *, reached: bool) -> Refusal:
    """Say what an error of `requests` means.

    Parameters
    ----------
    error : requests.RequestException
        Its own text is not used: it may hold an address with its query, or a proxy's password.
    reached : bool
        Whether the host has answered in this transfer: if so, a network that is gone may come back.

    Returns
    -------
    Refusal
    """
    if isinstance(error, requests.HTTPError) and error.response is not None:
        code = error.response.status_code
        wait = retry_after(error.response.headers.get("Retry-After"))
        return Refusal(f"HTTP {code} ({responses.get(code, 'unknown')})", again=code in PASSING, retry_after=wait)
    if isinstance(error, requests.exceptions.SSLError):
        return Refusal("its certificate is not accepted", again=False)
    if isinstance(error, requests.exceptions.ProxyError):
        return Refusal("the proxy does not let it through (https_proxy in the environment)", again=False)
    causes = list(_causes(error))
    if any(isinstance(cause, NameResolutionError) for cause in causes):
        return Refusal("the host's name is not known (or there is no connection)", again=reached)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Refusal("connection refused", again=reached)
    if isinstance(error, requests.ConnectTimeout):
        return Refusal("the host does not answer", again=reached)
    if any(isinstance(cause, NewConnectionError) for cause in causes):
        return Refusal("the host cannot be reached", again=reached)
    if isinstance(error, requests.ReadTimeout):
        return Refusal("the host fell silent", again=True)
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return Refusal("the connection was cut", again=True)
    return Refusal(f"the request failed ({type(error).__name__})", again=False)


def retry_after(value: str | None) -> float | None:
    """Read a Retry-After header, which has seconds or a date; None where it has neither."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk through what an error was made from: its arguments, reasons and causes."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            yield one
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
