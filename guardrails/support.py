"""How far a sentence is supported by a source, by its words and numbers. Pure.

Lexical support is necessary, not sufficient: a sentence that says the opposite with the
same words passes here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skerry.guardrails.answer import Evidence
from skerry.guardrails.passages import Passage, passages
from skerry.guardrails.weekdays import days_told
from skerry.guardrails.words import content_stems, numbers


def support(sentence: str, source: str) -> float:
    """The share of the sentence's content stems that the source has; 0 for none at all."""
    stems = content_stems(sentence)
    return len(stems & content_stems(source)) / len(stems) if stems else 0.0


@dataclass(frozen=True, slots=True)
class Floors:
    """Least shares, in [0, 1], of a claim's content words that one passage must have.

    `all`: of all of them. `told`: of those that the question does not have already, since to
    repeat the question is no merit.
    """

    all: float
    told: float


def supporting(claim: str, question: str, source: Evidence, floors: Floors) -> list[Passage]:
    """The passages that each hold the claim by themselves, with their context counted in.

    What is stitched together from two passages has none.
    """
    said = content_stems(claim)
    told = said - content_stems(question)
    return [
        one
        for one in passages(source)
        if one.keeps_columns(claim)
        and (has := _told(one))
        and len(said & has) >= floors.all * max(len(said), 1)
        and len(told & has) >= floors.told * len(told)
    ]


def _told(passage: Passage) -> frozenset[str]:
    """The words of a passage with its context; those of "Monday to Friday" are the days between."""
    days = content_stems(" ".join(days_told(passage.text)))
    return content_stems(f"{passage.context}\n{passage.text}") | days


def best_support(sentence: str, source: Evidence) -> float:
    """The support by the passage that supports it most, with its context."""
    shares = (support(sentence, f"{one.context}\n{one.text}") for one in passages(source))
    return max(shares, default=0.0)


def numbers_hold(sentence: str, evidence: Sequence[Evidence], floor: float) -> bool:
    """Whether the numbers of `sentence` are about what it says they are about.

    Each number must be in a passage that has at least `floor` of the sentence's content
    words, its context counted in: "extension 231" is not held by a row about somebody else.
    """
    wanted = numbers(sentence)
    return all(
        any(
            number in numbers(passage.text)
            and support(sentence, f"{passage.context}\n{passage.text}") >= floor
            for one in evidence
            for passage in passages(one)
        )
        for number in wanted
    )
