"""A split generation as pieces of text, like those of an engine.

When the cloud is gone for good in mid-answer, the device goes on by itself from the last verified
token; the report says how much of the answer that is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Protocol, Self

from skerry.cloud.hints.frames import Reason, Tokens
from skerry.edge.engines.base import Engine, FinishReason, Generation, Piece, Usage
from skerry.edge.engines.text import TextStream
from skerry.edge.errors import CloudError, CloudRefused, InputError
from skerry.edge.escalate.base import Egress
from skerry.edge.escalate.breaker import Breaker
from skerry.edge.split.client import SplitGeneration, Traffic
from skerry.edge.split.preview import SplitPreview
from skerry.edge.split.report import SplitReport
from skerry.edge.split.tokenizer import Tokenizer

_FINISH = {
    Reason.STOP: FinishReason.STOP,
    Reason.LENGTH: FinishReason.LENGTH,
    Reason.CANCELLED: FinishReason.CANCELLED,
}


class Device(Engine, Tokenizer, Protocol):
    """The device's model, which can go on from tokens."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one forward pass of the target gave, as text: `taken` was drafted here, `own` was not.
    `corrected`: the device had guessed something else in its place."""

    taken: str
    own: str
    corrected: bool


Watch = Callable[[Step], None]


class SplitStream:
    """See `skerry.edge.escalate.base.RemoteStream`."""

    def __init__(
        self, generation: SplitGeneration, device: Device, preview: SplitPreview,
        *, held: ExitStack, breaker: Breaker, cancel: threading.Event, watch: Watch | None = None,
    ) -> None:  # fmt: skip
        self._generation, self._device, self._preview = generation, device, preview
        self._held, self._breaker, self._cancel = held, breaker, cancel
        self._watch = watch
        self._alone, self._broke = 0, ""
        self._told: list[int] = []
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
    def traffic(self) -> Traffic:
        return self._generation.traffic

    @property
    def report(self) -> SplitReport:
        """What was drafted and taken so far."""
        report = SplitReport.of(self._generation)
        verified = len(self._told) - self._alone
        return replace(report, tokens=verified, alone=self._alone, broke=self._broke)

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
            yield from self._verified()
            tell = self._breaker.succeeded
        except CloudError as error:
            there = isinstance(error, CloudRefused)  # and says no
            tell = self._breaker.succeeded if there else self._breaker.failed
            if not self._told:
                raise
            self._broke = error.what
            yield from self._by_itself()
        finally:
            tell()

    def _by_itself(self) -> Generator[Piece, None, None]:
        """The device's own model goes on from the last verified token."""
        asked = self._preview.opening
        left = asked.max_tokens - len(self._told)
        whole = [*asked.tokens, *self._told]
        if left <= 0 or len(whole) >= self._device.info.context_tokens:
            yield self._last(FinishReason.LENGTH)
            return
        generation = Generation(
            prompt=whole, max_tokens=left, sampling=self._preview.sampling, top_logprobs=0,
            cancel=self._cancel,
        )  # fmt: skip
        finish, verified = FinishReason.LENGTH, len(self._told)
        for piece in self._device.generate(generation):
            text = self._fed([one.token_id for one in piece.tokens])
            self._alone = len(self._told) - verified
            if text:
                yield Piece(text)
            if self._text.stopped:
                finish = FinishReason.STOP
                break
            finish = piece.finish or finish
        yield self._last(finish)

    def _verified(self) -> Generator[Piece, None, None]:
        for frame in self._generation:
            if self._first_at is None:
                self._first_at = time.perf_counter()
            if self._watch is not None:
                self._watch(self._step(frame))
            if text := self._fed(frame.tokens):
                yield Piece(text)
            if self._text.stopped:
                yield self._last(FinishReason.STOP)
                return
        done = self._generation.done
        yield self._last(_FINISH[done.reason] if done else FinishReason.CANCELLED)

    def _step(self, frame: Tokens) -> Step:
        pieces = [self._device.piece(token) for token in frame.tokens]
        parts = pieces[: frame.drafted], pieces[frame.drafted :]
        taken, own = (b"".join(part).decode("utf-8", "replace") for part in parts)
        return Step(taken, own, bool(self._generation.ahead.wrong))

    def _fed(self, tokens: Sequence[int]) -> str:
        """The text that tokens add, up to a stop string.

        Raises:
            CloudRefused: one is no token of the device's model.
        """
        shown = []
        for token in tokens:
            try:
                piece = self._device.piece(token)
            except InputError as error:
                raise CloudRefused(f"{self._preview.destination}: {error.what}") from error
            self._told.append(token)
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
            completion_tokens=len(self._told),
            prefill_ms=(first - self._began) * 1e3,
            decode_ms=(now - first) * 1e3,
            queued_ms=0.0,
            seed=self._preview.opening.choosing.seed,
            stats=None,
        )
        return Piece(self._text.finish(), finish=finish, usage=usage)
