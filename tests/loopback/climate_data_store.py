"""A server on this machine that plays the Climate Data Store to the real client.

It answers what `ecmwf-datastores-client` and `multiurl` ask: the catalogue's messages and licences, the key's
verification and accepted licences, the processes, their execution, jobs, results, and the download with ranges.
Set its attributes before or between calls to script what goes wrong; read what it was asked from its lists.
"""

import hashlib
import itertools
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DATASET = "reanalysis-era5-land-monthly-means"
KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
HTML = b"<!DOCTYPE html><html><body><h1>Down for maintenance</h1></body></html>"
QUEUE_FULL = "Number queued requests for this dataset is temporarily limited. Please configure your scripts accordingly"

Content = Path | bytes
Files = Mapping[int, Content] | Callable[[dict[str, Any]], Content]


class Job:
    """A request in the queue."""

    def __init__(self, number: int, request: dict[str, Any], outcome: str) -> None:
        self.id = f"{number:08d}-0000-4000-8000-{hashlib.sha256(str(number).encode()).hexdigest()[:12]}"
        self.request = request
        self.outcome = outcome
        self.status = "accepted"
        self.polls = 0
        self.created = time.monotonic()


class ClimateDataStoreServer:
    """The Climate Data Store on a port of this machine.

    Parameters
    ----------
    files : mapping of int to Path or bytes, or callable
        What is delivered: by year, or by request.
    polls : int
        Looks at a job until it is successful; it runs from half of them on.
    seconds : float or None
        Instead, the time from submission until it is successful.
    """

    def __init__(self, files: Files, *, key: str = KEY, polls: int = 2, seconds: float | None = None) -> None:
        self.files = files
        self.key = key
        self.polls = polls
        self.seconds = seconds
        # What goes wrong.
        self.hold = False  # no job leaves the queue
        self.licence_accepted = True
        self.policies_accepted = True
        self.months_at_most: int | None = None  # a request of more costs too much
        self.outcomes: list[str] = []  # of the next jobs: successful, failed, rejected, queue full, dismissed
        self.key_expires_after: int | None = None  # calls with the key
        self.faults: dict[
            str, list[int | str]
        ] = {}  # by kind of call: next statuses, or "html", "cut:BYTES", "close", "to:URL"
        self.size_error = 0  # bytes by which the stated size is wrong
        self.suffix = ".nc"
        self.reason = "The job failed with: MultiAdaptorNoDataError"
        # What was asked.
        self.calls: list[tuple[str, str]] = []
        self.submissions: list[dict[str, Any]] = []
        self.jobs: dict[str, Job] = {}
        self.deliveries: dict[str, Content] = {}
        self.served = Counter[str]()  # bytes of assets, by path
        self.most_in_flight = 0
        self.keys_in_assets = 0
        self.keys: list[str | None] = []  # of the calls that need one
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._calls_with_key = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """What a person writes after `url:`."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}/api"

    def start(self) -> "ClimateDataStoreServer":
        """Listen on a free port."""
        store = self

        class Handler(_Handler):
            server_store = store

        self._server = _Listener(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def __enter__(self) -> "ClimateDataStoreServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def environment(self) -> dict[str, str]:
        """Environment variables that lead a program here."""
        return {"ECMWF_DATASTORES_URL": self.url, "ECMWF_DATASTORES_KEY": self.key}

    def asked(self, kind: str) -> int:
        """How often a kind of call was made."""
        return sum(name == kind for name, _ in self.calls)

    def fault(self, kind: str) -> int | str | None:
        """Take the next fault of a kind of call."""
        with self._lock:
            waiting = self.faults.get(kind)
            return waiting.pop(0) if waiting else None

    def knows(self, key: str | None) -> bool:
        """Whether a call's key is good; it may expire."""
        with self._lock:
            self.keys.append(key)
            self._calls_with_key += 1
            expired = self.key_expires_after is not None and self._calls_with_key > self.key_expires_after
        return key == self.key and not expired

    def submit(self, request: dict[str, Any]) -> Job:
        """Put a request into the queue."""
        with self._lock:
            self.submissions.append(request)
            job = Job(next(self._numbers), request, self.outcomes.pop(0) if self.outcomes else "successful")
            self.jobs[job.id] = job
            self.most_in_flight = max(self.most_in_flight, sum(map(self._waits, self.jobs.values())))
        return job

    def look(self, job: Job) -> str:
        """Count a look at a job and let it go on."""
        with self._lock:
            job.polls += 1
            if self.hold or job.status not in ("accepted", "running"):
                return job.status
            share = job.polls / (self.polls + 1)
            if self.seconds is not None:
                share = (time.monotonic() - job.created) / max(self.seconds, 1e-9)
            if share >= 1:
                job.status = {"queue full": "rejected", "expired": "successful"}.get(job.outcome, job.outcome)
            elif share >= 0.5:
                job.status = "running"
            return job.status

    def content(self, job: Job) -> bytes:
        """Return what a job delivers."""
        content = self.files(job.request) if callable(self.files) else self.files[int(job.request["year"][0])]
        return content if isinstance(content, bytes) else content.read_bytes()

    def _waits(self, job: Job) -> bool:
        if self.seconds is not None and time.monotonic() - job.created >= self.seconds:
            return False
        return job.status in ("accepted", "running")


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that leave; anything else is a mistake of the test."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer takes 40 ms
    server_store: ClimateDataStoreServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        store = self.server_store
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path = urlsplit(self.path).path
        kind, name = _kind(self.command, path)
        store.calls.append((kind, self.path))
        fault = store.fault(kind)
        if isinstance(fault, int):
            self._json(fault, {"title": "busy", "detail": f"try later ({fault})"})
        elif fault == "html":
            self._bytes(200, HTML, "text/html")
        elif isinstance(fault, str) and fault.startswith("to:"):
            self._bytes(302, b"", "text/plain", {"Location": fault.removeprefix("to:")})
        elif fault == "close":
            self.close_connection = True
            self.connection.close()
        elif kind in ("asset", "asset head"):
            store.keys_in_assets += store.key in str(self.headers)
            self._asset(name, fault)
        elif kind in ("messages", "licences"):
            self._json(200, {"licences": [{"id": "cc-by", "revision": 1}]} if kind == "licences" else {"messages": []})
        elif kind == "unknown":
            self._json(404, {"title": "not found", "detail": path})
        elif kind != "process" and not store.knows(self.headers.get("PRIVATE-TOKEN")):
            self._json(401, {"title": "Authentication failed", "detail": "operation not allowed"})
        else:
            getattr(self, f"_{kind}")(name, body)

    def _verification(self, _: str, __: bytes) -> None:
        self._json(200, {"id": "1", "role": "user"})

    def _accepted(self, _: str, __: bytes) -> None:
        accepted = [{"id": "cc-by", "revision": 1}] if self.server_store.licence_accepted else []
        self._json(200, {"licences": accepted})

    def _process(self, name: str, _: bytes) -> None:
        if name != DATASET:
            self._json(404, {"title": "process not found", "detail": f"dataset {name} not found"})
            return
        self._json(200, {"id": name, "links": []})

    def _execution(self, name: str, body: bytes) -> None:
        store = self.server_store
        request = json.loads(body)["inputs"]
        page = f"https://cds.climate.copernicus.eu/datasets/{name}?tab=download#manage-licences"
        if store.months_at_most is not None and len(request["month"]) > store.months_at_most:
            self._json(
                403,
                {"title": "cost limits exceeded", "detail": "Your request is too large, please reduce your selection."},
            )
        elif not store.policies_accepted:
            self._json(
                403,
                {
                    "title": "user didn't accept all required site policies",
                    "detail": "Missing policies are: Terms of use (rev. 1) - https://cds.climate.copernicus.eu/licences/terms",
                },
            )
        elif not store.licence_accepted:
            self._json(
                403,
                {
                    "title": "required licences not accepted",
                    "detail": f"Not all the required licences have been accepted; please visit {page} "
                    "to accept the required licence(s).",
                },
            )
        else:
            job = store.submit(request)
            self._json(
                201, self._described(job, [{"rel": "monitor", "href": f"{store.url}/retrieve/v1/jobs/{job.id}"}])
            )

    def _job(self, name: str, _: bytes) -> None:
        store = self.server_store
        if (job := store.jobs.get(name)) is None:
            self._json(404, {"title": "job not found", "detail": f"job {name} not found"})
            return
        if self.command == "DELETE":
            job.status = "dismissed"
        status = store.look(job)
        links = [{"rel": "self", "href": f"{store.url}/retrieve/v1/jobs/{job.id}"}]
        if status == "successful":
            links.append({"rel": "results", "href": f"{store.url}/retrieve/v1/jobs/{job.id}/results"})
        self._json(200, self._described(job, links))

    def _results(self, name: str, _: bytes) -> None:
        store = self.server_store
        job = store.jobs[name]
        if job.outcome == "expired":
            self._json(404, {"title": "results expired"})
        elif job.status == "failed":
            self._json(400, {"title": "The job has failed", "traceback": store.reason})
        elif job.status == "rejected":
            reason = QUEUE_FULL if job.outcome == "queue full" else "This selection is not allowed"
            self._json(400, {"title": "The job has been rejected", "traceback": reason})
        else:
            content = store.content(job)
            store.deliveries[job.id] = content
            value = {
                "type": "application/netcdf",
                "href": f"{store.url.removesuffix('/api')}/cache/{job.id}{store.suffix}",
                "file:size": len(content) + store.size_error,
                "file:checksum": "0",
            }
            self._json(200, {"asset": {"value": value}})

    def _asset(self, name: str, fault: int | str | None) -> None:
        store = self.server_store
        content = store.deliveries[name.rpartition(".")[0]]
        assert isinstance(content, bytes)
        start, end, status, extra = 0, len(content) - 1, 200, {"Accept-Ranges": "bytes"}
        if asked := self.headers.get("range"):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end, status = int(first), min(int(last or end), end), 206
            extra["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        body = content[start : end + 1]
        cut = int(fault.removeprefix("cut:")) if isinstance(fault, str) else None
        if self.command == "GET":
            store.served[name] += len(body[:cut])
        self._bytes(status, body, "application/netcdf", extra, cut)

    def _described(self, job: Job, links: list[dict[str, str]]) -> dict[str, Any]:
        return {
            "processID": DATASET,
            "type": "process",
            "jobID": job.id,
            "status": job.status,
            "created": "2026-11-22T10:00:00",
            "updated": "2026-11-22T10:00:01",
            "links": links,
            "metadata": {"datasetMetadata": {"messages": []}, "log": [], "request": {"ids": job.request}},
        }

    def _json(self, status: int, document: dict[str, Any]) -> None:
        document = {"status": status, **document} if status >= 400 else document
        self._bytes(status, json.dumps(document).encode(), "application/json")

    def _bytes(
        self, status: int, body: bytes, kind: str, extra: Mapping[str, str] | None = None, cut: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[:cut])
        if cut is not None:
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()


def _kind(method: str, path: str) -> tuple[str, str]:
    """Name a call: what it is for, and of what."""
    parts = path.strip("/").split("/")
    match parts:
        case ["cache", name]:
            return ("asset head" if method == "HEAD" else "asset"), name
        case ["api", "catalogue", "v1", "messages"]:
            return "messages", ""
        case ["api", "catalogue", "v1", "vocabularies", "licences"]:
            return "licences", ""
        case ["api", "profiles", "v1", "account", "verification", "pat"]:
            return "verification", ""
        case ["api", "profiles", "v1", "account", "licences"]:
            return "accepted", ""
        case ["api", "retrieve", "v1", "processes", name]:
            return "process", name
        case ["api", "retrieve", "v1", "processes", name, "execution"]:
            return "execution", name
        case ["api", "retrieve", "v1", "jobs", name]:
            return "job", name
        case ["api", "retrieve", "v1", "jobs", name, "results"]:
            return "results", name
    return "unknown", path
