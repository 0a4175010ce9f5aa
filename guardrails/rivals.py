"""Whether a passage is about another thing than a question, of the same kind. Pure; English.

"Insulin lispro is given before a meal" has much of a question for insulin glargine, and is no
answer to it. What the question distinguishes by must be there, or nothing else in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from skerry.guardrails.choices import lacks_alternative
from skerry.guardrails.grounding.exact.lookalikes import look_alike
from skerry.guardrails.grounding.exact.names import drugs_in, is_drug, is_named, names_in
from skerry.guardrails.grounding.exact.quantities import Quantity, quantities
from skerry.guardrails.months import is_of_another_month
from skerry.guardrails.words import content_stems

_TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*|[.,;:!?|()\n]")
_LETTER = re.compile(r"[A-Z]|\d{1,4}[A-Za-z]?|[A-Z]{1,3}-?\d{1,4}")
_VAGUE = frozenset("both many much often long first last next new same other".split())
_SHORT = 7  # content words of a question
_LONG = 6  # letters of a word; of shorter ones many are alike
_BOUND = re.compile(
    r"\b(?:up to|at (?:least|most)|before|until|within|under|over|above|below|between|from|"
    r"(?:more|less|fewer|longer|older|younger|later|earlier) than|maximum|minimum|or (?:more|less)|"
    r"every|each|per|to)\b|[<>≤≥–]|\d\s?-\s?\d",
    re.IGNORECASE,
)
_GROUPS = tuple(
    tuple(content_stems(words) for words in group.split("/"))
    for group in (
        "left/right",
        "upper/lower",
        "front/rear",
        "inner internal/outer external",
        "north northern/south southern/east eastern/west western",
        "acute/chronic",
        "morning mornings/evening evenings",
        "adult adults/child children infant infants baby babies toddler",
        "men man male males boys/women woman female females girls",
        "oral mouth/intravenous intramuscular subcutaneous injection injected",
        "spring/summer/autumn/winter",
    )
)


@dataclass(frozen=True)
class Subject:
    """What a question distinguishes its subject by."""

    question: str

    def has_rival(self, text: str, context: str) -> bool:
        """Whether a passage has another thing in the place of one that the question names.

        Args:
            text: what the passage says.
            context: its title and headings, which may name the thing as well.
        """
        whole = f"{context}\n{text}"
        said = content_stems(whole)
        return (
            self._another_drug(whole)
            or self._another_of_group(text, said)
            or self._another_kind(text, said)
            or self._another_letter(text, whole)
            or self._another_spelling(text, said)
            or self._another_amount(text)
            or is_of_another_month(self.question, text)
        )

    def lacks_name(self, text: str, context: str) -> bool:
        """Whether a short question names what the passage does not, such as Christmas Day; or any
        question lets choose between what the passage tells only in part.

        A long one names much that a passage need not repeat.
        """
        if lacks_alternative(self.question, text):
            return True
        if len(self._stems) > _SHORT:
            return False
        whole = f"{context}\n{text}"
        return any(not is_named(name, whole) for name, _, _ in names_in(self.question))

    @cached_property
    def _drugs(self) -> frozenset[str]:
        return frozenset(name for name, _, _ in drugs_in(self.question))

    @cached_property
    def _stems(self) -> frozenset[str]:
        return content_stems(self.question)

    @cached_property
    def _words(self) -> tuple[str, ...]:
        return tuple(_TOKEN.findall(self.question))

    def _another_drug(self, whole: str) -> bool:
        there = frozenset(name for name, _, _ in drugs_in(whole)) if self._drugs else frozenset()
        return bool(there) and not self._drugs & there

    def _another_of_group(self, text: str, said: frozenset[str]) -> bool:
        """Left for right: the question has one of a group, the passage only others."""
        own = content_stems(text)
        for group in _GROUPS:
            asked = [words for words in group if words & self._stems]
            lacking = asked and not any(words & said for words in asked)
            if lacking and any(words & own for words in group):
                return True
        return False

    def _another_kind(self, text: str, said: frozenset[str]) -> bool:
        """A motor boat for a rowing boat, insulin lispro for insulin glargine.

        In a long question two words side by side seldom name what it is about.
        """
        if len(self._stems) > _SHORT:
            return False
        there = list(pairwise(_TOKEN.findall(text))) if self._pairs else []
        for first, second in self._pairs:
            one, other = content_stems(first), content_stems(second)
            before = (a for a, b in there if content_stems(b) == other)
            after = (b for a, b in there if content_stems(a) == one)
            if not one & said and _has_others(before, self._stems):
                return True
            if not other & said and is_drug(first.lower()) and _has_others(after, self._stems):
                return True
        return False

    @cached_property
    def _pairs(self) -> list[tuple[str, str]]:
        """Two words of the question side by side that both say something."""
        found = pairwise(self._words)
        return [one for one in found if all(map(_says_something, one))]

    def _another_letter(self, text: str, whole: str) -> bool:
        """Vitamin K for vitamin C, room 4 for room 5."""
        for first, letter in pairwise(self._words):
            if not (_LETTER.fullmatch(letter) and content_stems(first)):
                continue
            there = _lettered(whole, first)
            if letter not in there and _lettered(text, first):
                return True
        return False

    def _another_spelling(self, text: str, said: frozenset[str]) -> bool:
        """Chlorate for chloride."""
        words = {one.lower() for one in self._words}
        missing = [one for one in words if len(one) >= _LONG and not content_stems(one) <= said]
        others = {one.lower() for one in _TOKEN.findall(text)} - words if missing else set()
        return any(look_alike(one, other) for one in missing for other in others)

    def _another_amount(self, text: str) -> bool:
        """40 kg for 30 kg; what has a bound ("up to 24 hours") may answer for any amount."""
        asked = [one for one in quantities(self.question) if one.unit and one.certain]
        if not asked or _BOUND.search(text):
            return False
        there = quantities(text)
        like = [[each for each in there if _same_measure(one, each)] for one in asked]
        return any(
            found and not any(one.equals(each) for each in found)
            for one, found in zip(asked, like, strict=True)
        )


def _same_measure(one: Quantity, other: Quantity) -> bool:
    return bool(one.unit and other.unit and one.unit.measure == other.unit.measure)


def _says_something(word: str) -> bool:
    return word.isalpha() and word.lower() not in _VAGUE and bool(content_stems(word))


def _has_others(words: Iterator[str], asked: frozenset[str]) -> bool:
    """Whether there are words, and all of them say something that the question does not.

    After a colon, as in the cell of a row, nothing does: a kayak is no double kayak.
    """
    found = list(words)
    stems = [content_stems(one) for one in found]
    return bool(found) and all(
        one == ":" or (said and not said & asked) for one, said in zip(found, stems, strict=True)
    )


def _lettered(text: str, word: str) -> frozenset[str]:
    """The letters and numbers that stand right after a word in a text."""
    stems = content_stems(word)
    found = pairwise(_TOKEN.findall(text))
    return frozenset(b for a, b in found if _LETTER.fullmatch(b) and content_stems(a) == stems)
