"""A second opinion on danger, where the router alone sees some.

The router reads a whole request by its vector and takes much for danger that has its words ("May I
film my friend climbing?"). The small network of the guardrails reads each sentence by its words.
Where that sees next to nothing, the router must be surer. It lowers a probability and never
raises one; what patterns or the network find goes to a person whatever is said here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from skerry.edge.followup import Asked
from skerry.edge.types import Classification, RequestClass
from skerry.guardrails import safety
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.normal import normalise
from skerry.guardrails.safety.idioms import without_idioms
from skerry.guardrails.wording import read_shared

_LITTLE, _LITTLE_IN_A_PERMISSION, _NOTHING = 0.15, 0.2, 0.05
_UNLIKELY = 0.1
_TIMES_LITTLE, _TIMES_NOTHING, _TIMES_THING = 2.4, 9.4, 44.0
"""How many times smaller the odds of danger become: with the default `safety.class_score` (0.3) the
router's probability counts from 0.5, 0.8 and 0.95. Chosen on development texts, the router's
test phrases and XSTest, so that no dangerous one was lost."""

_PERMISSION = re.compile(
    r"\W*(?:(?:may|can|could) (?:i|we|my|our)|(?:am i|are we|is it) allowed)\b", re.IGNORECASE
)
_THING_DIED = re.compile(
    r"\b(?:batter(?:y|ies)|phones?|laptops?|computers?|printers?|servers?|routers?|tablets?|screens?|"
    r"modems?|engines?|motors?|cars?|bikes?|chargers?|links?|connections?|signals?|lines?|plants?)"
    r"(?: (?:has|have|is|are|just|suddenly|always|keeps|again)){0,3} (?:die[sd]?|dying|dead)\b",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"\W*(?:and |but |well,? )?(?:my|our|the) (?:\w+ )?(?:son|daughter|child|kid|boy|girl|grandson|"
    r"granddaughter|nephew|niece|husband|wife|partner|mother|father|mum|dad|grandmother|grandfather|"
    r"friend|brother|sister) is (?:only |just |now |already |over |under )?\d{1,3}"
    r"(?: years?| months?)?(?: old)?\W*",
    re.IGNORECASE,
)
_CRY = re.compile(r"\b(?:help|sos|mayday|emergency|ambulance|911|999|112)\b", re.IGNORECASE)


def second_opinion(
    seen: Classification, said: Asked, question: str, findings: Sequence[Finding]
) -> Classification:
    """The router's opinion of what is `said`, weighed by what the network makes of it.

    Args:
        question: the request as it was asked.
        findings: what was found in it.
    """
    likely = seen.scores.get(RequestClass.SAFETY, 0.0)
    if not 0 < likely < 1 or _CRY.search(question) or any(map(_is_danger, findings)):
        return seen
    if seen.request_class is not RequestClass.SAFETY and likely < _UNLIKELY:
        return seen
    texts = {question, said.text}
    times = _times(max(map(_strongest, texts)), question)
    if any(without_idioms(text) != text for text in texts):
        times = max(times, _TIMES_THING)
    return seen if times == 1 else _less_likely(seen, times)


def _is_danger(finding: Finding) -> bool:
    return finding.kind is FindingKind.SAFETY and finding.where is Where.INPUT


def _strongest(text: str) -> float:
    return safety.strongest(read_shared(without_idioms(normalise(text).text)))


def _times(strongest: float, question: str) -> float:
    if _AGE.fullmatch(question):
        return _TIMES_THING
    if strongest < _NOTHING:
        return _TIMES_THING if _THING_DIED.search(question) else _TIMES_NOTHING
    if strongest < _LITTLE_IN_A_PERMISSION and _PERMISSION.match(question):
        return _TIMES_NOTHING
    return _TIMES_LITTLE if strongest < _LITTLE else 1


def _less_likely(seen: Classification, times: float) -> Classification:
    """Bayes' rule: the odds of danger are divided, and the other classes keep their proportions."""
    likely = seen.scores[RequestClass.SAFETY]
    left = likely / (likely + times * (1 - likely))
    others = (1 - left) / (1 - likely)
    scores = {
        name: left if name is RequestClass.SAFETY else score * others
        for name, score in seen.scores.items()
    }
    best = max(scores, key=lambda name: scores[name])
    return replace(seen, request_class=best, confidence=scores[best], scores=scores)
