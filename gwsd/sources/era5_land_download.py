"""ERA5-Land from the Climate Data Store: a request a year, several years in the queue at once, none asked for twice."""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gwsd.errors import DataError
from gwsd.sources.climate_data_store import (
    LONGEST_WAIT,
    ClimateDataStore,
    FailedRequestError,
    QueueFullError,
    StoreError,
    UnknownRequestError,
)
from gwsd.sources.credentials import Credentials
from gwsd.sources.era5_land_delivery import check_delivery, join_deliveries
from gwsd.sources.era5_land_queue import Part, RequestFolder, Year
from gwsd.sources.era5_land_request import (
    DATASET,
    DOI,
    LICENCE,
    LICENCE_PAGE,
    MONTHS,
    Area,
    Request,
    file_name,
    months_of,
    request_of,
    spoken_months,
)
from gwsd.sources.era5_land_submission import Submission

LOG = logging.getLogger("gwsd.era5_land")
STATE_FOLDER = ".requests"
"""Beside the files of the years: what is under way."""

WAIT_SECONDS = 5.0
REQUESTS_PAGE = "https://cds.climate.copernicus.eu/requests"
"""Where a person sees the requests of their account."""


def download_year(
    year: int,
    target: Path,
    *,
    variables: Sequence[str],
    credentials: Credentials,
    state_folder: Path,
    area: Area | None = None,
    months: Sequence[int] = MONTHS,
    ahead: Sequence[int] = (),
    requests_at_once: int = 4,
    attempts: int = 8,
    wait_seconds: float = WAIT_SECONDS,
    progress: bool = False,
) -> dict[str, Any]:
    """Request a year, wait for it and fetch it; the target is written last, whole and checked.

    The request's id is kept in the state folder: a call after a killed one, or after a failed transfer, takes the
    request up again. While it waits it also submits the requests of years ahead, which their own calls then find.

    Parameters
    ----------
    year : int
        Calendar year.
    target : Path
        netCDF as delivered, or a zip of several netCDF files, whatever its suffix says.
    variables : sequence of str
        Our names, keys of `gwsd.sources.era5_land.VARIABLES`.
    credentials : Credentials
        Of the Climate Data Store.
    state_folder : Path
        Requests under way, shared by the processes that download side by side.
    area : Area or None
        None for the globe.
    months : sequence of int
        1 to 12; all unless said otherwise.
    ahead : sequence of int
        Further years that will be wanted; those whose file lies beside the target are left out.
    requests_at_once : int
        Requests in the store's queue, over all processes that share the state folder.
    attempts : int
        Tries of a call, or of a transfer that gets no further.
    wait_seconds : float
        Pause before the second try, s; further pauses, also those between two looks at the queue, follow from it.
    progress : bool
        Show a bar for a transfer where the screen is a terminal.

    Returns
    -------
    dict
        For the record, plain JSON types: `dataset`, `doi`, `licence`, `request`, `request_ids`, `parts` (months,
        request id, bytes and SHA-256 of each delivery), `stored_as`, `preliminary_months`, `bytes`, `sha256`,
        `retrieved` (UTC).

    Raises
    ------
    DataError
        If the key, the licence or the request is refused, the store gives a request up twice, what it delivers is
        damaged or incomplete, or it cannot be reached. Nothing is left under the target's name.
    """
    store = ClimateDataStore(credentials, attempts=attempts, wait_seconds=wait_seconds)
    folder = RequestFolder(state_folder, store.url)
    wanted = {
        _stem(one, area): request_of(one, variables, area)
        for one in ahead
        if one != year and not (target.parent / file_name(one, area)).exists()
    }
    name, request = _stem(year, area), request_of(year, variables, area, months)
    submission = Submission(store, folder, name, request, wanted, requests_at_once)
    download = _Download(store, folder, name, request, submission, progress)
    try:
        with folder.alone(name):
            return download.run(target)
    except BlockingIOError:
        raise DataError(
            f"ERA5-Land {year}: another process is downloading it into {target.parent}. Wait for that to end, then "
            "run the same command again."
        ) from None
    except StoreError as error:
        raise DataError(f"ERA5-Land {year}: {error}") from None


class _Download:
    """One year on its way; `self.year` is what its state file says."""

    def __init__(
        self,
        store: ClimateDataStore,
        folder: RequestFolder,
        name: str,
        request: Request,
        submission: Submission,
        progress: bool,
    ) -> None:
        self.store = store
        self.folder = folder
        self.name = name
        self.request = request
        self.submission = submission
        self.progress = progress
        self.year = Year(store.url, request, [Part(request)])
        self.given_up: dict[str, int] = {}  # by months: requests that came to nothing
        self.rejections = 0
        self.said: dict[str, str] = {}

    def run(self, target: Path) -> dict[str, Any]:
        self._begin()
        pause = self._first_pause()
        while any(part.file is None for part in self.year.parts):
            self.year = self.submission.submit()
            if self._fetch_what_is_ready():
                pause = self._first_pause()
            else:
                time.sleep(pause)
                pause = min(1.5 * pause, 5 * LONGEST_WAIT * self._first_pause())
        return self._finish(target)

    def _begin(self) -> None:
        with self.folder.changing():
            known = self.folder.read(self.name, self.request)
            if known is not None and not known.done:
                self.year = known
            for part in self.year.parts:
                if part.file is not None and not (self.folder.folder / part.file).is_file():
                    part.file = None
            self.folder.write(self.name, self.year)
        self.folder.clear(self.name, keep=[part.id for part in self.year.parts if part.id is not None])
        for part in self.year.parts:
            if part.id is not None and part.file is None:
                self._say(f"taking up request {part.id} of {part.submitted}")

    def _fetch_what_is_ready(self) -> bool:
        """Look at this year's requests; tell whether one was brought to its end."""
        moved = False
        for part in [one for one in self.year.parts if one.id is not None and one.file is None]:
            assert part.id is not None
            try:
                ready = self.store.is_ready(part.id)
                self._say_once(part.id, f"request {part.id} is {self.store.status(part.id)}")
                if ready:
                    self._fetch(part, part.id)
                    moved, self.rejections = True, 0
            except QueueFullError as error:
                self._wait_until_less_full(part, error)
            except (UnknownRequestError, FailedRequestError) as error:
                self._ask_again(part, error)
                moved = True
        return moved

    def _fetch(self, part: Part, request_id: str) -> None:
        self._change(part, _no_longer_queued)
        preliminary: list[str] = []
        path = self.folder.delivery(self.name, request_id)
        self.store.fetch(
            request_id,
            path,
            lambda file: preliminary.extend(check_delivery(file, part.request)),
            progress=self.progress,
        )

        def note(stored: Part) -> None:
            stored.file, stored.preliminary = path.name, sorted(set(preliminary))

        self._change(part, note)

    def _ask_again(self, part: Part, error: StoreError) -> None:
        """Submit a part anew, once; a second failure is told, and the next run begins with a new request."""
        months = spoken_months(part.request)
        self.given_up[months] = self.given_up.get(months, 0) + 1
        failed = part.id
        self._change(part, Part.forget)
        gone = isinstance(error, UnknownRequestError)
        reason = str(error) if gone else f"request {failed} came to nothing: {error}"
        if self.given_up[months] > 1:
            raise StoreError(
                f"{months}: {reason}. It was asked for twice. See {REQUESTS_PAGE} for what the Climate Data Store "
                f"says of it; the same command asks once more, with a new request."
            )
        self._say(f"{reason}; submitting it anew")

    def _wait_until_less_full(self, part: Part, error: QueueFullError) -> None:
        self.rejections += 1
        failed = part.id
        self._change(part, Part.forget)
        if self.rejections >= self.store.attempts:
            raise StoreError(
                f"the Climate Data Store rejected {self.rejections} requests one after the other, the last one "
                f"{failed}: {error}. Wait for older requests of the account to end ({REQUESTS_PAGE}), or set "
                "downloads.requests_at_once to less, then run the same command again."
            )
        wait = self.store.wait_seconds * LONGEST_WAIT * min(2 ** (self.rejections - 1), 5 * LONGEST_WAIT)
        self.submission.pause(wait)
        self._say(f"the queue is full for this account ({error}); asking again in {wait:.0f} s")

    def _finish(self, target: Path) -> dict[str, Any]:
        parts = self.year.parts
        files = [self.folder.folder / str(part.file) for part in parts]
        facts: dict[str, Any] = {
            "dataset": DATASET,
            "doi": DOI,
            "licence": LICENCE,
            "licence_page": LICENCE_PAGE,
            "request": self.request,
            "request_ids": [part.id for part in parts],
            "parts": [
                {
                    "months": months_of(part.request),
                    "request_id": part.id,
                    "submitted": part.submitted,
                    **_described(file),
                }
                for part, file in zip(parts, files, strict=True)
            ],
            "stored_as": "delivered" if len(parts) == 1 else f"one uncompressed zip of {len(parts)} deliveries",
            "preliminary_months": sorted(month for part in parts for month in part.preliminary),
        }
        join_deliveries(files, target)
        if facts["preliminary_months"]:
            self._say(
                f"preliminary fields (expver 0005), which may still be replaced, are used for "
                f"{', '.join(facts['preliminary_months'])}"
            )
        with self.folder.changing():
            self.year.done = True
            self.folder.write(self.name, self.year)
        return {**facts, **_described(target), "retrieved": datetime.now(UTC).isoformat(timespec="seconds")}

    def _change(self, part: Part, change: Callable[[Part], None]) -> None:
        """Change one part in the state file as it is now: other processes may have written to it."""
        with self.folder.changing():
            self.year = self.folder.read(self.name, self.request) or self.year
            for stored in self.year.parts:
                if stored.request == part.request:
                    change(stored)
            self.folder.write(self.name, self.year)

    def _first_pause(self) -> float:
        """Return the pause before the second look at the queue, s: never none, whatever the setting."""
        return (self.store.wait_seconds or WAIT_SECONDS) / 5

    def _say(self, message: str) -> None:
        LOG.info("%s: %s", self.name, message)

    def _say_once(self, about: str, message: str) -> None:
        if self.said.get(about) != message:
            self._say(message)
        self.said[about] = message


def _no_longer_queued(part: Part) -> None:
    part.queued = False


def _stem(year: int, area: Area | None) -> str:
    return file_name(year, area).removesuffix(".nc")


def _described(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        return {"bytes": file.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}
