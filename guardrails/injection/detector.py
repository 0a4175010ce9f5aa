"""The injection detector: which sentences of a text try to give orders to the model.

Two heads: a convolution over words, which is always there, and one on sentence vectors where
whoever screens has an encoder; only sentences whose words are at all suspicious are encoded. What a
person asks and what was retrieved have a level each: what is written in a document is seldom an
order to the model, and often one to people. How the heads are made is
`skerry.guardrails.train.injection`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.findings import FindingKind, Where
from skerry.guardrails.injection import hidden
from skerry.guardrails.injection.meaning import Encode, MeaningHead
from skerry.guardrails.normal import Normal
from skerry.guardrails.once import Once
from skerry.guardrails.phrases import PHRASES
from skerry.guardrails.recogniser import Views
from skerry.guardrails.weights import Weights
from skerry.guardrails.wording import table
from skerry.guardrails.wording.network import Network
from skerry.guardrails.wording.signs import COUNTS, Sign, score
from skerry.guardrails.wording.table import WordTable
from skerry.guardrails.wording.words import Words, read

DEFAULT_FOLDER = Path(__file__).parent / "weights"
MANIFEST = "injection.json"
ORDER = "order"
"""The label of a sentence that gives an order to the model."""
ENCODED = "encoded_order"
"""The label of such a sentence in base64, hexadecimal or ROT13, or written backwards."""
MOST_ENCODED = 4
"""Sentences of a text that get a vector: the most suspicious by their words."""
_MOST_SIGNS = 64
_SCREENED = (Where.INPUT, Where.CHUNK, Where.OUTPUT)  # what was said before was screened then
_MOST_UNKNOWN = 0.5
_UNSEEN = -30.0
_GAP = "\n\n"

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Levels:
    """Logits that count. `words` of the convolution alone, `both` of the two heads' mean, by where
    a text is from; `share` is the weight of the head on vectors in that mean, and `suspicious` the
    logit of the convolution from which a sentence is encoded, by place too.
    """

    words: Mapping[Where, float]
    both: Mapping[Where, float]
    share: Mapping[Where, float]
    suspicious: Mapping[Where, float]
    slope: float

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Levels:
        """Those of a manifest. Raises KeyError, TypeError or ValueError where one is missing."""
        return cls(
            {where: float(settings["words"][where]) for where in _SCREENED},
            {where: float(settings["both"][where]) for where in _SCREENED},
            {where: float(settings["share"][where]) for where in _SCREENED},
            {where: float(settings["suspicious"][where]) for where in _SCREENED},
            float(settings["slope"]),
        )


@dataclass(frozen=True, slots=True)
class InjectionDetector:
    """Signs of injection. Thread-safe."""

    levels: Levels
    _network: Network = field(repr=False)
    _meaning: MeaningHead = field(repr=False)
    _table: WordTable = field(repr=False)

    @classmethod
    def load(
        cls,
        folder: Path = DEFAULT_FOLDER,
        words: WordTable | None = None,
        *,
        sha256: str | None = None,
    ) -> InjectionDetector:
        """The detector in `folder`, or the one that comes with the package.

        `sha256` is the digest of its manifest, where a bundle says it.

        Raises:
            GuardrailError: a file is missing, truncated, was changed or cannot be loaded.
        """
        weights = Weights.read(folder, MANIFEST, sha256=sha256)
        known = table.shared() if words is None else words
        try:
            levels = Levels.of(weights.settings["levels"])
        except (KeyError, ValueError, TypeError) as error:
            what = f"'{folder / MANIFEST}' has no levels for every kind of text: {error!r}"
            raise GuardrailError(what, hint="Reinstall skerry.") from error
        return cls(levels, Network.load(weights, known), MeaningHead.load(weights), known)

    def signs(
        self,
        text: str,
        words: Words,
        where: Where = Where.INPUT,
        encode: Encode | None = None,
        least: float | None = None,
    ) -> list[Sign]:
        """The sentences of `text`, whose words are `words`, that look like orders; 64 at most.

        Of more than that, the surest. `least` is the score from which one counts, `COUNTS` if it
        is None. Raises what `encode` does.
        """
        logits = self.logits(text, words, where, encode)
        level = (self.levels.words if encode is None else self.levels.both)[where]
        found = [
            Sign(*span, ORDER, score(logit, level, self.levels.slope))
            for span, logit in zip(words.spans, logits.tolist(), strict=True)
        ]
        found += self._encoded(text, words, where)
        kept = [one for one in found if one.score >= (COUNTS if least is None else least)]
        kept.sort(key=lambda one: -one.score)
        return sorted(kept[:_MOST_SIGNS], key=lambda one: (one.start, one.end))

    def logits(
        self, text: str, words: Words, where: Where = Where.INPUT, encode: Encode | None = None
    ) -> Logits:
        """What the heads say of each sentence, float32 [sentences]; -30 of one that is passed over.

        With `encode` the mean of both, for the sentences that get a vector.
        """
        plain: Logits = self._network.logits(words)[:, 0]
        if encode is None or not len(plain):
            return plain
        order = np.argsort(-plain, kind="stable")[:MOST_ENCODED]
        order = order[plain[order] >= self.levels.suspicious[where]]
        made = np.full(len(plain), _UNSEEN, np.float32)
        if len(order):
            parts = [text[slice(*words.spans[at])] for at in order.tolist()]
            meant = self._meaning.logits(encode(parts))
            share = self.levels.share[where]
            made[order] = (1 - share) * plain[order] + share * meant
        return made

    def _encoded(self, text: str, words: Words, where: Where) -> Iterator[Sign]:
        """Signs in what is hidden in the text; the span is that of what hides it."""
        found = list(hidden.texts(text, words))
        if not found:
            return
        ends = np.cumsum([len(plain) + len(_GAP) for _, _, plain in found])
        best: dict[int, float] = {}
        for at, sure in self._orders(_GAP.join(plain for _, _, plain in found), where):
            owner = int(np.searchsorted(ends, at, side="right"))
            best[owner] = max(sure, best.get(owner, 0.0))
        for owner, sure in best.items():
            start, end, _ = found[owner]
            yield Sign(start, end, ENCODED, sure)

    def _orders(self, text: str, where: Where) -> Iterator[tuple[int, float]]:
        """Where orders begin in a text that was hidden, and how sure that is; by patterns, too.

        A sentence of words that nobody knows was no text: it was decoded in vain.
        """
        words = read(text, self._table)
        level = self.levels.words[where]
        said = zip(words.spans, words.unknown, self._network.logits(words)[:, 0], strict=True)
        for span, unknown, logit in said:
            if unknown <= _MOST_UNKNOWN:
                yield span[0], score(float(logit), level, self.levels.slope)
        views = Views.of(Normal(text))
        for one in PHRASES:
            if one.kind is FindingKind.INJECTION and one.may_find(views):
                yield from ((start, one.score) for start, _ in one.spans(views))


shared: Once[InjectionDetector] = Once(InjectionDetector.load)
"""The detector that comes with the package, loaded once.

Raises:
    GuardrailError: it cannot be loaded. What cannot be screened must not pass.
"""
