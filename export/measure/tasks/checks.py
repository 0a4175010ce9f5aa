"""How an answer is scored. Pure functions of the answer's text."""

from __future__ import annotations

import json
import re
import string
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL)
_DECLINES = re.compile(
    r"\b(does not|doesn't|do not|don't|did not|didn't) (say|state|mention|contain|provide|specify|"
    r"include|have|know)|\b(not|isn't|aren't) (in the context|mentioned|stated|given|provided|"
    r"specified|available|able|possible)|\bno (information|mention|answer)|"
    r"\b(can't|cannot|can not|won't|will not|unable|refuse|decline)\b|\bsorry\b",
    re.IGNORECASE,
)
_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`score` in [0, 1]; `right` is the strict reading."""

    score: float
    right: bool


def normal(text: str) -> str:
    """As SQuAD compares answers (Rajpurkar et al. 2016, arXiv:1606.05250): no case, punctuation,
    articles."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def token_f1(answer: str, wanted: str) -> float:
    """F1 over the words of both, in [0, 1] (the same paper)."""
    ours, theirs = normal(answer).split(), normal(wanted).split()
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs)) if shared else 0.0


def grounded(answers: tuple[str, ...]) -> Callable[[str], Verdict]:
    """Token F1 with the nearest of `answers`; right is an exact match."""

    def check(answer: str) -> Verdict:
        exact = any(normal(answer) == normal(one) for one in answers)
        return Verdict(max(token_f1(answer, one) for one in answers), exact)

    return check


def says_no(answer: str) -> bool:
    """Whether the answer declines, or says that the answer is not there."""
    return _DECLINES.search(answer.replace("’", "'")) is not None


def declined(answer: str) -> Verdict:
    """Right where the answer declines."""
    return Verdict(float(says_no(answer)), says_no(answer))


def answered(answers: tuple[str, ...]) -> Callable[[str], Verdict]:
    """Right where the answer has one of `answers` and does not decline."""

    def check(answer: str) -> Verdict:
        words = f" {normal(answer)} "
        has = any(f" {normal(one)} " in words for one in answers) and not says_no(answer)
        return Verdict(float(has), has)

    return check


def keyed_json(keys: Mapping[str, str]) -> Callable[[str], Verdict]:
    """Score 1 for one JSON object, in a code fence or alone; right with these keys and types."""

    def check(answer: str) -> Verdict:
        fenced = _FENCE.fullmatch(answer.strip())
        try:
            found = json.loads(fenced[1] if fenced else answer)
        except (ValueError, RecursionError):
            return Verdict(0.0, False)
        if not isinstance(found, dict):
            return Verdict(0.0, False)
        fits = found.keys() == keys.keys() and all(
            _is(found[key], kind) for key, kind in keys.items()
        )
        return Verdict(1.0, fits)

    return check


def fits_pattern(pattern: str) -> Callable[[str], Verdict]:
    """Right where the whole answer fits the expression."""
    compiled = re.compile(pattern)

    def check(answer: str) -> Verdict:
        fits = compiled.fullmatch(answer.strip()) is not None
        return Verdict(float(fits), fits)

    return check


def _is(value: object, kind: str) -> bool:
    """A boolean is no integer here, though Python has it so."""
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _KINDS[kind])
