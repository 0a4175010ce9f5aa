"""Finds questions that lean on the one before them ("And the deposit?"). Pure.

Only what is searched for is made whole, and what is routed where it says too little alone: the
model sees the conversation, and the guardrails see the question as it was asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skerry.edge.smalltalk import small_talk, without_opening
from skerry.guardrails.words import content_stems

if TYPE_CHECKING:
    from skerry.edge.session import Turn

_OPENING = re.compile(
    r"^\s*(?:and|but|or|also|so|then|what about|how about|what if|why|why not|since when)\b",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:it|its|itself|they|them|their|he|him|his|she|her|this|that|these|those|there|one|ones|"
    r"same|else|instead)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:what|which|who|whose|how|when|where|why|most|least|fewest|all|list|compare)\b"
    r"|\w(?:est|er)\b",
    re.IGNORECASE,
)
_FEW_WORDS = 4
_ENOUGH_WORDS = 3
_MOST_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the one `before` it where it leans on that."""

    question: str
    before: str = ""

    @property
    def text(self) -> str:
        """The question made whole."""
        return f"{self.before}\n{self.question}" if self.before else self.question

    @property
    def matter(self) -> str:
        """The question without the greeting that it may open with."""
        return without_opening(self.question)

    @property
    def points_back(self) -> bool:
        """Whether it is about the same thing as the question before it ("Does it …?")."""
        return _OPENING.search(self.matter) is None

    @property
    def wanting(self) -> str:
        """What says whether steps, rows or an extreme are wanted: the question, where it asks for
        something itself, else with the one before it ("And with a projector?")."""
        return self.matter if _ASKS.search(self.matter) else self.text

    @property
    def says_enough(self) -> bool:
        """Whether the question says by itself what kind of request it is."""
        return len(content_stems(self.question)) >= _ENOUGH_WORDS


def standalone(question: str, turns: Callable[[], Sequence[Turn]]) -> Asked:
    """What to search for: `question`, with the last one where it leans on that.

    `turns` gives the conversation so far, oldest first; it is only called where it matters.
    """
    if not leans(question):
        return Asked(question)
    asked = [turn.text for turn in turns() if turn.role == "user" and not small_talk(turn.text)]
    return Asked(question, asked[-1][-_MOST_CHARACTERS:] if asked else "")


def leans(question: str) -> bool:
    """Whether the question may not be understood alone: it goes on, or points back and says
    little itself."""
    if _OPENING.search(without_opening(question)):
        return True
    few = len(content_stems(question)) <= _FEW_WORDS
    return few and _POINTING.search(question) is not None
