"""Reads the sources for a question: which passage answers it best, to be quoted word for word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from skerry.edge.again import Again
from skerry.edge.disagreeing import disagreeing
from skerry.edge.encoder.base import TextEncoder, Vectors
from skerry.edge.fitting import ASKED_WITH, Fitting
from skerry.edge.followup import Asked
from skerry.edge.going_on import continued
from skerry.edge.ranking import Ranked, Ranking, said
from skerry.edge.sections import may_be_whole, section, whole_on
from skerry.edge.whole_days import whole_of_days
from skerry.edge.whole_prices import whole_of_prices
from skerry.edge.wholes import Beside, Whole, whole_around, whole_of_people
from skerry.guardrails.answer import Evidence
from skerry.guardrails.expected import asks_price, asks_time, gives, names_somebody, tells_amount
from skerry.guardrails.passages import Passage, Quotation
from skerry.guardrails.topics import topic_of
from skerry.guardrails.wanted import Kind, asks_bound, counts, lacks_extreme, wanted

_FLOOR = 0.45
_HEDGED_FLOOR = 0.38
_HEDGED_SCORE = 0.45
_WORDS_FLOOR = 0.3  # where a passage has every word of the question, or most
_WORDS_SCORE = 0.55
_TOPIC_FLOOR = 0.2  # where it has all that a bare topic names
_NEAR = 0.1
_NEAR_WHOLE = 0.2
_NEAR_FITTING = 0.15
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
        today: the day of "today" and "tomorrow" in a question.
    """

    asked: Asked
    vector: Vectors
    evidence: Sequence[Evidence]
    encoder: TextEncoder
    beside: Beside = _nothing_beside
    doubted: bool = False
    today: date = field(default_factory=date.today)

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
        near = (one for one in self._ranking.best_first if self._answers(one))
        other = disagreeing(self.asked.text, claim, source, near, self._ranking.weights)
        if other is None:
            return None
        return Quotation(other.passage.spoken, other.source.mark, fits=True)

    @cached_property
    def _told(self) -> set[str]:
        """Passages that answer by themselves, of those that `near` was asked about."""
        return set()

    @cached_property
    def _ranking(self) -> Ranking:
        return Ranking(self.asked, self.vector, self.evidence, self.encoder, self.today)

    @cached_property
    def _fits(self) -> Fitting:
        return Fitting(self._ranking, self.doubted)

    @cached_property
    def _quoted(self) -> Quotation | None:
        if self._whole:
            return self._whole.quotation
        best = self._best or self._nearest
        if best is None:
            return None
        fits = self._best is not None and self._fits(best.passage)
        more = continued(self.asked.matter, best.passage, best.source)
        is_all = fits and (more is not None or bool(topic_of(self.asked.matter)))
        text, is_whole = (more or best.passage).quoted, self._is_again or is_all
        return Quotation(text, best.source.mark, fits, is_whole=is_whole)

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
        best = self._counted or next(iter(self._ranking.best_first), None)
        if best is not None and self._lacks_kind(best.passage):
            best = self._fitting(best) or best
        if best is None or best.cosine >= _FLOOR:
            return best
        if self._tells_all(best) or self._ranking.has_names(best.passage.spoken):
            return best
        return None

    def _tells_all(self, one: Ranked) -> bool:
        """Whether a passage that is not quite near has all the words of a topic or of several, or
        what is priced, and a price."""
        matter, own = self.asked.matter, self._ranking.own
        topic = bool(topic_of(matter))
        priced = asks_price(matter) and tells_amount(one.passage.spoken)
        own = own - ASKED_WITH if priced else own
        enough = topic or priced or len(own) > 1
        whole = bool(own) and own <= self._ranking.told(one.passage)
        return enough and whole and one.cosine >= (_TOPIC_FLOOR if topic else _WORDS_FLOOR)

    def _lacks_kind(self, passage: Passage) -> bool:
        """Whether somebody, a time or a bound is asked for, which a passage does not tell."""
        if not names_somebody(self.asked.text, passage.spoken):
            return True
        if self._ranking.days.is_of_others(passage):
            return True
        if asks_bound(self.asked.wanting):
            return lacks_extreme(self.asked.wanting, passage.spoken)
        goes_on = bool(self.asked.before)
        return (
            goes_on and asks_time(self.asked.matter) and not gives(self.asked.text, passage.spoken)
        )

    @cached_property
    def _counted(self) -> Ranked | None:
        """The best sentence that counts what is asked for, with more of the question than that."""
        want = wanted(self.asked.wanting)
        if want is None or want.kind is not Kind.COUNT:
            return None
        rest = self._ranking.own - want.noun
        ranked = self._ranking.best_first
        near = (one for one in ranked if one.score >= ranked[0].score - _NEAR)
        found = (
            one
            for one in near
            if not one.passage.header
            and rest & said(one.passage.spoken)
            and counts(want.noun, one.passage.spoken)
        )
        return next((one for one in found if self._fits(one.passage)), None)

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
        if of_days := self._whole_of_days:
            return of_days
        if not may_be_whole(self.asked.text, self.evidence):
            return None
        asked, sources = self.asked, self.evidence
        all_of_it = (
            whole_of_people(asked, sources, self.beside)
            or whole_of_prices(asked, sources, self.beside)
            or whole_on(asked.matter, sources)
        )
        if all_of_it:
            return all_of_it
        if self._counted or (
            asks_bound(asked.wanting) and self._best and self._fits(self._best.passage)
        ):
            return None
        ranked = self._ranking.best_first
        for one in ranked:
            if one.score < ranked[0].score - _NEAR_WHOLE:
                break
            mark = one.source.mark
            found = whole_around(self.asked, one.passage, mark, self.evidence, self.beside)
            if found:
                return found if self._is_better(found, one.passage, ranked[0].passage) else None
        return None

    @property
    def _whole_of_days(self) -> Whole | None:
        """What has each of several days asked about, where the best that has some is near."""
        ranking = self._ranking
        if not ranking.days.are_several:
            return None
        best = next((one for one in ranking.best_first if ranking.days.share(one.passage)), None)
        if best is None or not self._fits(best.passage) or not _is_near(best):
            return None
        return whole_of_days(ranking.days, best.passage, best.source.mark, self.evidence)

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
