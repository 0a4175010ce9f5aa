"""Takes who asks out of what is searched for and routed: "My name is Ann Lee, born 3 March 1961,
how long are results kept?" is searched for as "how long are results kept?". Rules over English.

Only what is searched for changes: guardrails and model see the question as it was asked. A question
without identifiers is left as it is, and so is one that would have nothing left to search for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from skerry.edge.screening import UNSCREENED, names_in
from skerry.guardrails.findings import Finding, FindingKind
from skerry.guardrails.networks import INSTALLED, Networks
from skerry.guardrails.words import content_stems

_MOST_CHARACTERS = 1_000
"""A longer request brings a text of its own, which is not taken apart."""

Span = tuple[int, int]

_SAYS_NAME = re.compile(
    r"\b(?i:my (?:full )?name(?:'s| is)|this is \w+(?: \w+)? (?:speaking|from|here))\b"
    r"|\b(?:[Ii]'m|[Ii] am) (?:called\b|[A-Z]\w+ [A-Z])"
)
_PERSON = "person"
_OF_ONE_PERSON = frozenset(
    "account card date_of_birth driver_licence health_plan iban mrn national_insurance nhs_number "
    "passport ssn".split()
)
_NOT_PERSONAL = frozenset({"age", "date", UNSCREENED})
"""What an answer may depend on, and what is no finding of anything."""
_CLAUSE_END = re.compile(r"[,;.!?:]+(?=\s|$)|[()\n]| [-\u2013\u2014] | (?=and (?:I|my|we)\b)")
_JOINT = re.compile(r"^(?:and\b|[\s,;:\u2013\u2014-])+|[\s,;:\u2013\u2014-]+$")
_WORD = re.compile(r"\w+")
_INTRODUCING = frozenset(
    """
a am an and aged age are at be born by called can contact for from full had has have he hello her
here hey hi his i id in is it its live lives living m me mr mrs ms miss dr my name named no number
of old on or our reach s she speaking the their they this to was we with you your
account address birth birthday card cell code date day dob email e mail home hospital identifier
insurance landline licence license member mobile mrn nhs passport patient phone policy post postal
postcode record reference social security ssn street tel telephone years year zip
""".split()
)
"""What is said around identifiers when somebody introduces a person, and says nothing else."""


def without_who_asks(
    question: str, findings: Iterable[Finding], networks: Networks = INSTALLED
) -> str:
    """What to search for; `findings` are those of the patterns in `question`.

    Names are looked for, which takes milliseconds, only where somebody says who they are.
    """
    found = tuple(findings)
    if len(question) > _MOST_CHARACTERS or not (_personal(found) or _SAYS_NAME.search(question)):
        return question
    people = (one for one in names_in(question, networks) if one.label == _PERSON)
    return unnamed(question, (*found, *people))


def _personal(findings: Iterable[Finding]) -> list[Finding]:
    return [
        one for one in findings if one.kind is FindingKind.PII and one.label not in _NOT_PERSONAL
    ]


def unnamed(question: str, findings: Iterable[Finding]) -> str:
    """What to search for.

    Clauses that only introduce a person are dropped; one that is only a name, if the question has
    what only one person has. If there are such, names give way to "someone" in the other clauses,
    and numbers are dropped. What may be asked for, such as "Whose number is 020 7946 0958?", stays.

    Args:
        findings: in `question`; those that are no identifiers do not matter.
    """
    personal = _personal(findings)
    if not personal:
        return question
    identified = any(one.label in _OF_ONE_PERSON for one in personal)
    clauses = _clauses(question, personal)
    kept = [one for one in clauses if not _only_introduces(question, one, personal, identified)]
    masked = identified and len(kept) < len(clauses)
    said = "".join(_masked(question, span, personal if masked else ()) for span in kept).strip()
    said = _JOINT.sub("", said)
    return said if content_stems(said) else question


def _clauses(text: str, personal: Sequence[Finding]) -> list[Span]:
    """The clauses of `text` with what ends them; no end is inside an identifier."""
    ends = [
        found.end()
        for found in _CLAUSE_END.finditer(text)
        if not any(one.start <= found.start() < one.end for one in personal)
    ]
    bounds = [0, *ends, len(text)]
    return [(start, end) for start, end in pairwise(bounds) if text[start:end].strip()]


def _only_introduces(
    text: str, clause: Span, personal: Sequence[Finding], identified: bool
) -> bool:
    inside = [one for one in personal if clause[0] <= one.start < clause[1]]
    named = identified or _SAYS_NAME.search(text[slice(*clause)])
    if not any(named or one.label != _PERSON for one in inside):
        return False
    rest = _without(text, clause, inside, "")
    return all(word in _INTRODUCING for word in _WORD.findall(rest.lower()))


def _masked(text: str, clause: Span, personal: Sequence[Finding]) -> str:
    inside = [
        one
        for one in personal
        if clause[0] <= one.start < clause[1]
        and (one.label in _OF_ONE_PERSON or _is_written_as_name(text, one))
    ]
    return _without(text, clause, inside, "someone") if inside else text[slice(*clause)]


def _is_written_as_name(text: str, one: Finding) -> bool:
    """Whether it is a person, with a capital: "a kayak" may be taken for one."""
    return one.label == _PERSON and not text[one.start : one.end].islower()


def _without(text: str, clause: Span, inside: Sequence[Finding], name: str) -> str:
    """The clause with `name` in place of names, and without other identifiers."""
    made, at = [], clause[0]
    for one in sorted(inside, key=lambda one: one.start):
        if one.start < at:
            continue
        made += [text[at : one.start], name if one.label == _PERSON else ""]
        at = min(one.end, clause[1])
    return "".join([*made, text[at : clause[1]]])
