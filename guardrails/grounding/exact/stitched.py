"""A claim made of the beginning of one clause and the end of another, which says something else.

"Water is included" has all its words in "Power is included in the price, but water is charged".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from skerry.guardrails.grounding.exact.clauses import Clause, claims, spoken_of
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.parts import Part
from skerry.guardrails.words import numbers

_BETWEEN = re.compile(r";\s|,?\s(?:but|while|whereas)\s|,\sand\s")
_GOES_ON = re.compile(
    r"\b(?:it|they|he|she|this|these|those|them|him|one|ones|both|which|who)\b", re.I
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|been|must|may|can|could|should|shall|will|would|has|have|had|do|does|"
    r"not)\b|\b[a-z]{2,}(?:s|ed)\b(?= (?:the|an?|his|her|its|their|it|them|all|each|every|no|to|at|"
    r"by|in|on|for|from|with)\b)",
    re.IGNORECASE,
)
_KNOWN = 0.85
"""The share of a claim's words and numbers that the two clauses have between them."""


def stitched(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """The parts of the claim that are stitched together out of two clauses of one sentence."""
    several = [cut for part in parts if not part.row and len(cut := _clauses(part.text)) > 1]
    if not several:
        return
    wholes = [one for cut in several for one in cut]
    for piece in claims(claim):
        if any(piece.said <= one for one in wholes):
            continue
        if any(_is_of_two(piece, cut) for cut in several):
            yield ExactKind.NAME, piece.start, piece.end, True


def _is_of_two(piece: Clause, cut: Sequence[frozenset[str]]) -> bool:
    return any(
        _mixes(piece.said, one, other) for i, one in enumerate(cut) for other in cut[i + 1 :]
    )


def _mixes(said: frozenset[str], one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether it takes something from each clause that the other has not, and leaves something of
    each: what the one says goes with what the other does not."""
    if len(said & (one | other)) < _KNOWN * len(said):
        return False
    first, second = one - other, other - one
    return all((first & said, second & said, first - said, second - said))


def _clauses(text: str) -> list[frozenset[str]]:
    """What each clause speaks of; one without a subject or verb of its own has those before it."""
    found: list[frozenset[str]] = []
    lead: frozenset[str] = frozenset()
    for told in _BETWEEN.split(text):
        said = spoken_of(told) | numbers(told)
        verb = _VERB.search(told)
        if found and (_GOES_ON.search(told) or verb is None or not told[: verb.start()].strip()):
            said |= lead
        else:
            lead = spoken_of(told[: verb.end()] if verb else told)
        found.append(said)
    return found
