"""A second opinion on danger, where the router alone sees some.

The router reads a whole request by its vector and takes much for danger that has its words ("May I
film my friend climbing?"). The small network of the guardrails reads each sentence by its words.
Where that sees next to nothing, the router must be surer. It lowers a probability and never
raises one; what patterns or the network find goes to a person whatever is said here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from skerry.edge.followup import Asked
from skerry.edge.types import Classification, RequestClass
from skerry.guardrails import safety
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.networks import INSTALLED, Networks
from skerry.guardrails.normal import normalise
from skerry.guardrails.safety.idioms import AFTERWARDS, without_idioms

_LITTLE, _LITTLE_IN_A_PERMISSION, _NOTHING = 0.15, 0.2, 0.05
_UNLIKELY, _UNSURE = 0.1, 0.5
_TIMES_LITTLE, _TIMES_NOTHING, _TIMES_THING, _TIMES_TOPIC = 2.4, 9.4, 44.0, 1000.0
"""How many times smaller the odds of danger become: with the default `safety.class_score` (0.3) the
router's probability counts from 0.5, 0.8, 0.95 and 0.998. Chosen on development texts, the router's
test phrases and XSTest, so that no dangerous one was lost."""

_PERMISSION = re.compile(
    r"\W*(?:(?:may|can|could) (?:i|we|my|our)|(?:am i|are we|is it) allowed)\b", re.IGNORECASE
)
_THING_DIED = re.compile(
    r"\b(?:batter(?:y|ies)|phones?|laptops?|computers?|printers?|servers?|routers?|tablets?|"
    r"screens?|"
    r"modems?|engines?|motors?|cars?|bikes?|chargers?|links?|connections?|signals?|lines?|plants?)"
    r"(?: (?:has|have|is|are|just|suddenly|always|keeps|again)){0,3} (?:die[sd]?|dying|dead)\b",
    re.IGNORECASE,
)
_AFTERWARDS = re.compile(AFTERWARDS, re.IGNORECASE)
_TO_A_THING = re.compile(
    r"\b(?:(?:i|we)(?: have|['’]ve)?(?: just| accidentally)?|(?:someone|somebody)(?: has| just)?"
    r"(?![^\n]{0,200}\b(?:and|he|she|they|with|now)\b)) (?:spilled|spilt|dropped|broke|broken|"
    r"smashed|"
    r"crashed|scratched|bent|tore|ripped|cracked|stained|jammed|dented|lost|damaged|punctured|"
    r"scraped|"
    r"knocked over) (?:an?|the|my|our|your|one of|two|some|tea|coffee|soup|water|juice|milk|"
    r"paint)\b",
    re.IGNORECASE,
)
_TO_A_PERSON = re.compile(
    r"\b(?:arms?|legs?|hands?|heads?|fingers?|thumbs?|toes?|foot|feet|ankles?|wrists?|hips?|"
    r"ribs?|noses?|"
    r"necks?|backs?|shoulders?|knees?|eyes?|ears?|face|skin|skull|jaw|bones?|chest|stomach|teeth|"
    r"tooth|"
    r"lips?|throat|blood\w*|bleed\w*|breath\w*|pain\w*|hurts?|injur\w*|burn\w*|boiling|hot|acid|"
    r"bleach|"
    r"chemicals?|gas|petrol|smoke|fire|flames?|electric\w*|wires?|pills?|tablets?|insulin|"
    r"medic\w*|drugs?|"
    r"poison\w*|knife|gun|weapons?|unconscious|faint\w*|dizzy|numb|baby|child|infant|toddler|"
    r"patient|"
    r"person|people|pedestrian|cyclist|consciousness|weight|sight|hearing|voice|memory|balance|"
    r"hope|will|"
    r"feeling|myself|himself|herself|him|me|us|them|(?:on|over|at) (?:him|her|them)|life|lives|"
    r"die\w*|dead|"
    r"kill\w*|everything|job|husband|wife|son|daughter|mother|father|mum|dad|friend|pregnan\w*|"
    r"water broke|"
    r"control|temper|appetite|sense|mind|everyone|everybody|family|parents|brother|"
    r"sister|partner|scream\w*|threat\w*|attack\w*|scared|afraid|police|angry|rage|chemo\w*|law)\b",
    re.IGNORECASE,
)
_TOPIC = re.compile(r"\W*(?:no |non-?)?(?:smok(?:ing|ers?)|vaping)\W*", re.IGNORECASE)
_AGE = re.compile(
    r"\W*(?:and |but |well,? )?(?:my|our|the) (?:\w+ )?(?:son|daughter|child|kid|boy|girl|grandson|"
    r"granddaughter|nephew|niece|husband|wife|partner|mother|father|mum|dad|grandmother|"
    r"grandfather|"
    r"friend|brother|sister) is (?:only |just |now |already |over |under )?\d{1,3}"
    r"(?: years?| months?)?(?: old)?\W*",
    re.IGNORECASE,
)
_CRY = re.compile(r"\b(?:help|sos|mayday|emergency|ambulance|911|999|112)\b", re.IGNORECASE)


def second_opinion(
    seen: Classification,
    said: Asked,
    question: str,
    findings: Sequence[Finding],
    networks: Networks = INSTALLED,
) -> Classification:
    """The router's opinion of what is `said`, weighed by what the network makes of it.

    Args:
        question: the request as it was asked.
        findings: what was found in it.
        networks: what looks.
    """
    likely = seen.scores.get(RequestClass.SAFETY, 0.0)
    if not 0 < likely < 1 or _CRY.search(question) or any(map(_is_danger, findings)):
        return seen
    if seen.request_class is not RequestClass.SAFETY and likely < _UNLIKELY:
        return seen
    texts = {question, said.text}
    strongest = max(_strongest(text, networks) for text in texts)
    times = _times(strongest, question)
    if strongest < _UNSURE or _befell_a_thing(question):
        times *= _times_of_wording(question, texts)
    return seen if times == 1 else _less_likely(seen, times)


def _is_danger(finding: Finding) -> bool:
    return finding.kind is FindingKind.SAFETY and finding.where is Where.INPUT


def _times_of_wording(question: str, texts: Iterable[str]) -> float:
    over = _TIMES_THING if _AFTERWARDS.search(question) else 1.0
    harmless = any(map(_has_idiom, texts)) or _befell_a_thing(question)
    return over * (_TIMES_THING if harmless else 1.0)


def _befell_a_thing(question: str) -> bool:
    """Whether something was dropped, broken or lost, and nobody and nothing dangerous is named."""
    return bool(_TO_A_THING.search(question)) and not _TO_A_PERSON.search(question)


def _has_idiom(text: str) -> bool:
    return without_idioms(text) != text


def _strongest(text: str, networks: Networks) -> float:
    words = networks.read(without_idioms(normalise(text).text))
    return safety.strongest(words, networks)


def _times(strongest: float, question: str) -> float:
    if _TOPIC.fullmatch(question):
        return _TIMES_TOPIC
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
