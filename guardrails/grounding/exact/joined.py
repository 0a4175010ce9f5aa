"""Whether both are meant or either: "goggles and a shield" for "goggles or a shield"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from skerry.guardrails.words import content_stems, denies

_JOINT = re.compile(r",?\s(?P<word>and|or)\s(?!so\b|again\b|then\b|also\b)", re.IGNORECASE)
_PERMITS = re.compile(r"\b(?:may|can|could|might|allowed|permitted)\b", re.IGNORECASE)
_STOP = re.compile(r"[.;:]|\b(?:but|while|whereas|if|unless|when)\b|[,]", re.IGNORECASE)
_NEAR = 2  # content words on either side
_REACH = 60  # characters on either side that are looked at


@dataclass(frozen=True, slots=True)
class Joint:
    """An "and" or "or" with the words on its sides."""

    word: str
    before: frozenset[str]
    after: frozenset[str]

    def joins_as(self, other: Joint) -> bool:
        """Whether it joins the same, in any order."""
        both = self.before & self.after | other.before & other.after
        mine, theirs = (self.before - both, self.after - both), (other.before, other.after)
        return bool(mine[0] & theirs[0] and mine[1] & theirs[1]) or bool(
            mine[0] & theirs[1] and mine[1] & theirs[0]
        )


def joined_otherwise(claim: str, told: str) -> bool:
    """Whether the claim says "and" where the sentence says "or", or the other way round.

    Not where both deny or permit: there "or" is mostly "and".
    """
    if denies(claim) or denies(told):
        return False
    mine, theirs = _joints(claim), _joints(told)
    for one in mine:
        alike = [other for other in theirs if one.joins_as(other)]
        if alike and all(one.word != other.word for other in alike):
            return not (one.word == "or" and _PERMITS.search(told))
    return False


@lru_cache(maxsize=1_024)
def _joints(text: str) -> tuple[Joint, ...]:
    return tuple(_found(text))


def _found(text: str) -> Iterator[Joint]:
    for match in _JOINT.finditer(text):
        before = _STOP.split(text[max(0, match.start() - _REACH) : match.start()])[-1]
        after = _STOP.split(text[match.end() : match.end() + _REACH])[0]
        first = [one for word in before.split() for one in content_stems(word)][-_NEAR:]
        second = [one for word in after.split() for one in content_stems(word)][:_NEAR]
        if first and second:
            yield Joint(match["word"].lower(), frozenset(first), frozenset(second))
