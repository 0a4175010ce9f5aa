"""What "only" is said of: "only nurses may open it" is no "nurses may only open it"."""

from __future__ import annotations

import re

from skerry.guardrails.grounding.exact.clauses import spoken_of

_ONLY = re.compile(r"(?<!not )\b(?:only|solely|exclusively)\b", re.IGNORECASE)
_VERB = re.compile(
    r"\b(?:may|must|can|should|will|is|are|was|were|has|have|do|does)\b", re.IGNORECASE
)
_END = re.compile(r"[.,;:]|$")
_CLOSES = re.compile(r"\s*(?:[.,;:]|$)")
_LINK = re.compile(r"\b(?:for|in|on|at|by|to|with|from|are|is|be|and|or)\b", re.IGNORECASE)
_AUXILIARY = re.compile(rf"{_VERB.pattern}\s$", re.IGNORECASE)
_HALF = 0.5


def only_of_another(claim: str, told: str) -> bool:
    """Whether both say "only", and one says it of what stands before the other's."""
    mine, theirs = _ONLY.search(claim), _ONLY.search(told)
    if mine is None or theirs is None:
        return False
    return any(
        _is_passed(_meant(text, only), _least(text, only), other, there)
        for text, only, other, there in ((told, theirs, claim, mine), (claim, mine, told, theirs))
    )


def _meant(text: str, only: re.Match[str]) -> frozenset[str]:
    """The words that "only" is said of: the subject after it, what comes before it at the end of a
    clause ("members only"), else what follows."""
    if _CLOSES.match(text, only.end()):
        return spoken_of(_LINK.split(text[: only.start()])[-1])
    end = _END.search(text, only.end())
    after = text[only.end() : end.start() if end else len(text)]
    before = text[: only.start()].rstrip()
    subject = _VERB.split(after)[0] if not before or before.endswith((",", ";", ".")) else ""
    return spoken_of(subject) or spoken_of(after)


def _least(text: str, only: re.Match[str]) -> float:
    """The share that must be passed: all, of what follows "may only", whose verb counts, too."""
    return 1.0 if _AUXILIARY.search(text, 0, only.start()) else _HALF


def _is_passed(meant: frozenset[str], least: float, text: str, only: re.Match[str]) -> bool:
    """Whether that share of what is meant stands before the text's "only", and not right before."""
    before, after = spoken_of(text[: only.start()]), spoken_of(text[only.end() :])
    passed = meant & before - after
    if not meant or len(passed) < least * len(meant):
        return False
    right_before = spoken_of(_LINK.split(text[: only.start()])[-1])
    closes = _CLOSES.match(text, only.end()) is not None
    return not (closes and passed <= right_before)
