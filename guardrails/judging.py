"""What the gate makes of one sentence of a draft that must be grounded in its sources.

In this order: its marks exist and are in force; one passage holds its words; that passage
answers what was asked, and denies what the sentence denies; its numbers are there; and the
grounding checker finds the sentence supported. What was copied from a source needs no checker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from skerry.guardrails.answer import Evidence
from skerry.guardrails.denial import denies_it
from skerry.guardrails.entailment import Entailment, Label
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.expected import adds
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.force import same_force, same_persons
from skerry.guardrails.passages import Passage, Quotation, passages, quotation
from skerry.guardrails.support import Floors, best_support, numbers_hold, supporting
from skerry.guardrails.voice import MARKS, plainly, quoted, speaks_as_we_do, without_marks
from skerry.guardrails.words import content_stems, denies

NOT_FOUND = "The documents do not say."
_ADMITS = re.compile(
    r"\b(?:do(?:es)? not (?:say|mention|contain|state|specify)|not (?:mentioned|stated|found)|"
    r"no information)\b",
    re.IGNORECASE,
)
_ABOUT_IT = 2  # words that a denial shares with what it is about
_FLOORS = Floors(all=0.6, told=0.7)  # chosen on training questions: docs/answers.md

Held = Sequence[tuple[Evidence, Sequence[Passage]]]
"""Sources, each with its passages that hold a claim."""


class Reader(Protocol):
    """Reads the sources for the question of one request."""

    def quote(self) -> Quotation | None:
        """The passage to quote; None if none is near."""

    def near(self, passage: Passage, source: Evidence) -> bool:
        """Whether a passage answers the question nearly as well as the best one."""

    def otherwise(self, claim: str, source: Evidence) -> Quotation | None:
        """What another document says instead of a claim that is in `source`, if one does."""


@dataclass(frozen=True, slots=True)
class WordReader:
    """Reads by the words that the sources share with the question, and nothing else."""

    question: str
    evidence: Sequence[Evidence]

    def quote(self) -> Quotation | None:
        return quotation(self.question, [one for one in self.evidence if one.in_force])

    def near(self, passage: Passage, source: Evidence) -> bool:  # noqa: ARG002
        return True

    def otherwise(self, claim: str, source: Evidence) -> Quotation | None:  # noqa: ARG002
        return None


@dataclass(frozen=True, slots=True)
class GateRules:
    """How strict the gate is.

    `support` are the least shares of a sentence's content words that one passage of its source
    must have; `number_floor` the same for the passage that holds its numbers. After `patience`
    sentences in a row that do not hold, the rest of the draft is not waited for.
    """

    support: Floors = _FLOORS
    number_floor: float = 0.6
    patience: int = 2


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate makes of one sentence: `text` is empty when it is dropped."""

    text: str
    marks: tuple[int, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Judge:
    """Judges the sentences of one draft.

    Args:
        question: what the draft answers.
        evidence: its sources.
        rules: how strict to be.
        reader: knows what answers the question; words decide without one.
        checker: gives the grounding checker when one is needed; without one, words, numbers and
            denials decide alone.
    """

    question: str
    evidence: Sequence[Evidence]
    rules: GateRules = GateRules()
    reader: Reader | None = None
    checker: Callable[[], Entailment] | None = None

    def __call__(self, sentence: str) -> Judgement:
        """Decides one sentence.

        A sentence without a mark, or whose mark does not support it, is attributed to the source
        that does; a sentence that no source supports, that denies what its source does not, or
        that rests on what answers something else is dropped. That the documents do not say is said
        in the runtime's own words, whatever else the sentence has.
        """
        claim = plainly(sentence)
        if not any(character.isalnum() for character in claim):
            return Judgement("", (), ())
        if _ADMITS.search(claim):
            return Judgement(NOT_FOUND, (), ())
        marks, findings = _usable_marks(sentence, self.evidence)
        fault, agreeing = self._agreeing(claim)
        if fault:
            return _drop(fault, claim, findings)
        cited = [one for one in agreeing if one.mark in marks]
        cited = cited or [max(agreeing, key=lambda one: best_support(claim, one))]
        if not numbers_hold(claim, cited, self.rules.number_floor):
            return _drop("number_not_in_source", claim, findings)
        fault, cited = self._entailing(claim, cited, agreeing)
        if fault:
            return _drop(fault, claim, findings)
        if any(mark not in {one.mark for one in cited} for mark in marks):
            findings = (*findings, finding(FindingKind.CITATION, "miscited", sentence))
        return Judgement(_with_marks(claim, cited), tuple(one.mark for one in cited), findings)

    def quote(self) -> Quotation | None:
        """The passage to quote where nothing of the draft holds."""
        return self._reader.quote()

    def otherwise(self, released: str, marks: Sequence[int]) -> Quotation | None:
        """What another document says instead of a released sentence, if one does."""
        cited = (one for one in self.evidence if one.mark in marks)
        claim = without_marks(released)
        found = (self._reader.otherwise(claim, one) for one in cited)
        return next((one for one in found if one), None)

    @cached_property
    def _reader(self) -> Reader:
        return self.reader or WordReader(self.question, self.evidence)

    def _agreeing(self, claim: str) -> tuple[str, list[Evidence]]:
        """What is wrong with the claim, if anything, or else the sources whose words hold it."""
        if not adds(self.question, claim) or claim.rstrip().endswith("?"):
            return "says_nothing", []
        floors = self.rules.support
        there = [one for one in self.evidence if one.in_force]
        holding = [(one, supporting(claim, self.question, one, floors)) for one in there]
        supported = [(one, found) for one, found in holding if found]
        to_the_point = self._to_the_point(supported)
        agreeing = [one for one, found in to_the_point if _agrees(claim, found)]
        if agreeing and _is_opposed(claim, agreeing, there):
            return "opposite", []
        if agreeing:
            return "", agreeing
        if not supported:
            return "unsupported", []
        return ("opposite" if to_the_point else "beside_the_point"), []

    def _to_the_point(self, held: Held) -> Held:
        """Of the passages that hold a claim, those that answer what was asked."""
        near = (
            (one, [passage for passage in found if self._reader.near(passage, one)])
            for one, found in held
        )
        return [(one, found) for one, found in near if found]

    def _entailing(
        self, claim: str, cited: list[Evidence], agreeing: Sequence[Evidence]
    ) -> tuple[str, list[Evidence]]:
        """The sources that the checker finds to support the claim: those cited, else others.

        A checker that fails supports nothing.
        """
        if self.checker is None or any(_is_copied(claim, one) for one in cited):
            return "", cited
        others = [one for one in agreeing if one not in cited]
        try:
            check = self.checker()
            found = [check.labels(claim, few, self.question) for few in (cited, others)]
        except GuardrailError:
            return "unchecked", []
        for few, labels in zip((cited, others), found, strict=True):
            pairs = zip(few, labels, strict=True)
            if entailing := [one for one, label in pairs if label is Label.SUPPORTED]:
                return "", entailing
        contradicted = any(label is Label.CONTRADICTED for labels in found for label in labels)
        return (Label.CONTRADICTED if contradicted else Label.NOT_FOUND), []


def _is_copied(claim: str, source: Evidence) -> bool:
    """Whether the source has the claim word for word, as a passage of its own."""
    said = _plain(claim)
    return any(said in {_plain(one.text), _plain(one.spoken)} for one in passages(source))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold().rstrip(".")


def _is_opposed(claim: str, agreeing: Sequence[Evidence], there: Sequence[Evidence]) -> bool:
    """Whether a passage that denies what the claim does not (or the other way round) has as much of
    the claim as those that agree, or just what each of them lacks of it.

    "Ibuprofen is given to patients on warfarin" is stitched together from "is given after food" and
    "is not given to patients on warfarin".
    """
    said = content_stems(claim)
    agreed = [said & one for one in _stems(agreeing, claim, denying=denies(claim))]
    most = max(agreed, key=len)
    lacks = said - most
    for one in _stems(there, claim, denying=not denies(claim)):
        has = said & one
        if len(has) >= len(most) or (lacks and lacks <= has and len(has & most) >= _ABOUT_IT):
            return True
    return False


def _stems(sources: Sequence[Evidence], claim: str, *, denying: bool) -> list[frozenset[str]]:
    """The words of each passage that denies, or does not, with those of its headings."""
    return [
        content_stems(f"{each.context}\n{each.text}")
        for one in sources
        for each in passages(one)
        if denies_it(_told(each), claim) is denying
    ]


def _told(passage: Passage) -> str:
    """A passage as it is read for its denials: a table row cell by cell, with its headings."""
    return f"{passage.about}\n{passage.spoken}" if passage.header else passage.text


def _agrees(claim: str, found: Sequence[Passage]) -> bool:
    """Whether one of the passages denies just when the claim does, obliges and permits the same,
    and has the same people do it."""
    return any(
        denies_it(_told(one), claim) == denies(claim)
        and same_force(one.spoken, claim)
        and same_persons(one.spoken, claim)
        for one in found
    )


def _usable_marks(
    sentence: str, evidence: Sequence[Evidence]
) -> tuple[frozenset[int], tuple[Finding, ...]]:
    known = {one.mark: one for one in evidence}
    usable, findings = set(), []
    for match in MARKS.finditer(sentence):
        for number in match.group(1).split(","):
            one = known.get(int(number))
            if one is not None and one.in_force:
                usable.add(one.mark)
                continue
            label = "unknown_mark" if one is None else "not_in_force"
            findings.append(
                Finding(
                    FindingKind.CITATION,
                    label,
                    match.start(),
                    match.end(),
                    1.0,
                    Where.OUTPUT,
                    f"gate:{label}",
                )
            )
    return frozenset(usable), tuple(findings)


def _with_marks(claim: str, cited: Sequence[Evidence]) -> str:
    """Puts the marks before the sentence's closing punctuation and trailing space.

    After the quotation marks, where the sentence speaks as the runtime does.
    """
    marks = "".join(f" [{one.mark}]" for one in cited)
    body = claim.rstrip()
    space = claim[len(body) :]
    if speaks_as_we_do(body):
        return f"{quoted(body)}{marks}{space}"
    closing = re.search(r"[.!?:;]*$", body)
    cut = closing.start() if closing else len(body)
    return f"{body[:cut]}{marks}{body[cut:]}{space}"


def finding(kind: FindingKind, label: str, text: str) -> Finding:
    """What the gate reports of a whole text."""
    return Finding(kind, label, 0, len(text), 1.0, Where.OUTPUT, f"gate:{label}")


def _drop(label: str, claim: str, findings: tuple[Finding, ...]) -> Judgement:
    return Judgement("", (), (*findings, finding(FindingKind.GROUNDING, label, claim)))
