"""What the form of a request says beside its meaning: a few cheap, fixed features of the text.

A sentence vector is nearly blind to form ("book a room" and "how do I book a room" are close),
to numbers, and to what follows after the encoder's cut. These features see both.
"""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

_HEAD_CHARACTERS = 400  # the instruction stands at the start; the rest is pasted text

# One of these words is in the text.
_WORDS: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "asks_why": "why",
        "asks_explanation": (
            "explain describe summarise summarize summary overview difference compare tell"
        ),
        "asks_to_extract": (
            "extract pull parse list convert identify find grab tag copy quote fill normalise "
            "normalize return output collect"
        ),
        "names_shape": (
            "json csv yaml yml xml table array bullet bullets column columns field fields schema "
            "comma markdown list"
        ),
        "points_at_text": (
            "text below following note notes email e-mail letter transcript paragraph passage "
            "article receipt invoice minutes log mentioned"
        ),
        "names_rules": (
            "policy policies protocol protocols guideline guidelines handbook procedure "
            "procedures rules manual pathway steps process"
        ),
        "names_code": (
            "function code python javascript java sql regex query algorithm script bash loop "
            "recursive rust def select"
        ),
        "names_maths": (
            "calculate compute solve percent probability sum average times divided equation "
            "prove derivative integral ratio twice total each"
        ),
        "speaks_of_self": "i i'm i've im ive my me myself",
        "speaks_of_another": (
            "he she his her husband wife son daughter dad mum mom baby child patient friend"
        ),
        "speaks_of_death": (
            "die dying dead kill killing suicide suicidal overdose overdosed breathing"
        ),
        "speaks_of_now": "now suddenly just ago tonight since help emergency ambulance 911 999",
    }.items()
}

# The lower-case text, without a greeting, begins like this.
_PATTERNS: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "starts_with_fact": r"\W*(?:what|who|whose|when|where|which|whats|whos|wheres|whens)\b",
        "starts_with_how": r"\W*how (?:do|does|can|could|should|would|to|come|is|are)\b",
        "starts_with_amount": r"\W*how (?:many|much|long|far|old|often|tall|deep|late)\b",
        "starts_with_yes_no": (
            r"\W*(?:is|are|do|does|did|can|could|has|have|was|were|will|would|should|may|am)\b"
        ),
        "starts_with_wish": (
            r"\W*(?:please|pls|can you|could you|would you|i want to|i'?d like to|i need to)\b"
        ),
        "starts_with_order": (
            r"\W*(?:please |pls |can you |could you |go ahead and |i want to |i need to )?"
            r"(?:book|order|cancel|send|set|schedule|reschedule|call|remind|add|remove|delete|pay|"
            r"transfer|move|change|turn|play|stop|start|open|close|create|make|text|email|message|"
            r"block|freeze|report|reset|renew|request|submit|log|print|page|put|mark|assign|"
            r"update|reserve|buy|forward|share|invite|restart|lock|unlock|activate|register|sign|"
            r"enrol+|refill|record|enter|raise)\b"
        ),
    }.items()
}
_GREETING = re.compile(
    r"\W*(?:(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening)|ok|okay|so|um|well|sorry|"
    r"excuse me|quick q|quick question|thanks)\b[\s,.:!-]*)+"
)
_OPERATORS = re.compile(r"\d ?[-+*/^=×÷<>] ?\(?\d|[=^√∫]")
_CHOICES = re.compile(r"\ba[.)] ?.{1,200}\bb[.)] ", re.DOTALL)
_WORD = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")
_NUMBER = re.compile(r"\d+")
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{4,}")
_SYMBOL = re.compile(r"[^\w\s]")

_MEASURES = (
    "operators",
    "several_choices",
    "ends_with_question",
    "log_length",
    "log_words",
    "log_lines",
    "log_numbers",
    "log_symbols",
    "longest_consonants",
)
NAMES: tuple[str, ...] = (*_WORDS, *_PATTERNS, *_MEASURES)


def text_features(text: str) -> NDArray[np.float32]:
    """The features of one request, float32 [len(NAMES)]; words and patterns are 0 or 1."""
    head = text[:_HEAD_CHARACTERS].lower().replace("’", "'")
    words = _WORD.findall(head)
    known = set(words)
    opening = _GREETING.sub("", head, count=1) if _GREETING.match(head) else head
    return np.array(
        [
            *(not known.isdisjoint(group) for group in _WORDS.values()),
            *(pattern.match(opening) is not None for pattern in _PATTERNS.values()),
            *_measures(text, head, len(words)),
        ],
        np.float32,
    )


def _measures(text: str, head: str, words: int) -> tuple[float, ...]:
    return (
        _OPERATORS.search(head) is not None,
        _CHOICES.search(head) is not None,
        text[-50:].rstrip().endswith("?"),
        math.log1p(len(text)),
        math.log1p(words),
        math.log1p(text.count("\n")),
        math.log1p(len(_NUMBER.findall(head))),
        math.log1p(len(_SYMBOL.findall(head))),
        max(map(len, _CONSONANTS.findall(head)), default=0) / 5,
    )
