"""A device behind a real HTTP server: with and without ranges, cut off, dying, lying."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from skerry.sync.client import Device
from skerry.sync.client.http import HttpSource
from skerry.sync.errors import NotThere, SourceFault, Untrusted
from skerry.sync.names import object_path
from tests.sync.fleet import Fleet, running

SIZE = 400_000


class Ranges(BaseHTTPRequestHandler):
    """Serves a folder with ranges; cuts what is longer than `most` off after that many bytes."""

    folder: Path
    most: int = 1 << 60
    asked: list[tuple[str, str]]
    wrong_range = False
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = type(self).folder / self.path.lstrip("/")
        wanted = self.headers.get("range", "")
        type(self).asked.append((self.path, wanted))
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start >= len(data) > 0 and wanted:
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        if wanted:
            first = 0 if type(self).wrong_range else start
            self.send_header("content-range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        body = data[start:]
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: type(self).most])
        if len(body) > type(self).most:
            self.close_connection = True

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def server(fleet: Fleet) -> Iterator[tuple[str, type[Ranges]]]:
    handler = type("Handler", (Ranges,), {"folder": fleet.public, "asked": []})
    yield from _serving(handler, handler)


def _serving(handler: Any, told: Any) -> Iterator[tuple[str, Any]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}", told
        served.shutdown()
        thread.join()


def test_a_cut_download_goes_on_where_it_ended(fleet: Fleet, server: Any) -> None:
    url, handler = server
    fleet.publish("2", size=SIZE)
    handler.most = 150_000
    fetched = 0
    for _ in range(2):
        with fleet.client(source=HttpSource(url)) as client, pytest.raises(SourceFault):
            client.apply()
        with fleet.client() as client:
            assert running(client) == "1"
    handler.most = 1 << 60
    with fleet.client(source=HttpSource(url)) as client:
        fetched = client.apply().fetched
        assert running(client) == "2"
    assert 0 < fetched < SIZE - 250_000
    ranges = [wanted for path, wanted in handler.asked if "/objects/" in path and wanted]
    assert len(ranges) == 2


def test_a_server_without_ranges(fleet: Fleet) -> None:
    """`python -m http.server` gives the whole file, whatever part is asked for."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(fleet.public))
    for url, _ in _serving(handler, None):
        done = fleet.publish("2", size=SIZE)
        with fleet.client(source=HttpSource(url)) as client:
            offer = client.check()
            assert offer is not None
            assert offer.digest == done.digest
            model = fleet.folder / "bundle-2" / "variants/gguf-q4_0/model.gguf"
            digest = _digest(model)
            partial_file = Device(fleet.folder / "device").incoming / digest
            partial_file.write_bytes(model.read_bytes()[:100_001])
            client.apply()
            assert running(client) == "2"


def _digest(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_came_before_was_damaged(fleet: Fleet, server: Any) -> None:
    url, _ = server
    fleet.publish("2", size=SIZE)
    model = fleet.folder / "bundle-2" / "variants/gguf-q4_0/model.gguf"
    (Device(fleet.folder / "device").incoming / _digest(model)).write_bytes(b"x" * 100)
    assert fleet.apply(source=HttpSource(url)) == "2"


def test_another_range_than_was_asked_for(fleet: Fleet, server: Any) -> None:
    url, handler = server
    handler.wrong_range = True
    fleet.publish("2", size=SIZE)
    model = fleet.folder / "bundle-2" / "variants/gguf-q4_0/model.gguf"
    (Device(fleet.folder / "device").incoming / _digest(model)).write_bytes(b"x" * 100)
    with fleet.client(source=HttpSource(url)) as client, pytest.raises(SourceFault, match="range"):
        client.apply()


def test_a_server_that_dies(fleet: Fleet) -> None:
    handler = type("Handler", (Ranges,), {"folder": fleet.public, "asked": [], "most": 1000})
    fleet.publish("2", size=SIZE)
    for url, _ in _serving(handler, None):
        with fleet.client(source=HttpSource(url)) as client, pytest.raises(SourceFault):
            client.apply()
        gone = url
    with fleet.client(source=HttpSource(gone)) as client, pytest.raises(SourceFault) as raised:
        client.apply()
    assert raised.value.retryable
    assert fleet.apply() == "2"


def test_no_such_repository(fleet: Fleet, server: Any) -> None:
    url, _ = server
    with fleet.client(source=HttpSource(f"{url}/nowhere")) as client, pytest.raises(NotThere):
        client.apply()


def test_more_than_the_end(server: Any, fleet: Fleet) -> None:
    url, _ = server
    name = "metadata/timestamp.json"
    size = (fleet.public / name).stat().st_size
    source = HttpSource(url)
    assert b"".join(source.read(name, size)) == b""
    assert b"".join(source.read(name, size - 3)) == (fleet.public / name).read_bytes()[-3:]
    source.close()


def test_bytes_that_are_not_the_signed_ones(fleet: Fleet, server: Any) -> None:
    url, _ = server
    fleet.publish("2")
    model = fleet.folder / "bundle-2" / "variants/gguf-q4_0/model.gguf"
    path = fleet.public / object_path(_digest(model))
    path.write_bytes(b"!" * path.stat().st_size)
    with fleet.client(source=HttpSource(url)) as client, pytest.raises(Untrusted):
        client.apply()
    with fleet.client() as client:
        assert running(client) == "1"
