"""What must and what may be done, and by whom, in one wording: "You must not smoke"."""

from __future__ import annotations

import re

from skerry.guardrails.rewording.verbs import base, third_person

_FORBIDDEN = r"(?:strictly )?(?:forbidden|prohibited|banned|not (?:allowed|permitted))"
_BE = r"(?:is|are)"
_IT_IS = re.compile(rf"^it is {_FORBIDDEN} to\b", re.IGNORECASE)
_GERUND = re.compile(
    rf"^(?P<deed>[^\W\d_]{{2,}}ing)\b(?P<what>[^,;]*?) {_BE} {_FORBIDDEN}\b(?P<rest>[^;]*)$",
    re.IGNORECASE,
)
_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (rf"\b{_BE} {_FORBIDDEN} to\b", "must not"),
        (r"\b(?:may|must|shall)(?: not|n['’]t)\b", "must not"),
        (rf"\b({_BE}) (?:strictly )?(?:forbidden|prohibited|banned|not permitted)\b",
         r"\1 not allowed"),
        (rf"\b{_BE} (?:allowed|permitted) to\b|\b(?:can|could)\b(?! not)", "may"),
        (rf"(?<!not )\b(?:ha(?:s|ve) to|{_BE} required to|{_BE} obliged to|shall)\b", "must"),
        (r"\b(?:nobody|no one|none)(?: but| except| other than| apart from) ", "Only "),
    )
)  # fmt: skip
_AFTER = (
    r"(?: (?:if|only if|unless|when|on|in|at(?! (?:least|most)\b)|from|for|before|after|within|"
    r"until|every|without|with|between|during)\b[^;]*)"
)
_MODAL = r"(?:may|must not|must|will|should)"
_NO_DOER = (
    r"(?!\d|\w+ing\b|(?:the )?(?:date|end|time|day|week|month|hour|minute|post|mouth|hand|"
    r"e-?mail|phone|telephone|card|law|default|noon|midnight|\w+day)\b)"
)
_DONE_BY = re.compile(
    rf"^(?P<what>[^,;]+?) (?:(?P<modal>{_MODAL}) (?P<ahead>only )?be|{_BE}) (?P<deed>[^\W\d_]+)"
    rf"(?P<between>(?: (?!by\b)[^\s,;]+){{0,6}}?)(?P<only> only)? by {_NO_DOER}"
    rf"(?P<doer>[^,;]+?)(?P<rest>{_AFTER})?$",
    re.IGNORECASE,
)
_DONE = re.compile(
    r"^(?P<what>[^,;]+?) (?P<modal>may|must not|must) (?P<only>only )?be (?P<deed>[^\W\d_]+)"
    r"(?P<rest>\b.*)$",
    re.IGNORECASE,
)
_FINITE = re.compile(
    r"^(?:only|no|none|nobody|nothing|if|unless|when|on|in|at)\b|"
    r"\b(?:is|are|was|were|has|have|may|must|will|but|they|it|which)\b",
    re.IGNORECASE,
)
"""What no subject of one deed has: a deed before it, or a condition."""
_GOES_ON = re.compile(r"\sand (?!(?:by|the|an?|every|all|any)\b|[A-Z])")
"""What a doer has after which another deed follows."""
_BESIDES = re.compile(r"((?:(?:the|an?|every|each|all) )?\w+) (.+?),? and$", re.IGNORECASE)
_AND_BY = re.compile(r"\b(and|or) by\b", re.IGNORECASE)


def plain_deeds(text: str) -> str:
    """The sentence with what it obliges, permits and forbids, and who does what, in one wording."""
    text = _IT_IS.sub("you must not", text)
    text = _GERUND.sub(_forbidding, text)
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return _DONE.sub(_by_you, _DONE_BY.sub(_by_doer, text))


def _forbidding(found: re.Match[str]) -> str:
    deed = base(found["deed"])
    return f"you must not {deed}{found['what']}{found['rest']}" if deed else found.group()


def _by_doer(found: re.Match[str]) -> str:
    """ "Brakes are tested by Anja": "Anja tests brakes"."""
    deed = base(found["deed"])
    if not deed or _FINITE.search(found["what"]):
        return found.group()
    only = "only " if found["only"] or found["ahead"] else ""
    does = f"{found['modal'].lower()} {deed}" if found["modal"] else third_person(deed)
    what, also = _parted(found["what"])
    after = f"{found['between']}{found['rest'] or ''}"
    doer, goes_on, rest = _GOES_ON.sub("\n", _AND_BY.sub(r"\1", found["doer"]), 1).partition("\n")
    who = f", who {also or rest}" if also or goes_on else ""
    return f"{only}{doer} {does} {what}{who}{after}"


def _parted(what: str) -> tuple[str, str]:
    """What it is done to, and what that does besides: "They wear a badge and" (are led)."""
    found = _BESIDES.match(what)
    return (_lower(found[1]), found[2]) if found else (_lower(what), "")


def _by_you(found: re.Match[str]) -> str:
    """ "Drinks must not be brought in": "You must not bring drinks in"."""
    deed = base(found["deed"])
    if not deed or _FINITE.search(found["what"]):
        return found.group()
    only = found["only"] or ""
    what = _lower(found["what"])
    return f"you {found['modal'].lower()} {only}{deed} {what}{found['rest']}"


def _lower(what: str) -> str:
    """The words as they stand inside a sentence; what may be a name is left alone."""
    first, space, rest = what.partition(" ")
    named = rest[:1].isupper() or not (rest or first.endswith("s"))
    return what if named or first[1:] != first[1:].lower() else f"{first.lower()}{space}{rest}"
