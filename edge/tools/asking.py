"""Tells an order from a question by its first words. Pure.

"Could you please book …?" is an order in polite words; "How do I book …?" is a question.
"""

from __future__ import annotations

import re

_POLITE = re.compile(
    r"(?:(?:hi|hello|hey|please|ok|okay|well|now|then|and|so|kindly|just)\b[\s,.!:-]*"
    r"|(?:can|could|would|will|might) you\b\s*"
    r"|i(?:['’]d| would) like you to\s+|i (?:want|need) you to\s+|let['’]s\s+)"
)
_MOST_POLITE = 6
_FIRST_WORD = re.compile(r"[a-z]+")
_LOOKS_UP = frozenset(
    """
    what which when where who whose whom why how is are was were am do does did has have had can
    could may might must shall should will would if in on at for the a an there any
    find look show tell list search check explain describe give say quote summarise summarize read
    name
    """.split()
)
_NEGATED = re.compile(r"\b(?:do not|don['’]t|not|never|without|instead of)\b")


def bare(question: str) -> str:
    """The question in lower case on one line, without the politeness before it."""
    text = " ".join(question.lower().split())
    for _ in range(_MOST_POLITE):
        found = _POLITE.match(text)
        if not found or found.end() == len(text):
            break
        text = text[found.end() :]
    return text


def is_order(question: str) -> bool:
    """Whether something is to be done, rather than told or looked up."""
    first = _FIRST_WORD.match(bare(question))
    return first is not None and first.group() not in _LOOKS_UP


def is_negated(text: str) -> bool:
    """Whether it says "not" anywhere: what somebody does not want is never done."""
    return _NEGATED.search(text) is not None
