"""A real HTTP server of one file that can misbehave in the ways that servers and links do."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Mirror:
    """What it serves and how; `asked` holds the Range header of every request.

    `cut_after` breaks the connection after so many bytes of a body, once per entry; `statuses`
    are answered first, one a request. `ranges` and `lengths` say whether it supports ranges and
    tells lengths; `length_lie` is told instead of the real length.
    """

    content: bytes
    etag: str | None = '"1"'
    ranges: bool = True
    lengths: bool = True
    length_lie: int | None = None
    range_lie: str | None = None
    encoding: str | None = None
    content_type: str = "application/octet-stream"
    cut_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    redirect_to: str | None = None
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(mirror: Mirror) -> Iterator[Mirror]:
    """Serves on a free port of this machine; sets `mirror.url`."""

    class Handler(_Handler):
        served = mirror

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    mirror.url = f"http://127.0.0.1:{server.server_port}/model.gguf"
    try:
        yield mirror
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    served: Mirror
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        mirror = self.served
        mirror.asked.append(self.headers.get("Range"))
        if mirror.statuses:
            return self._head(mirror.statuses.pop(0), {"Content-Length": "0"})
        if mirror.redirect_to is not None:
            return self._head(302, {"Location": mirror.redirect_to, "Content-Length": "0"})
        start = self._start()
        if start > len(mirror.content):
            return self._head(416, {"Content-Length": "0"})
        self._head(206 if start else 200, self._headers(start))
        return self._send(mirror.content[start:])

    def _start(self) -> int:
        """Where the body begins: after what the client has, if the versions agree."""
        mirror = self.served
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted is None or not mirror.ranges:
            return 0
        return int(wanted[1]) if self.headers.get("If-Range") in {None, mirror.etag} else 0

    def _headers(self, start: int) -> dict[str, str]:
        mirror, size = self.served, len(self.served.content)
        headers = {"Content-Type": mirror.content_type}
        if mirror.etag:
            headers["ETag"] = mirror.etag
        if mirror.encoding:
            headers["Content-Encoding"] = mirror.encoding
        if start:
            headers["Content-Range"] = mirror.range_lie or f"bytes {start}-{size - 1}/{size}"
        if mirror.lengths:
            headers["Content-Length"] = str(mirror.length_lie or size - start)
        return headers

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, body: bytes) -> None:
        if self.served.cut_after:
            body = body[: self.served.cut_after.pop(0)]
        with suppress(ConnectionError):  # the client may have gone
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's name)
        """Says nothing."""
