"""Tells an order from a question by its words. Pure.

"Could you please book …?" is an order in polite words; "How do I book …?" is a question, and so are
"I am Ann Lee, until when can I cancel?" and "Write down the number of the office".
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
    name extract
    """.split()
)
_QUESTION_WORDS = r"(?:what|which|when|where|who|whom|whose|why|how)\b"
_ASKS = re.compile(
    r"(?:^|[,.;:!?]\s*)(?:(?:and|but|or|so|then) )?"
    r"(?:(?:until|till|since|by|from|up to|to|for|with|at|in|on|under|of|about) )?"
    + _QUESTION_WORDS
)
_ASKS_YES_OR_NO = re.compile(
    r"[,.;:!?]\s*(?:(?:and|but|or|so|then) )?"
    r"(?:(?:do|does|did|am|is|are|was|were|can|could|may|must|should|will|would) "
    r"(?:i|we|they|he|she|it|my|our|there|the)|(?:do|did|are|have) you)\b"
)
_IN_WORDS = (
    r"(?:names?|numbers?|address(?:es)?|details|e-?mails?|contacts?|dates?|hours|times?|prices?|"
    r"costs?|fees?|rules?|steps|list|extensions?|codes?|titles?|amounts?|limits?|polic(?:y|ies))\b"
)
_ASKS_FOR_WORDS = re.compile(
    r"(?:(?:write|note|jot|copy) (?:down|out)|(?:pull|read|pick|look) (?:out|up)|fetch|get) "
    r"(?:me |us )?"
    rf"(?:(?:the|all|every|each|any|both) [\w' -]{{0,40}}\b{_IN_WORDS}|{_QUESTION_WORDS})"
)
_ASKED_POLITELY = re.compile(r"\b(?:can|could|would|will|might) you\b")
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
    """Whether something is to be done, rather than told or looked up.

    Whatever has a question in it is none, but for one in polite words.
    """
    text = bare(question)
    first = _FIRST_WORD.match(text)
    return first is not None and first.group() not in _LOOKS_UP and not _asks(text, question)


def _asks(text: str, question: str) -> bool:
    """Whether something is asked, or words of the documents are wanted; `text` is bare."""
    if _ASKS.search(text) or _ASKS_YES_OR_NO.search(text) or _ASKS_FOR_WORDS.match(text):
        return True
    polite = _ASKED_POLITELY.search(question.lower())
    return question.rstrip(" \"'”’)").endswith("?") and not polite


def is_negated(text: str) -> bool:
    """Whether it says "not" anywhere: what somebody does not want is never done."""
    return _NEGATED.search(text) is not None
