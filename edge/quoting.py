"""Reads the sources for a question: which passage answers it best, to be quoted word for word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from skerry.edge.again import Again
from skerry.edge.encoder.base import TextEncoder, Vectors
from skerry.edge.fitting import Fitting
from skerry.edge.followup import Asked
from skerry.edge.ranking import Ranked, Ranking, said
from skerry.edge.sections import may_be_whole, section, whole_on
from skerry.edge.wholes import Beside, Whole, whole_around, whole_of_people
from skerry.guardrails.answer import Evidence
from skerry.guardrails.expected import asks_time, gives, names_somebody
from skerry.guardrails.passages import Passage, Quotation
from skerry.guardrails.topics import topic_of
from skerry.guardrails.wanted import asks_bound, lacks_extreme
from skerry.guardrails.words import content_stems, numbers

_FLOOR = 0.45
_HEDGED_FLOOR = 0.38
_HEDGED_SCORE = 0.45
_WORDS_FLOOR = 0.3  # where a passage has every word of the question, or most
_WORDS_SCORE = 0.55
_NEAR = 0.1
_NEAR_WHOLE = 0.2
_NEAR_FITTING = 0.15
_SAME = 0.6
_ALL, _HALF = 1.0, 0.5


def _nothing_beside(mark: int) -> tuple[str, str]:  # noqa: ARG001
    return "", ""


@dataclass(frozen=True)
class Reading:
    """What the sources say that answers a question; the ranking is made when it is first needed.

    Args:
        asked: the question.
        vector: the unit vector of its text, float32 [dimensions].
        evidence: the sources, best first.
        encoder: the encoder that the vector is from.
        beside: what a source's document has just before it and just after it, by its mark.
        doubted: the question may not be one that documents answer.
    """

    asked: Asked
    vector: Vectors
    evidence: Sequence[Evidence]
    encoder: TextEncoder
    beside: Beside = _nothing_beside
    doubted: bool = False

    def quote(self) -> Quotation | None:
        """The best sentence, table row or two sentences, or a list or rows that are to be quoted
        whole; None if nothing is near.

        Where the answer is asked for again, with its source, the section around it.
        """
        found = self._quoted
        if found is None or self.asked.again is None:
            return found
        return self._at_length(found) if self.asked.again is Again.SOURCE else found

    def nearest(self) -> Ranked | None:
        """The passage that is nearest, by meaning first, whatever it fits; None if all are far."""
        ranked = self._ranking.ranked
        best = max(ranked, key=lambda one: one.score + one.cosine, default=None)
        return best if best is not None and best.cosine >= _HEDGED_FLOOR else None

    def near(self, passage: Passage, source: Evidence) -> bool:
        """Whether the passage, alone or in a stretch, answers the question as the best one does.

        A sentence beside one that was found to answer goes on from it. Where a list or rows are to
        be quoted whole, only what is of them does, and nothing if they may not answer.
        """
        if self._whole:
            return self._whole.quotation.fits and self._whole.has(passage.text, source.mark)
        around = [
            one
            for one in self._ranking.ranked
            if one.source.mark == source.mark and passage.text in one.passage.text
        ]
        if any(self._answers(one) for one in around if one.passage.text == passage.text):
            self._told.add(passage.text)
            return True
        return any(
            self._answers(one)
            for one in around
            if self._is_more_than_parts(one) or self._goes_on(one)
        )

    def otherwise(self, claim: str, source: Evidence) -> Quotation | None:
        """What another document says of the same thing with other numbers, if one does.

        It must answer the question as well, with the words of the question that the claim has.
        """
        from skerry.guardrails.grounding.exact import Passage as Beside
        from skerry.guardrails.grounding.exact import exact_findings

        known = numbers(self.asked.text)
        told, stems = numbers(claim) - known, content_stems(claim)

        def contradicts(one: Ranked) -> bool:
            there = Beside(one.passage.spoken, one.source.context)
            return any(finding.contradicts for finding in exact_findings(claim, there))

        asked = frozenset(self._ranking.weights) & said(f"{source.context}\n{claim}")
        others = (
            one
            for one in self._ranking.best_first
            if one.source.document != source.document
            and self._answers(one)
            and _disagree(told, numbers(one.passage.spoken) - known)
            and _same_thing(stems, content_stems(one.passage.spoken))
            and asked <= said(f"{one.source.context}\n{one.passage.spoken}")
            and contradicts(one)
        )
        other = next(others, None)
        if other is None:
            return None
        return Quotation(other.passage.spoken, other.source.mark, fits=True)

    @cached_property
    def _told(self) -> set[str]:
        """Passages that answer by themselves, of those that `near` was asked about."""
        return set()

    @cached_property
    def _ranking(self) -> Ranking:
        return Ranking(self.asked, self.vector, self.evidence, self.encoder)

    @cached_property
    def _fits(self) -> Fitting:
        return Fitting(self._ranking, self.doubted)

    @cached_property
    def _quoted(self) -> Quotation | None:
        if self._whole:
            return self._whole.quotation
        if best := self._best:
            fits = self._fits(best.passage)
            is_whole = self._is_again or (fits and bool(topic_of(self.asked.matter)))
            return Quotation(best.passage.quoted, best.source.mark, fits, is_whole=is_whole)
        if nearest := self._nearest:
            return Quotation(
                nearest.passage.quoted, nearest.source.mark, fits=False, is_whole=self._is_again
            )
        return None

    @property
    def _is_again(self) -> bool:
        """Whether the source's own words are wanted, and no draft."""
        return self.asked.again in (Again.SHORTER, Again.SOURCE)

    def _at_length(self, found: Quotation) -> Quotation:
        """The section that a quotation is from, where that is short enough to hold it."""
        around = next((section(one) for one in self.evidence if one.mark == found.mark), None)
        if around is None or not around.quotation.fits:
            return found
        return replace(around.quotation, fits=found.fits)

    def _is_more_than_parts(self, stretch: Ranked) -> bool:
        """Whether two sentences together are nearer to the question than either alone."""
        singles = (
            one for one in self._ranking.ranked if len(one.passage.text) < len(stretch.passage.text)
        )
        parts = (one for one in singles if one.source.mark == stretch.source.mark)
        return all(
            one.score <= stretch.score for one in parts if one.passage.text in stretch.passage.text
        )

    def _goes_on(self, stretch: Ranked) -> bool:
        return any(told in stretch.passage.text for told in self._told)

    def _answers(self, one: Ranked) -> bool:
        """Whether it answers the question as the best one does."""
        best = max((each.score for each in self._ranking.ranked), default=0.0)
        return one.score >= best - _NEAR and self._fits(one.passage)

    @cached_property
    def _best(self) -> Ranked | None:
        """The best passage; None where it is not near, has not all words and not what is named."""
        best = next(iter(self._ranking.best_first), None)
        if best is not None and self._lacks_kind(best.passage):
            best = self._fitting(best) or best
        if best is None or best.cosine >= _FLOOR:
            return best
        several = len(self._ranking.own) > 1 or bool(topic_of(self.asked.matter))
        if several and self._ranking.has_all_words(best) and best.cosine >= _WORDS_FLOOR:
            return best
        return best if self._ranking.has_names(best.passage.spoken) else None

    def _lacks_kind(self, passage: Passage) -> bool:
        """Whether somebody, a time or a bound is asked for, which a passage does not tell."""
        if not names_somebody(self.asked.text, passage.spoken):
            return True
        if asks_bound(self.asked.wanting):
            return lacks_extreme(self.asked.wanting, passage.spoken)
        goes_on = bool(self.asked.before)
        return (
            goes_on and asks_time(self.asked.matter) and not gives(self.asked.text, passage.spoken)
        )

    def _fitting(self, best: Ranked) -> Ranked | None:
        """The best passage that fits, where it is nearly as good as the best of all."""
        near = (one for one in self._ranking.best_first if one.score >= best.score - _NEAR_FITTING)
        return next((one for one in near if self._fits(one.passage)), None)

    @cached_property
    def _nearest(self) -> Ranked | None:
        """The best passage that is near enough to be quoted as what may not answer."""
        ranking = self._ranking
        near = (one for one in ranking.best_first if _is_near(one) or ranking.has_all_words(one))
        return next(near, None)

    @cached_property
    def _whole(self) -> Whole | None:
        """What is to be quoted whole: around the best passage, or one that is nearly as good.

        Where nothing is near in meaning, what is asked must be there word for word, or half of it
        for what is quoted with a warning.
        """
        if not may_be_whole(self.asked.text, self.evidence):
            return None
        if people := whole_of_people(self.asked, self.evidence, self.beside):
            return people
        if on_topic := whole_on(self.asked.matter, self.evidence):
            return on_topic
        ranked = self._ranking.best_first
        if asks_bound(self.asked.wanting) and self._best and self._fits(self._best.passage):
            return None
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
        near = self._best is not None or self._ranking.has_names(quoted.text)
        if not near and share < (_ALL if quoted.fits else _HALF):
            return False
        alone = self._share_said(f"{best.context}\n{best.spoken}")
        return around is best or share >= alone or not self._fits(best)

    def _share_said(self, text: str) -> float:
        """The share of the question's words, but for those that only ask, that a text has."""
        own = self._ranking.own
        return len(own & said(text)) / len(own) if own else 0.0


def _is_near(one: Ranked) -> bool:
    likely = one.cosine >= _HEDGED_FLOOR and one.score >= _HEDGED_SCORE
    return likely or (one.cosine >= _WORDS_FLOOR and one.score >= _WORDS_SCORE)


def _disagree(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether either has a number that the other has not."""
    return bool(some - others) and bool(others - some)


def _same_thing(some: frozenset[str], others: frozenset[str]) -> bool:
    return len(some & others) >= _SAME * max(min(len(some), len(others)), 1)
