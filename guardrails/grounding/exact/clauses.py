"""Sentences cut into clauses, and what each of them speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from skerry.guardrails.words import content_stems, numbers

_BREAK = re.compile(r"[;:,]\s+(?:(?:and|but|or|while|whereas)\s)?|\s(?:and|but|while|whereas)\s")
_COMMA = re.compile(r"[;:,]\s+(?:(?:and|but|or|while|whereas)\s)?|\s(?:but|while|whereas)\s")
_FIRST = re.compile(r"\s*(?:(?:the|an?|every|each|all) )?(\w+)", re.IGNORECASE)
_AND = re.compile(r"[;:]\s|,?\s(?:and|but|while|whereas)\s|(?P<comma>,\s)(?=[^,;]*\d)")
_RANGE = re.compile(r"\b(?:between|from|at)\s\S{1,12}(?:\s\S{1,12})?$", re.IGNORECASE)
_DIGIT = re.compile(r"\d|-\d")
_VERB_FIRST = re.compile(
    r"\s*(?:(?:is|are|was|were|must|may|can|could|should|will|would|has|have|had|do|does)\b|"
    r"[a-z]+(?:s|ed) (?:the|an?|his|her|its|their|it|them|all|each|every|no|to)\b)"
)
_LEAD = re.compile(r"\s*(?:(?:the|an?|every|each|all|no) )?\w+(?: \w+)?", re.IGNORECASE)
_LABEL = re.compile(
    r"\b(ward|room|form|step|floor|line|type|stage|grade|level|bay|platform|gate|class|group|phase|"
    r"zone|section|chapter|unit|site|clinic|theatre|lift|building|block|door|table|route|bus|part|"
    r"annex|appendix|team|shift|bed|box|list|version|plan|option|figure)s?\s"
    r"(?:no\.?\s|number\s)?(\d{1,4}[a-z]?|[a-z])(?![\w:%°/]|\.\d)",
    re.IGNORECASE,
)
_REACH = 40  # characters before "and" that say whether it joins the ends of a range
_CODE = re.compile(r"\b(?:[A-Za-z]{1,6}-\d{1,5}|[A-Z]{1,4}\d{1,5})\b")
_MOST_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class Clause:
    """`text` stands at `start` of its sentence; `stems` are its content words and its labels."""

    text: str
    start: int
    stems: frozenset[str]

    @property
    def said(self) -> frozenset[str]:
        """Its words and numbers."""
        return self.stems | numbers(self.text)

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@lru_cache(maxsize=_MOST_KEPT)
def spoken_of(text: str) -> frozenset[str]:
    """The stems of the content words; "ward 3", "ward B" and "F-20" are words of their own, too."""
    named = {f"{one[1]} {one[2]}".lower() for one in _LABEL.finditer(text)}
    return content_stems(text) | named | {one.group().lower() for one in _CODE.finditer(text)}


def labels(text: str) -> frozenset[int]:
    """Where the numbers begin that only name something: the 3 of "ward 3"."""
    return frozenset(one.start(2) for one in _LABEL.finditer(text))


@lru_cache(maxsize=_MOST_KEPT)
def clauses(text: str) -> tuple[Clause, ...]:
    """The parts of a sentence between commas, semicolons and "and", in order."""
    return tuple(_cut(text, _BREAK))


@lru_cache(maxsize=_MOST_KEPT)
def whole_clauses(text: str) -> tuple[Clause, ...]:
    """The clauses, each with a subject: one that begins with its verb has that of the one before.

    "Guests wear a badge and are led round": "Guests wear are led round".
    """
    found: list[Clause] = []
    for one in clauses(text):
        lead = _LEAD.match(found[-1].text) if found and _VERB_FIRST.match(one.text) else None
        told = f"{lead.group()} {one.text}" if lead else one.text
        found.append(Clause(told, one.start, spoken_of(told)))
    return tuple(found)


@lru_cache(maxsize=_MOST_KEPT)
def stretches(text: str) -> tuple[Clause, ...]:
    """The parts of a sentence between commas and semicolons, "and" left alone."""
    return tuple(_cut(text, _COMMA))


@lru_cache(maxsize=_MOST_KEPT)
def claims(text: str) -> tuple[Clause, ...]:
    """The parts of a claim that each say something: cut at semicolons and "and", and at commas
    between two numbers."""
    return tuple(_cut(text, _AND))


def is_gapped(claim: Clause, name: frozenset[str], there: Sequence[Clause]) -> bool:
    """Whether a clause that begins as the claim does says all of the name that it says.

    "A is given at 8, B at 9" says that B is given at 9.
    """
    begun = _FIRST.match(claim.text)
    return any(
        name < one.said <= claim.said and begun and begun[1].lower() == first[1].lower()
        for one in there
        if (first := _FIRST.match(one.text))
    )


def clause_at(text: str, at: int) -> Clause:
    """The part of a claim that has its character `at`."""
    found = claims(text)
    return next((one for one in reversed(found) if one.start <= at), found[0])


def _cut(text: str, pattern: re.Pattern[str]) -> Iterator[Clause]:
    start = 0
    for match in pattern.finditer(text):
        before = text[max(0, match.start() - _REACH) : match.start()]
        if _DIGIT.match(text, match.end()) and _RANGE.search(before):
            continue
        if match.groupdict().get("comma") and not _DIGIT.search(text, start, match.start()):
            continue
        yield Clause(text[start : match.start()], start, spoken_of(text[start : match.start()]))
        start = match.end()
    yield Clause(text[start:], start, spoken_of(text[start:]))
