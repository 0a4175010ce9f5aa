"""One generation: prefill in steps, then token by token to pieces of text.

Knows nothing of slots, threads or whether anybody reads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

from skerry.edge.engines.base import FinishReason, Generation, Piece, TokenLogprob, Usage
from skerry.edge.engines.genai.model import CacheClosed, KvCache
from skerry.edge.engines.genai.sampling import Chooser, Row
from skerry.edge.engines.genai.tokens import Tokens
from skerry.edge.engines.stats import RowMeter, RowStats, StatsSum, top_ids
from skerry.edge.engines.text import TextStream


@dataclass(frozen=True, slots=True)
class Job:
    """A checked request.

    `limit` is the most tokens to generate, `prefill_tokens` how many are computed between two
    looks at `stopped`, `queued_ms` how long the request waited for its slot.
    """

    request: Generation
    ids: Sequence[int]
    seed: int
    limit: int
    prefill_tokens: int
    stop_ids: frozenset[int]
    stopped: Callable[[], bool]
    queued_ms: float


@dataclass(frozen=True, slots=True)
class _Logged:
    """A generated token, and how many code points were decoded before it."""

    token: TokenLogprob
    top: Sequence[TokenLogprob]
    start: int


@dataclass(slots=True)
class _Tally:
    """What the generation took so far."""

    cached_tokens: int = 0
    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    stats: StatsSum = field(default_factory=StatsSum)

    def usage(self, job: Job) -> Usage:
        return Usage(
            prompt_tokens=len(job.ids),
            cached_tokens=self.cached_tokens,
            completion_tokens=self.stats.count,
            prefill_ms=self.prefill_ms,
            decode_ms=self.decode_ms,
            queued_ms=job.queued_ms,
            seed=job.seed,
            stats=self.stats.means(),
        )


def cancelled(job: Job) -> Piece:
    """The whole stream of a request that was cancelled before it began."""
    return _piece("", (), FinishReason.CANCELLED, _Tally().usage(job))


class Run:
    """Generates once on `cache`."""

    def __init__(self, job: Job, cache: KvCache, tokens: Tokens) -> None:
        self._job = job
        self._cache = cache
        self._tokens = tokens
        self._chooser = Chooser(job.request.sampling, job.seed)
        self._text = TextStream(job.request.stop)
        self._tally = _Tally()
        self._held: list[_Logged] = []

    def pieces(self) -> Iterator[Piece]:
        """The stream; its last piece says why it ended."""
        try:
            finish = FinishReason.CANCELLED
            if self._prefill():
                finish = yield from self._decode()
        except CacheClosed:
            finish = FinishReason.CANCELLED
        yield self._last(finish)

    def _prefill(self) -> bool:
        """Computes the prompt; False when it was stopped."""
        began = time.perf_counter()
        ids = self._job.ids
        self._tally.cached_tokens = self._cache.start(ids)
        for step in prefill_steps(self._tally.cached_tokens, len(ids), self._job.prefill_tokens):
            if self._job.stopped():
                return False
            self._cache.append(ids[step.start : step.stop])
        self._tally.prefill_ms = _ms_since(began)
        return True

    def _decode(self) -> Generator[Piece, None, FinishReason]:
        meter: RowMeter | None = None
        for _ in range(self._job.limit):
            if self._job.stopped():
                return FinishReason.CANCELLED
            began = time.perf_counter()
            row = self._cache.logits()
            meter = meter or RowMeter(row.size)
            shown = self._step(row, meter.measure(row))
            self._tally.decode_ms += _ms_since(began)
            if shown is None:
                return FinishReason.STOP
            logged = self._released()
            if shown or logged:
                yield _piece(shown, logged)
            if self._text.stopped:
                return FinishReason.STOP
        return FinishReason.LENGTH

    def _step(self, row: Row, measured: RowStats) -> str | None:
        """Takes the next token; returns the text that may now be shown, None at the end of turn."""
        answer = self._cache.tokens[len(self._job.ids) :]
        token = self._cache.take(self._chooser.scores(row, answer))
        if token in self._job.stop_ids:
            return None
        logprob = float(row[token]) - measured.log_z
        self._tally.stats.add(logprob, measured.entropy, measured.margin)
        if self._job.request.top_logprobs is not None:
            self._held.append(self._logged(row, token, measured.log_z))
        return self._text.feed(self._tokens.piece(token))

    def _logged(self, row: Row, token: int, log_z: float) -> _Logged:
        def entry(token_id: int) -> TokenLogprob:
            text = self._tokens.piece(token_id).decode("utf-8", "replace")
            return TokenLogprob(token_id, text, float(row[token_id]) - log_z)

        top = tuple(entry(int(at)) for at in top_ids(row, self._job.request.top_logprobs or 0))
        return _Logged(entry(token), top, self._text.decoded)

    def _released(self) -> list[_Logged]:
        """The tokens whose text has begun to be shown."""
        count = sum(logged.start < self._text.shown for logged in self._held)
        released, self._held = self._held[:count], self._held[count:]
        return released

    def _last(self, finish: FinishReason) -> Piece:
        rest = "" if self._text.stopped else self._text.finish()
        logged = [] if self._text.stopped else self._held
        return _piece(rest, logged, finish, self._tally.usage(self._job))


def prefill_steps(start: int, stop: int, step: int) -> Iterator[range]:
    """The positions from `start` to `stop`, cut at the multiples of `step`."""
    while start < stop:
        end = min((start // step + 1) * step, stop)
        yield range(start, end)
        start = end


def _piece(
    text: str,
    logged: Sequence[_Logged],
    finish: FinishReason | None = None,
    usage: Usage | None = None,
) -> Piece:
    tokens = tuple(entry.token for entry in logged)
    tops = tuple(entry.top for entry in logged)
    return Piece(text, tokens, tops, finish, usage)


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1e3
