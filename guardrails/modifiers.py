"""Nouns that only say what kind another is of: "wheelchair users" are no wheelchairs. Pure."""

from __future__ import annotations

import re

from skerry.guardrails.english import FUNCTION_WORDS
from skerry.guardrails.words import content_stems

_DOES = re.compile(
    r"^\W*(?:do|does|can|could|will|would|may) (?:you|they|we|i|people|one)(?: also| still| even)? "
    r"[a-z]+ (?P<object>[a-z]{3,}s)\W*$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_ONE = frozenset("a an the each every one this that any per no your our its his her".split())


def object_of(question: str) -> str:
    """What a question asks whether it is done with, in the plural: "Do you repair wheelchairs?";
    empty of any other question."""
    found = _DOES.match(question)
    return found["object"].lower() if found else ""


def only_modifies(noun: str, question: str, text: str) -> bool:
    """Whether the text has a noun, and only in the singular, before another that is not asked."""
    stem, asked = content_stems(noun), content_stems(question)
    found = [one for one in _WORD.finditer(text) if stem and content_stems(one[0]) == stem]
    return bool(found) and all(_is_modifier(one, noun, asked, text) for one in found)


def _is_modifier(found: re.Match[str], noun: str, asked: frozenset[str], text: str) -> bool:
    before, after = text[: found.start()], text[found.end() :]
    following = _WORD.match(after[1:]) if after.startswith((" ", "-")) else None
    preceding = _WORD.findall(before[-20:])
    if (
        found[0].lower() == noun
        or following is None
        or (preceding and preceding[-1].lower() in _ONE)
    ):
        return False
    return following[0].lower() not in FUNCTION_WORDS and not content_stems(following[0]) & asked
