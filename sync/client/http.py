"""A source behind HTTP(S): any static server will do. Ranges are asked for; where a server gives
the whole file instead, its beginning is read and thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import httpx2

from skerry.sync.client.source import BLOCK_BYTES
from skerry.sync.errors import NotThere, SourceFault

_TIMEOUT = httpx2.Timeout(30.0, connect=15.0)
_MOST_REDIRECTS = 5
_NO_SUCH_RANGE = 416


class HttpSource:
    """What is served below `url`. Connections are kept between files."""

    def __init__(self, url: str, client: httpx2.Client | None = None) -> None:
        self.url = url.rstrip("/")
        self._client = client or httpx2.Client(
            timeout=_TIMEOUT,
            follow_redirects=True,
            max_redirects=_MOST_REDIRECTS,
            headers={"accept-encoding": "identity", "user-agent": "skerry-sync"},
        )

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        url = f"{self.url}/{quote(name)}"
        headers = {"range": f"bytes={start}-"} if start else {}
        with self._translated(name), self._client.stream("GET", url, headers=headers) as response:
            if response.status_code == _NO_SUCH_RANGE:
                return
            _check(response, name, self.url)
            skip = _skip(response, start, name)
            for block in response.iter_raw(BLOCK_BYTES):
                if skip >= len(block):
                    skip -= len(block)
                    continue
                yield block[skip:]
                skip = 0

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            what = f"'{name}' cannot be read from '{self.url}': {error or type(error).__name__}"
            raise SourceFault(what, hint="check the connection, and try again") from error


def _check(response: httpx2.Response, name: str, url: str) -> None:
    status = response.status_code
    # stores that do not let strangers list them say 403 for what is not there
    if status in (403, 404, 410):
        raise NotThere(f"'{url}' has no '{name}' ({status})")
    if status not in (200, 206):
        what = f"'{url}' answers {status} to '{name}'"
        raise SourceFault(what, hint="try again later")


def _skip(response: httpx2.Response, start: int, name: str) -> int:
    """Bytes at the beginning that were not asked for."""
    if response.status_code != httpx2.codes.PARTIAL_CONTENT:
        return start
    if not response.headers.get("content-range", "").startswith(f"bytes {start}-"):
        raise SourceFault(f"the server gave another range of '{name}' than was asked for")
    return 0
