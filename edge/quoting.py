"""Reads the sources for a question: which passage answers it best, to be quoted word for word."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from skerry.edge.encoder.base import TextEncoder, Vectors
from skerry.edge.followup import Asked
from skerry.edge.wholes import Beside, Whole, may_be_whole, whole_around, whole_on
from skerry.guardrails.answer import Evidence
from skerry.guardrails.expected import gives, names_somebody
from skerry.guardrails.passages import Passage, Quotation, quotable, stretches
from skerry.guardrails.wanted import ASKING, lacks_extreme
from skerry.guardrails.words import content_stems, numbers

if TYPE_CHECKING:
    from skerry.guardrails.rivals import Subject

_FLOOR = 0.45
_HEDGED_FLOOR = 0.38
_HEDGED_SCORE = 0.45
_WORDS_FLOOR = 0.3  # where a passage has every word of the question, or most
_WORDS_SCORE = 0.55
_WORDS_WEIGHT = 0.4
_CODES_WEIGHT = 0.3
_CELL_WEIGHT = 0.15  # of a row that has a cell for all that is asked about
_LENGTH_COST = 0.02
_BEFORE_WEIGHT = 0.5  # of a word that only the question before this one has
_TAKEN_UP = 0.2
_RIVAL_COST = 0.2
_NEAR = 0.1
_NEAR_WHOLE = 0.2
_NEAR_FITTING = 0.15
_SAME = 0.6
_ALL, _HALF = 1.0, 0.5
_ASKED_WITH = content_stems("many much often long")
_CODE = re.compile(r"\b[^\W_]*\d[^\W_]*\b")
_NAME = re.compile(r"(?<=[^.?!:\n] )[A-Z][\w-]+")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_SHORT = 3  # content words
_VERY_NEAR = 0.6
_MOST_PASSAGES = 48
_STRETCHED = 4  # of the best sentences: beside their neighbours, too


def _nothing_beside(mark: int) -> tuple[str, str]:  # noqa: ARG001
    return "", ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage of a source, its score, and its cosine with the question."""

    passage: Passage
    source: Evidence
    score: float
    cosine: float


@dataclass(frozen=True)
class Reading:
    """What the sources say that answers a question; the ranking is made when it is first needed.

    Passages rank by cosine, plus the shares of the question's content words and of its codes and
    numbers (`E2`, `40`) that they have themselves. A word counts the more the fewer passages
    have it, and less when only the question before this one has it.

    Args:
        asked: the question.
        vector: the unit vector of its text, float32 [dimensions].
        evidence: the sources, best first.
        encoder: the encoder that the vector is from.
        beside: what a source's document has just before it and just after it, by its mark.
        doubted: the question may not be one that documents answer: no passage alone fits it.
    """

    asked: Asked
    vector: Vectors
    evidence: Sequence[Evidence]
    encoder: TextEncoder
    beside: Beside = _nothing_beside
    doubted: bool = False

    def quote(self) -> Quotation | None:
        """The best sentence, table row or two sentences, or a list or rows that are to be quoted
        whole; None if nothing is near."""
        if self._whole:
            return self._whole.quotation
        if best := self._best:
            return Quotation(best.passage.quoted, best.source.mark, self._fits(best.passage))
        if nearest := self._nearest:
            return Quotation(nearest.passage.quoted, nearest.source.mark, fits=False)
        return None

    def nearest(self) -> Ranked | None:
        """The passage that is nearest, by meaning first, whatever it fits; None if all are far."""
        best = max(self._ranked, key=lambda one: one.score + one.cosine, default=None)
        return best if best is not None and best.cosine >= _HEDGED_FLOOR else None

    def near(self, passage: Passage, source: Evidence) -> bool:
        """Whether the passage, alone or in a stretch, answers the question as the best one does.

        Where a list or rows are to be quoted whole, only what is of them does, and nothing if they
        may not answer.
        """
        if self._whole:
            return self._whole.quotation.fits and self._whole.has(passage.text, source.mark)
        return any(
            self._answers(one)
            for one in self._ranked
            if one.source.mark == source.mark and passage.text in one.passage.text
        )

    def otherwise(self, claim: str, source: Evidence) -> Quotation | None:
        """What another document says of the same thing with other numbers, if one does.

        It must answer the question as well, with the words of the question that the claim has.
        """
        from skerry.guardrails.grounding.exact import Passage as Beside
        from skerry.guardrails.grounding.exact import exact_findings

        known = numbers(self.asked.text)
        told, said = numbers(claim) - known, content_stems(claim)

        def contradicts(one: Ranked) -> bool:
            there = Beside(one.passage.spoken, one.source.context)
            return any(finding.contradicts for finding in exact_findings(claim, there))

        asked = frozenset(self._weights) & _said(f"{source.context}\n{claim}")
        others = (
            one
            for one in sorted(self._ranked, key=lambda one: -one.score)
            if one.source.document != source.document
            and self._answers(one)
            and _disagree(told, numbers(one.passage.spoken) - known)
            and _same_thing(said, content_stems(one.passage.spoken))
            and asked <= _said(f"{one.source.context}\n{one.passage.spoken}")
            and contradicts(one)
        )
        other = next(others, None)
        if other is None:
            return None
        return Quotation(other.passage.spoken, other.source.mark, fits=True)

    def _answers(self, one: Ranked) -> bool:
        """Whether it answers the question as the best one does."""
        best = max((each.score for each in self._ranked), default=0.0)
        return one.score >= best - _NEAR and self._fits(one.passage)

    @cached_property
    def _best(self) -> Ranked | None:
        """The best passage; None where it is not near, has not all words and not what is named."""
        best = max(self._ranked, key=lambda one: one.score, default=None)
        if best is not None and not names_somebody(self.asked.text, best.passage.spoken):
            best = self._fitting(best) or best
        if best is None or best.cosine >= _FLOOR:
            return best
        several = len(self._own) > 1
        if several and self._has_all_words(best) and best.cosine >= _WORDS_FLOOR:
            return best
        return best if self._has_names(best.passage.spoken) else None

    def _fitting(self, best: Ranked) -> Ranked | None:
        """The best passage that fits, where it is nearly as good as the best of all."""
        near = (one for one in self._ranked if one.score >= best.score - _NEAR_FITTING)
        order = sorted(near, key=lambda one: -one.score)
        return next((one for one in order if self._fits(one.passage)), None)

    @cached_property
    def _nearest(self) -> Ranked | None:
        """The best passage that is near enough to be quoted as what may not answer."""
        near = (one for one in self._ranked if self._is_near(one) or self._has_all_words(one))
        return max(near, key=lambda one: one.score, default=None)

    def _is_near(self, one: Ranked) -> bool:
        likely = one.cosine >= _HEDGED_FLOOR and one.score >= _HEDGED_SCORE
        return likely or (one.cosine >= _WORDS_FLOOR and one.score >= _WORDS_SCORE)

    @cached_property
    def _own(self) -> frozenset[str]:
        """The words of the question itself, but for those that only ask."""
        return _said(self.asked.matter) - ASKING

    def _has_all_words(self, one: Ranked) -> bool:
        return bool(self._own) and self._own <= _said(one.passage.spoken)

    def _has_names(self, text: str) -> bool:
        """Whether a text has all that the question names, if it names anything."""
        named = _names(self.asked.question)
        return bool(named) and named <= _said(text)

    @cached_property
    def _whole(self) -> Whole | None:
        """What is to be quoted whole: around the best passage, or one that is nearly as good.

        Where nothing is near in meaning, what is asked must be there word for word, or half of it
        for what is quoted with a warning.
        """
        if not may_be_whole(self.asked.text, self.evidence):
            return None
        if section := whole_on(self.asked, self.evidence):
            return section
        ranked = sorted(self._ranked, key=lambda one: -one.score)
        for one in ranked:
            if one.score < ranked[0].score - _NEAR_WHOLE:
                break
            mark = one.source.mark
            found = whole_around(self.asked, one.passage, mark, self.evidence, self.beside)
            if found:
                return found if self._is_better(found, one.passage, ranked[0].passage) else None
        return None

    def _is_better(self, found: Whole, around: Passage, best: Passage) -> bool:
        """Whether the whole around a passage is to be quoted, and not the best passage alone."""
        quoted = found.quotation
        share = self._share_said(f"{around.context}\n{quoted.text}")
        near = self._best is not None or self._has_names(quoted.text)
        if not near and share < (_ALL if quoted.fits else _HALF):
            return False
        alone = self._share_said(f"{best.context}\n{best.spoken}")
        return around is best or share >= alone or not self._fits(best)

    def _share_said(self, text: str) -> float:
        """The share of the question's words, but for those that only ask, that a text has."""
        own = self._own
        return len(own & _said(text)) / len(own) if own else 0.0

    @cached_property
    def _ranked(self) -> list[Ranked]:
        """The passages, and the best of them beside their neighbours."""
        single = self._scored([(one, source) for source, one in self._found])
        best = sorted(single, key=lambda one: -one.score)[:_STRETCHED]
        return [*single, *self._scored(list(_stretched(best)), _LENGTH_COST)]

    @cached_property
    def _found(self) -> list[tuple[Evidence, Passage]]:
        every = ((source, one) for source in self.evidence for one in quotable(source))
        return [one for one, _ in zip(every, range(_MOST_PASSAGES), strict=False)]

    @cached_property
    def _weights(self) -> dict[str, float]:
        """How much each word of the question counts."""
        own, rarity = _said(self.asked.matter), _rarity([one for _, one in self._found])
        before = _said(self.asked.before)
        if _names(self.asked.question):  # "And the Kingfisher?" is no longer about the Heron
            before -= _names(self.asked.before)
        weight = 1.0 if self.asked.points_back else _BEFORE_WEIGHT
        return {word: rarity(word) * (1 if word in own else weight) for word in own | before}

    def _scored(self, found: Sequence[tuple[Passage, Evidence]], cost: float = 0.0) -> list[Ranked]:
        if not found:
            return []
        spoken = [f"{passage.about}\n{passage.spoken}" for passage, _ in found]
        cosines = (self.encoder.encode(spoken) @ self.vector).tolist()
        return [
            Ranked(passage, source, cosine + self._by_words(passage) - cost, cosine)
            for cosine, (passage, source) in zip(cosines, found, strict=True)
        ]

    def _by_words(self, passage: Passage) -> float:
        codes, there = _codes(self.asked.text), _codes(passage.text)
        shared = self._share(_said(passage.spoken), frozenset(self._weights))
        rival = _RIVAL_COST * self._has_rival(passage)
        named = _CELL_WEIGHT * any(_said(cell) == self._own for cell in passage.cells)
        by_codes = _CODES_WEIGHT * len(codes & there) / max(len(codes), 1)
        return _WORDS_WEIGHT * shared + by_codes + named - rival

    @cached_property
    def _subject(self) -> Subject:
        from skerry.guardrails.rivals import Subject

        asked = self.asked
        return Subject(asked.text if asked.points_back else asked.matter)

    def _has_rival(self, passage: Passage) -> bool:
        """Whether the passage is about another thing of the kind that is asked about."""
        return self._subject.has_rival(passage.spoken, passage.context)

    def _share(self, said: frozenset[str], wanted: frozenset[str]) -> float:
        """The share, by weight, of the wanted words that are said; 0 where none is wanted."""
        whole = sum(self._weights[word] for word in wanted)
        return sum(self._weights[word] for word in wanted & said) / whole if whole else 0.0

    def _fits(self, passage: Passage) -> bool:
        """Whether it takes up what is asked, not its subject alone, and has what that expects.

        A question that leans on the one before it must be taken up by its own words. What is about
        another thing of its kind, or does not name what is asked about, does not fit.
        """
        own = (_said(self.asked.matter) - _ASKED_WITH) or frozenset(self._weights)
        wanted = own - _said(passage.context)
        taken = not wanted or self._share(_said(passage.spoken), wanted) > _TAKEN_UP
        lacks = lacks_extreme(self.asked.wanting, passage.spoken)
        told = gives(self.asked.text, passage.spoken) and not lacks
        fits = taken and told and not self.doubted
        return fits and self._has_point(passage) and not self._is_about_another(passage)

    def _has_point(self, passage: Passage) -> bool:
        """Whether it has the rarest word of a short question, or is very near to it: of "Who is the
        mayor of Millbrook?" more is wanted than Millbrook."""
        own = self._own - _ASKED_WITH
        weights = {word: self._weights[word] for word in own if word in self._weights}
        if not weights or len(weights) > _SHORT:
            return True
        most = max(weights.values())
        points = {word for word, weight in weights.items() if weight >= most}
        if points & _said(f"{passage.context}\n{passage.spoken}"):
            return True
        return any(one.cosine >= _VERY_NEAR for one in self._ranked if one.passage == passage)

    def _is_about_another(self, passage: Passage) -> bool:
        unnamed = self._subject.lacks_name(passage.spoken, passage.context)
        return unnamed or self._has_rival(passage) or self._is_of_another_year(passage)

    def _is_of_another_year(self, passage: Passage) -> bool:
        """Whether the question names a year, not this one, that the passage does not."""
        named = set(_YEAR.findall(self.asked.text)) - {str(date.today().year)}
        return bool(named) and not named <= set(_YEAR.findall(f"{passage.context}\n{passage.text}"))


def _stretched(best: Sequence[Ranked]) -> Iterator[tuple[Passage, Evidence]]:
    """What each of the best sentences makes with the one before it, and the one after it."""
    for source in {one.source.mark: one.source for one in best}.values():
        texts = [one.passage.text for one in best if one.source.mark == source.mark]
        for passage in stretches(source):
            if any(text in passage.text for text in texts):
                yield passage, source


def _disagree(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether either has a number that the other has not."""
    return bool(some - others) and bool(others - some)


def _same_thing(some: frozenset[str], others: frozenset[str]) -> bool:
    return len(some & others) >= _SAME * max(min(len(some), len(others)), 1)


def _rarity(passages: Sequence[Passage]) -> Callable[[str], float]:
    """The inverse frequency of a word among the passages, in nats."""
    counts = Counter(word for passage in passages for word in _said(passage.spoken))
    return lambda word: math.log1p(len(passages) / (0.5 + counts[word]))


def _said(text: str) -> frozenset[str]:
    return content_stems(text) | numbers(text)


def _names(text: str) -> frozenset[str]:
    """The stems of words with a capital that begin no sentence."""
    return content_stems(" ".join(_NAME.findall(text)))


def _codes(text: str) -> frozenset[str]:
    return frozenset(code.casefold() for code in _CODE.findall(text))
