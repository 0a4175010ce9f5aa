"""A split generation as pieces of text, like those of an engine."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Self

from skerry.cloud.hints.frames import Reason, Tokens
from skerry.edge.engines.base import FinishReason, Piece, Usage
from skerry.edge.engines.text import TextStream
from skerry.edge.errors import CloudRefused, CloudUnavailable, InputError
from skerry.edge.escalate.base import Egress
from skerry.edge.escalate.breaker import Breaker
from skerry.edge.split.client import SplitGeneration
from skerry.edge.split.preview import SplitPreview
from skerry.edge.split.report import SplitReport
from skerry.edge.split.tokenizer import Tokenizer

_FINISH = {
    Reason.STOP: FinishReason.STOP,
    Reason.LENGTH: FinishReason.LENGTH,
    Reason.CANCELLED: FinishReason.CANCELLED,
}


class SplitStream:
    """See `skerry.edge.escalate.base.RemoteStream`."""

    def __init__(
        self, generation: SplitGeneration, tokenizer: Tokenizer, preview: SplitPreview,
        held: ExitStack, breaker: Breaker,
    ) -> None:  # fmt: skip
        self._generation, self._tokenizer, self._preview = generation, tokenizer, preview
        self._held, self._breaker = held, breaker
        self._text = TextStream(preview.stop)
        self._began = time.perf_counter()
        self._first_at: float | None = None
        self._pieces = self._run()

    @property
    def egress(self) -> Egress:
        traffic = self._generation.traffic
        attempts = int(traffic.sent > 0)
        return Egress(self._preview.destination, traffic.sent, traffic.received, attempts)

    @property
    def report(self) -> SplitReport:
        """What was drafted and taken so far."""
        return SplitReport.of(self._generation)

    def __iter__(self) -> Iterator[Piece]:
        return self

    def __next__(self) -> Piece:
        return next(self._pieces)

    def close(self) -> None:
        self._pieces.close()
        self._generation.close()
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _run(self) -> Generator[Piece, None, None]:
        tell = self._breaker.abandoned
        try:
            yield from self._watched()
            tell = self._breaker.succeeded
        except CloudUnavailable:
            tell = self._breaker.failed
            raise
        except CloudRefused:
            tell = self._breaker.succeeded  # it is there, and it says no
            raise
        finally:
            tell()

    def _watched(self) -> Generator[Piece, None, None]:
        for frame in self._generation:
            if self._first_at is None:
                self._first_at = time.perf_counter()
            if text := self._shown(frame):
                yield Piece(text)
            if self._text.stopped:
                yield self._last(FinishReason.STOP)
                return
        done = self._generation.done
        yield self._last(_FINISH[done.reason] if done else FinishReason.CANCELLED)

    def _shown(self, frame: Tokens) -> str:
        """The text that the tokens add, up to a stop string.

        Raises:
            CloudRefused: the cloud sent an id that is no token.
        """
        shown = []
        for token in frame.tokens:
            try:
                piece = self._tokenizer.piece(token)
            except InputError as error:
                raise CloudRefused(f"{self._preview.destination}: {error.what}") from error
            shown.append(self._text.feed(piece))
            if self._text.stopped:
                break
        return "".join(shown)

    def _last(self, finish: FinishReason) -> Piece:
        now = time.perf_counter()
        first = now if self._first_at is None else self._first_at
        opened = self._generation.opened
        usage = Usage(
            prompt_tokens=len(self._preview.opening.tokens),
            cached_tokens=opened.cached if opened else 0,
            completion_tokens=len(self._generation.ahead.generated),
            prefill_ms=(first - self._began) * 1e3,
            decode_ms=(now - first) * 1e3,
            queued_ms=0.0,
            seed=self._preview.opening.choosing.seed,
            stats=None,
        )
        return Piece(self._text.finish(), finish=finish, usage=usage)
