"""The cloud collections of a runtime: where they are, what would be sent, and what was found."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.cloud.collections.wire import (
    Answer,
    BadCollection,
    Info,
    Listed,
    read,
    search_of,
    written,
)
from skerry.edge.collections.link import Link
from skerry.edge.collections.preview import VectorPreview
from skerry.edge.encoder.base import TextEncoder
from skerry.edge.errors import CloudError, CloudRefused, CloudUnavailable, EncoderError
from skerry.edge.escalate.breaker import Breaker
from skerry.edge.escalate.meter import Meter
from skerry.edge.escalate.options import CloudOptions
from skerry.edge.index.words import WordSplitter

_FAILURES, _COOLDOWN_S = 3, 30.0


@dataclass(frozen=True, slots=True)
class CollectionsOptions:
    """`names` are searched in this order; one search takes `limit_s` seconds at most."""

    service: CloudOptions
    names: tuple[str, ...]
    limit_s: float = 3.0


class Collections:
    """Searches collections; thread-safe; to be closed.

    Args:
        offline: asked before every search; while it says True, no socket is made.
    """

    def __init__(
        self, options: CollectionsOptions, *, offline: Callable[[], bool] = lambda: False
    ) -> None:
        self.options = options
        self.splitter = WordSplitter()
        self._offline = offline
        self._link = Link(options.service)
        self._breaker = Breaker(_FAILURES, _COOLDOWN_S)

    @property
    def names(self) -> tuple[str, ...]:
        return self.options.names

    def preview(
        self,
        name: str,
        text: str,
        vector: NDArray[np.float32],
        encoder: TextEncoder,
        *,
        passages: int,
        redactions: int,
    ) -> VectorPreview:
        """Exactly what `search` would send. `vector` is that of `text`, float32 [dimensions].

        Raises:
            EncoderError: it is no vector.
        """
        try:
            asked = search_of(encoder.id, vector, passages)
        except BadCollection as error:
            raise EncoderError(error.what, hint="run `skerry doctor`") from error
        service = self.options.service
        return VectorPreview(
            url=f"{service.url}/collections/{name}/search",
            destination=service.destination,
            body=written(asked),
            header_names=tuple(sorted(service.request_headers())),
            redactions=redactions,
            collection=name,
            asked=asked,
            text=text,
        )

    def search(
        self, preview: VectorPreview, *, limit_s: float, cancel: threading.Event, meter: Meter
    ) -> Answer:
        """Sends what was previewed; `meter` has the bytes, also where it fails.

        Raises:
            CloudUnavailable: offline, no answer in time, or it failed too often of late.
            CloudRefused: the gateway says no, or answers with what it was not asked for.
            Cancelled: `cancel` was set.
        """
        destination = preview.destination
        if self._offline():
            raise CloudUnavailable(f"nothing was sent to {destination}: this device is offline")
        if not self._breaker.admit():
            what = f"{destination} failed too often and is not asked for a while"
            raise CloudUnavailable(what, hint=f"wait {_COOLDOWN_S:g} s")
        report = self._breaker.abandoned
        try:
            body = self._link.ask(
                "POST", preview.url, preview.body, meter=meter, cancel=cancel,
                limit_s=min(limit_s, self.options.limit_s),
            )  # fmt: skip
            answer = self._link.read(body, lambda raw: read(raw, Answer))
            report = self._breaker.succeeded
            return self._checked(answer, preview)
        except CloudRefused:
            report = self._breaker.succeeded
            raise
        except CloudError:
            report = self._breaker.failed
            raise
        finally:
            report()

    def listed(self) -> tuple[Info, ...]:
        """What this device may search; sends nothing of anyone's.

        Raises:
            CloudError: it cannot be told.
        """
        url = f"{self.options.service.url}/collections"
        body = self._link.ask("GET", url, limit_s=self.options.limit_s)
        return self._link.read(body, lambda raw: read(raw, Listed)).data

    def close(self) -> None:
        """May be called twice."""
        self._link.close()
        self.splitter.close()

    def _checked(self, answer: Answer, preview: VectorPreview) -> Answer:
        asked = preview.asked
        if (answer.collection, answer.encoder) != (preview.collection, asked.encoder):
            raise self._link.garbage("its answer is of another collection or encoder")
        if len(answer.found) > asked.passages:
            raise self._link.garbage(f"{len(answer.found)} passages came for {asked.passages}")
        return answer
