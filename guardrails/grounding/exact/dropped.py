"""What a near copy leaves out, and what it says is then more than its sentence says.

"Batteries must not be charged indoors" is more than "must not be charged indoors overnight", and
"pupils eat free" more than "pupils with a green card eat free". What is left out of a plain
statement ("the clinic is open on Tuesdays" of "... from 9 to 5") makes it say less, and is fair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from skerry.guardrails.grounding.exact.copies import Text
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.parts import Part
from skerry.guardrails.words import content_stems

_CUT = r"[,;:.]|\s(?:but|while|whereas|and|or|even)\s"
_BREAK = re.compile(rf"{_CUT}|$", re.IGNORECASE)
_BEGINS = re.compile(_CUT, re.IGNORECASE)
_DENIED = re.compile(r"\b(?:not|never|cannot|no)\b|n['’]t\b", re.IGNORECASE)
_PERMITS = re.compile(r"\b(?:may|can|could|free|allowed|permitted)\b", re.IGNORECASE)
_LIMITS = re.compile(r"\s*(?:until|till|within|before|no later than|at most)\b", re.IGNORECASE)
_ONLY = re.compile(r"\bonly\s*$", re.IGNORECASE)
_WHICH = re.compile(
    r"\s*(?:with|without|under|over|aged|who|that|whose|in|on|from|below|above|"
    r"of (?:more|less|up|at))\b(?! \w+ing\b)",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|may|must|can|should|will|has|have|do|does|not|the|an?)\b", re.IGNORECASE
)
_SAME = 0.9  # share of the claim's words that stand in the sentence in the same order
_HALF = 0.5
_SUBJECT = 3  # words of "photographs of wounds"
_LEAST = 3  # words of a claim
_MOST_SENTENCES = 30  # of a window; this bounds the time


def dropped(claim: str, parts: Sequence[Part], asked: frozenset[str]) -> Iterator[Found]:
    """The claim, where each sentence that it is a near copy of has a restriction that it lacks.

    `asked` are the words of the question: what it has already need not be said again.
    """
    said = content_stems(claim)
    mine = Text.of(claim)
    if len(mine.tokens) < _LEAST:
        return
    near = [part.text for part in parts[:_MOST_SENTENCES] if said <= part.own and not part.row]
    left_out = [_left_out(mine, Text.of(text)) for text in near]
    lacking = [
        any(_restricts(claim, text, *span) for span in spans if _is_new(text, span, said | asked))
        for text, spans in zip(near, left_out, strict=True)
        if spans is not None
    ]
    if lacking and all(lacking):
        yield ExactKind.EXTENT, 0, len(claim), True


def _left_out(mine: Text, told: Text) -> list[tuple[int, int]] | None:
    """The spans of a sentence that its near copy has not, up to the end of their clauses; None
    where it is no near copy."""
    steps = SequenceMatcher(None, mine.tokens, told.tokens, autojunk=False).get_opcodes()
    same = sum(i2 - i1 for tag, i1, i2, _, _ in steps if tag == "equal")
    if same < _SAME * len(mine.tokens):
        return None
    spans = []
    for tag, i1, _, j1, j2 in steps:
        if tag != "insert" or not i1:
            continue
        start = told.spans[j1 - 1][1]
        found = _BREAK.search(told.text, start, told.spans[j2 - 1][1])
        spans.append((start, found.start() if found else told.spans[j2 - 1][1]))
    return spans


def _is_new(text: str, span: tuple[int, int], said: frozenset[str]) -> bool:
    words = content_stems(text[span[0] : span[1]])
    new = len(words & said) < _HALF * len(words)
    return new or _ONLY.search(text[span[0] : span[1]]) is not None


def _restricts(claim: str, told: str, start: int, end: int) -> bool:
    """Whether without `told[start:end]` more is said."""
    closes = _BREAK.match(told, end) is not None
    if closes and _ONLY.search(told, start, end):
        return True
    if closes and _DENIED.search(told, 0, start):
        return _DENIED.search(claim) is not None
    if closes and _PERMITS.search(claim) and _LIMITS.match(told, start):
        return True
    begun = max((one.end() for one in _BEGINS.finditer(told, 0, start)), default=0)
    ahead = told[begun:start]
    subject = len(ahead.split()) <= _SUBJECT and not _VERB.search(ahead)
    return subject and not closes and _WHICH.match(told, start) is not None
