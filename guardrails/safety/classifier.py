"""The safety classifier: which sentences of a text are signs of danger, and of which class.

How the head is made is `skerry.guardrails.train.safety`'s business; what is done about a sign is
policy's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.once import Once
from skerry.guardrails.safety import CLASSES
from skerry.guardrails.weights import Weights
from skerry.guardrails.wording import table
from skerry.guardrails.wording.network import Network, Scores
from skerry.guardrails.wording.signs import COUNTS, Sign, score
from skerry.guardrails.wording.table import WordTable
from skerry.guardrails.wording.words import Words

DEFAULT_FOLDER = Path(__file__).parent / "weights"
MANIFEST = "safety.json"
_MOST_SIGNS = 64


@dataclass(frozen=True, slots=True)
class SafetyClassifier:
    """Signs of danger. `levels` are the logits that count, one a class of `CLASSES`."""

    levels: tuple[float, ...]
    slope: float
    _network: Network = field(repr=False)

    @classmethod
    def load(
        cls,
        folder: Path = DEFAULT_FOLDER,
        words: WordTable | None = None,
        *,
        sha256: str | None = None,
    ) -> SafetyClassifier:
        """The classifier in `folder`, or the one that comes with the package.

        `sha256` is the digest of its manifest, where a bundle says it.

        Raises:
            GuardrailError: a file is missing, truncated, was changed or cannot be loaded.
        """
        weights = Weights.read(folder, MANIFEST, sha256=sha256)
        try:
            levels = tuple(float(weights.settings["levels"][name]) for name in CLASSES)
            slope = float(weights.settings["slope"])
        except (KeyError, ValueError, TypeError) as error:
            what = f"'{folder / MANIFEST}' has no level for every class: {error!r}"
            raise GuardrailError(what, hint="Reinstall skerry.") from error
        known = table.shared() if words is None else words
        return cls(levels, slope, Network.load(weights, known))

    def logits(self, words: Words) -> Scores:
        """What the network says of each sentence, float32 [sentences, classes]."""
        return self._network.logits(words)

    def signs(self, words: Words, least: Mapping[str, float]) -> list[Sign]:
        """The surest class of each sentence that reaches `least` (0.8, the level, for others).

        64 at most; of more than that, the surest.

        Raises:
            GuardrailError: `least` names a class that there is not, or is no score.
        """
        floors = _floors(least)
        logits = self._network.logits(words)
        near = logits >= np.array(self.levels) - 10 / self.slope  # the others score below 0.001
        found = [
            Sign(*words.spans[at], CLASSES[one], self._score(logits[at, one], one))
            for at, one in np.argwhere(near).tolist()
        ]
        kept = [one for one in found if one.score >= floors[one.label]]
        surest = {one.start: one for one in sorted(kept, key=lambda one: one.score)}
        most = sorted(surest.values(), key=lambda one: -one.score)[:_MOST_SIGNS]
        return sorted(most, key=lambda one: one.start)

    def strongest(self, words: Words) -> float:
        """The highest score of any class in any sentence, however low; 0 without a sentence."""
        logits = self._network.logits(words)
        best = logits.max(axis=0, initial=-np.inf).tolist()
        return max(self._score(one, at) for at, one in enumerate(best)) if len(logits) else 0.0

    def _score(self, logit: float, number: int) -> float:
        return score(float(logit), self.levels[number], self.slope)


def _floors(least: Mapping[str, float]) -> dict[str, float]:
    for name, floor in least.items():
        if name not in CLASSES or not 0 < floor <= 1:
            what = f"'{name} = {floor}' is no threshold of a safety class"
            hint = f"Give a score above 0 and up to 1 to one of {', '.join(CLASSES)}."
            raise GuardrailError(what, hint=hint)
    return {name: least.get(name, COUNTS) for name in CLASSES}


shared: Once[SafetyClassifier] = Once(SafetyClassifier.load)
"""The classifier that comes with the package, loaded once.

Raises:
    GuardrailError: it cannot be loaded. What cannot be screened must not pass.
"""
