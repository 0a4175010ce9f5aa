"""The classifier: what a small cross-encoder says of a claim beside one window of a source.

How it was trained is `skerry.guardrails.train.grounding`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skerry.guardrails.grounding.inputs import encode
from skerry.guardrails.weights import Weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

DEFAULT_FOLDER = Path(__file__).parent / "weights"
MANIFEST = "grounding.json"
_OUTPUTS = ["outcome", "not_held"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Probabilities that sum to 1, and for each token of the claim that it is not held.

    `spans` are the tokens' offsets in what was given as the claim.
    """

    supported: float
    contradicted: float
    not_found: float
    not_held: tuple[float, ...]
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class CrossEncoder:
    """Threads can share it. `name` and the threshold are the manifest's."""

    name: str
    threshold: float
    _session: Any = field(repr=False)
    _tokenizer: Tokenizer = field(repr=False)

    @classmethod
    def load(
        cls, folder: Path | None = None, threads: int = 1, *, sha256: str | None = None
    ) -> CrossEncoder:
        """The model in `folder`, or the one that comes with the package.

        `sha256` is the digest of its manifest, where a bundle says it.

        Raises:
            GuardrailError: a file is missing, truncated, was changed or cannot be loaded.
        """
        place = DEFAULT_FOLDER if folder is None else folder
        weights = Weights.read(place, MANIFEST, sha256=sha256)
        threshold = float(weights.settings["threshold"])
        return cls(weights.name, threshold, weights.session(threads), weights.tokenizer())

    def outcome(self, claim: str, evidence: str) -> Outcome:
        """What holds of the claim beside the text. One pass, nothing is padded.

        A claim too long to be read to its end is not found: what was not read was not checked.
        """
        read = encode(self._tokenizer, claim, evidence)
        rows = {"input_ids": read.ids, "token_type_ids": read.types}
        feed = {name: np.array([row], np.int64) for name, row in rows.items()}
        outcome, not_held = self._session.run(_OUTPUTS, feed)
        supported, contradicted, not_found = (float(one) for one in outcome[0])
        if read.cut:
            supported, contradicted, not_found = 0.0, 0.0, 1.0
        tokens = tuple(float(one) for one in not_held[0, 1 : 1 + len(read.spans)])
        return Outcome(supported, contradicted, not_found, tokens, tuple(read.spans))
