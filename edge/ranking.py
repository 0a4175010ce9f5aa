"""Ranks the passages of the sources by how near they are to a question, in meaning and in words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from skerry.edge.daily import Days
from skerry.edge.encoder.base import TextEncoder, Vectors
from skerry.edge.followup import Asked
from skerry.guardrails.alike import with_other_words
from skerry.guardrails.answer import Evidence
from skerry.guardrails.expected import asks_price, tells_amount
from skerry.guardrails.passages import Passage, quotable, stretches
from skerry.guardrails.tables import tables
from skerry.guardrails.wanted import ASKING
from skerry.guardrails.words import content_stems, numbers

if TYPE_CHECKING:
    from skerry.guardrails.rivals import Subject

_WORDS_WEIGHT = 0.4
_CODES_WEIGHT = 0.3
_CELL_WEIGHT = 0.15  # of a row that has a cell for all that is asked about
_LENGTH_COST = 0.02
_LONG = 6  # letters
_BEFORE_WEIGHT = 0.5  # of a word that only the question before this one has
_RIVAL_COST = 0.2
_DAY_WEIGHT = 0.1  # of a passage that tells of the day asked about
_OTHER_DAY_COST = 0.2
_AMOUNT_WEIGHT = 0.1  # of a passage that has an amount where a price is asked
_CODE = re.compile(r"\b[^\W_]*\d[^\W_]*\b")
_NAME = re.compile(r"(?<=[^.?!:\n] )[A-Z][\w-]+")
_MOST_PASSAGES = 48
_STRETCHED = 4  # of the best sentences: beside their neighbours, too


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage of a source, its score, and its cosine with the question."""

    passage: Passage
    source: Evidence
    score: float
    cosine: float


@dataclass(frozen=True)
class Ranking:
    """The passages of the sources, ranked when they are first needed.

    They rank by cosine, plus the shares of the question's content words and of its codes and
    numbers (`E2`, `40`) that they have themselves. A word counts the more the fewer passages
    have it, and less when only the question before this one has it.

    Args:
        asked: the question.
        vector: the unit vector of its text, float32 [dimensions].
        evidence: the sources, best first.
        encoder: the encoder that the vector is from.
        today: the day of "today" and "tomorrow".
    """

    asked: Asked
    vector: Vectors
    evidence: Sequence[Evidence]
    encoder: TextEncoder
    today: date = field(default_factory=date.today)

    @cached_property
    def ranked(self) -> list[Ranked]:
        """The passages, and the best of them beside their neighbours; in no order."""
        single = self._scored([(one, source) for source, one in self._found])
        best = sorted(single, key=lambda one: -one.score)[:_STRETCHED]
        return [*single, *self._scored(list(_stretched(best)), _LENGTH_COST)]

    @cached_property
    def best_first(self) -> list[Ranked]:
        return sorted(self.ranked, key=lambda one: -one.score)

    @cached_property
    def own(self) -> frozenset[str]:
        """The words of the question itself, but for those that only ask."""
        return said(self.asked.matter) - ASKING

    @cached_property
    def weights(self) -> dict[str, float]:
        """How much each word of the question counts."""
        own, rarity = said(self.asked.matter), _rarity([one for _, one in self._found])
        before = said(self.asked.kept) - self._displaced
        if names(self.asked.question):  # "And the Kingfisher?" is no longer about the Heron
            before -= names(self.asked.before)
        weight = 1.0 if self.asked.points_back else _BEFORE_WEIGHT
        return {word: rarity(word) * (1 if word in own else weight) for word in own | before}

    @cached_property
    def days(self) -> Days:
        """The days of the week that are asked about."""
        return Days.of(self.asked, self.today)

    def told(self, passage: Passage) -> frozenset[str]:
        """The words that a passage says, and those for the days asked about that it tells."""
        return said(passage.spoken) | self.days.words_of(passage)

    @cached_property
    def subject(self) -> Subject:
        from skerry.guardrails.rivals import Subject

        asked = self.asked
        return Subject(with_other_words(asked.text if asked.points_back else asked.matter))

    def has_all_words(self, one: Ranked) -> bool:
        return bool(self.own) and self.own <= self.told(one.passage)

    def has_names(self, text: str) -> bool:
        """Whether a text has all that the question names, if it names anything."""
        named = names(self.asked.question)
        return bool(named) and named <= said(text)

    def has_rival(self, passage: Passage) -> bool:
        """Whether the passage is about another thing of the kind that is asked about."""
        done = " ".join(doers(passage.header))
        spoken = f"{passage.spoken} ({done})" if done else passage.spoken
        return self.subject.has_rival(with_other_words(spoken), passage.context)

    def share(self, there: frozenset[str], wanted: frozenset[str]) -> float:
        """The share, by weight, of the wanted words that are there; 0 where none is wanted."""
        whole = sum(self.weights[word] for word in wanted)
        return sum(self.weights[word] for word in wanted & there) / whole if whole else 0.0

    @cached_property
    def _displaced(self) -> frozenset[str]:
        """The words before that the question has others for in the same column of a table: after
        "And rabbits?" a row of dogs is no longer wanted."""
        lines = [said(line) for line in self.asked.before.split("\n")]
        if not self.asked.points_back:
            lines.append(said(self.asked.matter))
        columns = [[said(row[0]) for row in one.body] for one in tables(self.evidence)]
        displaced: frozenset[str] = frozenset()
        for at, own in enumerate(lines[1:], start=1):
            before = frozenset().union(*lines[:at])
            for cells in columns:
                if any(cell and cell <= own for cell in cells):
                    displaced |= frozenset().union(*(cell & before for cell in cells)) - own
        return displaced

    @cached_property
    def _found(self) -> list[tuple[Evidence, Passage]]:
        every = ((source, one) for source in self.evidence for one in quotable(source))
        return [one for one, _ in zip(every, range(_MOST_PASSAGES), strict=False)]

    def _scored(self, found: Sequence[tuple[Passage, Evidence]], cost: float = 0.0) -> list[Ranked]:
        if not found:
            return []
        spoken = [with_other_words(f"{one.about}\n{one.spoken}") for one, _ in found]
        cosines = (self.encoder.encode(spoken) @ self.vector).tolist()
        return [
            Ranked(passage, source, cosine + self._by_words(passage) - cost, cosine)
            for cosine, (passage, source) in zip(cosines, found, strict=True)
        ]

    def _by_words(self, passage: Passage) -> float:
        codes, there = _codes(self.asked.text), _codes(passage.text)
        shared = self.share(self.told(passage), frozenset(self.weights))
        rival = _RIVAL_COST * self.has_rival(passage)
        named = _CELL_WEIGHT * any(said(cell) == self.own for cell in passage.cells)
        by_codes = _CODES_WEIGHT * len(codes & there) / max(len(codes), 1)
        kind = self._by_days(passage) + self._by_amount(passage)
        return _WORDS_WEIGHT * shared + by_codes + named - rival + kind

    def _by_amount(self, passage: Passage) -> float:
        about = self.own & said(f"{passage.context}\n{passage.spoken}")
        if not about or not asks_price(self.asked.matter):
            return 0.0
        return _AMOUNT_WEIGHT * tells_amount(passage.spoken)

    def _by_days(self, passage: Passage) -> float:
        named = names(self.asked.question) - content_stems(" ".join(self.days.asked))
        about = bool(named) and named <= said(passage.spoken)
        other = self.days.is_of_others(passage) and not about
        return _DAY_WEIGHT * self.days.share(passage) - _OTHER_DAY_COST * other


def said(text: str) -> frozenset[str]:
    """The stems and numbers of a text, with those of other words for the same."""
    whole = with_other_words(text)
    return content_stems(whole) | numbers(whole)


def doers(header: str) -> frozenset[str]:
    """What those do whom the columns of a row name: a teacher teaches."""
    columns = content_stems(header)
    return frozenset(
        one[:-2] for one in columns if len(one) >= _LONG and one.endswith(("er", "or"))
    )


def names(text: str) -> frozenset[str]:
    """The stems of words with a capital that begin no sentence."""
    return content_stems(" ".join(_NAME.findall(text)))


def _stretched(best: Sequence[Ranked]) -> Iterator[tuple[Passage, Evidence]]:
    """What each of the best sentences makes with the one before it, and the one after it."""
    for source in {one.source.mark: one.source for one in best}.values():
        texts = [one.passage.text for one in best if one.source.mark == source.mark]
        for passage in stretches(source):
            if any(text in passage.text for text in texts):
                yield passage, source


def _rarity(passages: Sequence[Passage]) -> Callable[[str], float]:
    """The inverse frequency of a word among the passages, in nats."""
    counts = Counter(word for passage in passages for word in said(passage.spoken))
    return lambda word: math.log1p(len(passages) / (0.5 + counts[word]))


def _codes(text: str) -> frozenset[str]:
    return frozenset(code.casefold() for code in _CODE.findall(text))
