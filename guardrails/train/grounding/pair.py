"""One training or test example: a claim, what is laid beside it, and what holds of the two."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

Item = TypeVar("Item")
Span = tuple[int, int]


class Truth(IntEnum):
    """The three outcomes, and one more for sources that only say "not supported"."""

    SUPPORTED = 0
    CONTRADICTED = 1
    NOT_FOUND = 2
    UNSUPPORTED = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """`claim` beside `evidence`; `question` is what the claim answers, if it was asked.

    `wrong` are the spans of the claim that the evidence does not hold; None where that is not
    known. `kind` names how the pair came about, `source` the set that its text is from.
    Pairs of one `group` are contrasted with each other; without one, those that have the same
    evidence.
    """

    claim: str
    evidence: str
    truth: Truth
    source: str
    kind: str
    question: str = ""
    context: str = ""
    wrong: tuple[Span, ...] | None = None
    group: str = ""


def shuffled(items: Sequence[Item], draw: random.Random) -> list[Item]:
    """The items in an order of chance."""
    return draw.sample(list(items), len(items))


def capital(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]


def shuffled_by(items: Sequence[Item], seed: int) -> list[Item]:
    """The items in an order that depends on the seed alone."""
    return shuffled(items, random.Random(seed))
