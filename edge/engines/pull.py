"""Fetches one GGUF file over HTTP into the models folder: resumed, verified, moved in place.

A server is believed in nothing: not in lengths, ranges or types. `NAME.json` beside a finished
model says where it came from.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import httpx2

from skerry.edge.engines.digest import FileDigest
from skerry.edge.engines.llama.files import read_gguf
from skerry.edge.engines.models import ModelSpec, model_at
from skerry.edge.engines.partfile import Origin, PartFile, read_origin, translated, write_origin
from skerry.edge.engines.pull_rules import (
    RangeRefused,
    arrival,
    check_address,
    checked_name,
    checked_origin,
    place,
    version_of,
)
from skerry.edge.errors import ModelInvalid, PullError, PullFull, PullInterrupted

Progress = Callable[[int, int | None], None]
"""Called with the bytes that have arrived and the bytes in all, None if the server did not say."""

KEEP_FREE_BYTES = 128 << 20
MAX_MODEL_BYTES = 512 << 30
ATTEMPTS = 4
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_MAGIC = b"GGUF"
_TIMEOUT = httpx2.Timeout(30.0, connect=10.0)


def pull(
    url: str,
    name: str,
    folder: Path,
    *,
    sha256: str | None = None,
    progress: Progress | None = None,
    client: httpx2.Client | None = None,
    attempts: int = ATTEMPTS,
    pause: Callable[[float], None] = time.sleep,
) -> ModelSpec:
    """Fetches the GGUF file at `url` as the model `name`. Done twice it costs nothing.

    Args:
        sha256: the digest that the file must have, in hexadecimal. Without one the address must
            be https, or on this machine.
        progress: called after every piece that arrives.
        client: instead of one of its own; it should follow redirects.
        attempts: connections in a row that may bring nothing, with growing pauses between them.
        pause: waits for so many seconds.

    Raises:
        InputError: the address, the name or the digest cannot be used.
        PullError: the server refuses, the file is not the one wanted, or the name is taken.
        PullInterrupted: the connection broke too often; the next call goes on from there.
        PullFull: the disk is full, or would be.
    """
    origin = checked_origin(url, sha256)
    target = folder / f"{checked_name(name)}.gguf"
    if target.exists():
        return _already_there(target, origin)
    with PartFile(target, origin) as part:
        if not part.complete:
            with _client(client) as http:
                fetch = _Fetch(http, url, part, progress or _silent)
                fetch.all(attempts, pause)
        _verify(part)
        write_origin(_note_of(target), replace(part.origin, sha256=part.sha256))
        part.finish()
    return model_at(target)


class _Fetch:
    """Brings the rest of one part, over as many connections as it takes."""

    def __init__(self, client: httpx2.Client, url: str, part: PartFile, progress: Progress) -> None:
        self._client = client
        self._url = url
        self._part = part
        self._progress = progress

    def all(self, attempts: int, pause: Callable[[float], None]) -> None:
        """Gives up after `attempts` connections in a row that brought nothing."""
        failures = 0
        while True:
            before = self._part.size
            try:
                return self._once()
            except PullInterrupted:
                failures = 0 if self._part.size > before else failures + 1
                if failures >= attempts:
                    raise
            pause(min(_FIRST_PAUSE_S * 2**failures, _LONGEST_PAUSE_S))

    def _once(self) -> None:
        try:
            with self._client.stream("GET", self._url, headers=self._headers()) as response:
                self._begin(response)
                self._receive(response)
        except RangeRefused:
            self._part.reset()
            raise
        except (httpx2.TransportError, httpx2.StreamError) as error:
            raise PullInterrupted(
                f"the connection to {place(self._url)} broke: {error or type(error).__name__}",
                hint="run the same command again; it goes on where it stopped",
            ) from error
        except httpx2.HTTPError as error:
            raise PullError(f"{place(self._url)}: {error}", hint="check the address") from error

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        if self._part.size:
            headers["Range"] = f"bytes={self._part.size}-"
            if self._part.origin.version is not None:
                headers["If-Range"] = self._part.origin.version
        return headers

    def _begin(self, response: httpx2.Response) -> None:
        part = self._part
        check_address(str(response.url), part.origin.sha256)
        coming = arrival(response.status_code, response.headers, part.size, part.origin.version)
        if coming.start == 0:
            part.reset()
        total = coming.total_bytes
        if total is not None:
            _check_size(total)
            _check_room(part.path.parent, total - coming.start)
        part.note(replace(part.origin, version=version_of(response.headers), total_bytes=total))

    def _receive(self, response: httpx2.Response) -> None:
        part, total = self._part, self._part.origin.total_bytes
        for chunk in response.iter_raw():
            if part.size == 0:
                _check_magic(chunk, response)
            _check_room(part.path.parent, 0)
            part.write(chunk)
            _check_size(part.size)
            self._progress(part.size, total)
        if total is not None and part.size < total:
            raise PullInterrupted(
                f"the server sent {part.size} of {total} bytes", hint="run the same command again"
            )
        if total is not None and part.size > total:
            part.reset()
            raise PullError(f"the server sent more than {total} bytes", hint="use another mirror")


def _verify(part: PartFile) -> None:
    """Throws away a file that is not the one wanted, or not a whole GGUF file."""
    wanted = part.origin.sha256
    if wanted is not None and part.sha256 != wanted:
        found = part.sha256
        part.reset()
        raise PullError(
            f"the file has the SHA-256 {found}, not {wanted}",
            hint="check the digest and the address; what arrived was thrown away",
        )
    try:
        read_gguf(part.path)
    except ModelInvalid as error:
        part.reset()
        raise PullError(
            f"what arrived is not a whole GGUF file: {error.what}", hint="use another mirror"
        ) from error


def _already_there(target: Path, origin: Origin) -> ModelSpec:
    note = read_origin(_note_of(target))
    same = note.url == origin.url if note is not None else False
    if origin.sha256 is not None:
        same = FileDigest(target).result() == origin.sha256
    if same:
        return model_at(target)
    raise PullError(
        f"there is another model named '{target.stem}'",
        hint=f"choose another name, or remove '{target}' first",
    )


def _check_magic(start: bytes, response: httpx2.Response) -> None:
    if start[:4] != _MAGIC[: len(start)]:
        kind = response.headers.get("content-type", "something else")
        raise PullError(
            f"{place(str(response.url))} is not a GGUF file but {kind}",
            hint="give the address of the file itself, not of a page about it",
        )


def _check_size(size_bytes: int) -> None:
    if size_bytes > MAX_MODEL_BYTES:
        raise PullError(
            f"the file has {size_bytes} bytes or more; {MAX_MODEL_BYTES} are taken at most",
            hint="check the address",
        )


def _check_room(folder: Path, needed_bytes: int) -> None:
    with translated(folder):
        free = shutil.disk_usage(folder).free
    if free < needed_bytes + KEEP_FREE_BYTES:
        raise PullFull(
            f"'{folder}' has {free >> 20} MiB free; {(needed_bytes + KEEP_FREE_BYTES) >> 20} MiB "
            "are needed",
            hint="free some space and run the same command again",
        )


def _note_of(target: Path) -> Path:
    return target.with_name(f"{target.stem}.json")


def _client(given: httpx2.Client | None) -> AbstractContextManager[httpx2.Client]:
    if given is not None:
        return nullcontext(given)
    return httpx2.Client(timeout=_TIMEOUT, follow_redirects=True)


def _silent(done_bytes: int, total_bytes: int | None) -> None:
    """The progress of those who do not ask for it."""
