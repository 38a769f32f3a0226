"""The requests that are under way, in files that outlive a killed job and are shared by the jobs side by side.

One small file a year: `.requests/era5_land_2003.json`. All changes are made under one lock of the folder, which
the kernel frees when its holder dies.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gwsd.sources.era5_land_request import Request
from gwsd.sources.lock_file import held

LOCK = "requests.lock"


@dataclass
class Part:
    """A request for some months of a year.

    Attributes
    ----------
    request : dict
        What is asked for.
    id : str or None
        The store's; None until it is submitted.
    submitted : str or None
        When, UTC.
    queued : bool
        Whether it may still wait in the store's queue.
    file : str or None
        Name of its delivery in the folder, once that is there and checked.
    preliminary : list of str
        Months of the delivery that may still be replaced.
    """

    request: Request
    id: str | None = None
    submitted: str | None = None
    queued: bool = False
    file: str | None = None
    preliminary: list[str] = field(default_factory=list)

    def note_submission(self, request_id: str) -> None:
        """Take down the id of a submission just made."""
        self.id, self.submitted, self.queued = request_id, datetime.now(UTC).isoformat(timespec="seconds"), True

    def forget(self) -> None:
        """Forget the submission: another one is to be made."""
        self.id, self.submitted, self.queued = None, None, False


@dataclass
class Year:
    """The requests that make up one file.

    Attributes
    ----------
    url : str
        The store that they were submitted to.
    request : dict
        The whole year's request.
    parts : list of Part
        One, or several where the store finds the whole too large.
    done : bool
        Whether the file has been made. Its ids stay, so that nobody requests it ahead before it has its final name.
    """

    url: str
    request: Request
    parts: list[Part]
    done: bool = False


class RequestFolder:
    """The folder of requests that are under way.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    url : str
        The store's address; what was submitted to another one does not count.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the folder against other processes."""
        with held(self.folder / LOCK):
            yield

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Hold one year for as long as its file is made.

        Raises
        ------
        BlockingIOError
            If another process is at it.
        """
        lock = self.folder / f"{name}.lock"
        with held(lock, wait=False):
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)

    def read(self, name: str, request: Request) -> Year | None:
        """Return what is known of a year, or None where it was asked for otherwise, or elsewhere."""
        year = self._load(self.folder / f"{name}.json")
        return year if year is not None and year.request == request else None

    def write(self, name: str, year: Year) -> None:
        """Write what is known of a year, whole or not at all."""
        path = self.folder / f"{name}.json"
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(asdict(year), indent=1) + "\n")
        os.replace(temporary, path)

    def queued(self) -> dict[str, list[str]]:
        """Return the ids of requests that may still wait in the store's queue, by the name of their year."""
        years = {path.stem: self._load(path) for path in sorted(self.folder.glob("*.json"))}
        return {
            name: [part.id for part in year.parts if part.queued and part.id is not None]
            for name, year in years.items()
            if year is not None
        }

    def note_ready(self, name: str, request_id: str) -> None:
        """Take down that a request no longer waits; call it under `changing`."""
        year = self._load(self.folder / f"{name}.json")
        if year is not None:
            for part in year.parts:
                part.queued = part.queued and part.id != request_id
            self.write(name, year)

    def delivery(self, name: str, request_id: str) -> Path:
        """Return where a request's file is put until the year is complete."""
        return self.folder / f"{name}@{request_id}.nc"

    def clear(self, name: str, keep: Sequence[str]) -> None:
        """Remove deliveries of a year, whole or begun, except those of the requests to keep."""
        for path in (*self.folder.glob(f"{name}@*"), *self.folder.glob(f".part-{name}@*")):
            if not any(request_id in path.name for request_id in keep):
                path.unlink(missing_ok=True)

    def _load(self, path: Path) -> Year | None:
        try:
            document: dict[str, Any] = json.loads(path.read_text())
            year = Year(**{**document, "parts": [Part(**part) for part in document["parts"]]})
        except (OSError, ValueError, TypeError, KeyError):
            return None  # missing, or not written by this version: its requests are made anew
        return year if year.url == self.url else None
