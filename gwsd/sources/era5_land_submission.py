"""Submitting the requests of a year and of years ahead, as far as there is room in the store's queue."""

import logging
import time
from collections.abc import Mapping

from gwsd.sources.climate_data_store import (
    ClimateDataStore,
    CostLimitError,
    FailedRequestError,
    StoreError,
    UnknownRequestError,
)
from gwsd.sources.era5_land_queue import Part, RequestFolder, Year
from gwsd.sources.era5_land_request import DATASET, Request, split, spoken_months

LOG = logging.getLogger("gwsd.era5_land")


class Submission:
    """Keeps the store's queue filled for one job; jobs side by side share the folder.

    Parameters
    ----------
    store : ClimateDataStore
        Where to submit.
    folder : RequestFolder
        What is under way.
    name : str
        Of the job's own year, whose requests go first.
    request : dict
        Of that year.
    ahead : mapping of str to dict
        Names and requests of years that will be wanted.
    at_once : int
        Requests in the queue, over all processes that share the folder.
    """

    def __init__(
        self,
        store: ClimateDataStore,
        folder: RequestFolder,
        name: str,
        request: Request,
        ahead: Mapping[str, Request],
        at_once: int,
    ) -> None:
        self.store = store
        self.folder = folder
        self.name = name
        self.wanted = {name: request, **ahead}
        self.at_once = at_once
        self._not_before = 0.0
        self._said_full = False

    def pause(self, seconds: float) -> None:
        """Submit nothing for a while."""
        self._not_before = time.monotonic() + seconds

    def submit(self) -> Year:
        """Submit what there is room for and return the own year as its state file has it now.

        Raises
        ------
        DataError
            If the own year's request is refused; what is wrong with a year ahead is left to its own job.
        """
        with self.folder.changing():
            queued = self.folder.queued()
            paused = time.monotonic() < self._not_before
            room = 0 if paused else self.at_once - sum(map(len, queued.values()))
            left_over = False
            for name, request in list(self.wanted.items()):
                year = self.folder.read(name, request) or Year(self.store.url, request, [Part(request)])
                room = self._submit_parts(name, year, room)
                left_over = left_over or _unsubmitted(year) is not None
                if name == self.name:
                    own = year
        if not paused and _unsubmitted(own) is not None and not self._said_full:
            self._say(f"the queue holds {self.at_once} of our requests, as many as may be; waiting for a place")
            self._said_full = True
        if left_over and not paused:
            self._look_at_others(queued)
        return own

    def _submit_parts(self, name: str, year: Year, room: int) -> int:
        """Submit what is missing of a year; return the room that is left in the queue."""
        while room > 0 and (part := _unsubmitted(year)) is not None:
            months = spoken_months(part.request)
            try:
                part.note_submission(self.store.submit(DATASET, part.request))
                room -= 1
                whose = "" if name == self.name else f" for {name}, ahead"
                self._say(f"submitted request {part.id} of {months}{whose}")
            except CostLimitError:
                halves = split(part.request)
                if len(halves) < 2:
                    raise
                where = year.parts.index(part)
                year.parts[where : where + 1] = [Part(half) for half in halves]
                self._say(f"{months} cost too much in one request: asking for the halves")
            except StoreError as error:
                if name == self.name:
                    raise
                self._say(f"{name} cannot be requested ahead: {error}")
                del self.wanted[name]
                break
            self.folder.write(name, year)
        return room

    def _look_at_others(self, queued: Mapping[str, list[str]]) -> None:
        """Find out which requests of other years have left the queue: their places are free."""
        for name, request_ids in queued.items():
            for request_id in request_ids if name != self.name else []:
                try:
                    ready = self.store.is_ready(request_id)
                except (UnknownRequestError, FailedRequestError):
                    ready = True  # its own job will see why
                if ready:
                    with self.folder.changing():
                        self.folder.note_ready(name, request_id)

    def _say(self, message: str) -> None:
        LOG.info("%s: %s", self.name, message)


def _unsubmitted(year: Year) -> Part | None:
    return next((part for part in year.parts if part.id is None and part.file is None), None)
