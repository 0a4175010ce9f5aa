"""The gate: every text passes it on its way to a person, sentence by sentence.

A `GroundedGate` releases a sentence when its marks exist and are in force, its words and
numbers are in a source, and it does not repeat. An `OpenGate` is for text that claims no source.
Both end in an `Answer`, which nothing else can make. Whatever fails here withholds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from skerry.guardrails.answer import _SEAL, Answer, Evidence, Verdict
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.passages import Passage, Quotation, quotation
from skerry.guardrails.sentences import SentenceBuffer
from skerry.guardrails.support import Floors, best_support, numbers_hold, supporting
from skerry.guardrails.words import denies, numbers


class Reader(Protocol):
    """Reads the sources for the question of one request."""

    def quote(self) -> Quotation | None:
        """The passage to quote; None if none is near."""

    def near(self, passage: Passage, source: Evidence) -> bool:
        """Whether a passage answers the question nearly as well as the best one."""


@dataclass(frozen=True, slots=True)
class WordReader:
    """Reads by the words that the sources share with the question, and nothing else."""

    question: str
    evidence: Sequence[Evidence]

    def quote(self) -> Quotation | None:
        return quotation(self.question, [one for one in self.evidence if one.in_force])

    def near(self, passage: Passage, source: Evidence) -> bool:  # noqa: ARG002
        return True


NOT_FOUND = "The documents do not say."
NEAREST = "The documents may not answer this. The nearest that they say:"
_MARKS = re.compile(r"\s?\[(\d{1,3}(?:\s?,\s?\d{1,3}){0,9})\]")
_ADMITS = re.compile(
    r"\b(?:do(?:es)? not (?:say|mention|contain|state|specify)|not (?:mentioned|stated|found)|"
    r"no information)\b",
    re.IGNORECASE,
)


_FLOORS = Floors(all=0.6, told=0.7)  # chosen on training questions: docs/answers.md


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


def judge(
    sentence: str,
    question: str,
    evidence: Sequence[Evidence],
    rules: GateRules,
    reader: Reader | None = None,
) -> Judgement:
    """Decides one sentence of a grounded answer to `question`.

    A sentence without a mark, or whose mark does not support it, is attributed to the source
    that does; a sentence that no source supports, that denies what its source does not, or that
    rests on what answers something else is dropped.
    """
    claim = _MARKS.sub("", sentence)
    if not any(character.isalnum() for character in claim):
        return Judgement("", (), ())
    if _ADMITS.search(claim):
        return Judgement(claim, (), ())
    marks, findings = _usable_marks(sentence, evidence)
    there = [one for one in evidence if one.in_force]
    holding = [(one, supporting(claim, question, one, rules.support)) for one in there]
    supported = [(one, found) for one, found in holding if found]
    to_the_point = _to_the_point(supported, reader or WordReader(question, evidence))
    agreeing = [one for one, found in to_the_point if _agrees(claim, found)]
    if not agreeing:
        return _drop(_fault(supported, to_the_point), claim, findings)
    cited = [one for one in agreeing if one.mark in marks]
    cited = cited or [max(agreeing, key=lambda one: best_support(claim, one))]
    if any(mark not in {one.mark for one in cited} for mark in marks):
        findings = (*findings, _finding(FindingKind.CITATION, "miscited", sentence))
    if not numbers_hold(claim, cited, rules.number_floor):
        return _drop("number_not_in_source", claim, findings)
    return Judgement(_with_marks(claim, cited), tuple(one.mark for one in cited), findings)


Held = Sequence[tuple[Evidence, Sequence[Passage]]]


def _to_the_point(held: Held, reader: Reader) -> Held:
    """Of the passages that hold a claim, those that answer what was asked."""
    near = (
        (one, [passage for passage in found if reader.near(passage, one)]) for one, found in held
    )
    return [(one, found) for one, found in near if found]


def _fault(supported: Held, to_the_point: Held) -> str:
    if not supported:
        return "unsupported"
    return "opposite" if to_the_point else "beside_the_point"


def _agrees(claim: str, found: Sequence[Passage]) -> bool:
    """Whether one of the passages denies just when the claim does."""
    return any(denies(one.text) == denies(claim) for one in found)


def _usable_marks(
    sentence: str, evidence: Sequence[Evidence]
) -> tuple[frozenset[int], tuple[Finding, ...]]:
    known = {one.mark: one for one in evidence}
    usable, findings = set(), []
    for match in _MARKS.finditer(sentence):
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
    """Puts the marks before the sentence's closing punctuation and trailing space."""
    marks = "".join(f" [{one.mark}]" for one in cited)
    body = claim.rstrip()
    space = claim[len(body) :]
    closing = re.search(r"[.!?:;]*$", body)
    cut = closing.start() if closing else len(body)
    return f"{body[:cut]}{marks}{body[cut:]}{space}"


def _is_ended(sentence: str) -> bool:
    return _MARKS.sub("", sentence).rstrip().endswith((".", "!", "?", "…", "|", "。"))


def _finding(kind: FindingKind, label: str, text: str) -> Finding:
    return Finding(kind, label, 0, len(text), 1.0, Where.OUTPUT, f"gate:{label}")


def _drop(label: str, claim: str, findings: tuple[Finding, ...]) -> Judgement:
    return Judgement("", (), (*findings, _finding(FindingKind.GROUNDING, label, claim)))


class GroundedGate:
    """Streams a draft that must be grounded in `evidence`; not thread-safe.

    `feed` returns the text that may be shown now, a sentence at a time; `finish` returns the
    rest and the `Answer`. When nothing of the draft holds, the source is quoted instead;
    when no source fits, the answer says that the documents do not say. `reader` knows what
    answers the question.
    """

    def __init__(
        self,
        question: str,
        evidence: Sequence[Evidence],
        rules: GateRules | None = None,
        reader: Reader | None = None,
    ) -> None:
        self._question = question
        self._evidence = tuple(evidence)
        self._reader = reader or WordReader(question, self._evidence)
        self._rules = rules or GateRules()
        self._buffer = SentenceBuffer()
        self._released: list[str] = []
        self._marks: list[int] = []
        self._findings: list[Finding] = []
        self._said: set[str] = set()
        self._dropped = False
        self._in_vain = 0

    @property
    def wants_more(self) -> bool:
        """Whether more of the draft may still hold."""
        return self._in_vain < self._rules.patience

    def feed(self, text: str) -> str:
        return "".join(self._release(sentence) for sentence in self._buffer.feed(text))

    def finish(self, *, whole: bool = True) -> tuple[str, Answer]:
        """The rest, and the answer. A sentence that is cut off (not `whole`) is left out."""
        rest = [one for one in self._buffer.flush() if whole or _is_ended(one)]
        last = "".join(self._release(sentence) for sentence in rest)
        if not "".join(self._released).strip():
            last = self._instead()
        verdict = Verdict.REPAIRED if self._dropped else Verdict.RELEASED
        if not self._evidence:
            verdict = Verdict.WITHHELD
        return last, self._answer(verdict)

    def _release(self, sentence: str) -> str:
        judgement = judge(sentence, self._question, self._evidence, self._rules, self._reader)
        self._findings += judgement.findings
        key = " ".join(_MARKS.sub("", judgement.text).casefold().split())
        if not judgement.text or key in self._said:
            if judgement.findings or key in self._said:
                self._dropped = True
                self._in_vain += 1
            return ""
        self._said.add(key)
        self._in_vain = 0
        return self._show(judgement.text, judgement.marks)

    def _show(self, text: str, marks: Sequence[int]) -> str:
        self._released.append(text)
        self._marks += [mark for mark in marks if mark not in self._marks]
        return text

    def _instead(self) -> str:
        """The source's own words, when the draft had none that hold."""
        self._dropped = True
        quoted = self._reader.quote()
        if quoted is None:
            return self._show(NOT_FOUND, ())
        text = f"{_MARKS.sub('', quoted.text)} [{quoted.mark}]"
        return self._show(text if quoted.fits else f"{NEAREST} {text}", (quoted.mark,))

    def _answer(self, verdict: Verdict) -> Answer:
        text = "".join(self._released).strip()
        return Answer(text, tuple(self._marks), verdict, tuple(self._findings), _SEAL)


class OpenGate:
    """Passes text that claims no source: conversation, code, structured output.

    `given` is what an extract is made from: a number that it does not have becomes a finding.
    None where numbers may be the model's own.
    """

    wants_more = True

    def __init__(self, given: str | None = None) -> None:
        self._given = given
        self._released: list[str] = []

    def feed(self, text: str) -> str:
        self._released.append(text)
        return text

    def finish(self, *, whole: bool = True) -> tuple[str, Answer]:  # noqa: ARG002
        text = "".join(self._released)
        return "", Answer(text, (), Verdict.RELEASED, self._invented(text), _SEAL)

    def _invented(self, text: str) -> tuple[Finding, ...]:
        if self._given is None:
            return ()
        invented = numbers(text) - numbers(self._given)
        label = "number_not_in_source"
        return tuple(_finding(FindingKind.GROUNDING, label, number) for number in sorted(invented))


def fixed(text: str, *, marks: tuple[int, ...] = ()) -> Answer:
    """An answer of the runtime's own words: a refusal, or a referral to a person.

    `marks` are the sources that it quotes word for word.
    """
    return Answer(text, marks, Verdict.WITHHELD, (), _SEAL)
