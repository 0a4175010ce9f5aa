"""Frames over plain HTTP, where WebSockets do not get through."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

import httpx2

from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import DeviceFrame, Open, written
from skerry.cloud.hints.lengths import NAME_HEADER, Frames, prefixed
from skerry.edge.errors import CloudError, CloudRefused, CloudUnavailable
from skerry.edge.split.link import LATER, NoWay
from skerry.edge.split.options import SplitOptions

_MOST_SAID = 4096
_NOT_THERE = frozenset({404, 405, 501})


class HttpLink:
    """One long answer that carries the cloud's frames; hints are sent beside it.

    Raises while receiving:
        NoWay: the other side does not do this.
        CloudRefused, CloudUnavailable: as of every link.
    """

    def __init__(self, options: SplitOptions, headers: Mapping[str, str], left_s: float) -> None:
        self._options, self._headers = options, dict(headers)
        timeout = httpx2.Timeout(options.idle_s, connect=min(options.connect_s, left_s))
        self._client = httpx2.Client(timeout=timeout, trust_env=False)
        self._arrived: queue.Queue[bytes | CloudError] = queue.Queue()
        self._hints: queue.Queue[bytes | None] = queue.Queue()
        self._name = ""
        self._rtt_s: float | None = None
        self._threads: list[threading.Thread] = []
        self._closed = False

    def send(self, frame: DeviceFrame) -> int:
        data = written(frame)
        if isinstance(frame, Open):
            self._start(self._listen, data)
        else:
            self._hints.put(data)
        return len(data)

    def receive(self, wait_s: float) -> bytes | None:
        try:
            found = self._arrived.get(timeout=wait_s) if wait_s else self._arrived.get_nowait()
        except queue.Empty:
            return None
        if isinstance(found, CloudError):
            raise found
        return found

    @property
    def rtt_s(self) -> float | None:
        return self._rtt_s

    def close(self) -> None:
        self._closed = True
        self._hints.put(None)
        self._client.close()

    def _start(self, run: object, *given: object) -> None:
        thread = threading.Thread(target=run, args=given, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _listen(self, opening: bytes) -> None:
        """Until the cloud ends its answer."""
        try:
            with self._client.stream(
                "POST", self._options.http_url, content=opening, headers=self._headers
            ) as answer:
                self._check(answer)
                self._name = answer.headers.get(NAME_HEADER, "")
                self._start(self._tell)
                frames = Frames()
                for part in answer.iter_bytes():
                    for data in frames.feed(part):
                        self._arrived.put(data)
            self._arrived.put(self._gone("it ended its answer"))
        except CloudError as error:
            self._arrived.put(error)
        except ProtocolError as error:
            self._arrived.put(CloudRefused(f"{self._options.destination}: {error.what}"))
        except (httpx2.HTTPError, httpx2.StreamError, RuntimeError, OSError) as error:
            self._arrived.put(self._gone(str(error)))

    def _check(self, answer: httpx2.Response) -> None:
        status = answer.status_code
        if status == httpx2.codes.OK:
            return
        what = f"{self._options.destination} answered {status}: {_said(answer)}"
        if status in _NOT_THERE:
            raise NoWay(what, hint="check split_url", status=status)
        if status >= httpx2.codes.INTERNAL_SERVER_ERROR or status == httpx2.codes.TOO_MANY_REQUESTS:
            raise CloudUnavailable(what, hint=LATER, status=status)
        raise CloudRefused(what, hint="check split_url and the API key", status=status)

    def _tell(self) -> None:
        """Sends hints as they come; those that wait meanwhile go together. One that is lost harms
        nothing."""
        url = f"{self._options.http_url}/{self._name}"
        while (first := self._hints.get()) is not None and not self._closed:
            body = bytearray(prefixed(first))
            while not self._hints.empty() and (more := self._hints.get_nowait()) is not None:
                body += prefixed(more)
            began = time.monotonic()
            with suppress(httpx2.HTTPError, RuntimeError, OSError):
                self._client.post(url, content=bytes(body), headers=self._headers)
                self._rtt_s = time.monotonic() - began

    def _gone(self, why: str) -> CloudUnavailable:
        what = f"{self._options.destination} closed the connection ({why})"
        return CloudUnavailable(what, hint=LATER)


def _said(answer: httpx2.Response) -> str:
    """What a refusal says, in one line."""
    try:
        told = json.loads(answer.read()[:_MOST_SAID])["error"]["message"]
    except (ValueError, LookupError, TypeError, httpx2.HTTPError):
        return answer.reason_phrase
    return " ".join(str(told).split())
