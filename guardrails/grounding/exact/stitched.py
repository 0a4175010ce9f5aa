"""A claim made of the beginning of one clause and the end of another, which says something else.

"Water is included" has all its words in "Power is included in the price, but water is charged".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
    r"not)\b|\b[a-z]{2,}(?:s|ed)\b(?= (?:the|an?|his|her|its|their|it|them|all|each|every|no)\b)|"
    r"\b[a-z]{2,}ed\b(?= (?:to|at|by|in|on|for|from|with)\b)",
    re.IGNORECASE,
)
_KNOWN = 0.85
"""The share of a claim's words and numbers that the two clauses have between them."""


def stitched(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """The parts of the claim that are stitched together out of two clauses of one sentence."""
    several = [cut for part in parts if not part.row and len(cut := _clauses(part.text)) > 1]
    if not several:
        return
    wholes = [one.said | one.lead for cut in several for one in cut]
    for piece in claims(claim):
        if any(piece.said <= one for one in wholes):
            continue
        if any(_is_of_two(piece, cut) for cut in several):
            yield ExactKind.NAME, piece.start, piece.end, True


@dataclass(frozen=True, slots=True)
class _Told:
    """What a clause speaks of. `lead`, of one without a verb, are the subject and the verb before
    it: whether it shares the subject, too, nobody knows."""

    said: frozenset[str]
    lead: frozenset[str] = frozenset()


def _is_of_two(piece: Clause, cut: Sequence[_Told]) -> bool:
    pairs = ((one, other) for i, one in enumerate(cut) for other in cut[i + 1 :])
    return any(_mixes(piece.said, *pair) for pair in pairs)


def _mixes(said: frozenset[str], one: _Told, other: _Told) -> bool:
    """Whether it takes something from each clause that the other has not, and leaves something of
    each: what the one says goes with what the other does not."""
    if len(said & (one.said | other.said)) < _KNOWN * len(said):
        return False
    first, second = one.said - other.said, other.said - one.said
    taken = first - other.lead
    return all((taken & said, second & said, first - said, second - said))


def _clauses(text: str) -> list[_Told]:
    found: list[_Told] = []
    lead: frozenset[str] = frozenset()
    for told in _BETWEEN.split(text):
        said = spoken_of(told) | numbers(told)
        verb = _VERB.search(told)
        if found and verb is None and not _GOES_ON.search(told):
            found.append(_Told(said, lead))
        elif found and (verb is None or _GOES_ON.search(told) or not told[: verb.start()].strip()):
            found.append(_Told(said | lead))
        else:
            lead = _lead(told, verb)
            found.append(_Told(said))
    return found


def _lead(told: str, verb: re.Match[str] | None) -> frozenset[str]:
    """The words of a clause up to its verb, with the one that follows "is" or "may"."""
    if verb is None:
        return spoken_of(told)
    following = re.match(r"(?:\s+not)?\s+[^\W\d_]+", told[verb.end() :])
    return spoken_of(told[: verb.end() + (following.end() if following else 0)])
