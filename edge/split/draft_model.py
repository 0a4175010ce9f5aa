"""Drafts by a small model of the device: the target's tokens or the frequent ones among them, a
fraction of its layers.

It chooses as the target does, with the same noise, so that at a temperature, too, its guess is the
target's own choice as often as their distributions are near (arXiv:2408.07978).
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skerry.bundles.gguf.draft_tokens import DraftTokens, all_of
from skerry.bundles.llama.context import ContextShape
from skerry.cloud.hints.choice import Sampling, choose
from skerry.cloud.hints.prefix import common
from skerry.edge.engines.llama.files import read_draft_tokens, read_gguf
from skerry.edge.engines.llama.native import NativeContext, NativeModel, Vocabulary
from skerry.edge.errors import ConfigError
from skerry.edge.split.drafter import Guess

_CHUNK = 64
"""Tokens that are read in one go: between two, the device looks for news."""
_MAIN, _BRANCH = 0, 1
_KEPT_CONTEXTS = 2
_LONGEST = 4096


class DraftModel:
    """A GGUF model that drafts. Thread-safe; contexts are kept for the next generation.

    `vocabulary` is the digest of the tokens of the target that it drafts for.

    Raises:
        ModelError: llama.cpp cannot load it, or its token maps are damaged.
    """

    def __init__(self, path: Path, *, threads: int, context_tokens: int = _LONGEST) -> None:
        self._model = NativeModel(path, gpu_layers=0)
        self._shape = ContextShape(context_tokens, 2, _CHUNK, threads)
        self._free: list[_Reader] = []
        self._lock = threading.Lock()
        self.path = path
        try:
            self._tokens = _tokens(path, self._model)
        except BaseException:
            self._model.close()
            raise
        self.vocabulary = self._tokens.vocabulary

    def check(self, vocabulary: bytes) -> None:
        """Raises ConfigError: the device's model has other tokens."""
        if vocabulary != self.vocabulary:
            raise ConfigError(
                f"the draft model {self.path.name} has other tokens than the device's model",
                hint="set split_draft to a model that was distilled from the same family",
            )

    def drafter(self, sampling: Sampling, prompt: int) -> ModelDrafter:
        """A drafter of one generation, whose first `prompt` tokens are the prompt."""
        with self._lock:
            reader = self._free.pop() if self._free else None
        if reader is None:
            reader = _Reader(NativeContext(self._model, self._shape), self._tokens)
        return ModelDrafter(reader, sampling, prompt, self._back)

    def _back(self, reader: _Reader) -> None:
        with self._lock:
            if len(self._free) < _KEPT_CONTEXTS:
                self._free.append(reader)
                return
        reader.close()

    def close(self) -> None:
        """No drafter of it may be in use."""
        with self._lock:
            for one in self._free:
                one.close()
            self._free.clear()
        self._model.close()


def _tokens(path: Path, model: NativeModel) -> DraftTokens:
    vocabulary = Vocabulary(model.vocab)
    maps = read_draft_tokens(read_gguf(path).metadata, vocabulary.size)
    return maps or all_of(vocabulary.size, vocabulary.digest)


class _Reader:
    """A context and the target's tokens that it has read."""

    def __init__(self, context: NativeContext, tokens: DraftTokens) -> None:
        self._context, self._tokens = context, tokens
        self._read: list[int] = []
        self._row: NDArray[np.float32] | None = None

    @property
    def room(self) -> int:
        return self._context.context_tokens

    def read(self, sequence: Sequence[int]) -> NDArray[np.float32] | None:
        """The logits [target tokens] after a sequence; None: there is more to read."""
        kept = common(self._read, sequence)
        if kept == len(sequence) == len(self._read) and self._row is not None:
            return self._row
        kept = min(kept, len(sequence) - 1)
        if kept < len(self._read) and not self._context.keep(_MAIN, kept):
            kept = 0
        chunk = list(sequence[kept : kept + _CHUNK])
        self._read = [*sequence[:kept]]
        self._row = self._decoded(_MAIN, chunk, kept)
        self._read += chunk
        return self._row if len(self._read) == len(sequence) else None

    def branch(self, tokens: Sequence[int], at: int) -> NDArray[np.float32] | None:
        """The logits after `tokens` in place of those from position `at` on: the first call for a
        branch copies what is before it. None: so much has not been read."""
        if at > len(self._read):
            return None
        if len(tokens) == 1:
            self._context.copy(_MAIN, _BRANCH, at)
        return self._decoded(_BRANCH, tokens[-1:], at + len(tokens) - 1)

    def _decoded(self, lane: int, tokens: Sequence[int], at: int) -> NDArray[np.float32] | None:
        batch = self._context.batch
        batch.clear()
        read_as = self._tokens.read_as.take(tokens, mode="clip")
        index = batch.add(array("i", read_as.tobytes()), at, lane, logits=True)
        if self._context.decode():
            self._context.keep(_MAIN, 0)
            self._read = []
            return None
        return self._tokens.widened(self._context.logits(index))

    def close(self) -> None:
        self._context.close()


class ModelDrafter:
    """See `skerry.edge.split.drafter.Drafter`; it also drafts alternatives."""

    def __init__(
        self, reader: _Reader, sampling: Sampling, prompt: int, back: Callable[[_Reader], None]
    ) -> None:
        self._reader, self._sampling, self._prompt = reader, sampling, prompt
        self._back = back
        self._closed = False

    def draft(self, sequence: Sequence[int], most: int) -> list[Guess] | None:
        if len(sequence) + most >= self._reader.room:
            return []
        whole, guesses = list(sequence), list[Guess]()
        while len(guesses) < most:
            row = self._reader.read(whole)
            if row is None:
                return guesses or None
            guesses.append(self._guess(row, whole))
            whole.append(guesses[-1].token)
        return guesses

    def read(self, sequence: Sequence[int]) -> bool:
        fits = 0 < len(sequence) < self._reader.room
        return fits and self._reader.read(sequence) is None

    def branch(self, sequence: Sequence[int], token: int, most: int) -> list[int]:
        """`token` after a sequence that was drafted on, and at most `most` - 1 more."""
        tokens = [token]
        while len(tokens) < most:
            row = self._reader.branch(tokens, len(sequence))
            if row is None:
                break
            tokens.append(self._guess(row, [*sequence, *tokens]).token)
        return tokens

    def _guess(self, row: NDArray[np.float32], sequence: Sequence[int]) -> Guess:
        said = sequence[self._prompt :]
        token = choose(row, self._sampling, len(sequence), said)
        odds, instead = _odds(row, token)
        greedy = self._sampling.temperature == 0
        return Guess(token, _against_greed(odds) if greedy else odds, instead)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._back(self._reader)


def _against_greed(odds: float) -> float:
    """The odds that a greedy target chooses what the draft model finds likeliest: more than the
    model's own probability of it, by twice the ratio of right to wrong (measured on texts that the
    model did not learn from)."""
    return 2 * odds / (1 + odds)


def _odds(row: NDArray[np.float32], token: int) -> tuple[float, int]:
    """The probability of a token under the logits [vocabulary], and the likeliest other one."""
    likely = np.exp(row - row.max())
    odds = float(likely[token] / likely.sum())
    likely[token] = -1
    return odds, int(likely.argmax())
