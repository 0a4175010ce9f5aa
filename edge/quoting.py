"""Finds the passage of the sources that answers a question, to be quoted word for word."""

from __future__ import annotations

import re
from collections.abc import Sequence

from skerry.edge.encoder.base import TextEncoder, Vectors
from skerry.guardrails.answer import Evidence
from skerry.guardrails.passages import Quotation, quotable
from skerry.guardrails.words import content_stems

_FLOOR = 0.45
_WORDS_WEIGHT = 0.3
_CODES_WEIGHT = 0.3
_CODE = re.compile(r"\b[^\W_]*\d[^\W_]*\b")
_MOST_PASSAGES = 48


def best_passage(
    question: str, vector: Vectors, evidence: Sequence[Evidence], encoder: TextEncoder
) -> Quotation | None:
    """The passage nearest to the question in meaning; None if none is near enough.

    Ranks by cosine, plus the shares of the question's content words and of its codes and numbers
    (`E2`, `40`) that the passage has itself; the floor is on the cosine.

    Args:
        question: the text.
        vector: its unit vector, float32 [dimensions].
        evidence: the sources, best first.
        encoder: the encoder that the vector is from.
    """
    found = [(one, passage) for one in evidence for passage in quotable(one)][:_MOST_PASSAGES]
    if not found:
        return None
    spoken = [f"{passage.about}\n{passage.spoken}" for _, passage in found]
    cosines = encoder.encode(spoken) @ vector
    asked, codes = content_stems(question), _codes(question)
    scores = [
        float(cosine)
        + _WORDS_WEIGHT * _share(asked, content_stems(passage.text))
        + _CODES_WEIGHT * _share(codes, _codes(passage.text))
        for cosine, (_, passage) in zip(cosines, found, strict=True)
    ]
    best = max(range(len(found)), key=scores.__getitem__)
    if cosines[best] < _FLOOR:
        return None
    source, passage = found[best]
    return Quotation.of(passage, source, question)


def _codes(text: str) -> frozenset[str]:
    return frozenset(code.casefold() for code in _CODE.findall(text))


def _share(wanted: frozenset[str], there: frozenset[str]) -> float:
    return len(wanted & there) / len(wanted) if wanted else 0.0
