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

from skerry.cloud.hints.frames import Reason, Said, Tokens
from skerry.edge.engines.base import Engine, FinishReason, Generation, Piece, Usage
from skerry.edge.engines.text import TextStream
from skerry.edge.errors import CloudError, CloudRefused, InputError
from skerry.edge.escalate.base import Egress
from skerry.edge.escalate.breaker import Breaker
from skerry.edge.escalate.chunks import UNFIT
from skerry.edge.split.client import SplitGeneration
from skerry.edge.split.exchange import Exchange, OtherTokens, Traffic
from skerry.edge.split.preview import SplitPreview
from skerry.edge.split.report import SplitReport
from skerry.edge.split.streamed import TextGeneration
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
InText = Callable[[Exchange, OtherTokens], TextGeneration]
"""Asks the same in text, on the same exchange, after the refusal of tokens that others have."""


class SplitStream:
    """See `skerry.edge.escalate.base.RemoteStream`."""

    def __init__(
        self, generation: SplitGeneration | TextGeneration, device: Device, preview: SplitPreview,
        *, in_text: InText, held: ExitStack, breaker: Breaker, cancel: threading.Event,
        watch: Watch | None = None,
    ) -> None:  # fmt: skip
        self._generation, self._device, self._preview = generation, device, preview
        self._in_text = in_text
        self._held, self._breaker, self._cancel = held, breaker, cancel
        self._watch = watch
        self._alone, self._broke = 0, ""
        self._told: list[int] = []
        self._said = ""
        """What was told in text."""
        self._text = TextStream(preview.stop)
        self._began = time.perf_counter()
        self._first_at: float | None = None
        self._pieces = self._run()

    @property
    def egress(self) -> Egress:
        traffic = self._generation.traffic
        where = self._preview.destination
        return Egress(where, traffic.sent, traffic.received, traffic.asked)

    @property
    def traffic(self) -> Traffic:
        return self._generation.traffic

    @property
    def report(self) -> SplitReport:
        """What was drafted and taken so far."""
        generation = self._generation
        if isinstance(generation, TextGeneration):
            report = SplitReport.of_text(generation)
        else:
            report = SplitReport.of(generation)
        verified = len(self._told) - self._alone
        return replace(report, tokens=verified, alone=self._alone, broke=self._broke)

    def __iter__(self) -> Iterator[Piece]:
        return self

    def __next__(self) -> Piece:
        piece = next(self._pieces)
        return replace(piece, text=piece.text.translate(UNFIT))

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
            yield from self._from_cloud()
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
        left = self._preview.opening.max_tokens - len(self._told)
        whole = self._so_far()
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

    def _so_far(self) -> list[int]:
        """The prompt and what came of the answer, in the device's own tokens."""
        prompt = self._preview.opening.tokens
        said = self._device.tokenize(self._said) if self._said else self._told
        return [*prompt, *said]

    def _from_cloud(self) -> Generator[Piece, None, None]:
        """In tokens, or in text where the target has others."""
        try:
            yield from self._verified()
        except OtherTokens as refusal:
            if self._told or not isinstance(self._generation, SplitGeneration):
                raise
            self._generation = self._in_text(self._generation.exchange, refusal)
            yield from self._verified()

    def _verified(self) -> Generator[Piece, None, None]:
        for frame in self._generation:
            if self._first_at is None:
                self._first_at = time.perf_counter()
            if self._watch is not None:
                self._watch(self._step(frame))
            if text := self._heard(frame):
                yield Piece(text)
            if self._text.stopped:
                yield self._last(FinishReason.STOP)
                return
        done = self._generation.done
        yield self._last(_FINISH[done.reason] if done else FinishReason.CANCELLED)

    def _heard(self, frame: Tokens | Said) -> str:
        """The text that a frame adds, up to a stop string."""
        if isinstance(frame, Tokens):
            return self._fed(frame.tokens)
        self._told += frame.tokens
        self._said += frame.text
        return self._text.feed(frame.text.encode())

    def _step(self, frame: Tokens | Said) -> Step:
        if isinstance(frame, Said):
            return Step("", frame.text, corrected=False)
        pieces = [self._device.piece(token) for token in frame.tokens]
        parts = pieces[: frame.drafted], pieces[frame.drafted :]
        taken, own = (b"".join(part).decode("utf-8", "replace") for part in parts)
        generation = self._generation
        wrong = isinstance(generation, SplitGeneration) and generation.ahead.wrong > 0
        return Step(taken, own, corrected=wrong)

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
            prompt_tokens=self._generation.prompt_tokens,
            cached_tokens=opened.cached if opened else 0,
            completion_tokens=len(self._told),
            prefill_ms=(first - self._began) * 1e3,
            decode_ms=(now - first) * 1e3,
            queued_ms=0.0,
            seed=self._preview.opening.choosing.seed,
            stats=None,
        )
        return Piece(self._text.finish(), finish=finish, usage=usage)
