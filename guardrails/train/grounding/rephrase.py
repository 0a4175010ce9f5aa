"""Ways to say less, or the same in other words, so that a passage still supports it. Seeded."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from skerry.guardrails.train.grounding.lexicon import Lexicon
from skerry.guardrails.train.grounding.pair import capital

_OPENING = re.compile(
    r"^(?:However|Also|In addition|Therefore|Thus|For example|In general|Typically|Moreover|"
    r"Furthermore|In contrast|As a result|In fact|Overall|Finally|Usually),? "
)
_ASIDE = re.compile(
    r" \([^()]{1,60}\)|, (?:which|who) [^,.;]{5,60}(?=,)|, such as [^.;]{5,80}(?=\.)"
)
_TAIL = re.compile(
    r"(?:, (?:which|who|where|including|such as)|;| because| although| so that)[^.]{8,}$"
)
_AND = re.compile(r"\b([a-z]{4,}) and ([a-z]{4,})\b")
_LAST_AND = re.compile(r",? and (?:[a-z]+ ){0,2}(?:is|are|was|were|can|may|has|have) [^.,;]{8,}$")
_LEADING = re.compile(
    r"^((?:In|On|At|For|During|After|Before|If|When) [^,]{4,50}), ([a-zA-Z][^.]+)\.?$"
)

Change = Callable[[str, Lexicon, random.Random], str]


def _without_opening(text: str, _words: Lexicon, _draw: random.Random) -> str:
    return _OPENING.sub("", text)


def _without_aside(text: str, _words: Lexicon, draw: random.Random) -> str:
    found = list(_ASIDE.finditer(text))
    if not found:
        return text
    gone = draw.choice(found)
    return text[: gone.start()] + text[gone.end() :].lstrip(",")


def _without_tail(text: str, _words: Lexicon, draw: random.Random) -> str:
    body = text.rstrip(" .")
    cut = (_TAIL if draw.random() < 0.6 else _LAST_AND).search(body)
    return f"{body[: cut.start()]}." if cut and cut.start() > 25 else text


def _turned_pair(text: str, _words: Lexicon, draw: random.Random) -> str:
    """ "a and b" -> "b and a"."""
    found = list(_AND.finditer(text))
    if not found:
        return text
    one = draw.choice(found)
    return f"{text[: one.start()]}{one[2]} and {one[1]}{text[one.end() :]}"


def _turned_clause(text: str, _words: Lexicon, _draw: random.Random) -> str:
    """ "In May, it rains." -> "It rains in May."."""
    found = _LEADING.match(text)
    if found is None:
        return text
    return f"{capital(found[2])} {found[1][0].lower()}{found[1][1:]}."


def _synonym(text: str, words: Lexicon, draw: random.Random) -> str:
    low = f" {text.lower()} "
    pairs = [(a, b) for a, b in words.pairs("synonym") if f" {a} " in low]
    if not pairs:
        return text
    old, new = draw.choice(pairs)
    start = low.index(f" {old} ")
    return f"{text[:start]}{new}{text[start + len(old) :]}"


_CHANGES: tuple[tuple[Change, float], ...] = (
    (_without_opening, 1.0),
    (_without_aside, 0.4),
    (_without_tail, 0.4),
    (_turned_pair, 0.2),
    (_turned_clause, 0.4),
    (_synonym, 0.5),
    (_synonym, 0.3),
)


def rephrased(text: str, words: Lexicon, draw: random.Random) -> str:
    """The text after some changes of chance, maybe none."""
    for change, chance in _CHANGES:
        if draw.random() < chance:
            text = capital(change(text, words, draw).strip())
    return text
