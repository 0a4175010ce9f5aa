"""What is asked: made whole, without who asks it, as the documents spell it; and its class.

Only what is searched for and routed is understood so. Guardrails and the model see the question as
it was asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from skerry.edge.addressed import asks_people, asks_who
from skerry.edge.followup import Asked
from skerry.edge.people import COLUMNS, is_of_people, people_wanted
from skerry.edge.types import Classification, RequestClass, known_by_rules
from skerry.edge.unnamed import without_who_asks
from skerry.guardrails.alike import with_other_words
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.networks import INSTALLED, Networks
from skerry.guardrails.screen import screen
from skerry.guardrails.tables import cells
from skerry.guardrails.topics import topic_of
from skerry.guardrails.wanted import ASKING, Kind, wanted
from skerry.guardrails.words import content_stems

if TYPE_CHECKING:
    from skerry.edge.index.types import Hit
    from skerry.edge.parts import Parts
    from skerry.edge.policy import Policy
    from skerry.edge.request import Request
    from skerry.guardrails.injection.meaning import Encode

IN_DOCUMENTS = "the documents' own words"
NAMED = "names in the documents"
HEADED = "headings of the documents"
AGAIN = "what was asked before"
ASKED_OF_PEOPLE = "questions to the people of the documents"
"""What a classification says that knew by words, names or headings that the documents may answer;
that the last answer is wanted again; or that those are asked whose documents they are."""

_NAME = re.compile(r"(?<=[^.?!:\n] )[A-Z][\w-]+")
_OF_MANY = frozenset({Kind.LIST, Kind.COUNT, Kind.EXTREME})
_READ = (RequestClass.QUESTION, RequestClass.LOOKUP)
_FEWEST_WORDS = 2
_NAMED_BY_SECTIONS = frozenset({"violence", "hate", "sexual"})


def of_nobody(asked: Asked, findings: Iterable[Finding], networks: Networks = INSTALLED) -> Asked:
    """What is asked, without who asks it. `findings` are those in the question."""
    before = asked.before and without_who_asks(asked.before, screen(asked.before), networks)
    question = without_who_asks(asked.question, findings, networks)
    return replace(asked, question=question, before=before)


def spelt(request: Request, asked: Asked, parts: Parts) -> Asked:
    """What is asked, as the documents that the request may see spell it."""
    return replace(asked, question=parts.respelled(request, asked.question))


def classified(asked: Asked, respelt: Asked, encode: Encode, parts: Parts) -> Classification:
    """What kind of request it is.

    What looks like danger as it was written does so however it is spelt.
    """
    seen = _classified(asked, encode, parts)
    if respelt == asked or _looks_like_danger(seen, parts.policy):
        return seen
    return _classified(respelt, encode, parts)


def searched(asked: Asked) -> str:
    """What to search for: what is asked, with other words for the same."""
    text = with_other_words(asked.text if asked.before else asked.matter)
    return f"{text} ({COLUMNS})" if people_wanted(asked.matter) else text


def asked_again(seen: Classification, asked: Asked) -> Classification:
    """The router's opinion; what is wanted again is read in the documents, and done by no tool."""
    if asked.again is None or seen.request_class is RequestClass.SAFETY:
        return seen
    return known_by_rules(seen, RequestClass.QUESTION, AGAIN)


def documented(
    seen: Classification, asked: Asked, hits: Sequence[Hit], *, has_documents: bool = True
) -> Classification:
    """The router's opinion, unless it takes for nothing that is answered here what the documents
    name: all names of the question, or all of its words in one passage.

    A bare topic ("refunds") that is a heading, or a single word that a passage has, is no order to
    do something. A single word is enough where all or the most of what it names is wanted ("the
    oldest boat"), and where all that there is on it is ("Tell me about dogs").
    What comes of it must still be in the documents, and is quoted with a warning if it may not fit.
    Where there are documents, what is asked of the people whose they are is a question to these.
    """
    if hits and _is_named_topic(seen, asked, hits):
        return known_by_rules(seen, RequestClass.QUESTION, HEADED)
    if seen.request_class is not RequestClass.UNSUPPORTED or not has_documents:
        return seen
    said = [content_stems(_text(one)) for one in hits]
    topic = topic_of(asked.matter)
    own = topic or content_stems(asked.matter) - ASKING
    names = content_stems(" ".join(_NAME.findall(asked.matter)))
    want = wanted(asked.wanting)
    fewest = 1 if topic or (want and want.kind in _OF_MANY) else _FEWEST_WORDS
    every = frozenset[str]().union(*said)
    named = bool(names) and names <= every
    if named or (len(own) >= fewest and any(own <= one for one in said)):
        return known_by_rules(seen, RequestClass.QUESTION, NAMED if named else IN_DOCUMENTS)
    if _is_asked_of_people(asked, own, names, every):
        return known_by_rules(seen, RequestClass.QUESTION, ASKED_OF_PEOPLE)
    return seen


def _is_asked_of_people(
    asked: Asked, own: frozenset[str], names: frozenset[str], said: frozenset[str]
) -> bool:
    """Whether a question is to those whose documents they are. `own` are its content words, and
    `names` its names; `said` is all that was found.

    Who, where or when needs a word that was found, or a question before that it leans on; and what
    names somebody or something that is nowhere in it is not about them.
    """
    if names - said:
        return False
    if asks_people(asked.matter):
        return True
    return asks_who(asked.matter) and bool(own & said or asked.before)


def of_no_section(
    findings: tuple[Finding, ...], asked: Asked, hits: Sequence[Hit]
) -> tuple[Finding, ...]:
    """The findings, without what the small network takes for violence, hate or sex in a question
    that names a section of the documents and says nothing else ("What to do in a fire?")."""
    own = content_stems(asked.matter) - ASKING
    if not own or not any(own <= _headings(one) for one in hits):
        return findings
    return tuple(one for one in findings if not _is_of_words_alone(one))


def _is_named_topic(seen: Classification, asked: Asked, hits: Sequence[Hit]) -> bool:
    """Whether a request is no more than a topic of the documents, or asks for their people."""
    if seen.rules_of or seen.request_class in (RequestClass.SAFETY, *_READ):
        return False
    if people_wanted(asked.matter):
        return any(is_of_people(cells(line)) for one in hits for line in _lines(one))
    topic = topic_of(asked.matter)
    if not topic:
        return False
    lines = {line for one in hits for line in (one.chunk.title, *one.chunk.heading)}
    headings = [content_stems(line) for line in lines]
    order = seen.request_class is RequestClass.TOOL
    if topic in headings or (not order and any(topic <= one for one in headings)):
        return True
    return len(topic) == 1 and any(topic <= content_stems(one.chunk.text) for one in hits)


def _lines(hit: Hit) -> list[str]:
    return [line for line in hit.chunk.text.splitlines() if line.startswith("|")]


def _is_of_words_alone(finding: Finding) -> bool:
    by_network = finding.rule.startswith("network:") and finding.where is Where.INPUT
    return by_network and finding.kind is FindingKind.SAFETY and finding.label in _NAMED_BY_SECTIONS


def _headings(hit: Hit) -> frozenset[str]:
    return content_stems("\n".join((hit.chunk.title, *hit.chunk.heading)))


def _text(hit: Hit) -> str:
    return "\n".join((hit.chunk.title, *hit.chunk.heading, hit.chunk.text))


def _classified(asked: Asked, encode: Encode, parts: Parts) -> Classification:
    """A question that says too little alone is routed whole."""
    text = asked.question if asked.before and asked.says_enough else asked.text
    return parts.router.classify(encode([text])[0], text)


def _looks_like_danger(seen: Classification, policy: Policy) -> bool:
    likely = seen.scores.get(RequestClass.SAFETY, 0.0)
    return seen.request_class is RequestClass.SAFETY or likely >= policy.safety.class_score
