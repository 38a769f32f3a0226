"""A Climate Data Store on 127.0.0.1 for the real client: account, licences, requests, jobs, results and files.

Set attributes to script what goes wrong; the keys of `failures` and `cuts` are kinds of calls: the last
word of the path (execution, jobs, results, cache, licences ...).
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.loopback.file_server import FileServer

DATASET = "reanalysis-era5-land-monthly-means"
KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
FIXED: dict[str, tuple[int, dict[str, Any]]] = {
    "messages": (200, {"messages": []}),
    "processes": (200, {"id": DATASET, "links": []}),
    "pat": (200, {"id": "1", "role": "user"}),
    "refused": (401, {"title": "Authentication failed", "detail": "operation not allowed"}),
}


class ClimateDataStoreServer(FileServer):
    """`deliveries` gives the file of a year (Path or bytes), or is a function of the request."""

    def __init__(self, deliveries: Mapping[int, Path | bytes] | Callable[[dict[str, Any]], bytes]) -> None:
        super().__init__()
        self.deliveries = deliveries
        self.key = KEY
        self.licence_accepted = True
        self.max_months = 12
        self.outcomes: list[str] = []  # of the next jobs; successful by default
        self.reason = "MultiAdaptorNoDataError"
        self.size_error = 0
        self.submissions: list[dict[str, Any]] = []
        self.keys_sent_with_files = 0
        self._outcomes: list[str] = []

    @property
    def api(self) -> str:
        return self.url("/api")

    def environment(self) -> dict[str, str]:
        """Environment variables that lead a program here."""
        return {"ECMWF_DATASTORES_URL": self.api, "ECMWF_DATASTORES_KEY": self.key}

    def kind(self, path: str) -> str:
        *_, before, last = path.split("/")
        return before if last.isdigit() or last == DATASET else last

    def answer(self, kind: str, path: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        if kind == "cache":
            self.keys_sent_with_files += self.key in str(headers)
            return 200, self._content(int(path.split("/")[2]))
        if kind not in ("messages", "processes") and headers.get("PRIVATE-TOKEN") != self.key:
            kind = "refused"
        status, document = FIXED[kind] if kind in FIXED else getattr(self, f"_{kind}")(path, body)
        return status, json.dumps({"status": status, **document}).encode()

    def _licences(self, *_: object) -> tuple[int, dict[str, Any]]:
        return 200, {"licences": [{"id": "cc-by", "revision": 1}] if self.licence_accepted else []}

    def _execution(self, _: str, body: bytes) -> tuple[int, dict[str, Any]]:
        request = json.loads(body)["inputs"]
        if len(request["month"]) > self.max_months:
            return 403, {"title": "cost limits exceeded", "detail": "Your request is too large."}
        if not self.licence_accepted:
            return 403, {"title": "required licences not accepted", "detail": "Not all licences have been accepted."}
        self.submissions.append(request)
        self._outcomes.append(self.outcomes.pop(0) if self.outcomes else "successful")
        return 201, self._described(len(self.submissions) - 1, "accepted")

    def _jobs(self, path: str, _: bytes) -> tuple[int, dict[str, Any]]:
        number = int(path.split("/")[5])
        return 200, self._described(number, self._outcomes[number])

    def _results(self, path: str, _: bytes) -> tuple[int, dict[str, Any]]:
        number = int(path.split("/")[5])
        if self._outcomes[number] != "successful":
            return 400, {"title": f"The job has {self._outcomes[number]}", "traceback": self.reason}
        size = len(self._content(number)) + self.size_error
        return 200, {"asset": {"value": {"href": self.url(f"/cache/{number}"), "file:size": size}}}

    def _described(self, number: int, status: str) -> dict[str, Any]:
        href = f"{self.api}/retrieve/v1/jobs/{number}"
        links = [{"rel": "monitor", "href": href}, {"rel": "results", "href": f"{href}/results"}]
        return {"jobID": str(number), "status": status, "links": links, "metadata": {"log": []}}

    def _content(self, number: int) -> bytes:
        request = self.submissions[number]
        found = self.deliveries(request) if callable(self.deliveries) else self.deliveries[int(request["year"][0])]
        return found if isinstance(found, bytes) else found.read_bytes()
