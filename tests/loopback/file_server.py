"""A file server on 127.0.0.1 with ranges and scripted failures.

with FileServer() as server:
    server.files["/file.zip"] = content
    server.failures["/file.zip"] = [503, 503]  # statuses of the next requests
    server.cuts["/file.zip"] = [100_000]  # the connection of the next longer body is cut after so many bytes
    assert server.ranges("/file.zip") == [None, "bytes=98304-"]
"""

import socket
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit


class FileServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.failures: dict[str, list[int]] = defaultdict(list)
        self.cuts: dict[str, list[int]] = defaultdict(list)
        self.supports_ranges = True
        self.asked_for: list[tuple[str, str, str | None]] = []  # kind (here: the path), method, range

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def ranges(self, kind: str) -> list[str | None]:
        return [requested for name, method, requested in self.asked_for if (name, method) == (kind, "GET")]

    def count(self, kind: str) -> int:
        return sum(name == kind for name, _, _ in self.asked_for)

    def kind(self, path: str) -> str:
        return path

    def answer(self, kind: str, path: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        return (200, self.files[path]) if path in self.files else (404, b"no such file")

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that leave."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FileServer

    def _respond(self) -> None:
        server, path, requested = self.server, urlsplit(self.path).path, self.headers.get("Range")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = server.kind(path)
        server.asked_for.append((kind, self.command, requested))
        failures, cuts = server.failures[kind], server.cuts[kind]
        status, content = (failures.pop(0), b"a message") if failures else server.answer(kind, path, self.headers, body)
        ranged = status == 200 and requested and server.supports_ranges
        self.send_response(206 if ranged else status)
        if ranged:
            start = int(str(requested).removeprefix("bytes=").split("-")[0])
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            content = content[start:]
        if server.supports_ranges:
            self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        cut = cuts.pop(0) if cuts and cuts[0] < len(content) else None
        self.wfile.write(content[:cut])
        if cut is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    do_GET = do_HEAD = do_POST = _respond  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass
