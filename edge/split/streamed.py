"""One generation in text, with a cloud whose target has other tokens than the device's model.

Nothing is drafted: the target's own chat template makes the prompt of the messages, and what it
says comes as text, with its tokens. The device cannot read those; it hands them back when the
connection broke, so that the answer goes on as it would have.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import CloudFrame, Done, Fault, Open, Opened, Reason, Said, Tokens
from skerry.edge.errors import CloudRefused
from skerry.edge.split.exchange import OTHER_TOKENS, UNKNOWN_TOKENS, Exchange, Exchanged


class TextGeneration(Exchanged):
    """Iterating yields the frames of text, in order; `done` is there at the end.

    Args:
        exchange: it may have been used for the same question in tokens.
        asked: a frame with messages.

    Raises while iterating:
        CloudRefused: the cloud will not serve this, or sends what the protocol does not allow.
        CloudUnavailable: it cannot be reached, went away for good, was silent or too slow.
    """

    def __init__(self, exchange: Exchange, asked: Open) -> None:
        super().__init__(exchange)
        self._asked = asked
        self.tokens: list[int] = []
        """The target's own."""
        self.opened: Opened | None = None
        self.done: Done | None = None
        self.passes = 0
        self.refused = False
        """Whether the cloud would not begin."""
        self._agreed, self._begins = False, 0

    def __iter__(self) -> Iterator[Said]:
        try:
            yield from self.exchange.until(
                lambda: self.done is not None, self._connection, lambda: bool(self.tokens)
            )
        except CloudRefused:
            self.refused = self.opened is None
            raise

    @property
    def why(self) -> str:
        """Why it is not drafted for."""
        unknown = self.opened is not None and not self.opened.vocabulary
        return UNKNOWN_TOKENS if unknown else OTHER_TOKENS

    @property
    def prompt_tokens(self) -> int:
        """As the target counts them; 0 before it has opened."""
        return self.opened.position if self.opened else 0

    def _connection(self) -> Iterator[Said]:
        """Frames of text for as long as one connection holds."""
        left = self._asked.max_tokens - len(self.tokens)
        if left == 0:  # only the last frame was lost
            counts = (self.passes, 0, 0, self.prompt_tokens, len(self.tokens))
            self.done = Done(Reason.LENGTH, *counts)
            return
        self._agreed, self._begins = False, len(self.tokens)
        self.exchange.open(
            msgspec.structs.replace(
                self._asked,
                model=self.opened.model if self.opened else self._asked.model,
                vocabulary=self.opened.vocabulary if self.opened else b"",
                tokens=tuple(self.tokens),
                generated=len(self.tokens),
                max_tokens=left,
            )
        )
        while self.done is None:
            frame = self.exchange.receive(begun=self.passes > 0, busy=lambda: False)
            if frame is not None and (said := self._take(frame)) is not None:
                yield said

    def _take(self, frame: CloudFrame) -> Said | None:
        match frame:
            case Fault():
                raise self.exchange.failed(frame)
            case Opened() if not self._agreed:
                self._agree(frame)
            case Opened():
                raise ProtocolError("the cloud opened a generation twice")
            case _ if not self._agreed:
                raise ProtocolError("the cloud answered before it opened the generation")
            case Said():
                self._hear(frame)
                return frame
            case Done():
                self.done = frame
            case Tokens():
                raise ProtocolError("the cloud sent tokens, and text was agreed")
        return None

    def _agree(self, frame: Opened) -> None:
        """Raises ProtocolError: an answer that has begun would go on after something else."""
        if self.opened is None:
            self.opened = frame
        same = (
            frame.drafts == 0
            and frame.vocabulary == self.opened.vocabulary
            and frame.model == self.opened.model
            and frame.position == self.opened.position + len(self.tokens)
        )
        if not same:
            raise ProtocolError("the cloud does not go on where the answer broke off")
        self._agreed = True

    def _hear(self, frame: Said) -> None:
        at = len(self.tokens) - self._begins
        if frame.position != at:
            raise ProtocolError(f"the cloud sent text for position {frame.position}, not {at}")
        self.tokens += frame.tokens
        if len(self.tokens) > self._asked.max_tokens:
            raise ProtocolError("the cloud sent more tokens than were asked for")
        self.passes += 1
