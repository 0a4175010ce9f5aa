"""What a remote tier is: the Protocol behind which the cloud, and later split inference, sit.

Its streams yield the same pieces as an engine's, so that nothing after generation needs to know
where an answer was made.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

from skerry.edge.engines.base import Message, Piece, Sampling
from skerry.edge.escalate.preview import Preview


@dataclass(frozen=True, slots=True)
class Egress:
    """What left the device for one answer, and what came back.

    `bytes_sent` are bytes of request bodies handed to the network, over all `attempts`;
    `bytes_received` are bytes of response bodies. HTTP headers and TLS come on top.
    """

    destination: str
    bytes_sent: int
    bytes_received: int
    attempts: int


@runtime_checkable
class RemoteStream(Protocol):
    """Pieces of an answer that is made elsewhere. `egress` may be read at any time."""

    @property
    def egress(self) -> Egress: ...

    def __iter__(self) -> Iterator[Piece]: ...

    def __next__(self) -> Piece: ...

    def close(self) -> None:
        """Ends the request and closes its connection. May be called twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...


@runtime_checkable
class RemoteTier(Protocol):
    """A tier off the device. Thread-safe."""

    def available(self) -> bool:
        """Whether a request would be sent now. Sends nothing to find out."""
        ...

    def preview(
        self,
        messages: Sequence[Message],
        *,
        sampling: Sampling,
        max_tokens: int,
        stop: Sequence[str] = (),
        reasoning: bool = False,
        redactions: int = 0,
        request_class: str = "",
    ) -> Preview:
        """Exactly what `send` would send. What is measured is kept apart by `request_class`.

        Raises:
            InputError: a message cannot be sent as text.
        """
        ...

    def send(self, preview: Preview, *, deadline_s: float, cancel: threading.Event) -> RemoteStream:
        """Sends what was previewed and streams the answer.

        Raises:
            CloudError: it could not be sent; while iterating: no whole answer came.
            Cancelled: never; a cancelled stream ends with `FinishReason.CANCELLED`.
        """
        ...

    def close(self) -> None:
        """Ends running requests. May be called twice."""
        ...
