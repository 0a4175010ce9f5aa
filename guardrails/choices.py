"""Between what a question lets choose: "the keelboat or the electric boat". Pure; English."""

from __future__ import annotations

import re

from skerry.guardrails.words import content_stems, numbers

_STEMS = (
    "cheap|dear|larg|small|tini|roomi|long|short|fast|quick|slow|heavi|light|tall|old|young|new|"
    "strong|weak|high|low|wid|deep|pric(?:i)?|costli|bigg|near|clos|earli|lat|saf"
)
_DEGREE = re.compile(rf"\b({_STEMS})(er|est)\b", re.IGNORECASE)
EXTREME = re.compile(rf"\b(?:{_STEMS})est\b|\b(?:most|least) (?:expensive|costly)\b", re.IGNORECASE)
"""Words for the one end of what is weighed."""
_WEIGHS = re.compile(
    rf"\b(?:more|most|less|least|fewer|fewest|better|best|worse|worst|(?:{_STEMS})(?:er|est)|"
    r"expensive|costly|costs?|affordable)\b",
    re.IGNORECASE,
)
_DEGREES = frozenset("more most less least fewer fewest better best worse worst".split())
_BETWEEN = re.compile(
    r"[,:;?!.()]|\b(?:the|an?|is|are|was|were|do|does|did|can|for|per|in|on|at|of|to|with|than|"
    r"between|have|has|which|what|who|our|your|my|this)\b",
    re.IGNORECASE,
)
_OR = re.compile(r"\s{0,4},?\s{1,4}or\s{1,4}(?:(?:the|an?|our|your|for|on|in)\s{1,4}){0,4}", re.IGNORECASE)
_MOST_WORDS = 4  # of what is named


def alternatives(question: str) -> tuple[frozenset[str], ...]:
    """The stems and numbers of each thing that a question weighs; empty if it weighs nothing.

    "Which is cheaper, a kayak or the keelboat?" weighs a kayak and the keelboat.
    """
    weighs, found = _weighs(question), _OR.search(question)
    if not weighs or not found:
        return ()
    before, after = question[: found.start()], question[found.end() :]
    named = [*_listed(before), _BETWEEN.split(after)[0]]
    said = tuple(_said(one) for one in named)
    return said if all(0 < len(one) <= _MOST_WORDS for one in said) else ()


def lacks_alternative(question: str, text: str) -> bool:
    """Whether a text tells of some of what the question weighs, and not of all of it."""
    said = content_stems(text) | numbers(text)
    told = [one <= said for one in alternatives(question)]
    return any(told) and not all(told)


def as_extreme(question: str) -> str:
    """A question that weighs, as one for the most: "cheapest" for "cheaper"."""
    text = _DEGREE.sub(r"\1est", question)
    text = re.sub(r"\bmore\b", "most", text, flags=re.IGNORECASE)
    return re.sub(r"\b(?:less|fewer)\b", "least", text, flags=re.IGNORECASE)


def _weighs(text: str) -> bool:
    found = {one.group().lower() for one in _WEIGHS.finditer(text)}
    return any(one in _DEGREES or one.endswith(("er", "est")) for one in found)


def _listed(before: str) -> list[str]:
    """What is named before the "or": the last of it, and what commas part from it after the
    words that weigh."""
    parts = re.split(r"[,:]", before)
    begin = next((at + 1 for at, part in enumerate(parts) if _weighs(part)), len(parts) - 1)
    return [_BETWEEN.split(part)[-1] for part in parts[min(begin, len(parts) - 1) :]]


def _said(name: str) -> frozenset[str]:
    bare = _WEIGHS.sub(" ", name)
    return content_stems(bare) | numbers(bare)
