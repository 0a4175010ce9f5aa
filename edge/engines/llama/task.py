"""One generation, from the request to its last piece, without the decoding itself.

The worker thread feeds it rows of logits; the caller's thread reads the pieces from its outbox.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue

from skerry.bundles.llama.tokens import TokenArray
from skerry.edge.engines.base import FinishReason, Generation, Piece, TokenLogprob, Usage
from skerry.edge.engines.llama.native import Vocabulary
from skerry.edge.engines.llama.sampling import Candidates, Chooser
from skerry.edge.engines.stats import Row, RowMeter, RowStats, StatsSum, top_ids
from skerry.edge.engines.text import TextStream
from skerry.edge.errors import EdgeError


@dataclass(slots=True)
class Instruments:
    """What a token is chosen and measured with; shared by the tasks of one worker."""

    vocab: Vocabulary
    meter: RowMeter
    candidates: Candidates


class Task:
    """State of one generation. `fed` tokens of it are in the KV cache."""

    def __init__(
        self, request: Generation, prompt: Sequence[int], *, seed: int, limit: int, chooser: Chooser
    ) -> None:
        self.request = request
        self.prompt: TokenArray = array("i", prompt)
        self.outbox: SimpleQueue[Piece | EdgeError] = SimpleQueue()
        self.dropped = False
        """Set by the caller's thread when nobody reads the pieces any more."""
        self.fed = 0
        self.next_token = 0
        """The chosen token that the next decode takes, once the prompt is fed."""
        self._seed = seed
        self._limit = limit
        self._chooser = chooser
        self._text = TextStream(request.stop)
        self._stats = StatsSum()
        self._held = _HeldTokens()
        self._cached = 0
        self._submitted = self._admitted = self._prefilled = time.perf_counter()

    @property
    def waiting(self) -> int:
        """Prompt tokens that are not in the KV cache yet."""
        return max(0, len(self.prompt) - self.fed)

    @property
    def cancelled(self) -> bool:
        return self.dropped or self.request.cancel.is_set()

    def admit(self, cached: int) -> None:
        """A sequence was given to it, with the first `cached` tokens of the prompt."""
        self.fed = self._cached = cached
        self._admitted = self._prefilled = time.perf_counter()

    def take(self, row: Row, tools: Instruments) -> bool:
        """Chooses the next token from `row`; False when the generation has ended.

        Raises:
            EdgeError: the logits or the grammar leave no token to choose.
        """
        if not self._stats.count:
            self._prefilled = time.perf_counter()
        measured = tools.meter.measure(row)
        token = self._chooser.choose(row, measured.best, tools.candidates)
        if token in tools.vocab.ends:
            self.end(FinishReason.STOP)
            return False
        self._chooser.accept(token)
        self.next_token = token
        self._add(token, row, measured, tools.vocab)
        return self._go_on()

    def end(self, finish: FinishReason) -> None:
        """Sends the last piece."""
        text = "" if self._text.stopped else self._text.finish()
        tokens, top = self._held.release(self._text.shown if self._text.stopped else None)
        self.outbox.put(Piece(text, tokens, top, finish, self._usage()))
        self._chooser.close()

    def fail(self, error: EdgeError) -> None:
        self.outbox.put(error)
        self._chooser.close()

    def _add(self, token: int, row: Row, measured: RowStats, vocab: Vocabulary) -> None:
        logprob = float(row[token]) - measured.log_z
        self._stats.add(logprob, measured.entropy, measured.margin)
        wanted = self.request.top_logprobs
        if wanted is not None:
            chosen = _named(token, logprob, vocab)
            top = tuple(
                _named(int(other), float(row[other]) - measured.log_z, vocab)
                for other in top_ids(row, wanted)
            )
            self._held.hold(self._text.decoded, chosen, top)
        text = self._text.feed(vocab.piece(token))
        if text:
            self.outbox.put(Piece(text, *self._held.release(self._text.shown)))

    def _go_on(self) -> bool:
        if self._text.stopped:
            self.end(FinishReason.STOP)
        elif self._stats.count >= self._limit:
            self.end(FinishReason.LENGTH)
        else:
            return True
        return False

    def _usage(self) -> Usage:
        now = time.perf_counter()
        return Usage(
            prompt_tokens=len(self.prompt),
            cached_tokens=self._cached,
            completion_tokens=self._stats.count,
            prefill_ms=(self._prefilled - self._admitted) * 1e3,
            decode_ms=(now - self._prefilled) * 1e3,
            queued_ms=(self._admitted - self._submitted) * 1e3,
            seed=self._seed,
            stats=self._stats.means(),
        )


class _HeldTokens:
    """Log-probabilities that wait for their token's text to be shown."""

    def __init__(self) -> None:
        self._held: list[tuple[int, TokenLogprob, tuple[TokenLogprob, ...]]] = []

    def hold(self, start: int, token: TokenLogprob, top: tuple[TokenLogprob, ...]) -> None:
        """`start` is the number of code points before the token's text."""
        self._held.append((start, token, top))

    def release(
        self, shown: int | None
    ) -> tuple[tuple[TokenLogprob, ...], tuple[tuple[TokenLogprob, ...], ...]]:
        """The tokens whose text begins in the first `shown` code points; all for None."""
        if not self._held:
            return (), ()
        count = sum(shown is None or start < shown for start, _, _ in self._held)
        out, self._held = self._held[:count], self._held[count:]
        return tuple(token for _, token, _ in out), tuple(top for _, _, top in out)


def _named(token: int, logprob: float, vocab: Vocabulary) -> TokenLogprob:
    text = vocab.piece(token) or vocab.name(token).encode()
    return TokenLogprob(token, text.decode("utf-8", "replace"), logprob)
