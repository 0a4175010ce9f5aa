"""What the gate makes of one sentence of a draft that must be grounded in its sources.

In this order: its marks exist and are in force; one passage holds its words; that passage
answers what was asked, and denies what the sentence denies; its numbers are there; and the
grounding checker finds the sentence supported. What was copied from a source needs no checker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from skerry.guardrails.agreeing import agrees, is_opposed
from skerry.guardrails.answer import Evidence
from skerry.guardrails.entailment import Entailment, Label
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.expected import adds
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.passages import Passage, Quotation, passages, quotation
from skerry.guardrails.rewording import reworded_sentence
from skerry.guardrails.rewording.cells import says_a_cell
from skerry.guardrails.rewording.sources import RewordedReader, reworded_sources, same_words
from skerry.guardrails.support import Floors, best_support, numbers_hold, supporting
from skerry.guardrails.voice import MARKS, plainly, with_marks, without_marks

NOT_FOUND = "The documents do not say."
_ADMITS = re.compile(
    r"\b(?:do(?:es)? not (?:say|mention|contain|state|specify)|not (?:mentioned|stated|found)|"
    r"no information)\b",
    re.IGNORECASE,
)
_FLOORS = Floors(all=0.6, told=0.7)  # chosen on training questions: docs/answers.md
_IN_OTHER_WORDS = frozenset(
    {"opposite", "unsupported", "number_not_in_source", Label.CONTRADICTED, Label.NOT_FOUND}
)
"""What may be wrong with a claim only because the source has it in other words."""

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


def same_letters(claim: str, told: str) -> bool:
    """Whether two sentences are one, word for word."""
    return _plain(claim) == _plain(told)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold().rstrip(".")


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
        copy: whether a claim is a sentence of a source, so that no checker is asked.
    """

    question: str
    evidence: Sequence[Evidence]
    rules: GateRules = GateRules()
    reader: Reader | None = None
    checker: Callable[[], Entailment] | None = None
    copy: Callable[[str, str], bool] = same_letters

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
        fault, cited = self._holding(claim, marks)
        if fault in _IN_OTHER_WORDS and (otherwise := self._reworded(claim)):
            fault, cited = otherwise._holding(reworded_sentence(claim), marks)
        if fault:
            return _drop(fault, claim, findings)
        if any(mark not in cited for mark in marks):
            findings = (*findings, finding(FindingKind.CITATION, "miscited", sentence))
        return Judgement(with_marks(claim, cited), tuple(cited), findings)

    def _holding(self, claim: str, marks: Set[int]) -> tuple[str, list[int]]:
        """What is wrong with the claim, if anything, or else the marks of what holds it."""
        fault, agreeing = self._agreeing(claim)
        if fault:
            return fault, []
        cited = [one for one in agreeing if one.mark in marks]
        cited = cited or [max(agreeing, key=lambda one: best_support(claim, one))]
        if not numbers_hold(claim, cited, self.rules.number_floor):
            return "number_not_in_source", []
        fault, cited = self._entailing(claim, cited, agreeing)
        return fault, [one.mark for one in cited]

    def _reworded(self, claim: str) -> Judge | None:
        """The judge of the claim in the one wording; None where claim and sources have it."""
        there = [one for one in self.evidence if one.in_force]
        sources = reworded_sources(claim, there)
        if sources == there and reworded_sentence(claim) == claim:
            return None
        reader = RewordedReader(self._reader.near, there)
        return replace(self, evidence=sources, reader=reader, copy=same_words)

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
        agreeing = [one for one, found in to_the_point if agrees(claim, found)]
        if agreeing and is_opposed(claim, agreeing, there):
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
        if self.checker is None or any(self._is_copied(claim, one) for one in cited):
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

    def _is_copied(self, claim: str, source: Evidence) -> bool:
        """Whether the source has the claim as a passage of its own, or as a cell of a row."""
        return any(
            self.copy(claim, one.text)
            or self.copy(claim, one.spoken)
            or (bool(one.header) and says_a_cell(claim, one))
            for one in passages(source)
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


def finding(kind: FindingKind, label: str, text: str) -> Finding:
    """What the gate reports of a whole text."""
    return Finding(kind, label, 0, len(text), 1.0, Where.OUTPUT, f"gate:{label}")


def _drop(label: str, claim: str, findings: tuple[Finding, ...]) -> Judgement:
    return Judgement("", (), (*findings, finding(FindingKind.GROUNDING, label, claim)))
