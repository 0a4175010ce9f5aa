"""What is to be done, where a claim has another deed among the same words: "stop the engine and
call" for "leave the engine and call".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from skerry.guardrails.grounding.exact.copies import Change, Side, Text, laid
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.parts import Part
from skerry.guardrails.words import content_stems

_SAME = tuple(
    content_stems(words)
    for words in """
    go walk move proceed head come get/call ring phone telephone contact dial alert
    tell inform notify report let say inform warn/close shut/put place set lay lie/take bring carry
    fetch get move/begin start/end finish stop/check inspect examine test look/use apply take/clean
    wash wipe rinse/switch turn/return give hand bring/throw discard bin dispose/press push hit
    wait stay remain keep/speak talk/ask request/send forward pass/write note record log/
    enter come/leave exit/remove take/read see consult/open unlock/lock close/wear use put/
    sign/pay settle/book reserve/
    fill complete/find locate/assemble gather meet/hold keep/attach fix fasten/show present
    """.split("/")
)
"""Deeds of which one may stand for another."""
_LISTED = re.compile(r"(?:^|[,;:]\s|\b(?:and|then|to|must|should|please)\s)$", re.IGNORECASE)
_CONDITION = re.compile(r"\b(?:if|when|whenever|should|in case|once)\b", re.IGNORECASE)
_DETERMINED = frozenset(
    "the a an your his her its their our my it them him all any every each this that for to on "
    "off in into at with up down over out mr mrs ms dr".split()
)
_MOST_WORDS = 3  # "lie down on"
_LEAST = 0.6  # share of the claim's words that stand in the sentence in the same order
_MOST_SENTENCES = 30  # of a window; this bounds the time


def other_deeds(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """The deeds of the claim that stand where the sentence it is nearest to has others."""
    if not _CONDITION.search(claim):
        return
    mine = Text.of(claim)
    beside = [laid(mine, Text.of(part.text)) for part in parts[:_MOST_SENTENCES] if not part.row]
    best = max((same for same, _ in beside), default=0)
    if best < _LEAST * len(mine.tokens):
        return
    near = [list(_others(changes)) for same, changes in beside if same >= best]
    for span in min(near, key=len, default=[]):
        yield ExactKind.ROLE, *span, True


def _others(changes: Sequence[Change]) -> Iterator[tuple[int, int]]:
    for one in changes:
        mine, theirs = (content_stems(" ".join(side.words)) for side in (one.claimed, one.told))
        if max(one.claimed.size, one.told.size) > _MOST_WORDS or not (mine and theirs):
            continue
        if _is_deed(one.claimed) and _is_deed(one.told) and not _may_be_same(mine, theirs):
            yield one.claimed.span


def _is_deed(side: Side) -> bool:
    """Whether a clause begins with the words, and goes on with what is done to."""
    listed = _LISTED.search(side.of.text[: side.span[0]]) is not None
    after = side.of.tokens[side.first + 1 : side.last + 1]
    return listed and any(word in _DETERMINED for word in after)


def _may_be_same(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    return bool(mine & theirs) or any(mine & same and theirs & same for same in _SAME)
