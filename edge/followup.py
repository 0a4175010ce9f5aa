"""Finds questions that lean on the one before them ("And the deposit?"). Pure.

Only what is searched for is made whole, and what is routed where it says too little alone: the
model sees the conversation, and the guardrails see the question as it was asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from skerry.edge.again import Again, again
from skerry.edge.leaning import OPENING, leans
from skerry.edge.merging import merged
from skerry.edge.smalltalk import small_talk, without_opening
from skerry.guardrails.words import content_stems

if TYPE_CHECKING:
    from skerry.edge.session import Turn

_ASKS = re.compile(
    r"\b(?:what|which|who|whose|how|when|where|why|most|least|fewest|all|list|compare)\b"
    r"|\w(?:est|er)\b",
    re.IGNORECASE,
)
_YES_OR_NO = re.compile(
    r"^\s*(?:is|are|was|were|do|does|did|can|could|may|must|should|shall|will|would|has|have)\b",
    re.IGNORECASE,
)
_ENOUGH_WORDS = 3
_MOST_CHARACTERS = 1_000
_MOST_TURNS = 4  # that a question may lean on through others


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the one `before` it where it leans on that.

    `again`: the question was asked before, and this is wanted of its answer.
    """

    question: str
    before: str = ""
    again: Again | None = None

    @property
    def text(self) -> str:
        """The question made whole."""
        if not self.before:
            return self.question
        whole = merged(self.before, self.matter)
        return whole.text if whole else f"{self.before}\n{self.question}"

    @property
    def kept(self) -> str:
        """What of the question before this one still holds: "And on Monday?" is in place of
        "on Saturday"."""
        whole = merged(self.before, self.matter) if self.before else None
        return whole.kept if whole else self.before

    @property
    def matter(self) -> str:
        """The question without the greeting that it may open with."""
        return without_opening(self.question)

    @property
    def points_back(self) -> bool:
        """Whether it is about the same thing as the question before it ("Does it …?")."""
        return OPENING.search(self.matter) is None

    @property
    def wanting(self) -> str:
        """What says whether steps, rows or an extreme are wanted: the question, where it asks for
        something itself, else with the one before it ("And with a projector?")."""
        alone = _ASKS.search(self.matter) or _YES_OR_NO.match(self.matter)
        return self.matter if alone else self.text

    @property
    def says_enough(self) -> bool:
        """Whether the question says by itself what kind of request it is."""
        return len(content_stems(self.question)) >= _ENOUGH_WORDS


def standalone(question: str, turns: Callable[[], Sequence[Turn]]) -> Asked:
    """What to search for: `question`, with the last one where it leans on that; or the last one,
    where its answer is asked for again.

    `turns` gives the conversation so far, oldest first; it is only called where it matters.
    """
    wanted = again(question)
    if not wanted and (small_talk(question) or not leans(question)):
        return Asked(question)
    said = (turn.text for turn in turns() if turn.role == "user")
    asked = [text for text in said if not small_talk(text) and not again(text)]
    if not asked:
        return Asked(question)
    if wanted:
        return replace(_whole(asked[-1], asked[:-1]), again=wanted)
    return _whole(question, asked)


def _whole(question: str, earlier: Sequence[str], most: int = _MOST_TURNS) -> Asked:
    """The question with what it leans on, which may lean on another one itself."""
    if not earlier or not most or not leans(question):
        return Asked(question)
    last = _whole(earlier[-1], earlier[:-1], most - 1)
    goes_on = not Asked(question).points_back and not last.points_back
    # "And for cats?", "What about rabbits?": the second is in place of the first
    before = last.before if last.before and goes_on and "\n" in last.text else last.text
    return Asked(question, before[-_MOST_CHARACTERS:])
