"""The names classifier on ONNX Runtime: which words of a text are part of a name, and how surely.

Knows nothing of other recognisers; `fusion` weighs what it says. How the weights are made is
`skerry.guardrails.train.names`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skerry.guardrails.names.encoding import LABELS, Tokens, tokens
from skerry.guardrails.once import Once
from skerry.guardrails.weights import Weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Chances = NDArray[np.float32]
Window = tuple[tuple[int, ...], tuple[int, ...]]
"""The ids and shapes of the tokens of one pass."""

DEFAULT_FOLDER = Path(__file__).parent / "weights"
MANIFEST = "names.json"
_PIECE = 20_000  # characters tokenized at once: bounds memory


@dataclass(frozen=True, slots=True)
class Word:
    """A word at [start, end), and how likely it is part of a name of each class of `LABELS`."""

    start: int
    end: int
    chances: tuple[float, ...]

    @property
    def chance(self) -> float:
        """How likely it is part of a name of some class."""
        return sum(self.chances)


@dataclass(frozen=True, slots=True)
class NamesClassifier:
    """Words and their chances, for a plain copy of a text. Thread-safe."""

    _session: Any = field(repr=False)
    _tokenizer: Tokenizer = field(repr=False)

    @classmethod
    def load(
        cls, folder: Path = DEFAULT_FOLDER, threads: int = 1, *, sha256: str | None = None
    ) -> NamesClassifier:
        """The classifier in `folder`, or the one that comes with the package.

        `sha256` is the digest of its manifest, where a bundle says it.

        Raises:
            GuardrailError: a file is missing, truncated, was changed or cannot be loaded.
        """
        weights = Weights.read(folder, MANIFEST, sha256=sha256)
        return cls(weights.session(threads), weights.tokenizer())

    def words(self, text: str) -> list[Word]:
        """The words of `text`, which is a plain copy (`normal.normalise`), in order."""
        found: list[Word] = []
        for start, end in _pieces(text):
            seen = tokens(self._tokenizer, text[start:end])
            found += _by_word(seen, self._chances(seen), start)
        return found

    def _chances(self, seen: Tokens) -> Chances:
        """The chances of each token, float32 [tokens, classes]; equal windows are run once."""
        known: dict[Window, Chances] = {}
        made: list[Chances] = [np.empty((0, len(LABELS)), np.float32)]
        for start, end in seen.windows():
            window = (tuple(seen.ids[start:end]), tuple(seen.shapes[start:end]))
            if window not in known:
                named = any(seen.wordy[start:end])
                known[window] = self._run(*window) if named else _nothing(end - start)
            made.append(known[window])
        return np.concatenate(made)

    def _run(self, of_ids: tuple[int, ...], of_shapes: tuple[int, ...]) -> Chances:
        first, last = self._marks
        ids = np.array([[first, *of_ids, last]], np.int64)
        shapes = np.array([[0, *of_shapes, 0]], np.int64)
        feed = {"ids": ids, "shapes": shapes, "mask": np.ones_like(ids)}
        logits = self._session.run(["logits"], feed)[0][0, 1:-1]
        spread = np.exp(logits - logits.max(axis=1, keepdims=True))
        share = spread / spread.sum(axis=1, keepdims=True)
        chances: Chances = share[:, 1::2] + share[:, 2::2]  # beginning and inside of each class
        return chances

    @property
    def _marks(self) -> tuple[int | None, int | None]:
        return self._tokenizer.token_to_id("[CLS]"), self._tokenizer.token_to_id("[SEP]")


shared: Once[NamesClassifier] = Once(NamesClassifier.load)
"""The classifier that comes with the package, loaded once.

Raises:
    GuardrailError: it cannot be loaded. What cannot be screened must not leave the device.
"""


def _nothing(length: int) -> Chances:
    """Of a window of digits, marks and single letters: initials alone name nobody."""
    return np.zeros((length, len(LABELS)), np.float32)


def _by_word(seen: Tokens, chances: Chances, offset: int) -> list[Word]:
    """The mean over the tokens of each word."""
    if not seen.ids:
        return []
    numbers = np.array(seen.words)
    firsts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
    lasts = np.append(firsts[1:], len(numbers))
    means = np.add.reduceat(chances, firsts, axis=0) / (lasts - firsts)[:, None]
    return [
        Word(seen.spans[first][0] + offset, seen.spans[last - 1][1] + offset, tuple(mean))
        for first, last, mean in zip(
            firsts.tolist(), lasts.tolist(), means.astype(float).tolist(), strict=True
        )
    ]


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Parts (start, end) of the text, cut after white space where there is some."""
    start = 0
    while start < len(text):
        end = min(start + _PIECE, len(text))
        if end < len(text):
            space = max(text.rfind(mark, start, end) for mark in " \n\t")
            end = space + 1 if space > start else end
        yield start, end
        start = end
