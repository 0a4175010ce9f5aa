"""Frames over plain HTTP, where WebSockets do not get through."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from urllib.parse import quote

import httpx2

from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import DeviceFrame, Open, written
from skerry.cloud.hints.lengths import NAME_HEADER, Frames, prefixed
from skerry.edge.errors import CloudError, CloudRefused, CloudUnavailable
from skerry.edge.escalate.faults import snippet
from skerry.edge.split.link import LATER, NoWay
from skerry.edge.split.options import SplitOptions

_MOST_SAID = 4096
_MOST_ARRIVED = 64
_LOOK_S = 0.2
_NOT_THERE = frozenset({404, 405, 501})


class HttpLink:
    """One long answer that carries the cloud's frames; hints are sent beside it.

    Raises while receiving:
        NoWay: the other side does not do this.
        CloudRefused, CloudUnavailable: as of every link.
    """

    def __init__(self, options: SplitOptions, headers: Mapping[str, str], left_s: float) -> None:
        self._options, self._headers = options, {**headers, "Accept-Encoding": "identity"}
        timeout = httpx2.Timeout(options.idle_s, connect=min(options.connect_s, left_s))
        self._client = httpx2.Client(timeout=timeout, trust_env=False)
        self._arrived: queue.Queue[bytes | CloudError] = queue.Queue(_MOST_ARRIVED)
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
                for part in self._parts(answer):
                    for data in frames.feed(part):
                        self._put(data)
            self._put(self._gone("it ended its answer"))
        except CloudError as error:
            self._put(error)
        except ProtocolError as error:
            self._put(CloudRefused(f"{self._options.destination}: {error.what}"))
        except (httpx2.HTTPError, httpx2.StreamError, RuntimeError, OSError) as error:
            self._put(self._gone(str(error)))

    def _put(self, found: bytes | CloudError) -> None:
        """Waits where too much has not been read yet: a cloud is not read ahead of without end."""
        while not self._closed:
            with suppress(queue.Full):
                self._arrived.put(found, timeout=_LOOK_S)
                return

    def _parts(self, answer: httpx2.Response) -> Iterator[bytes]:
        """The bytes of an answer for as long as somebody reads them; closing the client does not
        end a read."""
        for part in answer.iter_raw():
            if self._closed:
                return
            yield part

    def _check(self, answer: httpx2.Response) -> None:
        status, where = answer.status_code, self._options.destination
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise CloudRefused(f"{where} sent a compressed answer", hint=LATER, status=status)
        if status == httpx2.codes.OK:
            return
        what = f"{where} answered {status}: {self._said(answer)}"
        if status in _NOT_THERE:
            raise NoWay(what, hint="check split_url", status=status)
        if status >= httpx2.codes.INTERNAL_SERVER_ERROR or status == httpx2.codes.TOO_MANY_REQUESTS:
            raise CloudUnavailable(what, hint=LATER, status=status)
        raise CloudRefused(what, hint="check split_url and the API key", status=status)

    def _tell(self) -> None:
        """Sends hints as they come; those that wait meanwhile go together. One that is lost harms
        nothing."""
        url = f"{self._options.http_url}/{quote(self._name, safe='')}"
        while (first := self._hints.get()) is not None and not self._closed:
            body = bytearray(prefixed(first))
            while not self._hints.empty() and (more := self._hints.get_nowait()) is not None:
                body += prefixed(more)
            began = time.monotonic()
            with suppress(httpx2.HTTPError, RuntimeError, OSError):
                self._post(url, bytes(body))
                self._rtt_s = time.monotonic() - began

    def _post(self, url: str, body: bytes) -> None:
        """Of the answer, which says nothing, no more than a part is read."""
        with self._client.stream("POST", url, content=body, headers=self._headers) as answer:
            next(answer.iter_raw(), b"")

    def _said(self, answer: httpx2.Response) -> str:
        """What a refusal says, in one line; no more of it is read than a line may have."""
        body = bytearray()
        try:
            for part in self._parts(answer):
                body += part
                if len(body) > _MOST_SAID:
                    break
            told = str(json.loads(body)["error"]["message"])
        except (ValueError, LookupError, TypeError, RecursionError, httpx2.HTTPError):
            told = answer.reason_phrase
        return snippet(self._options, told)

    def _gone(self, why: str) -> CloudUnavailable:
        said = snippet(self._options, why)
        what = f"{self._options.destination} closed the connection ({said})"
        return CloudUnavailable(what, hint=LATER)
