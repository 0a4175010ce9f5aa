"""A passage made plain, for all checks of one claim."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from skerry.guardrails.grounding.exact.clauses import spoken_of
from skerry.guardrails.grounding.exact.parts import Part
from skerry.guardrails.grounding.exact.units import UNITS
from skerry.guardrails.normal import normalise
from skerry.guardrails.sentences import sentences
from skerry.guardrails.words import content_stems

_WORD = re.compile(r"[^\W\d_]+")
_MOST_CHARACTERS = 6_000  # of a passage, as of its headings; windows are far shorter
_NEAR = 4  # words on either side of a number that say what it is about
_REACH = 80  # characters in which they are looked for


@dataclass(frozen=True, slots=True)
class Passage:
    """Evidence for the exact checks: `text`, and the headings above it."""

    text: str
    context: str = ""

    @property
    def all(self) -> str:
        return f"{self.context}\n{self.text}"


@dataclass(frozen=True, slots=True)
class Told:
    """The passage made plain. The headings are a part of their own, and the last one."""

    all: str
    parts: tuple[Part, ...]
    sentences: tuple[Part, ...]
    alike: frozenset[str]
    """The texts of the parts that have half of the claim's words."""

    @classmethod
    def of(cls, passage: Passage, claim: str) -> Told:
        text = normalise(passage.text[:_MOST_CHARACTERS]).text
        context = normalise(passage.context[:_MOST_CHARACTERS]).text
        above = spoken_of(context)
        told = tuple(Part.of(text[start:end], above) for start, end in sentences(text))
        headings = (Part.of(context, spoken_of(text)),) if context else ()
        parts, said = (*told, *headings), content_stems(claim)
        alike = frozenset(one.text for one in parts if len(said & one.stems) * 2 >= len(said))
        return cls(f"{context}\n{text}", parts, told, alike)

    def about(self, claim: str, start: int, end: int) -> list[Part]:
        """The sentences that have one of the words around `claim[start:end]`, or half of all.

        So a number is not held by a sentence about something else altogether.
        """
        near = _around(claim, start, end)
        return [one for one in self.parts if not near or near & one.stems or one.text in self.alike]


def others(elsewhere: Sequence[str]) -> list[Part]:
    """The sentences of other passages, without their headings."""
    texts = (normalise(text[:_MOST_CHARACTERS]).text for text in elsewhere)
    told = (text[start:end] for text in texts for start, end in sentences(text))
    return [Part.of(one, frozenset()) for one in told]


def _around(claim: str, start: int, end: int) -> frozenset[str]:
    """The stems of the content words near a place, units left out."""
    before = _WORD.findall(claim[max(0, start - _REACH) : start])[-_NEAR:]
    after = _WORD.findall(claim[end : end + _REACH])[:_NEAR]
    return content_stems(" ".join(word for word in (*before, *after) if word.lower() not in UNITS))
