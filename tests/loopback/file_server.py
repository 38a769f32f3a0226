"""A web server on 127.0.0.1 whose misbehaviour a test chooses.

    with FileServer() as server:
        server.put("/data/file.zip", content)            # Range, If-Range, ETag and HEAD as a good server does
        server.fail("/data/file.zip", 503, times=2)      # the next two requests
        server.cut("/data/file.zip", after=100_000)      # the next body that is longer than that ends there
        ...
        assert server.ranges("/data/file.zip") == [None, "bytes=98304-"]

`server.handle(path, function)` answers a path by a function of the request: a queue, a form, anything.
"""

import hashlib
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

PIECE = 16_384


@dataclass(frozen=True)
class Request:
    """What a client asked for: the path without the query, header names as the client wrote them."""

    method: str
    path: str
    query: str
    headers: Message
    body: bytes

    @property
    def range(self) -> str | None:
        return self.headers.get("Range")


@dataclass(frozen=True)
class Answer:
    """What the server says. With `ranges` it obeys Range and If-Range; bytes_per_second slows the body."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    ranges: bool = False
    declares_length: bool = True
    bytes_per_second: float | None = None


Handler = Callable[[Request], Answer]


class FileServer:
    """Serves until the context ends; `requests` lists what was asked, in order; `handlers` has the paths."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.handlers: dict[str, Handler] = {}
        self._failures: dict[str, list[Answer]] = defaultdict(list)
        self._cuts: dict[str, list[int]] = defaultdict(list)
        self._lock = threading.Lock()
        self._server = _Listener(("127.0.0.1", 0), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def put(
        self,
        path: str,
        content: bytes,
        *,
        ranges: bool = True,
        tag: str | None = "",
        content_type: str = "application/octet-stream",
        declares_length: bool = True,
        bytes_per_second: float | None = None,
    ) -> None:
        """Serve content. Its ETag is a hash unless given; None: no ETag."""
        headers = {"Content-Type": content_type}
        if tag is not None:
            headers["ETag"] = tag or f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if ranges:
            headers["Accept-Ranges"] = "bytes"
        answer = Answer(content, 200, headers, ranges, declares_length, bytes_per_second)
        self.handle(path, lambda request: answer)

    def handle(self, path: str, handler: Handler) -> None:
        """Answer a path (without its query) by a function."""
        self.handlers[path] = handler

    def fail(
        self,
        path: str,
        status: int,
        *,
        times: int = 1,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"a server's words",
    ) -> None:
        """Answer the next requests for a path by an error."""
        self._failures[path] += [Answer(body, status, headers or {})] * times

    def cut(self, path: str, *, after: int, times: int = 1) -> None:
        """Cut the connection after so many bytes of the next bodies that are longer."""
        self._cuts[path] += [after] * times

    def ranges(self, path: str) -> list[str | None]:
        """List the Range header of each request for a path, in order."""
        return [request.range for request in self.requests if request.path == path]

    def count(self, path: str) -> int:
        return len(self.ranges(path))

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            if self._failures[request.path]:
                return self._failures[request.path].pop(0)
        handler = self.handlers.get(request.path)
        return handler(request) if handler else Answer(b"no such file", 404)

    def take_cut(self, path: str, length: int) -> int | None:
        with self._lock:
            cuts = self._cuts[path]
            return cuts.pop(0) if cuts and cuts[0] < length else None


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], owner: FileServer) -> None:
        self.owner = owner
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that leave are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def _respond(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, parts.path, parts.query, self.headers, body)
        answer = self.server.owner.answer(request)
        status, headers, content = answer.status, dict(answer.headers), answer.body
        start = self._first_byte(answer, request)
        if start is not None and start >= len(content) > 0:
            status, content, headers["Content-Range"] = 416, b"", f"bytes */{len(content)}"
        elif start is not None and content:
            end = self._last_byte(request, len(content))
            status, headers["Content-Range"] = 206, f"bytes {start}-{end}/{len(content)}"
            content = content[start : end + 1]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.declares_length:
            self.send_header("Content-Length", str(len(content)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self._write(content, parts.path, answer.bytes_per_second)

    do_GET = do_HEAD = do_POST = do_DELETE = do_PUT = _respond  # noqa: N815

    @staticmethod
    def _first_byte(answer: Answer, request: Request) -> int | None:
        """The first byte of a range that the answer obeys."""
        if not answer.ranges or answer.status != 200 or not (request.range or "").startswith("bytes="):
            return None
        condition = request.headers.get("If-Range")
        if condition and condition != answer.headers.get("ETag"):
            return None
        return int(str(request.range).removeprefix("bytes=").split("-")[0])

    @staticmethod
    def _last_byte(request: Request, length: int) -> int:
        last = str(request.range).rsplit("-", 1)[1]
        return min(int(last), length - 1) if last else length - 1

    def _write(self, content: bytes, path: str, bytes_per_second: float | None) -> None:
        cut = self.server.owner.take_cut(path, len(content))
        content = content if cut is None else content[:cut]
        for start in range(0, len(content), PIECE):
            piece = content[start : start + PIECE]
            self.wfile.write(piece)
            if bytes_per_second:
                time.sleep(len(piece) / bytes_per_second)
        if cut is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def closed_port() -> int:
    """Return a port of 127.0.0.1 where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
