"""Whether a passage answers a question, or has its subject alone. What does not is quoted with a
warning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from skerry.edge.ranking import Ranking, doers, said
from skerry.guardrails.alike import with_other_words
from skerry.guardrails.expected import gives, told_plainly
from skerry.guardrails.modifiers import object_of, only_modifies
from skerry.guardrails.passages import Passage
from skerry.guardrails.topics import topic_of
from skerry.guardrails.wanted import ASKING, Kind, lacks_extreme, wanted
from skerry.guardrails.words import content_stems, denies

_TAKEN_UP = 0.2
_LIGHT = content_stems("pay take accept bring use get come go goes make allow allowed do")
"""What is done with anything: the rest of a question says with what."""
ASKED_WITH = content_stems("many much often long")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_WHAT = re.compile(r"\b(?:what|which)\b", re.IGNORECASE)
_COMPOUND = re.compile(r"\b[a-z]+(?:-[a-z]+)+\b", re.IGNORECASE)
_SHORT = 3  # content words
_VERY_NEAR = 0.6
_UNDOUBTED = 0.55  # cosine of a passage with every word of the question


@dataclass(frozen=True, slots=True)
class Fitting:
    """Decides for one question.

    Args:
        ranking: its passages.
        doubted: the question may not be one that documents answer: no passage alone fits it, but
            one that has all of it.
    """

    ranking: Ranking
    doubted: bool = False

    def __call__(self, passage: Passage) -> bool:
        """Whether it takes up what is asked, not its subject alone, and has what that expects.

        A question that leans on the one before it must be taken up by its own words. What is about
        another thing of its kind, or does not name what is asked about, does not fit.
        """
        asked = self.ranking.asked
        told = gives(asked.text, passage.spoken)
        told = told and not lacks_extreme(asked.wanting, passage.spoken)
        told = told and not self.ranking.days.is_of_others(passage)
        fits = told and self._is_taken_up(passage) and not self._is_doubtful(passage)
        return fits and self._has_point(passage) and not self._is_about_another(passage)

    def _is_taken_up(self, passage: Passage) -> bool:
        own, every = said(self.ranking.asked.matter) - ASKED_WITH, frozenset(self.ranking.weights)
        if not own and every:  # "When?"
            whole = said(passage.context) | self.ranking.told(passage)
            return self.ranking.share(whole, every) > _TAKEN_UP
        lacking = own - said(passage.context)
        if not lacking or self.ranking.share(self.ranking.told(passage), lacking) > _TAKEN_UP:
            return True
        told = told_plainly(self.ranking.asked.matter, passage.spoken)
        if told and not said(self.ranking.asked.matter) - told - ASKING - ASKED_WITH:
            return True  # "How long is it?"
        rest = lacking - told - doers(passage.header)
        return rest < lacking and not rest - ASKING

    def _is_doubtful(self, passage: Passage) -> bool:
        if not self.doubted or topic_of(self.ranking.asked.matter):
            return False
        want = wanted(self.ranking.asked.wanting)
        if want and want.kind in (Kind.LIST, Kind.COUNT):
            return True
        own = said(self.ranking.asked.matter) - ASKING
        whole = bool(own) and own <= said(passage.context) | self.ranking.told(passage)
        return not (whole and self._nearness(passage) >= _UNDOUBTED)

    def _has_point(self, passage: Passage) -> bool:
        """Whether it has the rarest word of a short question, or is very near to it: of "Who is the
        mayor of Millbrook?" more is wanted than Millbrook."""
        weights = self.ranking.weights
        words = self.ranking.own - ASKED_WITH
        words -= told_plainly(self.ranking.asked.matter, passage.spoken) | doers(passage.header)
        words = (words - _LIGHT) or words
        own = {word: weights[word] for word in words if word in weights}
        if not own or len(own) > _SHORT:
            return True
        most = max(own.values())
        points = {word for word, weight in own.items() if weight >= most}
        there = said(passage.context) | self.ranking.told(passage)
        if points & there or self._has_compound(passage):
            return True
        return self._nearness(passage) >= _VERY_NEAR

    def _has_compound(self, passage: Passage) -> bool:
        """Whether it has a compound of the question, such as "step-free"."""
        asked = {one.lower() for one in _COMPOUND.findall(self.ranking.asked.matter)}
        return bool(asked & {one.lower() for one in _COMPOUND.findall(passage.text)})

    def _nearness(self, passage: Passage) -> float:
        same = (one.cosine for one in self.ranking.ranked if one.passage == passage)
        return max(same, default=0.0)

    def _is_about_another(self, passage: Passage) -> bool:
        spoken = with_other_words(passage.spoken)
        unnamed = self.ranking.subject.lacks_name(spoken, passage.context)
        another = self.ranking.has_rival(passage) or self._is_of_another_year(passage)
        another = another or self._only_modifies(passage)
        return unnamed or another or self._is_of_what_is_not(passage)

    def _only_modifies(self, passage: Passage) -> bool:
        """Whether "Do you repair wheelchairs?" finds wheelchair users alone."""
        matter = self.ranking.asked.matter
        noun = object_of(matter)
        if not noun or content_stems(noun) & said(passage.context):
            return False
        return only_modifies(noun, matter, passage.spoken)

    def _is_of_what_is_not(self, passage: Passage) -> bool:
        """Whether it is an item of "What is not included", and what is included is asked."""
        matter = self.ranking.asked.matter
        if not _WHAT.search(matter) or denies(matter) or passage.quoted == passage.spoken:
            return False
        return denies(passage.about.rstrip("\n").rpartition("\n")[2])

    def _is_of_another_year(self, passage: Passage) -> bool:
        """Whether the question names a year, not this one, that the passage does not."""
        named = set(_YEAR.findall(self.ranking.asked.text)) - {str(date.today().year)}
        return bool(named) and not named <= set(_YEAR.findall(f"{passage.context}\n{passage.text}"))
