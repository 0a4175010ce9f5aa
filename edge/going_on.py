"""What the next sentence of a source adds that an answer may not go without. Pure; English.

That is what holds otherwise ("Later than that half is due"), or the place of what was named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from skerry.guardrails.answer import Evidence
from skerry.guardrails.passages import Passage
from skerry.guardrails.sentences import sentences

_OTHERWISE = re.compile(
    r"(?:Otherwise|Else|If not|Failing that|However|After (?:that|this)|Afterwards|From then on|"
    r"Until then|Before that|Beyond that|Above that|In (?:all )?other cases|"
    r"(?:Any(?:thing)? )?(?:[Ll]ater|[Ll]onger|[Mm]ore|[Ee]arlier|[Ll]ess) than (?:that|this))\b"
)
_ASKS_PLACE = re.compile(r"^\W*where (?:is|are|do|does|can|must|should|may)\b", re.IGNORECASE)
_IS_AT = re.compile(
    r"(?:It|They|These|Both|All|This|That) (?:\w+ ){1,3}?"
    r"(?:in|at|on|near|beside|behind|by|opposite|under|above|outside|inside|next to)\b"
)
_ITEM = re.compile(r"(?:[-*•‣◦+|>#]|\d{1,3}[.)]\s)")
_BLANK_LINE = 2  # line ends


def continued(question: str, passage: Passage, source: Evidence) -> Passage | None:
    """The passage with the next sentence, where that tells what holds otherwise, or the place that
    is asked for; None where it does neither, or the passage is a row."""
    if passage.header:
        return None
    start = source.text.find(passage.text)
    following = _after(source.text, start + len(passage.text)) if start >= 0 else None
    if following is None or not _adds(question, source.text[following[0] : following[1]]):
        return None
    return replace(passage, text=source.text[start : following[1]])


def may_go_on(question: str, sources: Sequence[Evidence]) -> bool:
    """Whether any source has a sentence that `continued` would add; cheap."""
    return any(
        _adds(question, one.text[start:end])
        for one in sources
        if _OTHERWISE.search(one.text) or _ASKS_PLACE.search(question)
        for start, end in sentences(one.text)
    )


def _adds(question: str, sentence: str) -> bool:
    if _OTHERWISE.match(sentence):
        return True
    return bool(_ASKS_PLACE.search(question) and _IS_AT.match(sentence))


def _after(text: str, end: int) -> tuple[int, int] | None:
    """The span of the sentence after `end`, if it is in the same paragraph or item."""
    found = next(((a, b) for a, b in sentences(text) if a >= end), None)
    if found is None or text[end : found[0]].count("\n") >= _BLANK_LINE:
        return None
    return None if _ITEM.match(text[found[0] :]) else found
