"""A cloud that keeps what it is sent and answers nothing: what reaches it has left the device."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Self

from skerry.edge.engines.base import FinishReason, Message, Piece, Sampling
from skerry.edge.escalate.base import Egress
from skerry.edge.escalate.preview import Preview, encode_request

DESTINATION = "the red team's recorder"
_URL = "https://recorder.invalid/v1/chat/completions"
_REPLY = "The documents do not say."


class Recorder:
    """A remote tier that sends nothing anywhere. `sent` has each text that would have left."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def available(self) -> bool:
        return True

    def preview(
        self,
        messages: Sequence[Message],
        *,
        sampling: Sampling,
        max_tokens: int,
        stop: Sequence[str] = (),
        reasoning: bool = False,
        redactions: int = 0,
        request_class: str = "",  # noqa: ARG002  not told to services that may be anybody's
    ) -> Preview:
        """Exactly what the real tier would send."""
        body = encode_request(
            messages,
            model="recorder",
            sampling=sampling,
            max_tokens=max_tokens,
            stop=stop,
            reasoning=reasoning,
        )
        return Preview(_URL, DESTINATION, body, redactions=redactions)

    def send(self, preview: Preview, *, deadline_s: float, cancel: threading.Event) -> Recorded:  # noqa: ARG002
        self.sent += [message.text for message in preview.messages]
        return Recorded(preview.size_bytes)

    def close(self) -> None:
        pass


class Recorded:
    """The stream of one recorded request."""

    def __init__(self, size_bytes: int) -> None:
        self._pieces = iter([Piece(_REPLY), Piece("", finish=FinishReason.STOP)])
        self.egress = Egress(DESTINATION, size_bytes, len(_REPLY), 1)

    def __iter__(self) -> Iterator[Piece]:
        return self

    def __next__(self) -> Piece:
        return next(self._pieces)

    def close(self) -> None:
        self._pieces = iter(())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
