"""Misspelt words of orders: what an unknown word was meant to be, if one letter is wrong.

Only words that stand in many orders are tried, and only for words that the table does not know:
this is no speller.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

_MEANT = (
    "ignore ignoring disregard disregarding forget forgetting override overriding bypass bypassing "
    "previous previously prior earlier above original initial instruction instructions directions "
    "directives commands guidelines guidance restrictions system prompt prompts reveal reveals "
    "repeat display output print secret hidden password passphrase verbatim pretend jailbreak "
    "unrestricted unfiltered uncensored developer administrator obey respond answer refuse"
).split()
_LEAST = 5
_LONGEST = 20


def _without_one(word: str) -> Iterator[str]:
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]


def _shortened() -> dict[str, list[str]]:
    """Each word of orders by itself and by what is left of it without one letter."""
    found: dict[str, list[str]] = {}
    for word in _MEANT:
        for key in {word, *_without_one(word)}:
            found.setdefault(key, []).append(word)
    return found


_BY_PART = _shortened()


@lru_cache(maxsize=4096)
def meant(word: str) -> str:
    """The word of orders that `word`, in lower case, is with one letter left out, put in, replaced
    or exchanged with its neighbour (Damerau 1964); empty if there is none."""
    if not _LEAST <= len(word) <= _LONGEST:
        return ""
    for key in (word, *_without_one(word)):
        for one in _BY_PART.get(key, ()):
            if _one_apart(word, one):
                return one
    return ""


def _one_apart(word: str, other: str) -> bool:
    start = 0
    while start < min(len(word), len(other)) and word[start] == other[start]:
        start += 1
    left, right = word[start:], other[start:]
    if len(left) == len(right):
        exchanged = left[:2] == right[:2][::-1] and left[2:] == right[2:]
        return left[1:] == right[1:] or exchanged
    return left[1:] == right or left == right[1:]
